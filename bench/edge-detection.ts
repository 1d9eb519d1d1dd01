import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileMicrophone } from '../edge/adapters/file-microphone.ts';
import { createSileroDetector } from '../edge/adapters/silero-detector.ts';
import type { SileroVersion } from '../edge/adapters/silero-model.ts';
import { createWebrtcDetector } from '../edge/adapters/webrtc-detector.ts';
import { CAPTURE_HZ, FRAME_MS, FRAME_SAMPLES } from '../edge/frames.ts';
import type { Frame } from '../edge/frames.ts';
import { createHearing } from '../edge/hearing.ts';
import { createSpeechGate } from '../edge/speech-gate.ts';
import type { GateSettings } from '../edge/speech-gate.ts';
import type { DetectorEvents, SpeechDetector } from '../edge/speech-detector.ts';
import { toInt16 } from '../edge/wav.ts';
import { labelledSpeech, SPEECH_DBFS } from '../tests/fakes/labelled-speech.ts';
import type { LabelledSpeech } from '../tests/fakes/labelled-speech.ts';
import { noise, sum } from '../tests/fakes/noise.ts';
import type { NoiseKind } from '../tests/fakes/noise.ts';
import { boundFigure, median, percentile } from './figures.ts';
import type { Benchmark, Figure } from './figures.ts';

/** `silero`: the version the edge would take. */
export type DetectorName = SileroVersion | 'silero' | 'webrtc';

/** Before and behind the speech, so that the detector knows the noise, and the pause is long enough. */
const LEAD_MS = 1_500;
const TRAIL_MS = 800;
/** Sooner than this before the labelled onset, it was noise that was called speech. */
const EARLY_MS = 200;
const NOISE_MS = 60_000;
const NOISE_LEVELS_DBFS = [-50, -35, -20];
const NOISES: NoiseKind[] = ['silence', 'white', 'pink', 'hum'];
const CONDITIONS = [
  { name: 'clean', snrDb: null, hits: 1, onsetMs: 55 },
  { name: 'pink 10 dB', snrDb: 10, hits: 1, onsetMs: 60 },
  { name: 'pink 0 dB', snrDb: 0, hits: 0.98, onsetMs: 85 },
] as const;
/** Sound whose cost is counted, behind some whose cost is that of loading and compiling. */
const CPU_MS = 60_000;
const CPU_WARM_MS = 10_000;
/** Sound that may be ahead of the detector. */
const AHEAD_FRAMES = 25;

interface Heard {
  /** What the gate knew, in milliseconds of audio: when it noticed, where it put the onset. */
  begun: { noticedMs: number; onsetMs: number }[];
  ended: { noticedMs: number; endMs: number }[];
  sent: number;
}

const createDetector = (name: DetectorName, events: DetectorEvents): Promise<SpeechDetector> | SpeechDetector => {
  if (name === 'webrtc') return createWebrtcDetector(events);
  return createSileroDetector(events, name === 'silero' ? {} : { version: name });
};

/** Runs sound after sound through one detector, each after a gap. */
const openListener = async (name: DetectorName, settings: Partial<GateSettings>) => {
  let verdictOf: DetectorEvents['verdict'] = () => undefined;
  let told = Promise.withResolvers<void>();
  const detector = await createDetector(name, {
    verdict: (verdict) => {
      verdictOf(verdict);
      told.resolve();
    },
    failed: (error) => told.reject(error),
  });
  const caughtUp = async (atMost: number): Promise<void> => {
    while (detector.pending > atMost) {
      told = Promise.withResolvers();
      await told.promise;
    }
  };
  const hear = async (sound: Float32Array): Promise<Heard> => {
    const heard: Heard = { begun: [], ended: [], sent: 0 };
    let nowMs = 0;
    const gate = createSpeechGate(settings, {
      begin: ({ onsetAudioMs }) => heard.begun.push({ noticedMs: nowMs, onsetMs: onsetAudioMs }),
      audio: () => undefined,
      end: ({ endAudioMs }) => heard.ended.push({ noticedMs: nowMs, endMs: endAudioMs }),
      discard: () => heard.begun.pop(),
      stalled: () => undefined,
    });
    verdictOf = (verdict) => {
      // A window that ends within a frame is known when the frame is complete.
      nowMs = Math.ceil(verdict.endMs / FRAME_MS) * FRAME_MS;
      gate.verdict(verdict);
    };
    detector.reset(0);
    const samples = toInt16(sound);
    for (let at = 0; at + FRAME_SAMPLES <= samples.length; at += FRAME_SAMPLES) {
      const frame: Frame = {
        samples: samples.subarray(at, at + FRAME_SAMPLES),
        audioMs: (at * 1_000) / CAPTURE_HZ,
        capturedAtMs: 0,
      };
      gate.frame(frame);
      detector.push(frame.samples);
      if (detector.pending > AHEAD_FRAMES) await caughtUp(AHEAD_FRAMES);
    }
    await caughtUp(0);
    gate.flush();
    heard.sent = gate.counts.sent;
    return heard;
  };
  return { hear, label: () => detector.label, close: () => detector.close() };
};

