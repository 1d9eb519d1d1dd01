import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { LinkTranscript } from '../../../contracts/edge-link.ts';
import { createPartialSender } from '../../../edge/forward-partials.ts';
import type { PartialSender } from '../../../edge/forward-partials.ts';

const sent: LinkTranscript[] = [];
const link = {
  up: true,
  bufferedBytes: 0,
  send: (message: LinkTranscript): boolean => {
    sent.push(message);
    return link.up;
  },
};
let partials: PartialSender;
const offer = (utteranceId: string, revision: number, text = `${utteranceId} ${revision}`): void =>
  partials.offer({ utteranceId, revision, text });
const texts = (): string[] => sent.map(({ text }) => text);

beforeEach(() => {
  jest.useFakeTimers();
  sent.length = 0;
  link.up = true;
  link.bufferedBytes = 0;
  partials = createPartialSender(() => link, 'edge-1');
});
afterEach(() => {
  partials.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('partials', () => {
  it('go at once, without a number of their own, with their revision', () => {
    offer('u', 0);
    expect(sent).toEqual([
      { type: 'transcript', is_final: false, utterance_id: 'u', session_id: 'edge-1', revision: 0, text: 'u 0' },
    ]);
  });

  it('the newest wins, ten a second at most', () => {
    for (let ms = 0; ms < 1_000; ms += 10) {
      offer('u', ms / 10);
      jest.advanceTimersByTime(10);
    }
    jest.advanceTimersByTime(1_000);
    expect(texts()).toEqual(['u 0', ...[10, 20, 30, 40, 50, 60, 70, 80, 90].map((n) => `u ${n - 1}`), 'u 99']);
    expect(partials.counts).toEqual({ sent: 11, dropped: 89 });
  });

  it('each utterance has its newest', () => {
    offer('a', 0);
    offer('a', 1);
    offer('b', 0);
    offer('a', 2);
    jest.advanceTimersByTime(1_000);
    expect(texts()).toEqual(['a 0', 'b 0', 'a 2']);
  });

  it('an older revision does not replace a newer one', () => {
    offer('u', 0);
    offer('u', 5);
    offer('u', 4);
    jest.advanceTimersByTime(1_000);
    expect(texts()).toEqual(['u 0', 'u 5']);
  });

  it('none follows its final', () => {
    offer('u', 0);
    offer('u', 1);
    partials.over('u');
    offer('u', 2);
    jest.advanceTimersByTime(1_000);
    expect(texts()).toEqual(['u 0']);
    expect(partials.counts).toEqual({ sent: 1, dropped: 2 });
  });

  it('are dropped while the link is down or full, and not sent later', () => {
    link.up = false;
    offer('u', 0);
    jest.advanceTimersByTime(1_000);
    link.up = true;
    link.bufferedBytes = 20_000;
    offer('u', 1);
    jest.advanceTimersByTime(1_000);
    link.bufferedBytes = 0;
    jest.advanceTimersByTime(1_000);
    expect(texts()).toEqual([]);
    expect(partials.counts).toEqual({ sent: 0, dropped: 2 });
    offer('u', 2);
    expect(texts()).toEqual(['u 2']);
  });

  it('are bounded, and none is longer than the gateway takes', () => {
    offer('first', 0);
    for (let n = 0; n < 100; n++) offer(`u${n}`, 0);
    offer('long', 0, 'x'.repeat(8_001));
    jest.advanceTimersByTime(60_000);
    expect(texts()).toEqual(['first 0', ...Array.from({ length: 8 }, (_, n) => `u${92 + n} 0`)]);
    expect(partials.counts.dropped).toBe(93);
  });
});
