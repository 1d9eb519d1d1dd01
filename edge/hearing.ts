import { messageOf } from '../platform/errors.ts';
import { delay } from '../platform/lifecycle.ts';
import { backoffMs } from './backoff.ts';
import { createCapture } from './capture.ts';
import type { Capture, CaptureSettings, CaptureState } from './capture.ts';
import { FRAME_MS } from './frames.ts';
import type { Frame } from './frames.ts';
import type { Microphone } from './microphone.ts';
import type { DetectorEvents, SpeechDetector } from './speech-detector.ts';
import { createSpeechGate } from './speech-gate.ts';
import type { EndReason, GateCounts, GateSettings } from './speech-gate.ts';

/** Waits before a detector that failed is replaced; sound waits in the gate meanwhile, bounded. */
const DETECTOR_BACKOFF = { firstMs: 100, mostMs: 10_000 };
/** How long the last frames may take to be judged when the sound has ended. */
const LAST_VERDICT_MS = 3_000;
const LOOK_EVERY_MS = 5;

/** What is heard. Every `begin` is followed by `audio`, then by one `end` or one `discard`. */
export interface HearingEvents {
  /** `capturedAtMs`: when the sound of the onset came, `performance.now()`. */
  begin(onset: { onsetAudioMs: number; capturedAtMs: number; preRoll: readonly Frame[] }): void;
  audio(frame: Frame): void;
  end(end: { endAudioMs: number; reason: EndReason }): void;
  discard(): void;
  /** `problem`: why no sound comes, in words for a person; null when all is well. */
  microphone(state: CaptureState, problem: string | null): void;
  /** Something a person should know of that mends itself. */
  trouble(text: string): void;
}

export interface HearingOptions {
  microphone: Microphone;
  /** Called again after each failure. @throws Error when it cannot be had */
  openDetector: (events: DetectorEvents) => SpeechDetector | Promise<SpeechDetector>;
  events: HearingEvents;
  signal: AbortSignal;
  gate?: Partial<GateSettings>;
  capture?: Partial<CaptureSettings>;
}

export interface Hearing {
  readonly capture: Pick<Capture, 'mute' | 'isMuted' | 'levelDbfs' | 'counts'>;
  readonly counts: Readonly<GateCounts>;
  /** Frames the detector has not judged; for a source that may be faster than real time. */
  readonly pending: number;
  /**
   * Resolves when there is no more sound, all of it was judged and nothing is open. Rejects: MicrophoneError that no
   * waiting mends.
   */
  readonly done: Promise<void>;
}

/**
 * Microphone, detector and gate as one: sound in, stretches of speech out. A detector that fails is replaced, and the
 * next one judges what it had not judged. Nothing here awaits the network.
 */
export const createHearing = (options: HearingOptions): Hearing => {
  const { microphone, openDetector, events, signal } = options;
  /** Ends with the last sound, which may be before the signal. */
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  let detector: SpeechDetector | null = null;
  /** Where the next frame begins. */
  let nextMs = 0;

  const gate = createSpeechGate(options.gate ?? {}, {
    begin: ({ onsetAudioMs, preRoll }) => {
      const heard = preRoll.find((frame) => frame.audioMs + FRAME_MS > onsetAudioMs) ?? preRoll.at(-1);
      events.begin({ onsetAudioMs, preRoll, capturedAtMs: heard?.capturedAtMs ?? performance.now() });
    },
    audio: (frame) => events.audio(frame),
    end: (end) => events.end(end),
    discard: () => events.discard(),
    stalled: (isStalled) =>
      events.trouble(isStalled ? 'the speech detector is late: sound is being lost' : 'the speech detector is back'),
  });

  /** One detector, until it fails or all ends; answers why. @throws Error when it cannot be opened */
  const detect = async (judged: () => void): Promise<string> => {
    const failed = Promise.withResolvers<string>();
    const opened = await openDetector({
      verdict: (verdict) => {
        judged();
        gate.verdict(verdict);
      },
      failed: (error) => failed.resolve(messageOf(error)),
    });
    const onStop = (): void => failed.resolve('');
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    try {
      opened.reset(gate.unjudged[0]?.audioMs ?? nextMs);
      for (const { samples } of gate.unjudged) opened.push(samples);
      detector = opened;
      return await failed.promise;
    } finally {
      stop.removeEventListener('abort', onStop);
      detector = null;
      await opened.close();
    }
  };

  const keepDetecting = async (): Promise<void> => {
    let failures = 0;
    const judged = (): void => {
      failures = 0;
    };
    while (!stop.aborted) {
      const problem = await detect(judged).catch(messageOf);
      if (stop.aborted) return;
      if (failures === 0) events.trouble(`${problem}; starting another`);
      await delay(backoffMs(failures, DETECTOR_BACKOFF), stop).catch(() => undefined);
      failures += 1;
    }
  };
  const detecting = keepDetecting();

  const capture = createCapture({
    microphone,
    signal,
    settings: options.capture ?? {},
    events: {
      frame: (frame) => {
        nextMs = frame.audioMs + FRAME_MS;
        gate.frame(frame);
        detector?.push(frame.samples);
      },
      gap: (audioMs) => {
        nextMs = audioMs;
        gate.gap(audioMs);
        detector?.reset(audioMs);
      },
      lost: (ms) => events.trouble(`nothing was heard for ${(ms / 1_000).toFixed(1)} s`),
      state: (state, problem) => events.microphone(state, problem),
    },
  });

  const pending = (): number => detector?.pending ?? gate.unjudged.length;
  const finish = async (): Promise<void> => {
    const until = performance.now() + LAST_VERDICT_MS;
    while (!signal.aborted && pending() > 0 && performance.now() < until)
      await delay(LOOK_EVERY_MS, signal).catch(() => undefined);
    gate.flush();
    over.abort();
    await detecting;
  };
  const done = capture.done.finally(finish);
  // Whoever waits for it is told all the same.
  done.catch(() => undefined);

  return {
    capture,
    get counts() {
      return gate.counts;
    },
    get pending() {
      return pending();
    },
    done,
  };
};
