import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CHECKS, diagnosisOf, examine } from '../../../../cli/doctor.ts';
import { fail, ok, readFound } from '../../../../cli/doctor/check.ts';
import type { Finding, Patient } from '../../../../cli/doctor/check.ts';
import {
  checkClock,
  checkDisk,
  checkFolders,
  checkNode,
  checkWsl,
  compareVersions,
  diskFinding,
  hardwareSkewMs,
  skewFinding,
} from '../../../../cli/doctor/machine.ts';
import {
  checkChromium,
  checkGit,
  checkSandbox,
  checkTemporalCli,
  checkWorkspace,
} from '../../../../cli/doctor/programs.ts';
import { checkGateway, checkPorts, checkSkills, checkTemporalServer } from '../../../../cli/doctor/services.ts';
import { checkKeys, checkSettings, checkSetUp } from '../../../../cli/doctor/settings.ts';
import { loadCliSettings } from '../../../../cli/settings.ts';
import { dual } from '../../../fakes/dual.ts';
import { problem, reply, startFakeGateway } from '../../../fakes/gateway-server.ts';
import type { FakeGateway, Reply } from '../../../fakes/gateway-server.ts';

let dir: string;
const gateways: FakeGateway[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dual-doctor-test-'));
});
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
  rmSync(dir, { recursive: true, force: true });
});

const patient = (environment: Record<string, string> = {}, more: Partial<Patient> = {}): Patient => ({
  settings: loadCliSettings(environment),
  settingsProblem: null,
  environment: { PATH: process.env['PATH'] ?? '', ...environment },
  found: {},
  wsl: false,
  platform: 'linux',
  nodeVersion: '24.21.0',
  nodePath: '/usr/bin/node',
  signal: new AbortController().signal,
  ...more,
});
const brief = (findings: readonly Finding[]): string[] => findings.map(({ status, what }) => `${status} ${what}`);
const program = (name: string, script: string): string => {
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
};
const gatewayWith = async (routes: Record<string, Reply>): Promise<string> => {
  const gateway = await startFakeGateway(routes);
  gateways.push(gateway);
  return gateway.url;
};
/** A port where nobody listens any more. */
const deadPort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

describe('what a person reads', () => {
  it('a line for each finding, and beneath it what to do', () => {
    expect(diagnosisOf([ok('node', '24'), fail('sandbox', 'none\u001b[2J', 'install it')])).toBe(
      'ok    node     24\nfail  sandbox  none[2J\n               do: install it',
    );
  });

  it('everything that is not ok says what to do', async () => {
    const findings = await examine(patient({ CODING_SANDBOX: 'off', CHROMIUM_PATH: '/nowhere' }));
    for (const { status, todo } of findings) expect(status === 'ok' ? null : (todo ?? '')).not.toBe('');
  });

  it('a look that breaks is a finding, and the others go on', async () => {
    const broken = async (): Promise<Finding[]> => Promise.reject(new Error('boom'));
    expect(brief(await examine(patient(), { broken, fine: async () => [ok('fine', 'yes')] }))).toEqual([
      'fail could not be looked at: boom',
      'ok yes',
    ]);
  });

  it('--json is one object, and a failure ends with 1', async () => {
    const { code, out } = await dual(['doctor', '--json'], {
      env: { PATH: process.env['PATH'] ?? '', CHROMIUM_PATH: join(dir, 'none'), CODING_WORKING_DIRECTORY: dir },
    });
    const report = JSON.parse(out) as { ok: boolean; checks: Finding[] };
    expect([code, report.ok]).toEqual([1, false]);
    expect(new Set(report.checks.map(({ name }) => name)).size).toBeGreaterThanOrEqual(Object.keys(CHECKS).length - 1);
  });

  it('never shows the value of a setting that could be a secret', async () => {
    const { out } = await dual(['doctor'], {
      env: { PATH: process.env['PATH'] ?? '', ANTHROPIC_API_KEY: 'sk-hunter2hunter2hunter2', GATEWAY_TOKEN: 'hunter3' },
    });
    expect(out).toContain('ANTHROPIC_API_KEY is set');
    expect(out).not.toMatch(/hunter/);
  });
});

