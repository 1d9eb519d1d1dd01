import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unlikeness } from '../../../edge/likeness.ts';
import { createOwnVoice } from '../../../edge/own-voice.ts';

/** Something said from 1,000 ms on, to its end or until it was cut off. */
const said = (text: string, lengthMs: number, whole = true) => {
  const voice = createOwnVoice();
  voice.begin(text, 1_000).ended(1_000 + lengthMs, whole);
  return voice;
};
const QUESTION = 'The coding agent wants to push. Approve?';

describe('an echo of what is said', () => {
  it.each([
    ['Two jobs started.', 'two jobs started'],
    ['Two jobs started.', 'to jobs started'],
    ['Two jobs started.', '2 job started'],
    [QUESTION, 'the coding agent wants to push approve'],
    [QUESTION, 'coding agent wants to push'],
    ['Tests pass; two findings on staging.', 'tests passed two finding on staging'],
    // What PocketSphinx understood of synthesised speech.
    ['Two jobs started.', 'two dogs started it'],
    [QUESTION, 'the cutting edge and wants to push'],
    ['The browser job failed: it was not approved.', 'the broader got to yield it was not approved'],
    ['Started: validate the staging website.', 'started halladay is dating website'],
  ])('%j heard as %j is nobody’s', (text, heard) => {
    const voice = said(text, 2_000);
    expect(voice.isOwnVoice(heard, 1_050, 3_100)).toBe(true);
    expect(voice.wordsOfUser(heard, 1_050, 3_100)).toBe('');
  });

  it('is one while it is still being said, and as far as it has grown', () => {
    const voice = createOwnVoice();
    let text = 'I started';
    const saying = voice.begin(() => text, 1_000);
    expect(voice.isOwnVoice('i started two jobs', 1_100, 2_000)).toBe(false);
    text += ' two jobs for you';
    expect(voice.isOwnVoice('i started two jobs', 1_100, 2_000)).toBe(true);
    saying.ended(2_500, true);
    expect(voice.isOwnVoice('started two jobs for you', 1_100, 2_600)).toBe(true);
  });

  it('of a few words is one only at the time they were said', () => {
    // "Tests pass" as a sentence of its own would start a job.
    const voice = said('Tests pass; two findings on staging, the worst is a broken link.', 4_000);
    expect(voice.isOwnVoice('tests pass', 1_050, 1_700)).toBe(true);
    expect(voice.isOwnVoice('broken link', 4_300, 5_100)).toBe(true);
    expect(voice.isOwnVoice('tests pass', 4_300, 5_100)).toBe(false);
    expect(voice.isOwnVoice('tests pass', 5_100, 5_900)).toBe(false);
    expect(voice.isOwnVoice('links broken', 4_300, 5_100)).toBe(false);
  });

  it('of a sentence that was cut off ends when we fall silent', () => {
    const voice = said(QUESTION, 900, false);
    expect(voice.isOwnVoice('the coding', 1_050, 1_700)).toBe(true);
    // What was never said is no echo.
    expect(voice.isOwnVoice('approve', 1_500, 2_200)).toBe(false);
  });

  it('is none long after, nor before', () => {
    const voice = said('Two jobs started.', 1_500);
    expect(voice.isOwnVoice('two jobs started', 2_900, 4_400)).toBe(false);
    expect(voice.isOwnVoice('two jobs started', 100, 900)).toBe(false);
    expect([voice.spokeDuring(2_700, 3_000), voice.spokeDuring(2_900, 3_000)]).toEqual([true, false]);
  });
});

