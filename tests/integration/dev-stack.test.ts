import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fromRoot } from '../../platform/env.ts';
import { temporalCli } from '../fakes/temporal-server.ts';
import { until } from '../fakes/until.ts';

/** The supervisor with the real Temporal and small stand-ins for the other children, as a process of its own. */
const SUPERVISOR = fromRoot('tests/fixtures/dev/supervisor.ts');

interface Run {
  process: ChildProcess;
  out: () => string;
  err: () => string;
  exit: Promise<number | string>;
}
interface Ready {
  gateway: string;
  temporal: string;
  ui: string;
  metrics: string[];
  token_file: string;
}

let dir: string;
let runs: Run[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dual-dev-'));
});
afterEach(async () => {
  for (const run of runs) run.process.kill('SIGKILL');
  await Promise.all(runs.map((run) => run.exit));
  await until(() => (marked().length === 0 ? true : undefined), 10_000);
  runs = [];
  rmSync(dir, { recursive: true, force: true });
});

const start = (variables: Record<string, string> = {}, ...args: string[]): Run =>
  launch(process.execPath, [SUPERVISOR, ...args], variables);

const launch = (command: string, args: string[], variables: Record<string, string>): Run => {
  const child = spawn(command, args, {
    env: {
      PATH: process.env['PATH'],
      DUAL_ENV_FILE: '/dev/null',
      ...{ TEMPORAL_PORT: '0', WSL_GATEWAY_PORT: '0', WORKER_METRICS_PORT: '0' },
      TEMPORAL_CLI_PATH: temporalCli(),
      TEMPORAL_DB_FILE: join(dir, 'data/t.db'),
      GATEWAY_TOKEN_FILE: join(dir, 'token'),
      FAKE_NOTES: join(dir, 'notes'),
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const exit = new Promise<number | string>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? String(signal))),
  );
  const run: Run = { process: child, out: () => out, err: () => err, exit };
  runs.push(run);
  return run;
};

const ready = (run: Run): Promise<Ready> =>
  until(() => {
    const line = /^ready (\{.*\})$/m.exec(run.out())?.[1];
    return line === undefined ? undefined : (JSON.parse(line) as Ready);
  }, 25_000);

const notes = (): { pids: number[]; environment: Record<string, string> }[] =>
  readFileSync(join(dir, 'notes'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { pids: number[]; environment: Record<string, string> });

const environOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
};

/** Every living process that carries this test's folder in its environment: all children and their children do. */
const marked = (): string[] =>
  execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([pid = '', state = '']) => !state.startsWith('Z') && environOf(pid).includes(dir))
    .map(([pid, , ...args]) => `${pid} ${args.join(' ')}`);

const pidOf = (name: string): number => {
  const line = marked().find((entry) => entry.includes(name));
  if (line === undefined) throw new Error(`no ${name} among ${marked().join('\n')}`);
  return Number(line.split(' ')[0]);
};

const within = async (ms: number, run: Run): Promise<number | string> => {
  const timer = Promise.withResolvers<string>();
  const late = setTimeout(() => timer.resolve('late'), ms);
  const exit = await Promise.race([run.exit, timer.promise]);
  clearTimeout(late);
  return exit;
};

