import { afterEach, describe, expect, it } from '@jest/globals';
import { aborted } from '../../../platform/lifecycle.ts';
import { FRAME_SAMPLES } from '../../../edge/frames.ts';
import { createHearing } from '../../../edge/hearing.ts';
import type { HearingOptions } from '../../../edge/hearing.ts';
import { MicrophoneError } from '../../../edge/microphone.ts';
import { createGateLog } from '../../fakes/gate-log.ts';
import type { GateUtterance } from '../../fakes/gate-log.ts';
import { createLoudnessDetector } from '../../fakes/loudness-detector.ts';
import type { LoudnessDetector } from '../../fakes/loudness-detector.ts';
import { createScriptedMicrophone } from '../../fakes/scripted-microphone.ts';
import type { Opening } from '../../fakes/scripted-microphone.ts';
import { until } from '../../fakes/until.ts';

const speech = (frames: number): Int16Array => new Int16Array(frames * FRAME_SAMPLES).fill(8_000);
const silence = (frames: number): Int16Array => new Int16Array(frames * FRAME_SAMPLES);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

let running: AbortController | undefined;
afterEach(() => running?.abort());

const isOpen = (utterances: readonly GateUtterance[]): boolean =>
  utterances.length > 0 && utterances.at(-1)?.end === undefined;

const hearing = (openings: Opening[], options: Partial<HearingOptions> & { finite?: boolean } = {}) => {
  const { finite, ...more } = options;
  const script = createScriptedMicrophone(openings, finite);
  const log = createGateLog();
  const detectors: LoudnessDetector[] = [];
  const troubles: string[] = [];
  const microphone: string[] = [];
  const capturedAtMs: number[] = [];
  const stop = new AbortController();
  running = stop;
  const heard = createHearing({
    microphone: script.microphone,
    openDetector: (events) => {
      const made = createLoudnessDetector(events);
      detectors.push(made);
      return made;
    },
    signal: stop.signal,
    gate: { endLagMs: 0 },
    capture: { backoff: { firstMs: 10, mostMs: 20 } },
    events: {
      ...log.events,
      begin: (onset) => {
        capturedAtMs.push(onset.capturedAtMs);
        log.events.begin(onset);
      },
      microphone: (state) => void microphone.push(state),
      trouble: (text) => void troubles.push(text),
    },
    ...more,
  });
  return { ...log, heard, detectors, troubles, microphone, capturedAtMs, stop, isOpen: () => isOpen(log.utterances) };
};

/** A device whose sound the test gives. */
const given = (): { opening: Opening; give(samples: Int16Array): void; isOpen(): boolean } => {
  let give: ((samples: Int16Array) => void) | undefined;
  return {
    opening: async (give_, signal) => {
      give = give_;
      await aborted(signal);
    },
    give: (samples) => give?.(samples),
    isOpen: () => give !== undefined,
  };
};

