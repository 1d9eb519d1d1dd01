import { afterEach, describe, expect, it } from '@jest/globals';
import { aborted, delay } from '../../../platform/lifecycle.ts';
import { createCapture } from '../../../edge/capture.ts';
import type { CaptureSettings } from '../../../edge/capture.ts';
import { FRAME_SAMPLES } from '../../../edge/frames.ts';
import type { Frame } from '../../../edge/frames.ts';
import { SILENCE_DBFS } from '../../../edge/level.ts';
import { MicrophoneError } from '../../../edge/microphone.ts';
import { createScriptedMicrophone, untilStopped } from '../../fakes/scripted-microphone.ts';
import type { Opening } from '../../fakes/scripted-microphone.ts';
import { until } from '../../fakes/until.ts';

const sound = (frames: number, value = 1_000): Int16Array => new Int16Array(frames * FRAME_SAMPLES).fill(value);
const gives =
  (...pieces: Int16Array[]): Opening =>
  async (give) =>
    pieces.forEach(give);
const lost = (message = 'unplugged'): Promise<never> =>
  Promise.reject(new MicrophoneError(message, { retryable: true }));

let running: AbortController | undefined;
afterEach(() => running?.abort());

/** Everything that was told, in one list, so that the order shows. */
const capturing = (openings: Opening[], options: { finite?: boolean; settings?: Partial<CaptureSettings> } = {}) => {
  const script = createScriptedMicrophone(openings, options.finite);
  const told: string[] = [];
  const frames: Frame[] = [];
  const stop = new AbortController();
  running = stop;
  const capture = createCapture({
    microphone: script.microphone,
    signal: stop.signal,
    settings: { backoff: { firstMs: 10, mostMs: 40 }, ...options.settings },
    events: {
      frame: (frame) => {
        frames.push(frame);
        if (!told.at(-1)?.startsWith('frames')) told.push('frames');
      },
      gap: (audioMs) => void told.push(`gap at ${audioMs}`),
      lost: (ms) => void told.push(ms > 0 && ms < 10_000 ? 'lost' : `lost ${ms}`),
      state: (state, problem) => void told.push(problem === null ? state : `${state}: ${problem}`),
    },
  });
  return { capture, told, frames, stop, script };
};

describe('a file', () => {
  it('becomes frames with their place in the sound, and ends; its last frame is filled up', async () => {
    const { capture, told, frames } = capturing([gives(sound(2).subarray(0, 500), sound(1))], { finite: true });
    await capture.done;
    expect(told).toEqual(['capturing', 'frames', 'ended']);
    expect(frames.map(({ audioMs }) => audioMs)).toEqual([0, 20, 40]);
    expect(frames.every(({ samples }) => samples.length === FRAME_SAMPLES)).toBe(true);
    expect(frames[2]?.samples[180]).toBe(0);
    expect(frames[0]?.capturedAtMs).toBeLessThanOrEqual(performance.now());
    expect(capture.counts).toEqual({ captured: 3, muted: 0, restarts: 0, lostMs: 0 });
  });

  it('that pauses is not taken for a device that does: no gap, no restart', async () => {
    const { capture, told } = capturing(
      [
        async (give) => {
          give(sound(1));
          await delay(150);
          give(sound(1));
        },
      ],
      { finite: true, settings: { stallMs: 40, breakMs: 50 } },
    );
    await capture.done;
    expect(told).toEqual(['capturing', 'frames', 'ended']);
  });
});

