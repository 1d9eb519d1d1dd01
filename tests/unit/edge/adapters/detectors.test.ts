import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createFileMicrophone } from '../../../../edge/adapters/file-microphone.ts';
import { createSileroDetector, startThread } from '../../../../edge/adapters/silero-detector.ts';
import type { SileroOptions } from '../../../../edge/adapters/silero-detector.ts';
import { createWebrtcDetector } from '../../../../edge/adapters/webrtc-detector.ts';
import { FRAME_SAMPLES } from '../../../../edge/frames.ts';
import type { DetectorEvents, SpeechDetector, Verdict } from '../../../../edge/speech-detector.ts';
import { toInt16 } from '../../../../edge/wav.ts';
import { REPOSITORY_ROOT } from '../../../../platform/env.ts';
import { noise } from '../../../fakes/noise.ts';
import { tone } from '../../../fakes/wav-file.ts';
import { until } from '../../../fakes/until.ts';

const log = () => {
  const verdicts: Verdict[] = [];
  const failures: string[] = [];
  const events: DetectorEvents = {
    verdict: (verdict) => void verdicts.push(verdict),
    failed: (error) => void failures.push(error.message),
  };
  return { verdicts, failures, events };
};
const frame = (value = 0): Int16Array => new Int16Array(FRAME_SAMPLES).fill(value);
const push = (detector: SpeechDetector, sound: Int16Array): void => {
  for (let at = 0; at + FRAME_SAMPLES <= sound.length; at += FRAME_SAMPLES)
    detector.push(sound.subarray(at, at + FRAME_SAMPLES));
};
const idle = (detector: SpeechDetector): Promise<true> => until(() => (detector.pending === 0 ? true : undefined));

let open: SpeechDetector | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

const isInstalled = (name: string): boolean => {
  try {
    return createRequire(import.meta.url).resolve(name) !== '';
  } catch {
    return false;
  }
};
const withV6 = isInstalled('decibri') ? describe : describe.skip;
const withWebrtc = isInstalled('@ozymandiasthegreat/vad') ? describe : describe.skip;
const versions = isInstalled('decibri') ? (['v6', 'v4'] as const) : (['v4'] as const);

/** Speech from 0.72 s to 3.75 s. */
const sentence = async (): Promise<Int16Array> => {
  const path = join(REPOSITORY_ROOT, 'examples', 'speech', 'refactor-and-validate.wav');
  const pieces: number[] = [];
  const microphone = createFileMicrophone({ path, pace: { hasRoom: () => true } });
  await microphone.capture((samples) => pieces.push(...samples), new AbortController().signal);
  return Int16Array.from(pieces);
};

/** Something like a voice: a hundred pulses a second through two resonances, in syllables. */
const voice = (seconds: number): Int16Array => {
  const out = new Float32Array(Math.round(16_000 * seconds));
  const resonances = [
    { hz: 600, y1: 0, y2: 0 },
    { hz: 1_200, y1: 0, y2: 0 },
  ];
  out.forEach((_, i) => {
    const pulse = i % 133 === 0 ? 1 : 0;
    const syllable = Math.max(0, Math.sin((2 * Math.PI * 4 * i) / 16_000));
    let sum = 0;
    for (const one of resonances) {
      const y = pulse + 1.96 * Math.cos((2 * Math.PI * one.hz) / 16_000) * one.y1 - 0.9604 * one.y2;
      one.y2 = one.y1;
      one.y1 = y;
      sum += y;
    }
    out[i] = sum * 0.1 * syllable;
  });
  return toInt16(out);
};

describe.each(versions)('Silero %s in its thread', (version) => {
  const start = (more: SileroOptions = {}) => {
    const told = log();
    const detector = createSileroDetector(told.events, { version, ...more });
    open = detector;
    return { ...told, detector };
  };

  it('judges every 32 ms, in order, whatever frames are, and tells a voice from silence and noise', async () => {
    const { detector, verdicts, failures } = start();
    detector.reset(1_000);
    push(detector, new Int16Array(16_000));
    push(detector, voice(2));
    push(detector, toInt16(noise('white', 16_000, { dbfs: -35, hz: 16_000 })));
    push(detector, toInt16(tone(50, 1)));
    await idle(detector);
    expect(failures).toEqual([]);
    expect(verdicts).toHaveLength(Math.floor((5 * 16_000) / 512));
    expect(verdicts.map(({ endMs, windowMs }) => endMs - windowMs)).toEqual(verdicts.map((_, i) => 1_000 + i * 32));
    const most = (fromMs: number, toMs: number): number =>
      Math.max(
        ...verdicts.filter(({ endMs }) => endMs > fromMs && endMs <= toMs).map(({ probability }) => probability),
      );
    expect(most(1_000, 2_000)).toBeLessThan(0.1);
    expect(most(2_000, 4_000)).toBeGreaterThan(0.5);
    expect(most(4_600, 6_000)).toBeLessThan(0.2);
    expect(detector.label).toBe(version === 'v6' ? 'Silero v6.2' : 'Silero v4');
  });

  it('is sure of nearly every moment of a spoken sentence, and of the silence around it', async () => {
    const { detector, verdicts } = start();
    push(detector, await sentence());
    await idle(detector);
    const shareOver = (fromMs: number, toMs: number): number => {
      const inside = verdicts.filter(({ endMs, windowMs }) => endMs - windowMs >= fromMs && endMs <= toMs);
      return inside.filter(({ probability }) => probability > 0.5).length / inside.length;
    };
    expect(shareOver(800, 3_700)).toBeGreaterThan(0.9);
    expect(shareOver(0, 600)).toBe(0);
    expect(shareOver(4_000, 5_100)).toBe(0);
  });

  it('says the same of the same sound again after a reset, and nothing of what came before it', async () => {
    const { detector, verdicts } = start();
    // It begins and ends in the middle of a word.
    const sound = (await sentence()).subarray(16_000, 32_000);
    push(detector, sound);
    await idle(detector);
    const first = verdicts.splice(0).map(({ probability }) => probability);
    push(detector, sound.subarray(0, 8_000));
    detector.reset(5_000);
    push(detector, sound);
    await idle(detector);
    expect(verdicts.map(({ endMs }) => endMs)[0]).toBe(5_032);
    expect(verdicts.map(({ probability }) => probability)).toEqual(first);
  });

  it('leaves the frames it is given as they are', async () => {
    const { detector } = start();
    const given = voice(0.1);
    const before = [...given];
    push(detector, given);
    await idle(detector);
    expect([...given]).toEqual(before);
  });

  it('is closed within its time, and judges nothing more', async () => {
    const { detector, verdicts, failures } = start();
    push(detector, voice(1));
    await detector.close();
    await detector.close();
    const count = verdicts.length;
    detector.push(frame());
    expect(detector.pending).toBe(0);
    expect([verdicts.length, failures]).toEqual([count, []]);
  });
});

