import { describe, expect, it } from '@jest/globals';
import type { Conversation, Exchange, PlannedCall } from '../../../rehearsal/conversation.ts';
import { act, think } from '../../../rehearsal/program.ts';
import type { Scenario } from '../../../rehearsal/program.ts';

const call = (name: string): PlannedCall => ({ name: 'bash', input: { command: name } });
const exchange = (calls: PlannedCall[], text = 'ok', change: Partial<Exchange> = {}): Exchange => ({
  said: '',
  calls,
  outcomes: calls.map(() => ({ text, isError: false, url: null })),
  notes: [],
  ...change,
});
const conversation = (exchanges: Exchange[], opening = 'go'): Conversation => ({
  provider: 'anthropic',
  model: 'm',
  tools: new Set(['bash']),
  vocabulary: null,
  opening,
  exchanges,
});

/** Asks for one, two and three in turn, and reports what came of them. */
const three: Scenario = {
  name: 'three',
  fits: ({ opening }) => opening.instruction === 'go',
  *run(job) {
    const seen: string[] = [];
    for (const name of ['one', 'two', 'three']) {
      const [outcome] = yield* act(job, `I do ${name}.`, call(name));
      seen.push(outcome?.text ?? '');
      job.done.push(name);
    }
    return seen.join(' ');
  },
};
const mend: Scenario = {
  name: 'mend',
  fits: ({ opening }) => opening.instruction.startsWith('fix the failing tests'),
  *run(job) {
    yield* act(job, 'I mend.', call('mend'));
    return 'mended';
  },
};
const other: Scenario = {
  name: 'other',
  fits: () => true,
  *run({ opening }) {
    return `no: ${opening.instruction}`;
  },
};
const next = (exchanges: Exchange[], opening?: string) => think(conversation(exchanges, opening), [three, mend, other]);

describe('a program', () => {
  it('goes on where the conversation stands, from the conversation alone', () => {
    expect(next([])).toMatchObject({ text: 'I do one.', calls: [call('one')], scenario: 'three' });
    expect(next([exchange([call('one')])]).calls).toEqual([call('two')]);
    const whole = [exchange([call('one')], 'a'), exchange([call('two')], 'b'), exchange([call('three')], 'c')];
    expect(next(whole)).toMatchObject({ calls: [] });
    expect(next(whole).text).toBe('(rehearsal) a b c\n\nSteps: one; two; three.');
    expect(next(whole)).toEqual(next(whole));
  });

  it('asks again for what a spoiled answer did not bring', () => {
    const malformed = exchange([{ name: 'bash', input: {} }], 'Not run', {
      notes: ['<note kind="malformed">\nYour last tool call could not be read.\n</note>'],
    });
    const cutOff = exchange([], '', { notes: ['<note kind="cut_off">\nYour last answer was cut off.\n</note>'] });
    for (const spoiled of [malformed, cutOff])
      expect(next([exchange([call('one')]), spoiled]).calls).toEqual([call('two')]);
    const report = next([exchange([call('one')]), malformed, exchange([call('two')]), exchange([call('three')])]);
    expect(report.text).not.toContain('You said');
  });

  it('does again what a lost session swallowed, and says so', () => {
    const lost = exchange([call('two')], 'gone', {
      outcomes: [{ text: 'gone', isError: true, url: null }],
      notes: ['<note kind="session_lost">\nThe coding session was lost.\n</note>'],
    });
    expect(next([exchange([call('one')]), lost]).calls).toEqual([call('two')]);
    const kept = exchange([call('two')], 'b', {
      notes: ['<note kind="session_lost">\nThe coding session was lost.\n</note>'],
    });
    expect(next([exchange([call('one')]), kept]).calls).toEqual([call('three')]);
    expect(
      next([exchange([call('one')]), lost, exchange([call('two')], 'b'), exchange([call('three')])]).text,
    ).toContain('the session was lost');
  });

  it('gives up on a session that is lost over and over', () => {
    const lost = exchange([call('one')], '', {
      outcomes: [{ text: 'gone', isError: true, url: null }],
      notes: ['<note kind="session_lost">x</note>'],
    });
    expect(next([lost, lost, lost]).calls).toEqual([call('one')]);
    expect(next([lost, lost, lost, lost]).calls).toEqual([call('two')]);
  });

  it('stops when a person says so, and quotes them', () => {
    const reply = next([exchange([call('one')], 'ok', { notes: ['<note kind="steer">\nstop now\n</note>'] })]);
    expect(reply.calls).toEqual([]);
    expect(reply.text).toMatch(/^\(rehearsal\) Stopped as you asked \(“stop now”\)\./);
    expect(reply.text).toContain('You said in between: “stop now”. I kept to it.');
  });

  it('hears a person between answers that could not be used, too', () => {
    const reply = next([
      exchange([], '', { notes: ['<note kind="steer">stop</note>', '<note kind="cut_off">x</note>'] }),
      exchange([call('one')]),
    ]);
    expect(reply.text).toContain('Stopped as you asked');
  });

  it('says honestly what it did not understand', () => {
    const noted = exchange([call('one')], 'ok', { notes: ['please use British spelling'] });
    const text = next([noted, exchange([call('two')]), exchange([call('three')])]).text;
    expect(text).toContain(
      'You said in between: “please use British spelling”. A rehearsal understands only “stop”'.replaceAll(
        '“stop”',
        '"stop"',
      ),
    );
  });

  it('starts anew when something is said after its report', () => {
    const over = [exchange([call('one')]), exchange([call('two')]), exchange([call('three')])];
    const failed = exchange([], '', {
      said: '(rehearsal)',
      notes: ['<note kind="verification_failed">\n`npm test` fails\n</note>'],
    });
    expect(next([...over, failed])).toMatchObject({ calls: [call('mend')], scenario: 'mend' });
    expect(next([...over, failed, exchange([call('mend')])]).text).toBe('(rehearsal) mended');
    const more = exchange([], '', { said: '(rehearsal)', notes: ['<note kind="steer">sing a song</note>'] });
    expect(next([...over, more]).text).toBe('(rehearsal) no: sing a song');
  });

  it('takes a plain text for its instruction, and the first section for it where there are some', () => {
    expect(next([], 'dance').text).toBe('(rehearsal) no: dance');
    expect(next([], '<instruction>\ngo\n</instruction>\n\n<request>\ngo and dance\n</request>').scenario).toBe('three');
  });
});
