import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromRoot } from '../platform/env.ts';
import { startFakeEdgeGateway } from '../tests/fakes/edge-gateway.ts';
import { startFakeRealtime } from '../tests/fakes/realtime-server.ts';
import { HourMark } from './edge-hour-report.ts';
import type { HourSettings } from './edge-hour-report.ts';
import { sceneOf, spokenInTurn, writeScene } from './edge-scene.ts';
import { toldFigure } from './edge-timeline.ts';
import { boundFigure, ratioFigure } from './figures.ts';
import type { Benchmark, Figure } from './figures.ts';

const ROUNDS = 60;
/** Loading and compiling are over by then. */
const WARM_ROUNDS = 10;
const ROUND_MS = 60_000;
const PAUSE_MS = 600;
const PHRASES = [
  'refactor the API and validate the staging website',
  'run the tests',
  'fix the failing tests in the parser',
  'check that the login page loads',
  'summarize what happened today',
  'rename the function get user to fetch user',
  'find out why the build fails',
  'clean up the user module',
];
const MB = 1e6;
const TOKEN = 'edge-token';

/** Sentences until a minute is full. */
const aMinute = async () => {
  const speech = await spokenInTurn(PHRASES);
  const minute: { speech: (typeof speech)[number]; pauseMs: number }[] = [];
  for (let i = 0; ; i += 1) {
    const one = speech[i % speech.length];
    if (!one || sceneOf([...minute, { speech: one, pauseMs: PAUSE_MS }], PAUSE_MS).lengthMs > ROUND_MS) return minute;
    minute.push({ speech: one, pauseMs: PAUSE_MS });
  }
};

/** Runs the edge in a process of its own, against a recogniser and a gateway in this one. */
const hearAnHour = async (dir: string, rounds: number, say: (progress: string) => void): Promise<HourMark[]> => {
  const scene = sceneOf(await aMinute(), PAUSE_MS);
  const wav = join(dir, 'minute.wav');
  writeScene(wav, scene);
  const realtime = await startFakeRealtime();
  // An hour of sound is not to be kept here.
  realtime.onAppend = (session) => void session.received.splice(0);
  const gateway = await startFakeEdgeGateway({ token: TOKEN });
  const settings: HourSettings = {
    wav,
    rounds,
    realtimeUrl: realtime.url,
    gatewayUrl: gateway.url,
    token: TOKEN,
    spoolDir: join(dir, 'spool'),
    traceDir: join(dir, 'traces'),
    bufferedBytes: 64_000,
  };
  const child = fork(fromRoot('bench/edge-hour-child.ts'), [JSON.stringify(settings)], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const marks: HourMark[] = [];
  child.on('message', (message) => {
    const mark = HourMark.parse(message);
    marks.push(mark);
    if (mark.round % 10 === 0 || mark.problem !== '')
      say(
        `${mark.round} min: ${(mark.rssBytes / MB).toFixed(0)} MB (heap ${(mark.heapBytes / MB).toFixed(0)}), ` +
          `${mark.finals} finals, ${mark.acked} acknowledged ${mark.problem}`,
      );
  });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`the edge ended with ${String(code)}`);
    for (const complaint of [...realtime.complaints, ...gateway.complaints].slice(0, 5)) say(complaint);
    return marks;
  } finally {
    child.kill('SIGKILL');
    await realtime.close();
    await gateway.stop();
  }
};

const figuresOf = (marks: readonly HourMark[]): Figure[] => {
  const warm = marks.find(({ round }) => round === WARM_ROUNDS);
  const hour = marks.find(({ round }) => round === ROUNDS);
  const end = marks.at(-1);
  if (!warm || !hour || !end) throw new Error('the edge did not hear it all');
  const seconds = ((hour.capturedFrames - warm.capturedFrames) * 20) / 1_000;
  return [
    boundFigure({
      figure: 'CPU per second of audio',
      value: (hour.cpuMs - warm.cpuMs) / seconds,
      unit: 'ms',
      atMost: 12,
    }),
    boundFigure({ figure: 'memory after 1 h of speech', value: hour.rssBytes / MB, unit: 'MB', atMost: 200 }),
    ratioFigure({
      figure: 'memory after 1 h of speech',
      value: hour.rssBytes / MB,
      unit: 'MB',
      against: { what: `after ${WARM_ROUNDS} min`, value: warm.rssBytes / MB },
      goal: { atMost: 1.05 },
    }),
    ratioFigure({
      figure: 'heap after 1 h of speech',
      value: hour.heapBytes / MB,
      unit: 'MB',
      against: { what: `after ${WARM_ROUNDS} min`, value: warm.heapBytes / MB },
      goal: { atMost: 1.05 },
    }),
    toldFigure({ figure: 'sent to the recogniser', value: (100 * end.sentFrames) / end.capturedFrames, unit: '%' }),
    boundFigure({ figure: 'frames lost', value: end.lostFrames, unit: 'frames', atMost: 0 }),
    boundFigure({
      figure: 'utterances not acknowledged',
      value: end.ended - end.acked,
      unit: `of ${end.ended}`,
      atMost: 0,
    }),
  ];
};

export const edgeHour: Benchmark = {
  name: 'edge-hour',
  about: 'CPU and memory of an edge that hears an hour of speech, as fast as it can',
  run: async (say) => {
    const dir = await mkdtemp(join(tmpdir(), 'edge-hour-'));
    try {
      return figuresOf(await hearAnHour(dir, ROUNDS, say));
    } finally {
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    }
  },
};