withV6('Silero v6 (needs decibri)', () => {
  it('hears the end of the window before, too: without it, the onset would be at 0.62 and 0.80', async () => {
    const { events, verdicts } = log();
    open = createSileroDetector(events, { version: 'v6' });
    push(open, await sentence());
    await idle(open);
    // By the network itself, fed as its description says: 0.967 and 0.988.
    expect(verdicts[25]?.probability).toBeCloseTo(0.967, 1);
    expect(verdicts[26]?.probability).toBeCloseTo(0.988, 1);
  });
});

withV6('a Silero thread that fails (needs decibri)', () => {
  it.each([
    [
      'is ended',
      (worker: Worker) => void worker.terminate(),
      /^the speech detector failed: its thread ended with code/,
    ],
    ['throws', (worker: Worker) => void worker.emit('error', new Error('boom')), /^the speech detector failed: boom$/],
  ])('says so once when it %s, and takes no more', async (_what, break_, words) => {
    const { events, failures, verdicts } = log();
    const started: Worker[] = [];
    const detector = createSileroDetector(events, {
      version: 'v6',
      startWorker: (version) => {
        const worker = startThread(version);
        started.push(worker);
        return worker;
      },
    });
    push(detector, voice(0.5));
    await idle(detector);
    if (started[0]) break_(started[0]);
    await until(() => failures[0]);
    const count = verdicts.length;
    push(detector, voice(0.5));
    expect(detector.pending).toBe(0);
    await detector.close();
    expect(failures).toEqual([expect.stringMatching(words)]);
    expect(verdicts).toHaveLength(count);
  });

  it('says so when its model is not there', async () => {
    const { events, failures } = log();
    const worker = new EventEmitter() as EventEmitter & Pick<Worker, 'postMessage' | 'terminate'>;
    worker.postMessage = () => undefined;
    worker.terminate = async () => 0;
    createSileroDetector(events, { startWorker: () => worker as Worker });
    worker.emit('message', { problem: 'no such file' });
    worker.emit('message', { probability: 1 });
    worker.emit('exit', 1);
    expect(failures).toEqual(['the speech detector failed: no such file']);
  });

  it('that answers no more is given up, before its queue grows without bound', () => {
    const { events, failures } = log();
    let posted = 0;
    const worker = new EventEmitter() as EventEmitter & Pick<Worker, 'postMessage' | 'terminate'>;
    worker.postMessage = () => void (posted += 1);
    worker.terminate = async () => 0;
    const detector = createSileroDetector(events, { startWorker: () => worker as Worker });
    for (let i = 0; i < 5_000; i += 1) {
      detector.push(frame());
      if (i % 100 === 0) detector.reset(i * 20);
    }
    expect(failures).toEqual([expect.stringMatching(/ms behind$/)]);
    expect(posted).toBeLessThan(400);
  });
});

withWebrtc('WebRTC (needs @ozymandiasthegreat/vad)', () => {
  it('judges every frame, after a turn of the event loop', async () => {
    const { events, verdicts, failures } = log();
    open = await createWebrtcDetector(events);
    open.reset(400);
    const sound = new Int16Array(32_000);
    sound.set(voice(1), 16_000);
    push(open, sound);
    expect(verdicts).toEqual([]);
    expect(open.pending).toBe(100);
    await idle(open);
    expect(failures).toEqual([]);
    expect(verdicts.map(({ endMs }) => endMs)).toEqual(Array.from({ length: 100 }, (_, i) => 420 + 20 * i));
    // It takes the first quarter of a second of anything for speech.
    expect(verdicts.slice(15, 50).every(({ probability }) => probability === 0)).toBe(true);
    expect(verdicts.slice(50).filter(({ probability }) => probability === 1).length).toBeGreaterThan(20);
  });

  it('forgets what waits at a reset, and after it is closed', async () => {
    const { events, verdicts } = log();
    open = await createWebrtcDetector(events);
    open.push(frame());
    open.reset(1_000);
    open.push(frame());
    await idle(open);
    expect(verdicts.map(({ endMs }) => endMs)).toEqual([1_020]);
    open.push(frame());
    await open.close();
    await open.close();
    open.push(frame());
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(verdicts).toHaveLength(1);
  });
});
