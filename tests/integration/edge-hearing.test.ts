import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createFileMicrophone } from '../../edge/adapters/file-microphone.ts';
import { createSileroDetector, startThread } from '../../edge/adapters/silero-detector.ts';
import { CAPTURE_HZ, FRAME_MS, FRAME_SAMPLES } from '../../edge/frames.ts';
import { toInt16 } from '../../edge/wav.ts';
import { REPOSITORY_ROOT } from '../../platform/env.ts';
import { accounted, startHearing } from '../fakes/hearing-log.ts';
import { labelledSpeech } from '../fakes/labelled-speech.ts';
import type { LabelledSpeech } from '../fakes/labelled-speech.ts';
import { createLoudnessDetector } from '../fakes/loudness-detector.ts';
import { noise, sum } from '../fakes/noise.ts';
import { until } from '../fakes/until.ts';

const DEMO = join(REPOSITORY_ROOT, 'examples', 'speech', 'refactor-and-validate.wav');
/** Where its speech is, by ear and eye. */
const DEMO_SPEECH = { onsetMs: 720, endMs: 3_750 };
const folder = mkdtempSync(join(tmpdir(), 'dual-hearing-'));
afterAll(() => rmSync(folder, { recursive: true }));

const runs = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

let running: AbortController | undefined;
afterEach(() => running?.abort());

const hearing = (options: Parameters<typeof startHearing>[0]): ReturnType<typeof startHearing> => {
  const started = startHearing(options);
  running = started.stop;
  return started;
};

describe('a spoken sentence', () => {
  it('played in real time is one utterance, noticed while it is spoken, and every frame is accounted for', async () => {
    const { heard, utterances, noticedMs, states, troubles } = hearing({
      microphone: createFileMicrophone({ path: DEMO }),
    });
    await heard.done;
    expect(utterances).toHaveLength(1);
    const [one] = utterances;
    expect(Math.abs((one?.onsetMs ?? 0) - DEMO_SPEECH.onsetMs)).toBeLessThan(100);
    expect(one?.end).toMatchObject({ reason: 'silence' });
    expect(one?.frames).toEqual(range(one?.frames[0] ?? 0, (one?.frames.at(-1) ?? 0) + 1));
    expect((one?.frames[0] ?? 0) * FRAME_MS).toBeLessThanOrEqual((one?.onsetMs ?? 0) - 380);
    expect((one?.frames.at(-1) ?? 0) * FRAME_MS).toBeGreaterThan(DEMO_SPEECH.endMs);
    // Long before the pause that ends it; a busy machine is no failure.
    expect(noticedMs[0]).toBeLessThan(1_500);
    expect(heard.counts).toMatchObject({ captured: 258, lost: 0, held: 0 });
    expect(accounted(heard)).toBe(258);
    expect([states, troubles]).toEqual([['capturing', 'ended'], []]);
  });

  it('is whole although the thread of the detector is killed in the middle of it', async () => {
    const workers: Worker[] = [];
    const { heard, utterances, troubles } = hearing({
      microphone: createFileMicrophone({ path: DEMO }),
      openDetector: (events) =>
        createSileroDetector(events, {
          startWorker: (version) => {
            const worker = startThread(version);
            workers.push(worker);
            return worker;
          },
        }),
    });
    await until(() => (utterances.length > 0 ? true : undefined));
    await workers[0]?.terminate();
    await heard.done;
    expect(workers.length).toBeGreaterThan(1);
    expect(troubles).toEqual([expect.stringMatching(/thread ended with code .*; starting another$/)]);
    expect(utterances.map(({ end }) => (typeof end === 'object' ? end.reason : end))).toEqual(['silence']);
    expect(Math.abs(((utterances[0]?.frames.at(-1) ?? 0) + 1) * FRAME_MS - DEMO_SPEECH.endMs - 300)).toBeLessThan(400);
    expect(heard.counts).toMatchObject({ captured: 258, lost: 0 });
  });

  it('is not lost when the detector is killed just before it', async () => {
    const workers: Worker[] = [];
    const { heard, utterances } = hearing({
      microphone: createFileMicrophone({ path: DEMO }),
      openDetector: (events) =>
        createSileroDetector(events, {
          startWorker: (version) => {
            const worker = startThread(version);
            workers.push(worker);
            return worker;
          },
        }),
    });
    await until(() => (heard.counts.captured * FRAME_MS > DEMO_SPEECH.onsetMs - 100 ? true : undefined));
    await workers[0]?.terminate();
    await heard.done;
    expect(utterances).toHaveLength(1);
    expect(Math.abs((utterances[0]?.onsetMs ?? 0) - DEMO_SPEECH.onsetMs)).toBeLessThan(150);
    expect(heard.counts).toMatchObject({ captured: 258, lost: 0 });
  });
});