describe('make dev', () => {
  it('comes up on a fresh database, says where everything is, and is gone after one SIGINT', async () => {
    const run = start({ ANTHROPIC_API_KEY: 'not-a-real-key' });
    const line = await ready(run);
    expect(Object.keys(line)).toEqual(['gateway', 'temporal', 'ui', 'metrics', 'token_file']);
    expect(line.ui).toBe(`http://127.0.0.1:${Number(line.temporal.split(':')[1]) + 1_000}`);
    expect((await fetch(line.ui)).status).toBe(200);
    expect(line.token_file).toBe(join(dir, 'token'));
    for (const shown of [
      line.gateway,
      line.ui,
      ...line.metrics,
      'logs/traces',
      'dual -- say',
      `${line.gateway}/login?code=once`,
    ])
      expect(run.out()).toContain(shown);
    expect(run.err()).toContain('worker   | polling queues=4');

    const [first] = notes();
    expect(first?.environment).toMatchObject({ TEMPORAL_ADDRESS: line.temporal, ANTHROPIC_API_KEY: 'not-a-real-key' });
    expect((await fetch(String(first?.environment['REHEARSAL_URL']))).status).toBe(200);

    const namespace = ['operator', 'namespace', 'describe', '-n', 'default', '--address', line.temporal, '-o', 'json'];
    expect(execFileSync(temporalCli(), namespace, { encoding: 'utf8', env: {} })).toContain('"2592000s"');
    expect(run.err()).not.toContain('search attribute');

    // Make and timeout pass a stop on: the same one, heard twice within milliseconds, is still an orderly end.
    run.process.kill('SIGTERM');
    run.process.kill('SIGINT');
    expect(await within(10_000, run)).toBe(0);
    expect(run.err()).toContain('stopped: nothing is left running');
    expect(marked()).toEqual([]);
  });

  it('keeps retention and attributes on the second start of the same database, beside a third that may not use it', async () => {
    const first = start();
    await ready(first);
    const intruder = start();
    expect(await within(10_000, intruder)).toBe(1);
    expect(intruder.err()).toMatch(
      /database .*t\.db is in use by process \d+ \(.*temporal server start-dev.*TEMPORAL_DB_FILE/,
    );
    first.process.kill('SIGTERM');
    expect(await within(10_000, first)).toBe(0);
    const second = start();
    const line = await ready(second);
    const list = ['operator', 'search-attribute', 'list', '--address', line.temporal];
    expect(execFileSync(temporalCli(), list, { encoding: 'utf8', env: {} })).toContain('CostUsd');
  });

  it('leaves no process behind 5 s after it was killed with -9, grandchildren included', async () => {
    const run = start();
    await ready(run);
    const family = marked();
    for (const name of ['temporal server start-dev', 'fake-worker', 'fake-gateway', 'fake-loopback', 'sleep 600'])
      expect(family.join('\n')).toContain(name);
    run.process.kill('SIGKILL');
    await run.exit;
    await until(() => (marked().length === 0 ? true : undefined), 5_000);
  });

  it('leaves no process behind when killed with -9 where the system has no setpriv', async () => {
    // `sh` alone is enough for the guardian; the worker's own tool is started by name.
    const run = start({ PATH: '/bin:/usr/bin', FAKE_NO_SETPRIV: '1' });
    await ready(run);
    run.process.kill('SIGKILL');
    await run.exit;
    await until(() => (marked().length === 0 ? true : undefined), 5_000);
  });

  it('ends when the make that started it was killed with -9', async () => {
    // A shell in make's place: it does what make does, wait.
    const make = launch('/bin/sh', ['-c', `"${process.execPath}" "${SUPERVISOR}"; true`], { MAKELEVEL: '1' });
    await ready(make);
    make.process.kill('SIGKILL');
    await until(() => (marked().length === 0 ? true : undefined), 10_000);
  });

  it('starts a child that died again, at once and then with growing pauses, and says so', async () => {
    const run = start();
    const line = await ready(run);
    process.kill(pidOf('fake-worker'), 'SIGKILL');
    await until(() => (notes().length === 2 ? true : undefined));
    expect(run.err()).toContain('worker was ended by SIGKILL; starting it again now');
    process.kill(pidOf('fake-worker'), 'SIGKILL');
    await until(() => (notes().length === 3 ? true : undefined));
    expect(run.err()).toContain('worker was ended by SIGKILL; starting it again in 0.05 s');

    const before = pidOf('temporal server start-dev');
    process.kill(before, 'SIGKILL');
    await until(async () => ((await fetch(line.ui)).status === 200 && pidOf('temporal') !== before ? true : undefined));
    expect(run.err()).toContain('temporal was ended by SIGKILL; starting it again now');
    // The first life's tool and browser went with it.
    const [gone] = notes();
    for (const pid of gone?.pids ?? [])
      expect(existsSync(`/proc/${pid}/environ`) && environOf(String(pid))).toBeFalsy();
    run.process.kill('SIGTERM');
    expect(await within(10_000, run)).toBe(0);
  });

  it('ends a deaf child by force within 10 s, and at once on a second Ctrl-C', async () => {
    const patient = start({ FAKE_DEAF: 'worker' });
    await ready(patient);
    patient.process.kill('SIGINT');
    expect(await within(10_000, patient)).toBe(0);
    expect(patient.err()).toMatch(/worker did not end within .* s: killed/);
    expect(marked()).toEqual([]);

    const hasty = start({ FAKE_DEAF: 'worker' });
    await ready(hasty);
    hasty.process.kill('SIGINT');
    await until(() => (hasty.err().includes('stopping') ? true : undefined));
    // Make and terminals repeat a signal within milliseconds; a person cannot.
    await until(() => {
      hasty.process.kill('SIGINT');
      return hasty.process.exitCode ?? undefined;
    }, 2_000);
    expect(await hasty.exit).toBe(130);
    await until(() => (marked().length === 0 ? true : undefined), 5_000);
  });

  it('says which port is taken and by whom, and starts nothing', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    const run = start({ WSL_GATEWAY_PORT: String(port) });
    expect(await within(10_000, run)).toBe(1);
    expect(run.err()).toContain(`port ${port} (gateway) is in use by process ${process.pid} (`);
    expect(run.err()).toContain('WSL_GATEWAY_PORT');
    expect(existsSync(join(dir, 'notes'))).toBe(false);
    await new Promise((resolve) => holder.close(resolve));
  });

  it('gives up on a child with a bad setting instead of starting it again and again', async () => {
    const run = start({ FAKE_BAD_SETTING: 'gateway' });
    expect(await within(20_000, run)).toBe(1);
    expect(run.err()).toContain('gateway  | fatal TASK_BUDGET_USD: must be at least 0');
    expect(run.err()).toContain('gateway ended with code 2: a setting is wrong');
    expect(marked()).toEqual([]);
  });

  it('explains itself, and refuses words it does not know', async () => {
    const main = fromRoot('dev/main.ts');
    const help = launch(process.execPath, [main, '--help'], {});
    expect(await within(10_000, help)).toBe(0);
    expect(help.out()).toContain('WSL_GATEWAY_PORT');
    const wrong = launch(process.execPath, [main, 'dmeo'], {});
    expect(await within(10_000, wrong)).toBe(2);
    expect(wrong.err()).toContain('unknown: dmeo');
    const bad = launch(process.execPath, [main], { WSL_GATEWAY_PORT: 'eight' });
    expect(await within(10_000, bad)).toBe(2);
    expect(bad.err()).toMatch(/^WSL_GATEWAY_PORT: (?!.*eight)/);
  });

  it('uses a server that is there and starts none', async () => {
    const owner = start();
    const { temporal } = await ready(owner);
    const guest = start({ TEMPORAL_ADDRESS: temporal, GATEWAY_TOKEN_FILE: join(dir, 'token-2'), FAKE_NOTES: '' });
    expect((await ready(guest)).temporal).toBe(temporal);
    expect(marked().filter((line) => line.includes('temporal server start-dev'))).toHaveLength(1);
    guest.process.kill('SIGTERM');
    expect(await within(10_000, guest)).toBe(0);
    expect(
      execFileSync(temporalCli(), ['operator', 'cluster', 'health', '--address', temporal], {
        encoding: 'utf8',
        env: {},
      }),
    ).toContain('SERVING');
  });
});

