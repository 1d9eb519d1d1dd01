import { beforeEach, describe, expect, it } from '@jest/globals';
import { createBargeIn } from '../../../edge/barge-in.ts';
import type { BargeIn } from '../../../edge/barge-in.ts';
import { createOwnVoice } from '../../../edge/own-voice.ts';

const QUESTION = 'The coding agent wants to push. Approve?';

let calls: string[];
let notices: string[];
let playing: boolean;
let ownVoice: ReturnType<typeof createOwnVoice>;
let bargeIn: BargeIn;

const start = (enabled: boolean): void => {
  bargeIn = createBargeIn({
    answers: {
      get playing() {
        return playing;
      },
      userSpeaks: (speaking, how) => void calls.push(speaking ? `speaks, ${how}` : 'silent'),
      interrupt: () => void calls.push('interrupt'),
      sayAgain: () => void calls.push('say again'),
    },
    ownVoice,
    enabled,
    notice: (text) => void notices.push(text),
  });
};

beforeEach(() => {
  calls = [];
  notices = [];
  playing = false;
  ownVoice = createOwnVoice();
  start(true);
});

/** Our own voice from a loudspeaker, which the microphone takes for a person at once. */
const hearOurselves = (id: string, atMs: number, text = 'the'): string => {
  const saying = ownVoice.begin(QUESTION, atMs);
  playing = true;
  bargeIn.speechStart(id, atMs + 60);
  playing = false;
  saying.ended(atMs + 200, false);
  bargeIn.speechEnd(id, atMs + 260);
  return bargeIn.final(id, text, atMs + 900);
};

describe('a person who speaks', () => {
  it('while nothing is said, is left to speak', () => {
    bargeIn.speechStart('u-1', 100);
    bargeIn.partial('u-1', 'refactor', 400);
    bargeIn.speechEnd('u-1', 900);
    expect(bargeIn.final('u-1', 'Refactor the API.', 1_000)).toBe('Refactor the API.');
    expect(calls).toEqual(['speaks, interrupts', 'silent']);
  });

  it('over us, cuts us off at the onset, before any word', () => {
    ownVoice.begin(QUESTION, 0);
    playing = true;
    bargeIn.speechStart('u-1', 500);
    expect(calls).toEqual(['speaks, interrupts']);
    bargeIn.speechEnd('u-1', 1_900);
    expect(bargeIn.final('u-1', 'no, stop it', 2_000)).toBe('no, stop it');
    expect(calls).toEqual(['speaks, interrupts', 'silent']);
  });

  it('is waited for where cutting off is switched off', () => {
    start(false);
    ownVoice.begin(QUESTION, 0);
    playing = true;
    bargeIn.speechStart('u-1', 500);
    bargeIn.partial('u-1', 'stop that', 900);
    expect(calls).toEqual(['speaks, waits']);
    expect(bargeIn.final('u-1', 'stop that', 2_000)).toBe('stop that');
    expect(calls).toEqual(['speaks, waits']);
  });
});

describe('our own voice from a loudspeaker', () => {
  it('is no order, and what it cut off is said again', () => {
    expect(hearOurselves('u-1', 1_000)).toBe('');
    expect(calls).toEqual(['speaks, interrupts', 'silent', 'say again']);
    expect(notices).toEqual([]);
  });

  it('cuts us off no more after the second time; words of a person do', () => {
    hearOurselves('u-1', 1_000);
    hearOurselves('u-2', 5_000, '');
    expect(notices).toEqual([expect.stringContaining('a headset')]);
    calls = [];
    const saying = ownVoice.begin(QUESTION, 10_000);
    playing = true;
    bargeIn.speechStart('u-3', 10_060);
    bargeIn.partial('u-3', 'the', 10_300);
    bargeIn.partial('u-3', 'the coding agent', 10_700);
    expect(calls).toEqual(['speaks, waits']);
    bargeIn.partial('u-3', 'the coding agent stop', 11_200);
    bargeIn.partial('u-3', 'the coding agent stop everything', 11_500);
    expect(calls).toEqual(['speaks, waits', 'interrupt']);
    saying.ended(11_250, false);
    bargeIn.speechEnd('u-3', 12_000);
    expect(bargeIn.final('u-3', 'the coding agent stop everything', 12_300)).toBe('stop everything');
    expect(notices).toHaveLength(1);
  });

  it('is told from noise that was no speech in the same way', () => {
    playing = true;
    bargeIn.speechStart('u-1', 100);
    bargeIn.lost('u-1');
    bargeIn.speechStart('u-2', 300);
    bargeIn.lost('u-2');
    expect(calls.filter((call) => call === 'say again')).toHaveLength(2);
    expect(notices).toHaveLength(1);
  });

  it('is not suspected where a person speaks in between', () => {
    hearOurselves('u-1', 1_000);
    ownVoice.begin(QUESTION, 5_000);
    playing = true;
    bargeIn.speechStart('u-2', 5_500);
    bargeIn.speechEnd('u-2', 6_900);
    expect(bargeIn.final('u-2', 'tell me about the tests', 7_000)).toBe('tell me about the tests');
    hearOurselves('u-3', 40_000);
    expect(notices).toEqual([]);
  });
});

it('knows nothing of an utterance it did not see begin, and remembers only so many', () => {
  expect(bargeIn.final('u-0', 'hello', 100)).toBe('hello');
  bargeIn.partial('u-0', 'hello', 100);
  bargeIn.lost('u-0');
  playing = true;
  ownVoice.begin('Two jobs started.', 0);
  for (let i = 0; i < 70; i += 1) bargeIn.speechStart(`u-${i}`, 100);
  expect(bargeIn.final('u-0', 'two jobs started', 200)).toBe('two jobs started');
  expect(bargeIn.final('u-69', 'two jobs started', 200)).toBe('');
});
