import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../../../platform/log.ts';
import { call, control, createBench, pages, planFor, startSite } from '../../../fakes/browser-bench.ts';
import type { Bench, Site } from '../../../fakes/browser-bench.ts';
import { startProcess } from '../../../fakes/processes.ts';
import { until } from '../../../fakes/until.ts';

/** State and parent of every process; a zombie has ended and only waits to be counted. */
const processes = async (): Promise<Map<number, number>> => {
  const found = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state && state !== 'Z') found.set(Number(name), Number(parent));
  }
  return found;
};

const descendantsOf = async (pid: number): Promise<number[]> => {
  const all = await processes();
  const of = (parent: number): number[] =>
    [...all].filter(([, its]) => its === parent).flatMap(([child]) => [child, ...of(child)]);
  return of(pid);
};

const stillRunning = async (pids: readonly number[]): Promise<number[]> => {
  const all = await processes();
  return pids.filter((pid) => all.has(pid));
};

/** Everything in the folder that a browser may have put there. */
const leftIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => /^(dual-browser|playwright|org\.chromium|\.org\.chromium)/.test(name));

let site: Site;
let folder: string;
beforeAll(async () => {
  site = await startSite(
    pages({
      '/': '<title>Home</title>',
      '/hang': '<title>Hang</title><button style="position:fixed;inset:0" onclick="for (;;);">x</button>',
    }),
  );
});
afterAll(() => site.close());

describe('a browser that dies', () => {
  let bench: Bench;
  let chromiumPid = 0;
  beforeAll(async () => {
    const watch = (line: string): void => {
      chromiumPid = (JSON.parse(line) as { chromiumPid?: number }).chromiumPid ?? chromiumPid;
    };
    bench = await createBench({ log: createLog('test', (text) => text, 'info', watch), capacity: 1 });
  });
  afterAll(() => bench.dispose());

  it('loses its sessions, not their evidence; the next session gets a new one', async () => {
    const session = await bench.open(planFor(site.url));
    await bench.run(session, call('take_screenshot'));
    const first = chromiumPid;
    expect(await descendantsOf(process.pid)).toContain(first);
    process.kill(first, 'SIGKILL');
    await expect(
      until(() =>
        bench.run(session, call('take_screenshot')).then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    ).resolves.toMatchObject({ type: 'SessionLost' });
    const closed = await bench.close(session);
    expect(closed.artifacts.map((ref) => ref.name)).toEqual(['findings.json', 'screenshot.png', 'screenshots.json']);
    expect(await bench.close(session)).toEqual(closed);
    const next = await bench.open(planFor(site.url), { generation: 2 });
    expect(chromiumPid).not.toBe(first);
    expect((await bench.run(next, call('take_screenshot')))[0]?.is_error).toBe(false);
    await bench.close(next);
  });

  it('in the middle of a batch: ends it at once; a click that was on its way is unknown, and not repeated', async () => {
    const session = await bench.open(planFor(`${site.url}/hang`), { generation: 3 });
    const batch = bench.batch(session, [call('click', { x: 500, y: 500 }), call('wait', { seconds: 10 })]);
    const running = bench.environment.runTools(batch, control()).then(
      () => 'ran',
      (error: unknown) => error,
    );
    await until(async () => (await readdir(join(bench.artifacts.dir, 'refs', 'claims')))[0]);
    const killed = Date.now();
    process.kill(chromiumPid, 'SIGKILL');
    expect(await running).toMatchObject({ type: 'SessionLost' });
    expect(Date.now() - killed).toBeLessThan(2_000);
    const next = await bench.open(planFor(`${site.url}/hang`), { generation: 4 });
    const { results } = await bench.environment.runTools(
      { ...batch, sessionId: next.sessionId, calls: batch.calls.slice(0, 1) },
      control(),
    );
    expect(results[0]).toMatchObject({ unknown: true, is_error: true });
    await bench.close(next);
  });

  it('leaves no process behind when it is told to go', async () => {
    const session = await bench.open(planFor(site.url), { generation: 5 });
    const family = [chromiumPid, ...(await descendantsOf(chromiumPid))];
    expect(family.length).toBeGreaterThan(3);
    await bench.environment.dispose();
    await until(async () => (await stillRunning(family)).length === 0 || undefined, 2_000);
    await expect(bench.run(session, call('take_screenshot'))).rejects.toMatchObject({ type: 'SessionLost' });
    await expect(bench.open(planFor(site.url))).rejects.toMatchObject({ type: 'EnvironmentUnavailable' });
  });
});

describe('a worker that ends', () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'browser-crash-'));
  });
  const hold = () =>
    startProcess(['tests/fakes/hold-browser.ts', site.url], { TMPDIR: folder, GEMINI_API_KEY: 'not-for-browsers' });

  it.each(['SIGTERM', 'SIGKILL'] as const)('by %s takes its Chromium with it within 2 s', async (signal) => {
    const worker = await hold();
    try {
      const family = await descendantsOf(worker.pid);
      expect(family.length).toBeGreaterThan(3);
      for (const pid of family)
        expect(await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).not.toContain('not-for-browsers');
      worker.kill(signal);
      await worker.exited;
      await until(async () => (await stillRunning(family)).length === 0 || undefined, 2_000);
      expect((await leftIn(folder)).length > 0).toBe(signal === 'SIGKILL');
      const next = await hold(); // sweeps what was left
      const mine = await leftIn(folder);
      expect(mine.filter((name) => name.startsWith('dual-browser-'))).toEqual([
        expect.stringMatching(`^dual-browser-${next.pid}-`),
      ]);
      expect(mine.filter((name) => !name.startsWith('dual-browser-'))).toHaveLength(1); // the running profile
      await next.stop();
      expect(await leftIn(folder)).toEqual([]);
    } finally {
      await worker.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('never sweeps what a note made up points at', async () => {
    const work = join(folder, 'dual-browser-999999999-x');
    const precious = join(folder, 'precious');
    await mkdir(work);
    await mkdir(precious);
    await writeFile(join(work, 'profile'), precious);
    const worker = await hold();
    try {
      expect(await readdir(folder)).toContain('precious');
      expect(await readdir(folder)).not.toContain('dual-browser-999999999-x');
    } finally {
      await worker.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('a machine without Chromium', () => {
  it('says so when the first session opens, not before', async () => {
    const bench = await createBench({ chromiumPath: '/nowhere/chromium' });
    await expect(bench.open(planFor(site.url))).rejects.toMatchObject({
      type: 'EnvironmentUnavailable',
      retryable: false,
      message: 'no Chromium was found: set CHROMIUM_PATH, or run make setup',
    });
    await bench.dispose();
  });
});