describe('settings', () => {
  it('a bad one is a finding that names the variable, not a crash', async () => {
    const { code, out } = await dual(['doctor'], { env: { WSL_GATEWAY_PORT: 'hunter2' } });
    expect(code).toBe(1);
    expect(out).toMatch(/fail {2}settings +WSL_GATEWAY_PORT: /);
    expect(out).not.toContain('hunter2');
    expect(brief(await checkSettings(patient({}, { settingsProblem: 'X: not valid' })))).toEqual(['fail X: not valid']);
    expect(brief(await checkSettings(patient()))[0]).toMatch(/^ok /);
  });

  it('models: a key, an address, or rehearsal', async () => {
    expect(brief(await checkKeys(patient({ ANTHROPIC_API_KEY: 'x', GEMINI_BASE_URL: 'http://127.0.0.1:1' })))).toEqual([
      'ok ANTHROPIC_API_KEY is set (not tried: a request costs money)',
      'ok GEMINI_BASE_URL is set, used with a dummy key',
    ]);
    expect(brief(await checkKeys(patient()))[0]).toMatch(/^warn rehearsal: /);
  });

  it('set-up: its record tells', async () => {
    expect((await checkSetUp(patient({}, { found: {} })))[0]).toMatchObject({ status: 'warn', todo: 'make setup' });
    writeFileSync(join(dir, 'found.json'), '{"node":"x","temporal":"/t"}');
    expect(readFound(join(dir, 'found.json'))).toMatchObject({ temporal: '/t' });
    writeFileSync(join(dir, 'found.json'), '{"temp');
    expect(readFound(join(dir, 'found.json'))).toEqual({});
  });
});

describe('the machine', () => {
  it('node: older than engines fails', async () => {
    expect((await checkNode(patient({}, { nodeVersion: '20.20.2' })))[0]).toMatchObject({ status: 'fail' });
    expect((await checkNode(patient({}, { nodeVersion: '22.18.0' })))[0]).toMatchObject({ status: 'ok' });
    expect([compareVersions('22.9.0', '22.18'), compareVersions('v24', '22.18')].map(Math.sign)).toEqual([-1, 1]);
  });

  it('disk: little room warns, too little fails', async () => {
    expect([6, 3, 0.5].map((gigabytes) => diskFinding('/x', gigabytes * 1024 ** 3).status)).toEqual([
      'ok',
      'warn',
      'fail',
    ]);
    expect((await checkDisk(patient({ DATA_DIR: join(dir, 'not/yet') }))).length).toBeGreaterThan(0);
  });

  it('folders: made when needed, or not to be had', async () => {
    writeFileSync(join(dir, 'file'), '');
    expect(
      brief(await checkFolders(patient({ DATA_DIR: join(dir, 'not/yet'), TRACE_DIR: join(dir, 'file/traces') }))),
    ).toEqual([
      `ok ${join(dir, 'not/yet')} (made when needed)`,
      `fail ${join(dir, 'file/traces')} cannot be written (a file is in its way)`,
    ]);
  });

  it('WSL: everything on a Windows drive is named', async () => {
    mkdirSync(join(dir, 'bin'));
    const environment = {
      PATH: join(dir, 'bin'),
      DATA_DIR: '/mnt/c/data',
      TRACE_DIR: '/mnt/D/traces',
      TRACE_SQLITE_PATH: '/mnt/c/t.db',
      CODING_WORKING_DIRECTORY: '/mnt/c/code',
    };
    const said = brief(
      await checkWsl(patient(environment, { wsl: true, nodePath: '/mnt/c/Program Files/node.exe' })),
    ).join('\n');
    for (const name of [
      'DATA_DIR',
      'TRACE_DIR',
      'TRACE_SQLITE_PATH',
      'CODING_WORKING_DIRECTORY',
      'node is the Windows one',
    ])
      expect(said).toContain(name);
    expect(brief(await checkWsl(patient(environment)))).toEqual(['ok linux, not WSL']);
    expect(brief(await checkWsl(patient({ DATA_DIR: '/mnt/common/data' }, { wsl: true })))[0]).toMatch(/^ok /);
    expect((await checkWsl(patient({}, { platform: 'win32' })))[0]?.status).toBe('fail');
  });
});