describe('hearing', () => {
  it('makes utterances of a file; its end is judged before all is over', async () => {
    const { heard, utterances, detectors } = hearing(
      [
        async (give) => {
          give(silence(30));
          give(speech(20));
          give(silence(30));
          give(speech(10));
        },
      ],
      { finite: true },
    );
    await heard.done;
    expect(utterances.map(({ onsetMs, end }) => [onsetMs, end])).toEqual([
      [600, { endMs: 1_000, reason: 'silence' }],
      [1_600, { endMs: 1_800, reason: 'ended' }],
    ]);
    expect(heard.counts).toMatchObject({ captured: 90, lost: 0, held: 0 });
    expect(detectors.map(({ isClosed }) => isClosed)).toEqual([true]);
  });

  it('goes on with a new detector when one fails; what it had not judged is judged by the next', async () => {
    const device = given();
    const { heard, utterances, detectors, troubles } = hearing([device.opening]);
    await until(() => (device.isOpen() && detectors[0]?.resets.length ? true : undefined));
    device.give(silence(30));
    await until(() => (heard.pending === 0 ? true : undefined));
    detectors[0]?.stall(true);
    device.give(speech(20));
    device.give(silence(20));
    detectors[0]?.fail('out of memory');
    device.give(silence(20));
    await until(() => (utterances[0]?.end === undefined ? undefined : true));
    expect(utterances).toMatchObject([{ onsetMs: 600, end: { endMs: 1_000, reason: 'silence' } }]);
    expect(troubles).toEqual(['out of memory; starting another']);
    expect(detectors.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    expect(heard.counts).toMatchObject({ captured: 90, lost: 0 });
  });

  it('goes on where the sound is when a detector fails that had judged everything', async () => {
    const device = given();
    const { heard, utterances, detectors, capturedAtMs } = hearing([device.opening]);
    await until(() => (device.isOpen() && detectors[0]?.resets.length ? true : undefined));
    device.give(silence(30));
    await until(() => (heard.pending === 0 ? true : undefined));
    detectors[0]?.fail('crashed');
    await until(() => (detectors[1]?.resets.length ? true : undefined));
    const beforeMs = performance.now();
    device.give(speech(10));
    await until(() => (utterances.length > 0 ? true : undefined));
    expect(utterances).toMatchObject([{ onsetMs: 600 }]);
    expect(detectors[1]?.resets).toEqual([600]);
    // Not when the silence of its pre-roll was.
    expect(capturedAtMs[0]).toBeGreaterThanOrEqual(beforeMs);
    expect(capturedAtMs[0]).toBeLessThanOrEqual(performance.now());
  });

  it('keeps an utterance open while its detector is replaced', async () => {
    const device = given();
    const { heard, utterances, detectors, isOpen } = hearing([device.opening]);
    await until(() => (device.isOpen() && detectors[0]?.resets.length ? true : undefined));
    device.give(speech(20));
    await until(() => (isOpen() ? true : undefined));
    detectors[0]?.fail('crashed');
    device.give(speech(20));
    await until(() => (detectors.length === 2 && heard.pending === 0 ? true : undefined));
    device.give(silence(30));
    await until(() => (isOpen() ? undefined : true));
    expect(utterances).toMatchObject([{ frames: range(0, 70), end: { endMs: 800, reason: 'silence' } }]);
  });

  it('tries a detector that cannot be made again, and says why', async () => {
    let tries = 0;
    const { isOpen, utterances, troubles } = hearing(
      [
        async (give, signal) => {
          give(speech(30));
          await aborted(signal);
        },
      ],
      {
        openDetector: async (events) => {
          tries += 1;
          if (tries < 3) throw new Error('not installed');
          return createLoudnessDetector(events);
        },
      },
    );
    await until(() => (isOpen() ? true : undefined));
    expect(troubles).toEqual(['not installed; starting another']);
    expect(utterances[0]?.frames).toEqual(range(0, 30));
  });

  it('ends an utterance where the device is lost, and begins afresh when it is back', async () => {
    const device = given();
    const { utterances, detectors, isOpen } = hearing([
      async (give) => {
        give(speech(10));
        await new Promise(setImmediate);
        await new Promise(setImmediate);
        throw new MicrophoneError('unplugged', { retryable: true });
      },
      device.opening,
    ]);
    await until(() => (device.isOpen() ? true : undefined));
    device.give(speech(10));
    await until(() => (isOpen() ? true : undefined));
    expect(utterances).toMatchObject([
      { frames: range(0, 10), end: { reason: 'gap' } },
      { onsetMs: 200, frames: range(10, 20) },
    ]);
    expect(detectors[0]?.resets).toEqual([0, 200]);
  });

  it('hears nothing while muted, and ends what was being said', async () => {
    const device = given();
    const { heard, utterances, detectors, isOpen } = hearing([device.opening]);
    await until(() => (device.isOpen() && detectors[0]?.resets.length ? true : undefined));
    device.give(speech(10));
    await until(() => (isOpen() ? true : undefined));
    heard.capture.mute(true);
    expect(isOpen()).toBe(false);
    device.give(speech(10));
    heard.capture.mute(false);
    device.give(silence(10));
    await until(() => (heard.pending === 0 ? true : undefined));
    expect(utterances).toMatchObject([{ frames: range(0, 10), end: { reason: 'gap' } }]);
    expect(heard.counts).toMatchObject({ captured: 20, lost: 0 });
    expect(heard.capture.counts.muted).toBe(10);
  });

  it('ends at once when told to, in the middle of a word', async () => {
    const device = given();
    const { heard, utterances, stop, detectors, microphone, isOpen } = hearing([device.opening]);
    await until(() => (device.isOpen() && detectors[0]?.resets.length ? true : undefined));
    device.give(speech(10));
    await until(() => (isOpen() ? true : undefined));
    stop.abort();
    await heard.done;
    expect(utterances).toMatchObject([{ end: { reason: 'ended' } }]);
    expect(detectors[0]?.isClosed).toBe(true);
    expect(microphone.at(-1)).toBe('ended');
  });

  it('does not wait for ever for a detector that judges no more', async () => {
    const { heard, detectors, stop } = hearing([
      async (give, signal) => {
        give(speech(10));
        await aborted(signal);
      },
    ]);
    await until(() => detectors[0]);
    detectors[0]?.stall(true);
    stop.abort();
    await heard.done;
    expect(heard.counts).toMatchObject({ captured: 10, held: 0 });
  });

  it('says why when the microphone cannot be had, having ended everything else', async () => {
    const { heard, detectors } = hearing([
      () => Promise.reject(new MicrophoneError('sox is not installed', { retryable: false })),
    ]);
    await expect(heard.done).rejects.toThrow('sox is not installed');
    expect(detectors.every(({ isClosed }) => isClosed)).toBe(true);
  });
});
