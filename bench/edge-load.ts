import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sendSignal } from '../dev/processes.ts';
import { fromRoot } from '../platform/env.ts';
import { chromiumPath } from '../tests/fakes/browser-bench.ts';
import { familyOf } from '../tests/fakes/family.ts';
import { startProcess } from '../tests/fakes/processes.ts';
import { temporalCli } from '../tests/fakes/temporal-server.ts';
import { until } from '../tests/fakes/until.ts';
import { metricIn, startEdge } from './edge-process.ts';
import type { EdgeProcess } from './edge-process.ts';
import { sceneOf, spokenInTurn, writeScene } from './edge-scene.ts';
import { toldFigure } from './edge-timeline.ts';
import { boundFigure, ratioFigure } from './figures.ts';
import type { Benchmark, Figure } from './figures.ts';

const DEMO = 'refactor the API and validate the staging website';
/** What is said while the gateway hangs. */
const MEANWHILE = ['summarize what happened today', 'run the tests', 'summarize the last run'];
const LEAD_MS = 4_000;
/** After the first order: the gateway hangs in it, and comes back before its end. */
const MEANWHILE_PAUSE_MS = 5_500;
const HANG_AFTER_MS = 1_500;
const HANG_MS = 10_000;
const TAIL_MS = 6_000;
const SETTLED_WITHIN_MS = 120_000;
const SCRAPE_MS = 500;
/** The delay is what a look at the event loop took beyond this. */
const LOOK_MS = 5;

const LOST = 'dual_edge_frames_total{kind="lost"}';
const CAPTURED = 'dual_edge_frames_total{kind="captured"}';
const P99 = 'dual_edge_event_loop_delay_seconds{quantile="0.99"}';
const WORST = 'dual_edge_event_loop_delay_seconds{quantile="1"}';

const countOf = (edge: EdgeProcess, event: string): number => edge.lines.filter((line) => line.event === event).length;

