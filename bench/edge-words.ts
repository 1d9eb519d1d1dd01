import { devNull } from 'node:os';
import { createOpenaiRealtime } from '../edge/adapters/openai-realtime.ts';
import { rehearsalTarget } from '../edge/config.ts';
import { CAPTURE_HZ, FRAME_SAMPLES } from '../edge/frames.ts';
import { RealtimeSession } from '../edge/realtime-session.ts';
import { transcriptionSettings } from '../edge/realtime-settings.ts';
import { mintId } from '../edge/utterance.ts';
import { toInt16 } from '../edge/wav.ts';
import models from '../platform/models.json' with { type: 'json' };
import { spokenWords } from '../rehearsal/speech/spoken-words.ts';
import { startProcess } from '../tests/fakes/processes.ts';
import { FLITE_VOICES, sceneOf, spokenInTurn } from './edge-scene.ts';
import { toldFigure } from './edge-timeline.ts';
import { wordErrors } from './edge-word-errors.ts';
import { boundFigure, ratioFigure } from './figures.ts';
import type { Benchmark, Figure } from './figures.ts';

/** The demo's sentence first; the others are examples that the skills ship. */
export const DEMO_SENTENCES = [
  'refactor the API and validate the staging website',
  'refactor the orders module so that it is easier to read',
  'clean up the user module',
  'add a health endpoint to the server',
  'split the big controller file into smaller pieces',
  'move the database queries out of the routes',
  'remove dead code and unused imports',
  'open the browser and go to the pricing page',
  'click the checkout button and tell me what happens',
  'summarize what happened today',
  'give me a short recap of what the agents did',
];
/** What the gate sends along before and behind the speech. */
const AROUND_MS = 300;
const TEXT_WITHIN_MS = 60_000;

/** Has nothing above 4 kHz, which the acoustic model hears as another microphone; last, since the recogniser adapts. */
const TELEPHONE_VOICE = 'kal';

interface Listener {
  hear(samples: Int16Array): Promise<string>;
  close(): Promise<void>;
}

/** The rehearsal's recogniser behind its own wire, fed faster than anybody speaks. */
const openListener = (url: string): Listener => {
  const target = rehearsalTarget(url);
  let waiting: PromiseWithResolvers<string> | null = null;
  let sequence = 0;
  const session = new RealtimeSession({
    connect: createOpenaiRealtime({ ...target, session: { mode: 'transcribe' } }),
    settings: transcriptionSettings({ transcriptionModel: models.transcription.name, turns: 'local' }),
    events: {
      firstAppend: () => undefined,
      partial: () => undefined,
      final: (_id, text) => waiting?.resolve(text),
      lost: (_id, reason) => waiting?.reject(new Error(reason)),
      state: (state, problem) => {
        if (state === 'closed') waiting?.reject(new Error(problem ?? 'the recogniser is gone'));
      },
    },
  });
  session.start();
  return {
    hear: async (samples) => {
      const text = Promise.withResolvers<string>();
      waiting = text;
      const late = setTimeout(() => text.reject(new Error('no text came')), TEXT_WITHIN_MS);
      sequence += 1;
      session.begin({
        utteranceId: mintId('u'),
        sequence,
        onsetAudioMs: 0,
        noticedAtMs: performance.now(),
        saidAt: new Date().toISOString(),
      });
      for (let at = 0; at + FRAME_SAMPLES <= samples.length; at += FRAME_SAMPLES)
        session.append(samples.subarray(at, at + FRAME_SAMPLES));
      session.end();
      return text.promise.finally(() => clearTimeout(late));
    },
    close: () => session.close(),
  };
};

export const edgeWords: Benchmark = {
  name: 'edge-words',
  about: 'word error rate of orders in four synthetic voices, by the rehearsal’s recogniser',
  run: async (say) => {
    const rehearsal = await startProcess(['rehearsal/main.ts'], { DUAL_ENV_FILE: devNull, REHEARSAL_PORT: '0' });
    const listener = openListener(String(rehearsal.announced['listening']));
    const figures: Figure[] = [];
    let [allWords, allWrong, inexact, soundMs, tookMs] = [0, 0, 0, 0, 0];
    try {
      for (const voice of [...FLITE_VOICES, TELEPHONE_VOICE]) {
        let [words, wrong] = [0, 0];
        for (const speech of await spokenInTurn(DEMO_SENTENCES, [voice])) {
          const { samples } = sceneOf([{ speech, pauseMs: AROUND_MS }], AROUND_MS);
          const startedAtMs = performance.now();
          const heard = await listener.hear(toInt16(samples));
          tookMs += performance.now() - startedAtMs;
          soundMs += (samples.length * 1_000) / CAPTURE_HZ;
          const errors = wordErrors(spokenWords(speech.name), spokenWords(heard));
          words += spokenWords(speech.name).length;
          wrong += errors;
          if (errors === 0) continue;
          if (voice !== TELEPHONE_VOICE) inexact += 1;
          say(`${voice}: "${speech.name}" -> "${heard}"`);
        }
        const rate = (100 * wrong) / words;
        if (voice === TELEPHONE_VOICE) {
          figures.push(toldFigure({ figure: `word errors, voice ${voice} (8 kHz)`, value: rate, unit: '%' }));
          continue;
        }
        allWords += words;
        allWrong += wrong;
        figures.push(toldFigure({ figure: `word errors, voice ${voice}`, value: rate, unit: '%' }));
      }
    } finally {
      await listener.close();
      await rehearsal.stop();
    }
    const sentences = FLITE_VOICES.length * DEMO_SENTENCES.length;
    return [
      boundFigure({ figure: 'word error rate, all voices', value: (100 * allWrong) / allWords, unit: '%', atMost: 1 }),
      toldFigure({ figure: 'sentences not heard exactly', value: inexact, unit: `of ${sentences}` }),
      ...figures,
      ratioFigure({
        figure: 'time to hear it, fed at once',
        value: tookMs / 1_000,
        unit: 's',
        against: { what: 'length of the sound', value: soundMs / 1_000 },
        goal: { atMost: 1 },
      }),
    ];
  },
};
