import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { PROGRAMS, planStack, temporalAddressOf } from '../../../dev/plan.ts';
import { readSettings } from '../../../dev/settings.ts';

/** A CLI that is not there is never asked when the database has a name. */
const BASE = { TEMPORAL_CLI_PATH: '/nowhere/temporal', TEMPORAL_DB_FILE: '/nowhere/t.db', PATH: '/bin' };
const read = (variables: Record<string, string>) =>
  readSettings({ ...BASE, ...variables }, AbortSignal.timeout(10_000));
const children = async (variables: Record<string, string>) => planStack(await read(variables), PROGRAMS);
const roles = async (variables: Record<string, string>) => (await children(variables)).map(({ role }) => role);

describe('which children there are', () => {
  it('all five on a machine without keys, Temporal first', async () => {
    expect(await roles({})).toEqual(['temporal', 'rehearsal', 'site', 'worker', 'gateway']);
  });

  it('no Temporal where a server is named', async () => {
    const settings = await read({ TEMPORAL_ADDRESS: 'temporal.internal:7233', TEMPORAL_API_KEY: 'secret-key' });
    expect(temporalAddressOf(settings)).toEqual({
      address: 'temporal.internal:7233',
      ui: 'http://temporal.internal:8233',
    });
    const plan = planStack(settings, PROGRAMS);
    expect(plan.map(({ role }) => role)).not.toContain('temporal');
    expect(plan.find(({ role }) => role === 'worker')?.env).toMatchObject({
      TEMPORAL_ADDRESS: 'temporal.internal:7233',
      TEMPORAL_API_KEY: 'secret-key',
    });
  });

  it('rehearsal while any provider has neither key nor URL', async () => {
    expect(await roles({ ANTHROPIC_API_KEY: 'k' })).toContain('rehearsal');
    expect(await roles({ GEMINI_BASE_URL: 'http://127.0.0.1:1' })).toContain('rehearsal');
    expect(await roles({ ANTHROPIC_API_KEY: 'k', GEMINI_BASE_URL: 'http://127.0.0.1:1' })).not.toContain('rehearsal');
  });

  it('the example site unless a person says what the staging website is', async () => {
    expect(await roles({ STAGING_URL: 'https://staging.example' })).not.toContain('site');
    expect(await roles({ TARGETS_FILE: 'targets.json' })).not.toContain('site');
  });

  it('each visible under its name', async () => {
    const lines = (await children({})).map(({ command, args }) => [command, ...args].join(' '));
    for (const name of ['temporal server start-dev', 'rehearsal/main', 'workers/main', 'gateway/main'])
      expect(lines.filter((line) => line.includes(name))).toHaveLength(1);
  });
});

describe('what children are told', () => {
  it('one address for everything, and no file to read it otherwise', async () => {
    const plan = await children({ TEMPORAL_PORT: '7000', WSL_GATEWAY_PORT: '8001', WORKER_METRICS_PORT: '9000' });
    for (const role of ['worker', 'gateway']) {
      const env = plan.find((child) => child.role === role)?.env ?? {};
      expect(env).toMatchObject({
        DUAL_ENV_FILE: devNull,
        TEMPORAL_ADDRESS: '127.0.0.1:7000',
        TEMPORAL_UI_URL: 'http://127.0.0.1:8000',
        WSL_GATEWAY_PORT: '8001',
        WORKER_METRICS_PORT: '9000',
      });
      const rehearsal = plan.find((child) => child.role === 'rehearsal')?.env['REHEARSAL_PORT'];
      expect(env['REHEARSAL_URL']).toBe(`http://127.0.0.1:${rehearsal}`);
      const site = plan.find((child) => child.role === 'site')?.env['PORT'];
      expect(env['STAGING_URL']).toBe(`http://127.0.0.1:${site}`);
    }
  });

  it('nothing of a Temporal profile that the person has for another server', async () => {
    const home = mkdtempSync(join(tmpdir(), 'profile-'));
    try {
      mkdirSync(join(home, '.config/temporalio'), { recursive: true });
      const profile = '[profile.default]\naddress = "elsewhere:1"\napi_key = "key-of-elsewhere"\n';
      writeFileSync(join(home, '.config/temporalio/temporal.toml'), profile);
      const given = { HOME: home, TEMPORAL_PORT: '7000', TEMPORAL_CONFIG_FILE: join(home, 'mine.toml') };
      for (const { role, env } of await children(given)) {
        const { connectionOptions } = loadClientConnectConfig({ overrideEnvVars: { ...env } });
        const address = role === 'worker' || role === 'gateway' ? '127.0.0.1:7000' : undefined;
        expect([role, connectionOptions]).toEqual([role, address ? { address } : {}]);
      }
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it('where Node keeps compiled code, unless a person chose another place', async () => {
    const cacheOf = async (variables: Record<string, string>) =>
      (await children(variables)).slice(1).map(({ env }) => env['NODE_COMPILE_CACHE']);
    for (const folder of await cacheOf({})) expect(folder).toMatch(/\.cache\/node$/);
    expect(new Set(await cacheOf({ NODE_COMPILE_CACHE: '/mine' }))).toEqual(new Set(['/mine']));
  });

  it('keys only where they are used', async () => {
    const keys = { ANTHROPIC_API_KEY: 'a', OPENAI_API_KEY: 'o', GATEWAY_TOKEN: 't', TEMPORAL_API_KEY: 'left over' };
    for (const { role, env } of await children(keys)) {
      const seen = Object.keys(keys).filter((name) => name in env);
      expect([role, seen]).toEqual([
        role,
        role === 'worker' || role === 'gateway' ? ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GATEWAY_TOKEN'] : [],
      ]);
    }
  });
});

describe('settings', () => {
  it('name a bad variable, never its value', async () => {
    await expect(read({ WSL_GATEWAY_PORT: 'eight' })).rejects.toThrow(/^WSL_GATEWAY_PORT: (?!.*eight)/);
    await expect(read({ TEMPORAL_PORT: '65000' })).rejects.toThrow(/^TEMPORAL_PORT: .*at most 64535/);
    await expect(read({ TEMPORAL_ADDRESS: 'http://x:1' })).rejects.toThrow(/^TEMPORAL_ADDRESS: (?!.*http)/);
    await expect(read({ WSL_GATEWAY_PORT: '9465' })).rejects.toThrow(/^WORKER_METRICS_PORT: the same port/);
  });

  it('take any free port for 0', async () => {
    const settings = await read({ TEMPORAL_PORT: '0', WSL_GATEWAY_PORT: '0', WORKER_METRICS_PORT: '0' });
    const { temporal, gateway, workerMetricsPort } = settings;
    const ports = [temporal.kind === 'own' ? temporal.port : 0, gateway.port, workerMetricsPort];
    expect(ports.every((port) => port > 0)).toBe(true);
    expect(new Set(ports).size).toBe(3);
  });
});
