import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAnswers } from '../../../edge/answers.ts';
import type { Answers, AnswersDeps, SpokenOutcome } from '../../../edge/answers.ts';
import { createOwnVoice } from '../../../edge/own-voice.ts';
import type { Sentence } from '../../../edge/sentence.ts';
import { RecordingSpeaker, tone, ToneVoice } from '../../fakes/edge-speaker.ts';
import { until } from '../../fakes/until.ts';

const TRACE = 'a'.repeat(32);
const sentence = (text: string, more: Partial<Sentence> = {}): Sentence => ({
  text,
  traceId: TRACE,
  urgency: 'result',
  earcon: null,
  key: null,
  final: false,
  ...more,
});
const question = (text: string, key = text): Sentence => sentence(text, { urgency: 'question', key });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let speaker: RecordingSpeaker;
let voice: ToneVoice;
let ownVoice: ReturnType<typeof createOwnVoice>;
let answers: Answers;
let told: string[];
let spoken: { text: string; outcome: SpokenOutcome; heardMs: number }[];
let notices: string[];

const start = (more: Partial<AnswersDeps> = {}): void => {
  answers = createAnswers({
    speaker,
    voice,
    ownVoice,
    events: {
      told: ({ text }) => void told.push(text),
      spoken: ({ text, outcome, heardMs }) => void spoken.push({ text, outcome, heardMs }),
      notice: (text) => void notices.push(text),
    },
    ...more,
  });
};
const outcomes = (): string[] => spoken.map(({ text, outcome }) => `${text} ${outcome}`);
const drained = (): Promise<void> => answers.drained(AbortSignal.timeout(10_000));
const playing = (): Promise<true> =>
  until(() => (answers.playing && speaker.played.at(-1)?.samples ? true : undefined));

beforeEach(() => {
  speaker = new RecordingSpeaker();
  voice = new ToneVoice();
  ownVoice = createOwnVoice();
  told = [];
  spoken = [];
  notices = [];
  start();
});
afterEach(() => answers.close());

describe('what is to be said', () => {
  it('is said one after the other, the urgent first, and told at once', async () => {
    answers.say(sentence('first one', { traceId: 'b' }));
    answers.say(sentence('a note', { urgency: 'note', traceId: 'c' }));
    answers.say(question('may I'));
    expect(told).toEqual(['first one', 'a note', 'may I']);
    await drained();
    expect(outcomes()).toEqual(['first one heard', 'may I heard', 'a note heard']);
    expect(spoken.map(({ heardMs }) => heardMs)).toEqual([80, 80, 80]);
    expect(answers.playing).toBe(false);
  });

  it('waits until the person is silent', async () => {
    answers.userSpeaks(true);
    answers.say(sentence('one'));
    await pause(60);
    expect([spoken, speaker.played, answers.playing]).toEqual([[], [], false]);
    answers.userSpeaks(false);
    await drained();
    expect(outcomes()).toEqual(['one heard']);
  });

  it('is not said when newer words made it stale, but was told', async () => {
    answers.userSpeaks(true);
    answers.say(sentence('two jobs started', { urgency: 'note' }));
    answers.say(sentence('tests pass', { final: true }));
    expect(outcomes()).toEqual(['two jobs started muted']);
    answers.userSpeaks(false);
    await drained();
    expect(outcomes()).toEqual(['two jobs started muted', 'tests pass heard']);
    expect(voice.said).toEqual(['tests pass']);
  });

  it('is asked once, and not at all when it was answered meanwhile', async () => {
    answers.userSpeaks(true);
    answers.say(question('push?', 'p.1'));
    answers.say(question('push?', 'p.1'));
    answers.say(question('merge?', 'm.1'));
    answers.settle('m.1');
    answers.userSpeaks(false);
    await drained();
    answers.say(question('push?', 'p.1'));
    await drained();
    expect(outcomes()).toEqual(['merge? muted', 'push? heard']);
  });

  it('says something else when its turn comes late', async () => {
    const late = { afterMs: performance.now() + 30, text: 'too late' };
    answers.say(sentence('in time', { later: { ...late, afterMs: performance.now() + 60_000 } }));
    answers.say({ ...question('approve?'), later: late });
    await drained();
    expect(outcomes()).toEqual(['in time heard', 'too late heard']);
  });

  it('is known to be our own voice while it is said, without its sound', async () => {
    const begun: [string, boolean][] = [];
    start({
      ownVoice: {
        begin: (text, startedAtMs) => {
          // The sound before the words is 200 ms long, and a gap follows it.
          begun.push([typeof text === 'string' ? text : text(), startedAtMs - performance.now() > 150]);
          return ownVoice.begin(text, startedAtMs);
        },
      },
    });
    answers.say(sentence('two jobs started', { earcon: 'accepted' }));
    const from = performance.now();
    await drained();
    expect(begun).toEqual([['two jobs started', true]]);
    expect(ownVoice.isOwnVoice('two jobs started', from + 50, performance.now())).toBe(true);
  });

  it('can be for the eyes alone', async () => {
    answers.say(sentence('not an order', { aloud: false, earcon: 'failed' }));
    await drained();
    expect([outcomes(), speaker.played.length]).toEqual([['not an order muted'], 0]);
  });
});