describe('programs', () => {
  it('a setting that names none is told apart from one that is missing', async () => {
    const none = { PATH: dir, TEMPORAL_CLI_PATH: join(dir, 'none'), CHROMIUM_PATH: dir, BWRAP_PATH: join(dir, 'none') };
    for (const check of [checkTemporalCli, checkChromium, checkSandbox])
      expect(brief(await check(patient(none)))[0]).toMatch(/^fail [A-Z_]+ does not name a program/);
    expect(brief(await checkGit(patient({ PATH: dir })))).toEqual(['fail not on PATH']);
    expect(brief(await checkChromium(patient({ PATH: dir })))).toEqual(['fail not found']);
    expect(brief(await checkSandbox(patient({ PATH: dir })))[0]).toMatch(/^fail no bubblewrap/);
  });

  it('what set-up found is used', async () => {
    const temporal = program('temporal', 'echo "temporal version 9.8.7 (Server 1.0.0)"');
    expect(brief(await checkTemporalCli(patient({ PATH: dir }, { found: { temporal } })))).toEqual([
      `ok 9.8.7 at ${temporal}`,
    ]);
  });

  it('a program that does not run says its last word', async () => {
    const sick = program('sick', 'echo "some noise"; echo "cannot open display" >&2; exit 3');
    expect(brief(await checkChromium(patient({ CHROMIUM_PATH: sick })))[0]).toContain(
      'shows no page: cannot open display',
    );
    expect(brief(await checkSandbox(patient({ BWRAP_PATH: sick })))[0]).toContain(
      'cannot make a sandbox here: cannot open display',
    );
    expect(brief(await checkTemporalCli(patient({ TEMPORAL_CLI_PATH: sick })))[0]).toContain(
      'does not run: cannot open display',
    );
  });

  it('the sandbox is really made, and its absence never goes unsaid', async () => {
    const bwrap = program('bwrap', 'for last; do :; done; [ "$last" = true ] && [ "$1" = --unshare-all ]');
    expect(brief(await checkSandbox(patient({ BWRAP_PATH: bwrap })))[0]).toMatch(/^ok .* ran a command in a sandbox/);
    expect(brief(await checkSandbox(patient({ CODING_SANDBOX: 'off' })))[0]).toMatch(/^warn .*unconfined/);
  });

  it('the workspace must be a repository with a commit', async () => {
    expect(brief(await checkWorkspace(patient({ CODING_WORKING_DIRECTORY: dir })))[0]).toMatch(
      /^fail .*not a git repository/,
    );
    expect(brief(await checkWorkspace(patient()))[0]).toMatch(/^ok /);
  });
});