describe('hours of sound, as fast as it is judged', () => {
  /** Pieces without end, until the test has enough. */
  const endless = (minutes: number, pieceAt: (second: number) => Int16Array, room: () => boolean) => ({
    label: 'endless',
    finite: true,
    capture: async (give: (samples: Int16Array) => void, signal: AbortSignal) => {
      for (let second = 0; second < minutes * 60 && !signal.aborted; second += 1) {
        give(pieceAt(second));
        do await new Promise(setImmediate);
        while (!room());
      }
    },
  });
  const SILENCE = new Int16Array(CAPTURE_HZ);
  const SPEECH = new Int16Array(CAPTURE_HZ).fill(8_000);
  const long = (minutes: number, pieceAt: (second: number) => Int16Array) => {
    let pending = (): number => 0;
    const made = hearing({
      microphone: endless(minutes, pieceAt, () => pending() < 500),
      openDetector: createLoudnessDetector,
    });
    pending = () => made.heard.pending;
    return made;
  };

  it('two hours of silence begin nothing, lose nothing and hold nothing', async () => {
    const { heard, utterances } = long(120, () => SILENCE);
    let most = 0;
    const look = setInterval(() => (most = Math.max(most, heard.counts.held)), 5);
    await heard.done;
    clearInterval(look);
    expect(utterances).toEqual([]);
    expect(heard.counts).toEqual({ captured: 360_000, sent: 0, silent: 360_000, lost: 0, held: 0 });
    expect(most).toBeLessThan(300);
  });

  it('an utterance of ten minutes is cut into ones of a minute at most, without a frame between them', async () => {
    const { heard, utterances } = long(12, (second) => (second >= 60 && second < 660 ? SPEECH : SILENCE));
    await heard.done;
    expect(utterances.length).toBeGreaterThanOrEqual(10);
    const frames = utterances.flatMap((one) => one.frames);
    expect(frames).toEqual(range(frames[0] ?? 0, (frames[0] ?? 0) + frames.length));
    expect(frames.length).toBeGreaterThan(30_000);
    for (const one of utterances) expect(one.frames.length * FRAME_MS).toBeLessThanOrEqual(60_000);
    expect(utterances.slice(0, -1).map(({ end }) => typeof end === 'object' && end.reason)).toEqual(
      utterances.slice(0, -1).map(() => 'max'),
    );
    expect(heard.counts).toMatchObject({ captured: 36_000, lost: 0, held: 0 });
  });
});

describe('speech that is labelled', () => {
  let utterances: LabelledSpeech[] = [];
  const hasFlite = runs('flite', '-lv');
  const withFlite = hasFlite ? it : it.skip;
  beforeAll(async () => {
    const phrases = ['stop', 'run the tests', 'validate the staging website'];
    if (hasFlite) ({ utterances } = await labelledSpeech({ voices: ['slt', 'kal'], phrases, people: false }));
  });

  const judged = async (sound: Float32Array) => {
    const path = join(folder, 'scene.raw');
    writeFileSync(path, toInt16(sound));
    let pending = (): number => 0;
    const made = hearing({
      microphone: createFileMicrophone({ path, pace: { hasRoom: () => pending() < 50 } }),
    });
    pending = () => made.heard.pending;
    await made.heard.done;
    return made;
  };

  withFlite.each([
    ['clean', null],
    ['in pink noise of 10 dB', 10],
    ['in pink noise as loud as itself', 0],
  ] as const)('%s: every sentence is heard, once, with its beginning (needs flite)', async (_name, snrDb) => {
    for (const { samples, onsetMs, endMs, name } of utterances) {
      const lead = CAPTURE_HZ;
      const sound = new Float32Array(lead + samples.length + CAPTURE_HZ);
      sound.set(samples, lead);
      const mixed =
        snrDb === null ? sound : sum(sound, noise('pink', sound.length, { dbfs: -26 - snrDb, hz: CAPTURE_HZ }));
      const { utterances: heard } = await judged(mixed);
      expect([name, heard.length]).toEqual([name, 1]);
      const from = (heard[0]?.frames[0] ?? 0) * FRAME_MS;
      const to = ((heard[0]?.frames.at(-1) ?? 0) + 1) * FRAME_MS;
      expect(from).toBeLessThanOrEqual(1_000 + onsetMs);
      expect(to).toBeGreaterThanOrEqual(1_000 + endMs);
    }
  });

  it.each(['silence', 'white', 'pink', 'hum'] as const)('%s alone is never speech', async (kind) => {
    const { utterances: heard, heard: all } = await judged(noise(kind, 10 * CAPTURE_HZ, { dbfs: -30, hz: CAPTURE_HZ }));
    expect(heard).toEqual([]);
    expect(all.counts).toMatchObject({ captured: (10 * CAPTURE_HZ) / FRAME_SAMPLES, sent: 0, lost: 0 });
  });
});