describe('sounds', () => {
  it('go before the words, and what was heard counts the words', async () => {
    answers.say(sentence('it failed', { earcon: 'failed' }));
    await drained();
    expect(spoken).toEqual([{ text: 'it failed', outcome: 'heard', heardMs: 80 }]);
    expect(speaker.played).toHaveLength(1);
    expect(speaker.played[0]?.samples).toBeGreaterThan(24 * (80 + 200));
  });

  it('are played though nothing is spoken, and the words are told as not said at once', async () => {
    start({ voice: null });
    answers.say(sentence('two jobs started', { earcon: 'accepted' }));
    expect(outcomes()).toEqual(['two jobs started muted']);
    await drained();
    answers.say(sentence('no sound of its own'));
    await drained();
    expect(outcomes()).toEqual(['two jobs started muted', 'no sound of its own muted']);
    expect(speaker.played.map(({ samples }) => samples)).toEqual([Math.round(200 * 24)]);
  });

  it('stay when speech is switched off', async () => {
    answers.say(sentence('one two three four five six seven eight nine ten'));
    await playing();
    answers.say(sentence('later'));
    answers.speech(false);
    answers.say(sentence('failed', { earcon: 'failed' }));
    await drained();
    expect(outcomes()).toEqual([
      'later muted',
      'failed muted',
      'one two three four five six seven eight nine ten interrupted',
    ]);
    answers.speech(true);
    answers.say(sentence('again'));
    await drained();
    expect(outcomes().at(-1)).toBe('again heard');
    expect(voice.said).toEqual(['one two three four five six seven eight nine ten', 'again']);
  });
});

describe('a person who speaks over it', () => {
  const long = (name: string): string => `${name} ${'word '.repeat(30).trim()}`;

  it('is met with silence within 150 ms, and its rest is not said again', async () => {
    answers.say(sentence(long('a'), { traceId: 'b' }));
    answers.say(sentence('next'));
    await playing();
    await pause(150);
    const spokeAtMs = performance.now();
    answers.userSpeaks(true);
    await until(() => (answers.playing ? undefined : true));
    expect((speaker.played[0]?.lastAtMs ?? Infinity) - spokeAtMs).toBeLessThan(150);
    expect(spoken).toHaveLength(1);
    expect(spoken[0]).toMatchObject({ text: long('a'), outcome: 'interrupted' });
    expect(spoken[0]?.heardMs).toBeGreaterThan(50);
    expect(spoken[0]?.heardMs).toBeLessThan(1_000);
    answers.userSpeaks(false);
    answers.userAnswered();
    await drained();
    expect(outcomes()).toEqual([`${long('a')} interrupted`, 'next heard']);
    expect(voice.said).toEqual([long('a'), 'next']);
  });

  it('is asked a question once more, after the answer, and not a third time', async () => {
    answers.say(question(long('approve?'), 'k'));
    await playing();
    answers.userSpeaks(true);
    answers.userSpeaks(false);
    await drained();
    expect(voice.said).toHaveLength(1);
    answers.say(sentence('it is running'));
    answers.userAnswered();
    await until(() => (voice.said.length === 3 ? true : undefined));
    await playing();
    answers.userSpeaks(true);
    answers.userSpeaks(false);
    answers.userAnswered();
    await drained();
    expect(voice.said).toEqual([long('approve?'), 'it is running', long('approve?')]);
    expect(spoken.map(({ outcome }) => outcome)).toEqual(['interrupted', 'heard', 'interrupted']);
  });

  it('is not asked again when that was the answer, or when the task is over', async () => {
    start({ askAgainMs: 30 });
    for (const [key, after] of [
      ['settled', () => answers.settle('settled')],
      ['over', () => answers.say(sentence('it is over', { final: true }))],
    ] as const) {
      answers.say(question(long(key), key));
      await until(() => (voice.said.at(-1) === long(key) ? true : undefined));
      await playing();
      answers.userSpeaks(true);
      answers.userSpeaks(false);
      after();
      await drained();
      await pause(60);
      await drained();
    }
    expect(voice.said).toEqual([long('settled'), long('over'), 'it is over']);
  });

  it('is asked again after a while, when nothing became of what was said', async () => {
    start({ askAgainMs: 40 });
    answers.say(question(long('approve?'), 'k'));
    await playing();
    answers.userSpeaks(true);
    answers.userSpeaks(false);
    await until(() => (voice.said.length === 2 ? true : undefined));
  });

  it('can be waited out instead: then it ends, and nothing new begins', async () => {
    answers.say(sentence('one two three'));
    await playing();
    answers.userSpeaks(true, 'waits');
    answers.say(sentence('next'));
    await until(() => (answers.playing ? undefined : true));
    await pause(40);
    expect(outcomes()).toEqual(['one two three heard']);
    answers.userSpeaks(false);
    await drained();
    expect(outcomes()).toEqual(['one two three heard', 'next heard']);
  });

  it('was none: what was cut off is said once more, once', async () => {
    answers.say(sentence(long('done')));
    for (const _ of [1, 2]) {
      await playing();
      answers.userSpeaks(true);
      answers.userSpeaks(false);
      await until(() => (answers.playing ? undefined : true));
      answers.sayAgain();
    }
    await drained();
    expect(spoken.map(({ outcome }) => outcome)).toEqual(['interrupted', 'interrupted']);
  });

  it('wants silence: notes and results are dropped, questions and failures are not', async () => {
    answers.say(question(long('a'), 'k'));
    await playing();
    answers.say(sentence('result'));
    answers.say(sentence('broken', { urgency: 'failure' }));
    answers.hush();
    await drained();
    answers.userAnswered();
    await drained();
    expect(outcomes()).toEqual(['result muted', `${long('a')} interrupted`, 'broken heard']);
  });
});

