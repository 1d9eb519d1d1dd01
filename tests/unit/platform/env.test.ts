import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadEnvironment } from '../../../platform/env.ts';
import { loadWorkerConfig } from '../../../workers/config.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'env-'));
  file = join(dir, 'settings');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const load = (processEnv: Record<string, string> = {}) =>
  loadEnvironment({ DUAL_ENV_FILE: file, ...processEnv }, '.env.wsl');

describe('settings', () => {
  it('the process beats the file, an empty value is unset', () => {
    writeFileSync(file, '# comment\nCODING_MODEL=from-file\nBROWSER_MODEL="quoted one"\nGEMINI_API_KEY=\n');
    expect(load({ CODING_MODEL: 'from-process' })).toMatchObject({
      CODING_MODEL: 'from-process',
      BROWSER_MODEL: 'quoted one',
    });
    expect(load({ CODING_MODEL: '' })['CODING_MODEL']).toBe('from-file');
    expect(load()).not.toHaveProperty('GEMINI_API_KEY');
  });

  it('a name we do not know is an error in a file, never in the process environment', () => {
    writeFileSync(file, 'ANTROPIC_API_KEY=sk-oops-a-typing-mistake\n');
    expect(() => load()).toThrow(/^ANTROPIC_API_KEY: not a variable of ours/);
    expect(() => load()).not.toThrow(/oops/);
    writeFileSync(file, '');
    expect(load({ SOMETHING_ELSE: 'x' })['SOMETHING_ELSE']).toBe('x');
  });

  it('a named file must exist', () => {
    expect(() => load()).toThrow(/^DUAL_ENV_FILE/);
  });

  it.each([
    ['WORKER_METRICS_PORT', 'sixty-secret'],
    ['CODING_SANDBOX', 'secret-mode'],
    ['WORKER_ROLES', 'coding,secret-role'],
    ['ANTHROPIC_BASE_URL', 'ftp://secret.example'],
    ['SECRETS_FILE', '/nonexistent/secret-path'],
  ])('a malformed %s names the variable and never its value', (name, value) => {
    const attempt = () => loadWorkerConfig({ REHEARSAL_URL: 'http://127.0.0.1:1', [name]: value });
    expect(attempt).toThrow(new RegExp(`^${name}: `));
    expect(attempt).not.toThrow(/secret/);
  });
});

describe('what a workspace recipe may ask for', () => {
  it('commands hold spaces, hosts do not', () => {
    const config = loadWorkerConfig({
      WORKER_ROLES: 'coding',
      CODING_DEPLOY_ALLOW: 'make deploy-staging, npm run ship',
      CODING_NETWORK_ALLOW: 'a:1 b:2,c:3',
    });
    expect(config.deployAllow).toEqual(['make deploy-staging', 'npm run ship']);
    expect(config.networkAllow).toEqual(['a:1', 'b:2', 'c:3']);
  });
});

describe('how a provider is reached', () => {
  const REHEARSAL_URL = 'http://127.0.0.1:9';
  it('neither key nor URL: the rehearsal models', () => {
    expect(loadWorkerConfig({ REHEARSAL_URL }).anthropic).toEqual({
      apiKey: 'no-key',
      baseUrl: REHEARSAL_URL,
      rehearsal: true,
    });
  });
  it('a URL without a key: that URL with a dummy key; a key: the provider', () => {
    const config = loadWorkerConfig({
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:5',
      GEMINI_API_KEY: 'a-real-key',
      REHEARSAL_URL,
    });
    expect(config.anthropic).toEqual({ apiKey: 'no-key', baseUrl: 'http://127.0.0.1:5', rehearsal: false });
    expect(config.gemini).toEqual({ apiKey: 'a-real-key', baseUrl: null, rehearsal: false });
  });
  it('a lone worker without any refuses and says why; one without models does not care', () => {
    expect(() => loadWorkerConfig({})).toThrow(/^ANTHROPIC_API_KEY: .*REHEARSAL_URL/);
    expect(() => loadWorkerConfig({ WORKER_ROLES: 'coding' })).not.toThrow();
  });
});
