import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileMicrophone } from '../edge/adapters/file-microphone.ts';
import { createProgramSpeaker } from '../edge/adapters/program-speaker.ts';
import { createSileroDetector } from '../edge/adapters/silero-detector.ts';
import { createAnswers } from '../edge/answers.ts';
import { createBargeIn } from '../edge/barge-in.ts';
import { FRAME_MS } from '../edge/frames.ts';
import { createHearing } from '../edge/hearing.ts';
import type { Microphone } from '../edge/microphone.ts';
import { createOwnVoice } from '../edge/own-voice.ts';
import { playerProgram, ToneVoice } from '../tests/fakes/edge-speaker.ts';
import { sceneOf, spokenInTurn, writeScene } from './edge-scene.ts';
import type { Scene } from './edge-scene.ts';
import { toldFigure } from './edge-timeline.ts';
import { boundFigure, median, percentile } from './figures.ts';
import type { Benchmark } from './figures.ts';

const ROUNDS = 20;
const LEAD_MS = 3_000;
/** Long enough for the next sentence to sound before somebody speaks over it. */
const PAUSE_MS = 2_500;
/** Words of an answer: so many that it never ends by itself. */
const ANSWER = 'the coding agent has very much to tell '.repeat(8).trim();
const WORD_MS = 200;
const PHRASES = ['stop', 'cancel that', 'wait a moment', 'how is my task doing'];

/** When it happened, `performance.now()` of this process. */
interface BargeIn {
  noticedMs: number;
  /** When the speech came that was noticed, by the label. */
  onsetMs: number;
  /** When the player took its last sound. */
  silentMs: number;
}

/** A person speaks over an answer, heard by the real detector; the player is a real process that is killed. */
const speakOver = async (dir: string, scene: Scene): Promise<BargeIn[]> => {
  const wav = join(dir, 'person.wav');
  writeScene(wav, scene);
  const { player, periods } = playerProgram(dir);
  const ownVoice = createOwnVoice();
  const problems: string[] = [];
  const answers = createAnswers({
    speaker: createProgramSpeaker(player, { PATH: process.env['PATH'] ?? '' }),
    voice: new ToneVoice(WORD_MS),
    ownVoice,
    events: { told: () => undefined, spoken: () => undefined, notice: (text) => void problems.push(text) },
  });
  const bargeIn = createBargeIn({ answers, ownVoice, enabled: true, notice: (text) => void problems.push(text) });
  const say = (): void =>
    answers.say({ text: ANSWER, key: null, traceId: null, urgency: 'result', earcon: null, final: false });

  let startMs: number | null = null;
  const file = createFileMicrophone({ path: wav });
  const microphone: Microphone = {
    ...file,
    capture: (onSamples, signal) =>
      file.capture((samples) => {
        startMs ??= performance.now() - FRAME_MS;
        onSamples(samples);
      }, signal),
  };
  const noticed: { atMs: number; audioMs: number }[] = [];
  const id = (): string => `u-${noticed.length}`;
  const hearing = createHearing({
    microphone,
    openDetector: (events) => createSileroDetector(events),
    signal: new AbortController().signal,
    events: {
      begin: ({ onsetAudioMs, capturedAtMs }) => {
        // Nothing to be silenced: a word more of the same sentence.
        if (answers.playing) noticed.push({ atMs: performance.now(), audioMs: onsetAudioMs });
        bargeIn.speechStart(id(), capturedAtMs);
      },
      audio: () => undefined,
      end: () => {
        bargeIn.speechEnd(id(), performance.now());
        bargeIn.final(id(), 'something quite different was said', performance.now());
        say();
      },
      discard: () => bargeIn.lost(id()),
      microphone: () => undefined,
      trouble: (text) => problems.push(text),
    },
  });
  say();
  try {
    await hearing.done;
  } finally {
    await answers.close();
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const sounded = periods().map(({ atMs }) => atMs - performance.timeOrigin);
  return noticed.map(({ atMs, audioMs }, i) => {
    const next = noticed[i + 1]?.atMs ?? Number.POSITIVE_INFINITY;
    const spoken = scene.sentences.find(({ endMs }) => endMs > audioMs);
    // The next answer sounds a player's start later, and no sooner than the person is silent.
    const until = Math.min(next, atMs + ((spoken?.endMs ?? audioMs) - audioMs));
    return {
      noticedMs: atMs,
      onsetMs: (startMs ?? 0) + (spoken?.onsetMs ?? audioMs),
      silentMs: Math.max(atMs, ...sounded.filter((soundMs) => soundMs < until)),
    };
  });
};

export const edgeBargeIn: Benchmark = {
  name: 'edge-barge-in',
  about: 'how soon a player gets no more sound when a person speaks over it (its device’s own buffer comes on top)',
  run: async (say) => {
    const dir = await mkdtemp(join(tmpdir(), 'edge-barge-in-'));
    try {
      const speech = await spokenInTurn(PHRASES);
      const rounds = Array.from({ length: ROUNDS }, (_, i) => speech[i % speech.length]).filter(
        (one) => one !== undefined,
      );
      const scene = sceneOf(
        rounds.map((one) => ({ speech: one, pauseMs: PAUSE_MS })),
        LEAD_MS,
      );
      say(`${ROUNDS} times, ${Math.round(scene.lengthMs / 1_000)} s`);
      const all = await speakOver(dir, scene);
      const sinceNoticed = all.map(({ noticedMs, silentMs }) => silentMs - noticedMs);
      const sinceOnset = all.map(({ onsetMs, silentMs }) => silentMs - onsetMs);
      const bound = (figure: string, value: number) => boundFigure({ figure, value, unit: 'ms', atMost: 150 });
      return [
        bound('barge-in noticed -> silence, p50', median(sinceNoticed)),
        bound('barge-in noticed -> silence, worst', percentile(sinceNoticed, 1)),
        bound('first sound of the person -> silence, p50', median(sinceOnset)),
        toldFigure({
          figure: 'first sound of the person -> silence, worst',
          value: percentile(sinceOnset, 1),
          unit: 'ms',
        }),
        boundFigure({ figure: 'answers not interrupted', value: ROUNDS - all.length, unit: `of ${ROUNDS}`, atMost: 0 }),
      ];
    } finally {
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    }
  },
};