describe('services', () => {
  const healthy = { 'GET /health': reply({ status: 'ok' }), 'GET /ready': reply({ status: 'ready' }) };

  it('a gateway that is ready', async () => {
    const env = { WSL_GATEWAY_URL: await gatewayWith(healthy), GATEWAY_TOKEN: 'x' };
    expect(brief(await checkGateway(patient(env)))).toEqual([
      `ok ready at ${env.WSL_GATEWAY_URL}`,
      "ok agrees with the gateway's clock",
    ]);
  });

  it.each<[string, Record<string, Reply>, Record<string, string>, RegExp]>([
    [
      'not ready',
      { ...healthy, 'GET /ready': problem(503, 'not-ready', 'no worker polls dual-models') },
      { GATEWAY_TOKEN: 'x' },
      /fail .*not ready: no worker polls dual-models/,
    ],
    [
      'another token',
      { ...healthy, 'GET /ready': problem(401, 'unauthorized', 'no') },
      { GATEWAY_TOKEN: 'x' },
      /fail .*does not accept our token/,
    ],
    ['no token', healthy, { GATEWAY_TOKEN_FILE: '/nowhere/token' }, /fail .*no token for it/],
    ['another program', { 'GET /health': reply('hello', 404) }, {}, /fail .*is not our gateway \(404\)/],
  ])('%s', async (_, routes, env, words) => {
    const findings = await checkGateway(patient({ WSL_GATEWAY_URL: await gatewayWith(routes), ...env }));
    expect(brief(findings).join('\n')).toMatch(words);
  });

  it('nobody there: a warning by default, a failure where an address was given', async () => {
    const port = String(await deadPort());
    expect((await checkGateway(patient({ WSL_GATEWAY_PORT: port })))[0]).toMatchObject({
      status: 'warn',
      todo: 'make dev',
    });
    expect((await checkGateway(patient({ WSL_GATEWAY_URL: `http://127.0.0.1:${port}` })))[0]?.status).toBe('fail');
    expect((await checkTemporalServer(patient({ TEMPORAL_PORT: port })))[0]?.status).toBe('warn');
    expect((await checkTemporalServer(patient({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` })))[0]?.status).toBe('fail');
  });

  it('Temporal is asked by its own tool', async () => {
    const port = new URL(await gatewayWith({})).port;
    const serving = program('temporal', 'echo SERVING');
    const deaf = program('deaf', 'echo "error: not gRPC" >&2; exit 1');
    const about = { TEMPORAL_ADDRESS: `127.0.0.1:${port}` };
    expect(brief(await checkTemporalServer(patient({ ...about, TEMPORAL_CLI_PATH: serving })))).toEqual([
      `ok serving at 127.0.0.1:${port}`,
    ]);
    expect(brief(await checkTemporalServer(patient({ ...about, TEMPORAL_CLI_PATH: deaf })))[0]).toMatch(
      /^fail .*error: not gRPC/,
    );
  });

  it('clocks: a sleep of the laptop shows', () => {
    const status = (ms: number) => skewFinding(ms, 'another').status;
    expect([1_000, 60_000, -7_200_000].map(status)).toEqual(['ok', 'warn', 'fail']);
    expect(skewFinding(60_000, 'another').what).toBe('another is 60 s behind this clock');
    // The hardware's may keep local time, here 5:30 ahead; the sleep of 40 s still shows.
    const now = Date.parse('2026-11-25T12:00:00Z');
    expect(hardwareSkewMs(now / 1_000 + 19_800 + 40, now)).toBe(-40_000);
    expect(hardwareSkewMs(now / 1_000 - 1, now)).toBe(1_000);
  });

  it('clocks: there is always a word about them', async () => {
    expect((await checkClock(patient({}))).map(({ name }) => name)).toEqual(['clock']);
  });

  it('ports: a stranger on ours is a failure, our own stack is not', async () => {
    const free = String(await deadPort());
    const stranger = new URL(await gatewayWith({ 'GET /health': reply('x', 404) })).port;
    const own = new URL(await gatewayWith({ ...healthy, 'GET /metrics': reply('dual_orchestrator_build_info 1') }))
      .port;
    const about = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
    expect(
      brief(await checkPorts(patient({ ...about, WSL_GATEWAY_PORT: stranger, WORKER_METRICS_PORT: free }))),
    ).toEqual([`fail ${stranger} (gateway) is in use by another program`]);
    expect(brief(await checkPorts(patient({ ...about, WSL_GATEWAY_PORT: own, WORKER_METRICS_PORT: own })))).toEqual([
      `ok ${own}, ${own}: free, or ours`,
    ]);
  });

  it('skills: a bad file is a warning, no folder a failure', async () => {
    writeFileSync(join(dir, 'a.json'), '{');
    expect(brief(await checkSkills(patient({ SKILLS_DIR: dir })))).toEqual([
      expect.stringMatching(/^warn a\.json is left out: not valid JSON/),
      expect.stringMatching(/^fail no skill in /),
    ]);
    expect(brief(await checkSkills(patient({ SKILLS_DIR: join(dir, 'nowhere') })))[0]).toMatch(/^fail SKILLS_DIR: /);
  });
});