describe('a device', () => {
  it('that is lost is opened again; the gap is told at once, the time lost when sound is back', async () => {
    const { capture, told, frames, stop, script } = capturing([
      async (give) => {
        give(sound(2).subarray(0, 400));
        await lost();
      },
      () => lost(),
      async (give, signal) => {
        give(sound(1));
        await aborted(signal);
      },
    ]);
    await until(() => (frames.length === 3 ? true : undefined));
    expect(told).toEqual([
      ...['capturing', 'frames', 'gap at 40', 'waiting: unplugged'],
      ...['gap at 40', 'lost', 'capturing', 'frames'],
    ]);
    expect(frames.map(({ audioMs }) => audioMs)).toEqual([0, 20, 40]);
    expect(capture.counts).toMatchObject({ captured: 3, restarts: 2 });
    expect(capture.counts.lostMs).toBeGreaterThan(0);
    stop.abort();
    await capture.done;
    expect(script.isOpen).toBe(false);
    expect(capture.state).toBe('ended');
  });

  it('that could not be opened at first loses nothing by it', async () => {
    const { told, capture } = capturing([
      () => lost('taken'),
      async (give, signal) => {
        give(sound(1));
        await aborted(signal);
      },
    ]);
    await until(() => told.find((line) => line === 'frames'));
    expect(told).toEqual(['gap at 0', 'waiting: taken', 'capturing', 'frames']);
    expect(capture.counts.lostMs).toBe(0);
  });

  it('that just ends was lost too', async () => {
    const { told } = capturing([gives(sound(1)), untilStopped]);
    await until(() => told.find((line) => line === 'waiting: the microphone ended'));
  });

  it('that gives no sound is opened again, also when it hangs while it is told to stop', async () => {
    const { frames, told, script } = capturing(
      [
        (give) => {
          give(sound(1));
          return new Promise(() => undefined);
        },
      ],
      { settings: { stallMs: 100 } },
    );
    await until(() => told.find((line) => line === 'waiting: the microphone gives no sound'), 10_000);
    expect(frames).toHaveLength(1);
    await until(() => (script.opened > 1 ? true : undefined));
  });

  it('that gives sound now and then is left open', async () => {
    const { told, frames } = capturing(
      [
        async (give, signal) => {
          while (!signal.aborted) {
            give(sound(1));
            await delay(40);
          }
        },
      ],
      { settings: { stallMs: 200 } },
    );
    await until(() => (frames.length > 20 ? true : undefined));
    expect(told).toEqual(['capturing', 'frames']);
  });

  it('leaves no timer behind', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const { capture, stop, script } = capturing([() => lost(), untilStopped]);
    await until(() => (script.opened === 2 ? true : undefined));
    stop.abort();
    await capture.done;
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('that speaks up after it was left behind is not heard', async () => {
    let late: ((samples: Int16Array) => void) | undefined;
    const { frames, told } = capturing(
      [
        async (give, signal) => {
          late = give;
          await aborted(signal);
        },
        untilStopped,
      ],
      { settings: { stallMs: 60 } },
    );
    await until(() => told.find((line) => line.startsWith('waiting')));
    late?.(sound(5));
    expect(frames).toEqual([]);
  });

  it('that keeps failing is tried ever more rarely', async () => {
    const opened: number[] = [];
    const random = (): number => 0.999;
    const fails: Opening = () => {
      opened.push(performance.now());
      return lost();
    };
    const { stop } = capturing([...Array<Opening>(5).fill(fails), untilStopped], {
      settings: { backoff: { firstMs: 40, mostMs: 100, random } },
    });
    await until(() => (opened.length === 5 ? true : undefined));
    stop.abort();
    const waits = opened.slice(1).map((at, i) => at - (opened[i] ?? 0));
    [39, 79, 99, 99].forEach((least, i) => expect(waits[i]).toBeGreaterThanOrEqual(least - 2));
  });

  it('that worked for a while is tried again quickly the next time', async () => {
    const lostAt: number[] = [];
    const openedAt: number[] = [];
    const fails: Opening = () => {
      lostAt.push(performance.now());
      return lost();
    };
    const works: Opening = async (give) => {
      for (let i = 0; i < 22; i += 1) {
        give(sound(1));
        await delay(100);
      }
      give(sound(1));
      lostAt.push(performance.now());
      await lost();
    };
    const again: Opening = async (_give, signal) => {
      openedAt.push(performance.now());
      await aborted(signal);
    };
    capturing([fails, fails, fails, fails, works, again], {
      settings: { backoff: { firstMs: 40, mostMs: 60_000, random: () => 0.999 } },
    });
    await until(() => openedAt[0]);
    expect((openedAt[0] ?? 0) - (lostAt[4] ?? 0)).toBeLessThan(300);
  });

  it('that no waiting brings back ends it all, in words', async () => {
    const { capture, told } = capturing([
      () => Promise.reject(new MicrophoneError('sox is not installed', { retryable: false })),
    ]);
    await expect(capture.done).rejects.toThrow('sox is not installed');
    expect(told).toEqual(['ended: sox is not installed']);
  });

  it('whose sound breaks off for longer has a gap there: a laptop that slept', async () => {
    const { told, frames } = capturing(
      [
        async (give, signal) => {
          give(sound(1).subarray(0, 100));
          await delay(120);
          give(sound(1));
          await aborted(signal);
        },
      ],
      { settings: { breakMs: 100 } },
    );
    await until(() => (frames.length === 2 ? true : undefined));
    expect(told).toEqual(['capturing', 'frames', 'gap at 20', 'lost', 'frames']);
  });

  it('is let go at once when all ends, also while it waits to be opened again', async () => {
    const { capture, stop, told } = capturing([() => lost()], {
      settings: { backoff: { firstMs: 60_000, mostMs: 60_000, random: () => 0.9 } },
    });
    await until(() => told.find((line) => line.startsWith('waiting')));
    const startedAt = performance.now();
    stop.abort();
    await capture.done;
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe('muted', () => {
  it('sound is thrown away and counted, its place in time is kept, and there is a gap on either side', async () => {
    let give: ((samples: Int16Array) => void) | undefined;
    const { capture, told, frames, stop } = capturing([
      async (give_, signal) => {
        give = give_;
        await aborted(signal);
      },
    ]);
    await until(() => give);
    give?.(sound(2).subarray(0, 330));
    expect(capture.levelDbfs).toBeCloseTo(-30.3, 1);
    capture.mute(true);
    expect(capture.levelDbfs).toBe(SILENCE_DBFS);
    give?.(sound(3).subarray(0, 900));
    capture.mute(true);
    capture.mute(false);
    give?.(sound(1));
    expect(told).toEqual([...['capturing', 'frames', 'gap at 40', 'muted', 'gap at 100', 'capturing', 'frames']]);
    expect(frames.map(({ audioMs }) => audioMs)).toEqual([0, 20, 100]);
    expect(capture.counts).toMatchObject({ captured: 3, muted: 3 });
    stop.abort();
    await capture.done;
  });

  it('from the start, nothing is heard', async () => {
    const { capture, told, frames, stop } = capturing([
      async (give, signal) => {
        await delay(20);
        give(sound(3));
        await aborted(signal);
      },
    ]);
    capture.mute(true);
    await until(() => (capture.counts.muted === 3 ? true : undefined));
    expect(told).toEqual(['gap at 0', 'muted']);
    expect(frames).toEqual([]);
    stop.abort();
    await capture.done;
  });
});