describe('make demo', () => {
  const demo = (variables: Record<string, string> = {}): Run =>
    start({ DATA_DIR: join(dir, 'usual'), ...variables }, 'demo');

  it('tells the story as it happens over a cut connection, prints the result, leaves nothing running', async () => {
    const run = demo();
    expect(await within(30_000, run)).toBe(0);
    expect(run.err().match(/task +heard/g)).toHaveLength(1);
    expect(run.err().match(/coding 1 +turn 1 .*edit src\/api\.ts/g)).toHaveLength(1);
    for (const shown of [
      'result: succeeded',
      '+new line',
      'before 11 passed, 1 failed; after 12 passed, 0 failed',
      'turn-1.png',
      'rehearsal',
    ])
      expect(run.out()).toContain(shown);
    expect(marked()).toEqual([]);
  });

  it('fails when the task says it worked but left nothing', async () => {
    const run = demo({ FAKE_OUTCOME: 'nothing-done' });
    expect(await within(30_000, run)).toBe(1);
    expect(run.err()).toContain('the coding job left no branch');
    expect(run.err()).toContain('the browser job left no screenshot');
    expect(marked()).toEqual([]);
  });

  it('runs beside a stack without touching its server, ports or folders', async () => {
    const stack = start();
    const line = await ready(stack);
    const run = demo({
      TEMPORAL_ADDRESS: line.temporal,
      WSL_GATEWAY_PORT: new URL(line.gateway).port,
      FAKE_NOTES: join(dir, 'demo-notes'),
    });
    expect(await within(30_000, run)).toBe(0);
    const [note] = readFileSync(join(dir, 'demo-notes'), 'utf8').split('\n');
    expect(note).not.toContain(line.temporal);
    expect((await fetch(line.ui)).status).toBe(200);
  });

  it('shares no folder with a second one, and stops on Ctrl-C with a code that says so', async () => {
    const run = demo({ FAKE_DEAF: 'start' });
    await until(() => (run.err().includes('waiting for worker') ? true : undefined), 10_000);
    if (process.platform === 'linux') {
      const second = demo();
      expect(await within(30_000, second)).toBe(0);
      expect(readdirSync(join(dir, 'usual')).sort()).toEqual(['demo', `demo-${second.process.pid}`]);
    }
    run.process.kill('SIGINT');
    expect(await within(10_000, run)).toBe(130);
    expect(marked()).toEqual([]);
  });
});