/** Runs what `make dev` runs, with an edge that hears orders while the gateway stands still; the last metrics. */
const runUnderLoad = async (
  dir: string,
  say: (progress: string) => void,
): Promise<{ metrics: string; edge: EdgeProcess; idleP99Ms: number }> => {
  const speech = await spokenInTurn([DEMO, ...MEANWHILE, DEMO]);
  const scene = sceneOf(
    speech.map((one, i) => ({ speech: one, pauseMs: i === speech.length - 1 ? TAIL_MS : MEANWHILE_PAUSE_MS })),
    LEAD_MS,
  );
  const wav = join(dir, 'orders.wav');
  writeScene(wav, scene);
  for (const folder of ['home', 'tmp']) await mkdir(join(dir, folder));
  await writeFile(join(dir, 'settings'), '');
  const base = { DUAL_ENV_FILE: join(dir, 'settings'), HOME: join(dir, 'home'), TMPDIR: join(dir, 'tmp') };
  const dev = await startProcess(
    ['dev/main.ts'],
    {
      ...base,
      DATA_DIR: join(dir, 'data'),
      TRACE_DIR: join(dir, 'traces'),
      TEMPORAL_DB_FILE: join(dir, 'temporal.db'),
      GATEWAY_TOKEN_FILE: join(dir, 'token'),
      TEMPORAL_CLI_PATH: temporalCli(),
      CHROMIUM_PATH: chromiumPath(),
      ...{ TEMPORAL_PORT: '0', WSL_GATEWAY_PORT: '0', WORKER_METRICS_PORT: '0' },
    },
    { until: 'ready ', withinMs: 120_000 },
  );
  try {
    const gateway = familyOf(dev.pid).find(({ command }) => command.includes('gateway/main'));
    if (!gateway) throw new Error(`no gateway among the processes of the stack:\n${dev.output()}`);
    const edge = await startEdge(wav, {
      ...base,
      DATA_DIR: join(dir, 'edge'),
      TRACE_DIR: join(dir, 'traces'),
      WSL_GATEWAY_URL: String(dev.announced['gateway']),
      GATEWAY_TOKEN_FILE: join(dir, 'token'),
    });
    const idle = fork(fromRoot('bench/edge-idle-child.ts'));
    let metrics = '';
    let scraping = true;
    const scrape = async (): Promise<void> => {
      while (scraping) {
        metrics = (await edge.metrics()) ?? metrics;
        await new Promise((resolve) => setTimeout(resolve, SCRAPE_MS));
      }
    };
    const scraped = scrape();
    try {
      const tell = (error: unknown): never => {
        throw new Error(`${edge.output()}\n${JSON.stringify(edge.lines.slice(-10))}`, { cause: error });
      };
      await until(() => (countOf(edge, 'acked') > 0 ? true : undefined), LEAD_MS + 60_000).catch(tell);
      await new Promise((resolve) => setTimeout(resolve, HANG_AFTER_MS));
      say(`two tasks run; the gateway hangs for ${HANG_MS / 1_000} s`);
      process.kill(gateway.pid, 'SIGSTOP');
      try {
        await new Promise((resolve) => setTimeout(resolve, HANG_MS));
      } finally {
        process.kill(gateway.pid, 'SIGCONT');
      }
      say('the gateway goes on');
      await until(
        () =>
          countOf(edge, 'final') > MEANWHILE.length + 1 && countOf(edge, 'acked') >= countOf(edge, 'final')
            ? true
            : undefined,
        scene.lengthMs + SETTLED_WITHIN_MS,
      ).catch(() => say(`${countOf(edge, 'acked')} of ${countOf(edge, 'final')} finals acknowledged`));
      // One look more, at what the last sentence cost.
      await new Promise((resolve) => setTimeout(resolve, 2 * SCRAPE_MS));
      const answer = once(idle, 'message');
      idle.send('how late?');
      const [idleP99Ms] = (await answer) as [number];
      return { metrics, edge, idleP99Ms };
    } finally {
      idle.kill();
      scraping = false;
      await scraped;
      await edge.stop();
    }
  } finally {
    await dev.stop();
    for (const { pid } of familyOf(0, dir)) sendSignal(pid, 'SIGKILL');
  }
};

export const edgeLoad: Benchmark = {
  name: 'edge-load',
  about: 'the edge’s event loop and frames while two tasks run beside it and the gateway hangs (Linux)',
  run: async (say): Promise<Figure[]> => {
    const dir = await mkdtemp(join(tmpdir(), 'edge-load-'));
    try {
      const { metrics, edge, idleP99Ms } = await runUnderLoad(dir, say);
      const ms = (series: string): number => metricIn(metrics, series) * 1_000;
      const [finals, acked] = [countOf(edge, 'final'), countOf(edge, 'acked')];
      say(`${finals} finals, ${acked} acknowledged`);
      return [
        boundFigure({ figure: 'event-loop delay p99', value: ms(P99), unit: 'ms', atMost: 5 }),
        ratioFigure({
          figure: 'event-loop delay p99, a look of 5 ms included',
          value: ms(P99) + LOOK_MS,
          unit: 'ms',
          against: { what: 'a process that does nothing', value: idleP99Ms + LOOK_MS },
          goal: { atMost: 1.5 },
        }),
        toldFigure({ figure: 'event-loop delay, worst (start-up included)', value: ms(WORST), unit: 'ms' }),
        boundFigure({ figure: 'frames lost', value: metricIn(metrics, LOST), unit: 'frames', atMost: 0 }),
        toldFigure({ figure: 'frames captured', value: metricIn(metrics, CAPTURED), unit: 'frames' }),
        boundFigure({
          figure: 'sentences without a final',
          value: Math.max(0, MEANWHILE.length + 2 - finals),
          unit: '',
          atMost: 0,
        }),
        boundFigure({ figure: 'finals not acknowledged at the end', value: finals - acked, unit: '', atMost: 0 }),
      ];
    } finally {
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    }
  },
};