const samplesIn = (ms: number): number => Math.round((ms * CAPTURE_HZ) / 1_000);

/** Speech in the middle of noise; `snrDb`: of the parts with speech; null: only what a good microphone has. */
const scene = ({ samples, onsetMs, endMs }: LabelledSpeech, snrDb: number | null, seed: number) => {
  // Not always at the start of a window.
  const leadMs = LEAD_MS + ((seed * 7) % 32);
  const sound = new Float32Array(samplesIn(leadMs + TRAIL_MS) + samples.length);
  sound.set(samples, samplesIn(leadMs));
  const noiseDbfs = snrDb === null ? -80 : SPEECH_DBFS - snrDb;
  const kind = snrDb === null ? 'white' : 'pink';
  return {
    sound: sum(sound, noise(kind, sound.length, { dbfs: noiseDbfs, hz: CAPTURE_HZ, seed: seed + 1 })),
    onsetMs: leadMs + onsetMs,
    endMs: leadMs + endMs,
  };
};

export interface ConditionResult {
  name: string;
  utterances: number;
  hits: number;
  /** Utterances begun in what was noise alone. */
  early: number;
  /** From the labelled onset until it was noticed, milliseconds. */
  onsetMs: number[];
  /** From the labelled end until the end was noticed. */
  endMs: number[];
  /** Where the gate put onset and end, from where the label has them. */
  onsetErrorMs: number[];
  endErrorMs: number[];
  /** Utterances the gate made of one. */
  pieces: number[];
}
export interface DetectionResult {
  detector: string;
  conditions: ConditionResult[];
  noises: { name: string; begun: number; sharePercent: number }[];
  cpuMsPerSecond: number;
  missing: string[];
}

/**
 * CPU of everything from file to utterances, all threads, as fast as it is judged. In real time, on a machine that is
 * busy with other things, it is more: between two windows the network falls out of the caches.
 */
