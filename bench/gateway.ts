import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request } from 'node:http';
import { join } from 'node:path';
import { openLab } from '../tests/fakes/lab.ts';
import { startProcess } from '../tests/fakes/processes.ts';
import { boundFigure, percentile, ratioFigure } from './figures.ts';
import type { Benchmark } from './figures.ts';
import { planTasks } from './one-turn-task.ts';

const TEXT = 'Refactor the API and validate the staging website.';
const CONNECTIONS = 32;
const LOAD_REQUESTS = 1_200;
const LONE_REQUESTS = 150;
const WARM_UP = 40;

/** Posts one transcript over a kept-open connection; answers its time in milliseconds. @throws when not accepted. */
const post = (url: string, token: string, agent: HttpAgent): Promise<number> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    const body = JSON.stringify({ text: TEXT, is_final: true, utterance_id: randomBytes(16).toString('hex') });
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      authorization: `Bearer ${token}`,
    };
    const sent = request(`${url}/transcript`, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 202) resolve(performance.now() - started);
        else reject(new Error(`${url} answered ${response.statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });

/** Accepted per second, and the times of single posts. */
const load = async (
  url: string,
  token: string,
  connections: number,
  requests: number,
): Promise<{ perSecond: number; times: number[] }> => {
  const agent = new HttpAgent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  let left = requests;
  const lane = async (): Promise<void> => {
    while (left-- > 0) times.push(await post(url, token, agent));
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, lane));
  agent.destroy();
  return { perSecond: (requests / (performance.now() - started)) * 1_000, times };
};

/** Both servers run at once on one Temporal without workers and take turns, so that a busy moment hits both. */
export const gateway: Benchmark = {
  name: 'gateway',
  about: 'POST /transcript, against a bare node:http server that starts the same workflow',
  run: async (say) => {
    const lab = await openLab();
    try {
      const ours = await lab.gateway();
      const { input } = (await planTasks(lab, 'coding', TEXT))();
      const bare = await startProcess(['bench/baseline/http.ts'], {
        TEMPORAL_ADDRESS: lab.address,
        BODY: JSON.stringify(input),
      });
      try {
        const token = (await readFile(join(lab.dir, 'token'), 'utf8')).trim();
        const urls = { ours: ours.url, bare: String(bare.announced['listening']) };
        for (const url of Object.values(urls)) await load(url, token, 4, WARM_UP);
        const lone = { ours: [] as number[], bare: [] as number[] };
        const rates = { ours: [] as number[], bare: [] as number[] };
        for (let round = 0; round < 4; round++) {
          say(`round ${round + 1} of 4`);
          for (const name of ['bare', 'ours'] as const) {
            lone[name].push(...(await load(urls[name], token, 1, LONE_REQUESTS)).times);
            rates[name].push((await load(urls[name], token, CONNECTIONS, LOAD_REQUESTS / 4)).perSecond);
          }
        }
        const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
        const added = (p: number): number => percentile(lone.ours, p) - percentile(lone.bare, p);
        return [
          ratioFigure({
            figure: `accepted per second, ${CONNECTIONS} connections`,
            value: mean(rates.ours),
            unit: '/s',
            against: { what: 'bare server', value: mean(rates.bare) },
            goal: { atLeast: 0.95 },
          }),
          boundFigure({ figure: 'added latency p50, 1 connection', value: added(0.5), unit: 'ms', atMost: 2 }),
          boundFigure({ figure: 'added latency p99, 1 connection', value: added(0.99), unit: 'ms', atMost: 5 }),
        ];
      } finally {
        await bare.stop();
      }
    } finally {
      await lab.close();
    }
  },
};
