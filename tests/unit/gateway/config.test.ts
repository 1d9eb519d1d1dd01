import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadGatewayConfig } from '../../../gateway/config.ts';
import { targetsFor } from '../../../gateway/targets.ts';
import { loadTargets } from '../../../skills/targets.ts';
import { fromRoot } from '../../../platform/env.ts';

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'config-'))));
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('settings of the gateway', () => {
  it('has the defaults that are promised', () => {
    expect(loadGatewayConfig({})).toEqual({
      host: '127.0.0.1',
      port: 8_080,
      token: null,
      tokenFile: fromRoot('data/gateway-token'),
      temporalUiUrl: null,
      targets: [],
      dataDir: fromRoot('data'),
      traceDir: fromRoot('logs/traces'),
      artifactDir: fromRoot('data/artifacts'),
      skillsDir: fromRoot('skills'),
      taskBudgetUsd: 5,
      allowUnpriced: false,
      approvalTimeoutMs: 1_800_000,
      utteranceSearchAttribute: true,
      llmRouter: null,
      embeddingScorer: false,
      logLevel: 'info',
    });
  });

  it('reads what is set', () => {
    const config = loadGatewayConfig({
      WSL_GATEWAY_PORT: '0',
      DATA_DIR: '/somewhere',
      TASK_BUDGET_USD: '0.5',
      ALLOW_UNPRICED: 'on',
      UTTERANCE_SEARCH_ATTRIBUTE: 'off',
      STAGING_URL: 'http://127.0.0.1:4000',
    });
    expect(config).toMatchObject({
      port: 0,
      artifactDir: '/somewhere/artifacts',
      taskBudgetUsd: 0.5,
      allowUnpriced: true,
      utteranceSearchAttribute: false,
      targets: [{ name: 'staging', url: 'http://127.0.0.1:4000' }],
    });
  });

  it.each([
    ['WSL_GATEWAY_PORT', 'eighty-eighty'],
    ['WSL_GATEWAY_HOST', 'two words'],
    ['GATEWAY_TOKEN', 'has a blank'],
    ['STAGING_URL', 'ftp://secret-host'],
    ['TASK_BUDGET_USD', '-3'],
    ['ALLOW_UNPRICED', 'perhaps'],
    ['APPROVAL_TIMEOUT_MS', '7'],
    ['LLM_ROUTER', 'gpt'],
    ['OPENAI_BASE_URL', 'not-an-address'],
    ['LOG_LEVEL', 'shout'],
  ])('names %s when it is malformed, and never its value', (name, value) => {
    const failing = (): unknown => loadGatewayConfig({ [name]: value });
    expect(failing).toThrow(expect.objectContaining({ name: 'ConfigError', variable: name }));
    expect(failing).not.toThrow(value);
  });
});

describe('the language model behind the router', () => {
  const llmRouterOf = (settings: Record<string, string>) => loadGatewayConfig(settings).llmRouter;

  it('is off unless asked for, whatever keys there are', () => {
    expect(llmRouterOf({ OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' })).toBeNull();
  });

  it('has its model in one place, and the effort that this model knows', () => {
    expect(llmRouterOf({ LLM_ROUTER: 'on', OPENAI_API_KEY: 'sk-1' })).toEqual({
      mode: 'on',
      apiKey: 'sk-1',
      baseUrl: null,
      model: 'gpt-6-luna',
      reasoningEffort: 'none',
      pricesFile: null,
    });
    expect(
      llmRouterOf({ LLM_ROUTER: 'shadow', OPENAI_API_KEY: 'k', ROUTER_MODEL: 'mine', PRICES_FILE: '/p.json' }),
    ).toMatchObject({ mode: 'shadow', model: 'mine', reasoningEffort: null, pricesFile: '/p.json' });
  });

  it('takes an address without a key', () => {
    expect(llmRouterOf({ LLM_ROUTER: 'on', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' })).toMatchObject({
      apiKey: 'no-key',
      baseUrl: 'http://127.0.0.1:9/v1',
    });
  });

  it.each(['on', 'shadow'])('%s needs one of them, and says so', (mode) => {
    expect(() => loadGatewayConfig({ LLM_ROUTER: mode })).toThrow(
      expect.objectContaining({ name: 'ConfigError', variable: 'OPENAI_API_KEY' }),
    );
  });
});

describe('targets', () => {
  const file = async (text: string): Promise<string> => {
    const path = join(dir, 'targets.json');
    await writeFile(path, text);
    return path;
  };

  it('reads the file; STAGING_URL is what staging means', async () => {
    const path = await file(
      '[{"name":"production","url":"https://example.test"},{"name":"staging","url":"https://old.test"}]',
    );
    expect(loadTargets(undefined, path)).toHaveLength(2);
    expect(loadTargets('http://127.0.0.1:1', path)).toEqual([
      { name: 'staging', url: 'http://127.0.0.1:1' },
      { name: 'production', url: 'https://example.test' },
    ]);
  });

  it.each([
    ['not JSON', 'hello', 'not valid JSON'],
    ['no list', '{}', 'expected a list'],
    ['another scheme', '[{"name":"x","url":"file:///etc/passwd"}]', '0.url'],
    ['an unknown field', '[{"name":"x","url":"http://x","password":"p"}]', 'expected a list'],
    ['a name twice', '[{"name":"x","url":"http://x"},{"name":"x","url":"http://y"}]', 'expected a list'],
  ])('refuses %s', async (_what, text, message) => {
    const path = await file(text);
    expect(() => loadTargets(undefined, path)).toThrow(message);
    expect(() => loadTargets(undefined, path)).toThrow('TARGETS_FILE');
  });

  it('refuses a file that is not there', () => {
    expect(() => loadTargets(undefined, join(dir, 'none.json'))).toThrow('TARGETS_FILE: cannot be read');
  });

  it('gives a job only what its parameters name', () => {
    const all = [
      { name: 'a', url: 'http://a' },
      { name: 'b', url: 'http://b' },
    ];
    expect(targetsFor(all, { target: 'b' })).toEqual([all[1]]);
    expect(targetsFor(all, { target: 7 })).toEqual(all);
  });
});