describe('a person', () => {
  it.each(['approve', 'yes', 'no', 'stop', 'cancel', 'reject', 'go ahead', 'yes please', 'no stop', 'approve it'])(
    'who says %j while we ask is heard, at any time',
    (answer) => {
      const voice = createOwnVoice();
      const saying = voice.begin(QUESTION, 1_000);
      expect(voice.wordsOfUser(answer, 1_300, 1_900)).toBe(answer);
      saying.ended(1_500, false); // cut off by it
      expect(voice.wordsOfUser(answer, 1_400, 2_000)).toBe(answer);
      expect(said(QUESTION, 3_000).wordsOfUser(answer, 4_050, 4_600)).toBe(answer);
    },
  );

  it('is not approved by our own question', () => {
    // "Approve?" is said from about 3,500 to 4,000, and its echo lies within.
    expect(said(QUESTION, 3_000).wordsOfUser('approve', 3_550, 4_080)).toBe('');
    // A person who answers cannot be done before we are: an answer takes half a second from our last word.
    expect(said(QUESTION, 3_000).wordsOfUser('approve', 3_950, 4_480)).toBe('approve');
    expect(said(QUESTION, 3_000).wordsOfUser('approve', 2_100, 2_700)).toBe('approve');
  });

  it('who says a word that stops is heard even where we say that word', () => {
    const voice = said('The last task did not stop.', 2_000);
    expect(voice.wordsOfUser('stop', 2_500, 2_950)).toBe('stop');
    expect(voice.wordsOfUser('task did not stop', 1_700, 2_950)).toBe('');
  });

  it('who answers at once is heard behind the echo of the question', () => {
    const voice = said(QUESTION, 3_000);
    expect(voice.wordsOfUser('the coding agent wants to push approve yes approve', 1_050, 5_000)).toBe('yes approve');
    expect(voice.wordsOfUser('The coding agent wants to push. Approve? Approve.', 1_050, 4_700)).toBe('Approve.');
    expect(voice.wordsOfUser('agent wants to push stop that', 1_500, 4_900)).toBe('stop that');
  });

  it('who speaks over us with words of ours, and goes on when we are silent, is heard whole', () => {
    const voice = said('Do you mean operate a web page, or change the code?', 900, false);
    expect(voice.wordsOfUser('operate a web page', 1_700, 3_000)).toBe('operate a web page');
    expect(said(QUESTION, 600, false).wordsOfUser('stop the coding agent', 1_400, 2_800)).toBe('stop the coding agent');
  });

  it('who says other words at the same time is heard', () => {
    expect(said(QUESTION, 3_000).wordsOfUser('the test suite wants to', 2_000, 3_900)).toBe('the test suite wants to');
    expect(said(QUESTION, 3_000).wordsOfUser('how is it going', 2_000, 3_900)).toBe('how is it going');
    expect(said(QUESTION, 3_000).wordsOfUser('coding agent wants to push stop', 1_500, 4_200)).toBe('stop');
    expect(said(QUESTION, 3_000).wordsOfUser('what is it going to push where', 2_000, 3_900)).toBe(
      'what is it going to push where',
    );
    expect(said(QUESTION, 3_000).wordsOfUser('stop the coding agent', 2_000, 3_900)).toBe('stop the coding agent');
  });

  it('is heard word for word when we are silent, whatever is said', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.nat(2_000), (text, lengthMs) => {
        const voice = said(QUESTION, 3_000);
        expect(voice.wordsOfUser(text, 4_301, 4_301 + lengthMs)).toBe(text);
        expect(text.trim().endsWith(voice.wordsOfUser(text, 1_500, 1_500 + lengthMs).trim())).toBe(true);
      }),
    );
  });
});

describe('a sentence that is not complete', () => {
  it('may be an echo until a word shows that it is not', () => {
    const voice = createOwnVoice();
    voice.begin(QUESTION, 1_000);
    const mayBe = (text: string): boolean => voice.mayBeOwn(text, 1_100, 2_000);
    expect(['the', 'the coding', 'coding agent wants', 'approve', ''].map(mayBe)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
    expect(['stop', 'yes', 'what', 'the coding stop', 'cancel the coding agent'].map(mayBe)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(voice.mayBeOwn('the', 100, 500)).toBe(false);
  });
});

it('knows how like letters are', () => {
  expect(unlikeness('two jobs', 'Two jobs started.')).toBe(0);
  expect(unlikeness('jobs', 'Two jobs started.')).toBe(0);
  expect(unlikeness('', 'x')).toBe(1);
  expect(unlikeness('x', '')).toBe(1);
  expect(unlikeness('jibs', 'Two jobs started.')).toBe(0.25);
  fc.assert(
    fc.property(fc.string(), fc.string(), (heard, said_) => {
      const unlike = unlikeness(heard, said_);
      expect(unlike).toBeGreaterThanOrEqual(0);
      expect(unlike).toBeLessThanOrEqual(1);
    }),
  );
});

it('forgets what was said half a minute ago, and never holds more than forty sentences', () => {
  const voice = createOwnVoice();
  voice.begin('Two jobs started.', 0).ended(1_000, true);
  voice.begin('x', 31_001);
  expect(voice.spokeDuring(500, 900)).toBe(false);
  for (let i = 0; i < 100; i += 1) voice.begin(`sentence ${i}`, 40_000 + i).ended(40_000 + i, true);
  expect(voice.isOwnVoice('sentence 10', 40_010, 40_300)).toBe(false);
  expect(voice.isOwnVoice('sentence 99', 40_099, 40_300)).toBe(true);
});
