import { describe, expect, it } from '@jest/globals';
import { inRealTime, PlaybackClock, soundMs } from '../../../edge/playback-clock.ts';
import { tone } from '../../fakes/edge-speaker.ts';

describe('where a device stands', () => {
  it('has heard nothing before its latency is over, and never more than it was given', () => {
    const clock = new PlaybackClock(100);
    expect([clock.heardMs(0), clock.aheadMs(0)]).toEqual([0, 0]);
    clock.wrote(200, 1_000);
    expect([clock.heardMs(1_000), clock.heardMs(1_100), clock.heardMs(1_150)]).toEqual([0, 0, 50]);
    expect([clock.heardMs(1_300), clock.heardMs(9_000), clock.writtenMs]).toEqual([200, 200, 200]);
    expect([clock.aheadMs(1_000), clock.aheadMs(1_250), clock.aheadMs(2_000)]).toEqual([300, 50, 0]);
  });

  it('counts no pause of a source as heard', () => {
    const clock = new PlaybackClock(0);
    clock.wrote(100, 0);
    clock.wrote(100, 5_000);
    expect([clock.heardMs(5_000), clock.heardMs(5_060)]).toEqual([100, 160]);
  });

  it('knows how long samples sound', () => {
    expect(soundMs(24_000)).toBe(1_000);
  });
});

describe('sound in real time', () => {
  it('comes in pieces of 20 ms, never further ahead than allowed', async () => {
    const clock = new PlaybackClock(0);
    const started = performance.now();
    let given = 0;
    const ahead: number[] = [];
    for await (const piece of inRealTime(once(new Int16Array(9_600)), clock, 60, new AbortController().signal)) {
      expect(piece.length).toBeLessThanOrEqual(480);
      given += soundMs(piece.length);
      ahead.push(given - (performance.now() - started));
    }
    expect(given).toBe(400);
    expect(Math.max(...ahead)).toBeLessThanOrEqual(60 + 20 + 1);
    expect(performance.now() - started).toBeGreaterThanOrEqual(400 - 60 - 21);
  });

  it('ends with the signal, also while its source is stuck, and lets the source go', async () => {
    let released = false;
    const stuck: AsyncIterable<Int16Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          released = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    const pieces: Int16Array[] = [];
    for await (const piece of inRealTime(stuck, new PlaybackClock(0), 60, controller.signal)) pieces.push(piece);
    expect([pieces.length, released]).toEqual([0, true]);
  });

  it('passes on what its source throws, and lets a source go that is not wanted to its end', async () => {
    const signal = new AbortController().signal;
    const failing = async (): Promise<void> => {
      for await (const piece of inRealTime(throwing(), new PlaybackClock(0), 60, signal)) void piece;
    };
    await expect(failing()).rejects.toThrow('broken');
    const source = tone(10_000);
    for await (const piece of inRealTime(source, new PlaybackClock(0), 60, signal)) {
      void piece;
      break;
    }
    expect((await source.next()).done).toBe(true);
  });
});

async function* once(samples: Int16Array): AsyncGenerator<Int16Array, void> {
  yield samples;
}
async function* throwing(): AsyncGenerator<Int16Array, void> {
  yield new Int16Array(10);
  throw new Error('broken');
}