const measureCpu = async (
  name: DetectorName,
  settings: Partial<GateSettings>,
  utterances: readonly LabelledSpeech[],
): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'dual-detection-'));
  const path = join(folder, 'speech.raw');
  const speech = toInt16(Float32Array.from(utterances.flatMap(({ samples }) => [...samples])));
  writeFileSync(path, speech.subarray(0, samplesIn(CPU_WARM_MS + CPU_MS)));
  let warm: NodeJS.CpuUsage | undefined;
  let pending = (): number => 0;
  try {
    const hearing = createHearing({
      microphone: createFileMicrophone({ path, pace: { hasRoom: () => pending() < AHEAD_FRAMES } }),
      openDetector: (events) => createDetector(name, events),
      signal: new AbortController().signal,
      gate: settings,
      events: {
        begin: () => undefined,
        audio: ({ audioMs }) => {
          if (audioMs >= CPU_WARM_MS) warm ??= process.cpuUsage();
        },
        end: () => undefined,
        discard: () => undefined,
        microphone: () => undefined,
        trouble: () => undefined,
      },
    });
    pending = () => hearing.pending;
    await hearing.done;
    const { user, system } = process.cpuUsage(warm);
    return (user + system) / CPU_MS;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** What `bench/edge-detection.ts` measures, as numbers. */
export const measureDetection = async (
  name: DetectorName,
  settings: Partial<GateSettings>,
  say: (progress: string) => void,
): Promise<DetectionResult> => {
  const { utterances, missing } = await labelledSpeech();
  const listener = await openListener(name, settings);
  try {
    const conditions: ConditionResult[] = [];
    for (const { name: condition, snrDb } of CONDITIONS) {
      say(`${name}: ${condition}`);
      const result: ConditionResult = {
        name: condition,
        utterances: utterances.length,
        hits: 0,
        early: 0,
        onsetMs: [],
        endMs: [],
        endErrorMs: [],
        onsetErrorMs: [],
        pieces: [],
      };
      for (const [seed, speech] of utterances.entries()) {
        const { sound, onsetMs, endMs } = scene(speech, snrDb, seed);
        const { begun, ended } = await listener.hear(sound);
        const hit = begun.find(({ noticedMs }) => noticedMs >= onsetMs - EARLY_MS && noticedMs <= endMs);
        result.early += begun.filter(({ noticedMs }) => noticedMs < onsetMs - EARLY_MS).length;
        result.pieces.push(begun.length);
        if (!hit) continue;
        result.hits += 1;
        result.onsetMs.push(hit.noticedMs - onsetMs);
        const end = ended.at(-1);
        if (end) result.endMs.push(end.noticedMs - endMs);
        if (end) result.endErrorMs.push(end.endMs - endMs);
        result.onsetErrorMs.push(hit.onsetMs - onsetMs);
      }
      conditions.push(result);
    }
    const noises: DetectionResult['noises'] = [];
    for (const kind of NOISES)
      for (const dbfs of kind === 'silence' ? [-100] : NOISE_LEVELS_DBFS) {
        say(`${name}: ${kind} ${dbfs} dBFS`);
        const { begun, sent } = await listener.hear(noise(kind, samplesIn(NOISE_MS), { dbfs, hz: CAPTURE_HZ }));
        noises.push({
          name: `${kind} ${dbfs} dBFS`,
          begun: begun.length,
          sharePercent: (100 * sent * FRAME_MS) / NOISE_MS,
        });
      }
    say(`${name}: CPU`);
    const cpuMsPerSecond = await measureCpu(name, settings, utterances);
    return { detector: listener.label(), conditions, noises, cpuMsPerSecond, missing };
  } finally {
    await listener.close();
  }
};

/** A figure that is to be at least so much: told as what is missing. */
const figuresOf = (result: DetectionResult): Figure[] => [
  ...result.conditions.flatMap((condition, i) => {
    const goal = CONDITIONS[i] ?? CONDITIONS[0];
    const missed = (100 * (condition.utterances - condition.hits)) / condition.utterances;
    const of = `${result.detector}, ${condition.name}`;
    return [
      boundFigure({ figure: `${of}: missed`, value: missed, unit: '%', atMost: Math.round(100 * (1 - goal.hits)) }),
      boundFigure({
        figure: `${of}: onset, median`,
        value: median(condition.onsetMs),
        unit: 'ms',
        atMost: goal.onsetMs,
      }),
      boundFigure({
        figure: `${of}: onset, p95 (the pre-roll must reach back so far)`,
        value: percentile(condition.onsetMs, 0.95),
        unit: 'ms',
        atMost: 400,
      }),
      boundFigure({ figure: `${of}: begun in noise alone`, value: condition.early, unit: '', atMost: 0 }),
    ];
  }),
  ...result.noises.map(({ name, sharePercent }) =>
    boundFigure({ figure: `${result.detector}: ${name} called speech`, value: sharePercent, unit: '%', atMost: 0 }),
  ),
  boundFigure({
    figure: `${result.detector}: CPU per second of audio, as fast as it is judged`,
    value: result.cpuMsPerSecond,
    unit: 'ms',
    atMost: 12,
  }),
];

export const edgeDetection: Benchmark = {
  name: 'edge-detection',
  about: 'which speech is noticed and how soon, clean and in pink noise, and what noise is taken for speech',
  run: async (say) => {
    const result = await measureDetection('silero', {}, say);
    if (result.missing.length > 0) say(`NOT MEASURED, since it is not installed: ${result.missing.join('; ')}`);
    return figuresOf(result);
  },
};
