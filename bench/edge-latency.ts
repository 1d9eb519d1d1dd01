import { join } from 'node:path';
import { openLab } from '../tests/fakes/lab.ts';
import { until } from '../tests/fakes/until.ts';
import { spokenWords } from '../rehearsal/speech/spoken-words.ts';
import { sceneOf, spokenInTurn, writeScene } from './edge-scene.ts';
import { startEdge } from './edge-process.ts';
import { soundStartMs, timesOf, toldFigure } from './edge-timeline.ts';
import type { SentenceTimes } from './edge-timeline.ts';
import { wordErrors } from './edge-word-errors.ts';
import { boundFigure, median, percentile } from './figures.ts';
import type { Benchmark, Figure } from './figures.ts';

/** The demo's sentence and examples that skills ship: the gateway takes each as it is, and none answers another. */
const PHRASES = [
  'refactor the API and validate the staging website',
  'run the tests',
  'fix the failing tests',
  'check that the login page loads',
  'summarize what happened today',
  'rename the function get total to compute total',
  'run all unit tests',
  'add a test for the empty cart',
  'validate the staging website',
  'clean up the user module',
  'click through the product tour',
  'review the latest changes',
];
/** Recogniser and detector load meanwhile. */
const LEAD_MS = 5_000;
const PAUSE_MS = 1_500;
const AFTER_MS = 30_000;

const present = (values: readonly (number | null | undefined)[]): number[] =>
  values.filter((value) => value !== null && value !== undefined);

const figuresOf = (times: readonly SentenceTimes[], atGateway: readonly number[]): Figure[] => {
  const append = present(times.map(({ onsetToAppendMs }) => onsetToAppendMs));
  const partial = present(times.map(({ onsetToPartialMs }) => onsetToPartialMs));
  const noticed = present(times.map(({ endToEndNoticedMs }) => endToEndNoticedMs));
  const started = present(times.filter(({ reply }) => reply === 'accepted').map(({ endToAckedMs }) => endToAckedMs));
  const bound = (figure: string, value: number, atMost: number): Figure =>
    boundFigure({ figure, value, unit: 'ms', atMost });
  const told = (figure: string, values: readonly number[], p: number): Figure =>
    toldFigure({ figure, value: percentile(values, p), unit: 'ms' });
  let [words, wrong, inexact] = [0, 0, 0];
  for (const { said, heard } of times) {
    const errors = wordErrors(spokenWords(said), spokenWords(heard));
    words += spokenWords(said).length;
    wrong += errors;
    if (errors > 0) inexact += 1;
  }
  return [
    bound('onset -> first append, p50', median(append), 60),
    bound('onset -> first append, p95', percentile(append, 0.95), 100),
    bound('onset -> first partial, p50', median(partial), 540),
    told('onset -> first partial, p95', partial, 0.95),
    told('end of speech -> end noticed (hang-over 300 ms), p50', noticed, 0.5),
    bound('end of speech -> final at the gateway, p50', median(atGateway), 400),
    told('end of speech -> final at the gateway, p95', atGateway, 0.95),
    bound('end of speech -> workflow started (acknowledged), p50', median(started), 450),
    told('end of speech -> workflow started (acknowledged), p95', started, 0.95),
    toldFigure({ figure: 'sentences not heard exactly', value: inexact, unit: `of ${times.length}` }),
    boundFigure({ figure: 'word error rate', value: (100 * wrong) / words, unit: '%', atMost: 1 }),
    boundFigure({
      figure: 'sentences the gateway did not take',
      value: times.filter(({ reply }) => reply !== 'accepted').length,
      unit: `of ${times.length}`,
      atMost: 0,
    }),
  ];
};

/** Everything is a process of its own: edge, rehearsal models, gateway and Temporal; no worker takes the tasks up. */
export const edgeLatency: Benchmark = {
  name: 'edge-latency',
  about: 'from the first phoneme to the wire, the first words, the final and the workflow, in real time',
  run: async (say) => {
    const speech = await spokenInTurn(PHRASES);
    const scene = sceneOf(
      speech.map((one) => ({ speech: one, pauseMs: PAUSE_MS })),
      LEAD_MS,
    );
    const lab = await openLab({ memory: true });
    try {
      const gateway = await lab.gateway();
      const wav = join(lab.dir, 'orders.wav');
      writeScene(wav, scene);
      say(`${PHRASES.length} sentences, ${Math.round(scene.lengthMs / 1_000)} s of sound`);
      const edge = await startEdge(wav, {
        DUAL_ENV_FILE: join(lab.dir, 'settings'),
        DATA_DIR: join(lab.dir, 'edge'),
        TRACE_DIR: join(lab.dir, 'traces'),
        REHEARSAL_URL: lab.rehearsalUrl,
        WSL_GATEWAY_URL: gateway.url,
        GATEWAY_TOKEN_FILE: join(lab.dir, 'token'),
      });
      try {
        const count = (event: string): number => edge.lines.filter((line) => line.event === event).length;
        await until(
          () => (count('final') >= PHRASES.length && count('acked') >= count('final') ? true : undefined),
          scene.lengthMs + AFTER_MS,
        ).catch(() => say(`not every sentence was acknowledged: ${count('acked')} of ${PHRASES.length}`));
        if (count('final') === 0)
          throw new Error(`nothing was heard:\n${edge.output()}\n${JSON.stringify(edge.lines.slice(-5))}`);
      } finally {
        await edge.stop();
      }
      const times = timesOf(scene.sentences, edge.lines);
      for (const { said, heard, utterances, reply } of times)
        if (wordErrors(spokenWords(said), spokenWords(heard)) > 0 || utterances !== 1 || reply !== 'accepted')
          say(`"${said}" -> "${heard}" (${utterances} utterances, ${reply ?? 'no reply'})`);

      // Both clocks are in the edge's trace: when it wrote a final down, and when it was on the clock of its lines.
      const events = lab.events();
      const clocks = events
        .filter(({ phase, payload }) => phase === 'final' && typeof payload['at_ms'] === 'number')
        .map(({ ts, payload }) => Date.parse(ts) - Number(payload['at_ms']));
      const startEpochMs = Math.min(...clocks) + soundStartMs(edge.lines);
      const atGateway = times.map(({ utteranceId }, i) => {
        const received = events.find(
          ({ phase, payload }) => phase === 'received' && payload['utterance_id'] === utteranceId,
        );
        return received && Date.parse(received.ts) - startEpochMs - (scene.sentences[i]?.endMs ?? Number.NaN);
      });
      return figuresOf(times, present(atGateway));
    } finally {
      await lab.close();
    }
  },
};
