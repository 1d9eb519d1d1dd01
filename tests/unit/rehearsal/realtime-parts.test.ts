import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readClientEvent, samplesOf, toBase64 } from '../../../rehearsal/realtime/client-events.ts';
import { nextMove } from '../../../rehearsal/realtime/conversing-model.ts';
import type { Read } from '../../../rehearsal/realtime/conversing-model.ts';
import { createRealtimeFaults } from '../../../rehearsal/realtime/faults.ts';
import { createResampler } from '../../../rehearsal/realtime/resample.ts';
import { TurnDetector } from '../../../rehearsal/realtime/turn-detector.ts';

describe('24 kHz to 16 kHz', () => {
  const tone = (hz: number, rate: number, samples: number): Int16Array =>
    Int16Array.from({ length: samples }, (_, at) => Math.round(20_000 * Math.sin((2 * Math.PI * hz * at) / rate)));
  const loudness = (samples: Int16Array): number =>
    Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length) * Math.SQRT2;
  const decibels = (hz: number): number => {
    const out = createResampler()
      .push(tone(hz, 24_000, 24_000))
      .subarray(200);
    return 20 * Math.log10(Math.max(loudness(out), 1e-3) / 20_000);
  };

  it.each([100, 1_000, 4_000, 6_500])('passes %d Hz', (hz) => expect(Math.abs(decibels(hz))).toBeLessThan(0.5));
  it.each([9_300, 10_000, 11_500])('stops %d Hz, which would be heard as speech', (hz) =>
    expect(decibels(hz)).toBeLessThan(-60),
  );

  it('gives the same in any pieces, two samples for three', () => {
    const samples = tone(440, 24_000, 3_000);
    const whole = createResampler();
    const expected = [...whole.push(samples), ...whole.flush()];
    expect(expected).toHaveLength(2_022);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 12 }), (cuts) => {
        const pieces = createResampler();
        const got: number[] = [];
        let at = 0;
        for (const cut of cuts) {
          got.push(...pieces.push(samples.subarray(at, at + cut)));
          at = Math.min(samples.length, at + cut);
        }
        got.push(...pieces.push(samples.subarray(at)), ...pieces.flush());
        expect(got).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });
});

describe('events of a client', () => {
  it('never throws for what comes over the wire', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(readClientEvent(text)).toHaveProperty('problem');
      }),
    );
  });

  it('reads the samples that were written', () => {
    fc.assert(
      fc.property(fc.int16Array(), (samples) => expect([...samplesOf(toBase64(samples))]).toEqual([...samples])),
    );
  });
});

describe('turns by loudness', () => {
  const frames = (count: number, level: number): Int16Array[] =>
    Array.from({ length: count }, () => new Int16Array(480).fill(level));
  it('begin with three loud frames and end with the silence asked for', () => {
    const detector = new TurnDetector({ threshold: 0.5, silence_duration_ms: 100 });
    const turns = [...frames(5, 50), ...frames(2, 5_000), ...frames(1, 50), ...frames(4, 5_000), ...frames(6, 50)].map(
      (frame) => detector.push(frame),
    );
    expect(turns.map((turn, at) => [turn, at]).filter(([turn]) => turn)).toEqual([
      ['started', 10],
      ['stopped', 16],
    ]);
  });
});

describe('the conversing model', () => {
  const tool = (name: string, ...required: string[]) => ({
    type: 'function' as const,
    name,
    parameters: {
      type: 'object',
      properties: Object.fromEntries([...required, 'note'].map((key) => [key, { type: 'string' }])),
      required,
    },
  });
  const tools = [
    tool('submit_task', 'text'),
    tool('task_status', 'trace_id'),
    tool('cancel_task', 'trace_id'),
    tool('approve', 'job_id', 'approval_id', 'decision'),
  ];
  const known: Read[] = [
    { by: 'output', text: '{"status":"accepted","trace_id":"ab12","jobs":[{"job_id":"ab12-1"}]}' },
    { by: 'system', text: 'The coding agent wants to push (job_id ab12-1, approval_id: ap-7). Approve?' },
  ];
  const said = (text: string, before: Read[] = known) => nextMove([...before, { by: 'user', text }], tools);

  it.each<[string, unknown]>([
    ['Refactor the API.', { call: 'submit_task', args: { text: 'Refactor the API.' } }],
    ['Stop the server and deploy it', { call: 'submit_task', args: { text: 'Stop the server and deploy it' } }],
    ['What is the status?', { call: 'task_status', args: { trace_id: 'ab12' } }],
    ['Cancel that, please.', { call: 'cancel_task', args: { trace_id: 'ab12' } }],
    ['Stop', { call: 'cancel_task', args: { trace_id: 'ab12' } }],
    ['Yes, approve it', { call: 'approve', args: { job_id: 'ab12-1', approval_id: 'ap-7', decision: 'approve' } }],
    ['reject', { call: 'approve', args: { job_id: 'ab12-1', approval_id: 'ap-7', decision: 'reject' } }],
    ['Thank you', { say: 'You are welcome.' }],
    ['', { say: 'I did not understand that.' }],
  ])('hears "%s"', (text, move) => expect(said(text)).toEqual(move));

  it('finds an id in words', () => {
    const taken: Read[] = [{ by: 'output', text: 'Taken as trace_id cd34: coding: refactor the API.' }];
    expect(said('cancel it', taken)).toEqual({ call: 'cancel_task', args: { trace_id: 'cd34' } });
  });

  it('asks for no id that was never said', () => {
    expect(said('stop', [])).toEqual({ say: 'There is nothing to cancel.' });
    expect(said('approve', [])).toEqual({ say: 'Nothing waits for an approval.' });
  });

  it('calls only what it was offered', () => {
    expect(nextMove([{ by: 'user', text: 'What is the status?' }], [])).toEqual({
      say: 'You said: What is the status?',
    });
  });

  it.each([
    ['{"status":"accepted","jobs":[{}]}', 'One job started.'],
    ['{"status":"clarify","question":"Which site, staging or production?"}', 'Which site, staging or production?'],
    ['{"problem":{"detail":"No such task."}}', 'No such task.'],
    ['{"status":"partially_succeeded"}', 'The status is partially succeeded.'],
    ['Tests pass. Two findings on staging.', 'Tests pass.'],
    ['Taken as trace_id ab12: coding: refactor the API. It is running.', 'Taken: coding: refactor the API.'],
    ['The coding agent waits (job_id ab12-1, approval_id ap-7): push. Ask.', 'The coding agent waits: push.'],
    ['', 'Done.'],
  ])('retells %s', (text, sentence) => expect(nextMove([{ by: 'output', text }], tools)).toEqual({ say: sentence }));
});

describe('the queue of Realtime faults', () => {
  it('counts handshakes and utterances apart', () => {
    const faults = createRealtimeFaults();
    faults.add({ provider: 'openai', kind: 'cut', nth: 2, count: 2 });
    faults.add({ provider: 'openai', kind: 'unauthorized' });
    const take = (stage: 'handshake' | 'utterance') => faults.take(stage)?.kind;
    expect([take('utterance'), take('utterance'), take('utterance'), take('utterance')]).toEqual([
      undefined,
      'cut',
      'cut',
      undefined,
    ]);
    expect(faults.list()).toMatchObject([{ kind: 'unauthorized', count: 1 }]);
    expect([take('handshake'), take('handshake')]).toEqual(['unauthorized', undefined]);
  });
});