describe('a voice that is made elsewhere', () => {
  it('takes its turn before what waits, and tells what was heard', async () => {
    answers.say(sentence('one two'));
    answers.say(sentence('three'));
    const heard = answers.play(tone(100), () => 'hello there you', AbortSignal.timeout(5_000));
    expect(await heard).toBe(100);
    await drained();
    expect(speaker.played.map(({ samples }) => samples / 24)).toEqual([80, 100, 40]);
  });

  it('is cut off by the person, and never comes while the person speaks', async () => {
    const heard = answers.play(tone(5_000), () => 'hello', AbortSignal.timeout(9_000));
    await playing();
    await pause(100);
    answers.userSpeaks(true);
    expect(await heard).toBeGreaterThan(40);
    expect(await heard).toBeLessThan(1_000);
    const source = tone(100);
    expect(await answers.play(source, () => '', AbortSignal.timeout(9_000))).toBe(0);
    expect((await source.next()).done).toBe(true);
    expect(spoken).toEqual([]);
  });

  it('is cut off by its own signal', async () => {
    const controller = new AbortController();
    const heard = answers.play(tone(5_000), () => 'hello', controller.signal);
    await playing();
    controller.abort();
    expect(await heard).toBeLessThan(1_000);
    expect(await answers.play(tone(10), () => '', controller.signal)).toBe(0);
  });
});

describe('where nothing can be heard', () => {
  it('tells everything as text', async () => {
    start({ speaker: null });
    answers.say(sentence('one', { earcon: 'failed' }));
    answers.say(question('two'));
    expect([told, outcomes()]).toEqual([
      ['one', 'two'],
      ['one muted', 'two muted'],
    ]);
    expect(await answers.play(tone(50), () => '', AbortSignal.timeout(1_000))).toBe(0);
    await drained();
    expect(notices).toEqual([]);
  });

  it('says once why, goes on as text, and leaves the device alone for a while', async () => {
    speaker.failure = new Error('sox cannot play: no default audio device configured');
    answers.say(sentence('one'));
    await drained();
    speaker.failure = new Error('not asked');
    answers.say(sentence('two'));
    answers.say(sentence('three', { earcon: 'failed' }));
    await drained();
    expect(outcomes()).toEqual(['one muted', 'two muted', 'three muted']);
    expect(notices).toEqual(['sox cannot play: no default audio device configured; answers go on as text']);
    expect(speaker.failure).not.toBeNull();
  });

  it('says the same reason again only after something was heard', async () => {
    start({ restMs: 0 });
    for (const failure of [true, true, false, true]) {
      speaker.failure = failure ? new Error('no device') : null;
      answers.say(sentence('one'));
      await drained();
    }
    expect(spoken.map(({ outcome }) => outcome)).toEqual(['muted', 'muted', 'heard', 'muted']);
    expect(notices).toEqual(['no device; answers go on as text', 'no device; answers go on as text']);
  });

  it('still plays sounds when only the voice fails', async () => {
    voice.failure = new Error('espeak-ng cannot speak: no data');
    answers.say(sentence('one', { earcon: 'failed' }));
    await drained();
    answers.say(sentence('two', { earcon: 'failed' }));
    await drained();
    expect(outcomes()).toEqual(['one muted', 'two muted']);
    expect(notices).toEqual(['espeak-ng cannot speak: no data; answers go on as text']);
    expect(speaker.played).toHaveLength(2);
    expect(voice.said).toEqual(['one']);
  });

  it('ends in silence: what is said is cut off, what waits is told', async () => {
    answers.say(sentence('word '.repeat(100).trim(), { traceId: 'b' }));
    answers.say(sentence('next'));
    await playing();
    await answers.close();
    expect(spoken.map(({ outcome }) => outcome)).toEqual(['muted', 'interrupted']);
    answers.say(sentence('after'));
    expect(outcomes().at(-1)).toBe('after muted');
    await speaker.close();
  });
});
