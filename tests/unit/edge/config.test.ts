import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { loadEdgeConfig, rehearsalTarget } from '../../../edge/config.ts';
import models from '../../../platform/models.json' with { type: 'json' };

const dir = mkdtempSync(join(tmpdir(), 'dual-edge-config-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the settings of the edge', () => {
  it('ask for the rehearsal where neither key nor address is set', () => {
    expect(loadEdgeConfig({}).realtime).toEqual({ kind: 'rehearsal' });
    expect(loadEdgeConfig({ REHEARSAL_URL: 'http://127.0.0.1:9000/' }).realtime).toEqual({
      kind: 'given',
      url: 'ws://127.0.0.1:9000/v1/realtime',
      apiKey: 'no-key',
    });
    expect(rehearsalTarget('https://x.example').url).toBe('wss://x.example/v1/realtime');
  });

  it('take the provider where there is a key, and an address with or without one', () => {
    expect(loadEdgeConfig({ OPENAI_API_KEY: 'k', REHEARSAL_URL: 'http://127.0.0.1:1' }).realtime).toEqual({
      kind: 'given',
      url: null,
      apiKey: 'k',
    });
    expect(loadEdgeConfig({ OPENAI_REALTIME_URL: 'ws://127.0.0.1:1/x' }).realtime).toEqual({
      kind: 'given',
      url: 'ws://127.0.0.1:1/x',
      apiKey: 'no-key',
    });
  });

  it('name the models of the one dated file', () => {
    expect(loadEdgeConfig({}).realtimeModel).toBe(models.realtime.name);
    expect(loadEdgeConfig({}).transcriptionModel).toBe(models.transcription.name);
    expect(loadEdgeConfig({ REALTIME_MODEL: 'mine' }).realtimeModel).toBe('mine');
  });

  it.each([
    ['PRE_ROLL_MS', '200'],
    ['PRE_ROLL_MS', '501'],
    ['HANG_OVER_MS', 'x'],
    ['MICROPHONE', 'gramophone'],
    ['OPENAI_REALTIME_URL', 'http://127.0.0.1'],
    ['WSL_GATEWAY_URL', 'nonsense'],
    ['GATEWAY_TOKEN', 'two words'],
    ['EDGE_METRICS_PORT', '70000'],
  ])('refuse %s=%s by its name, without the value', (name, value) => {
    expect(() => loadEdgeConfig({ [name]: value })).toThrow(name);
    expect(() => loadEdgeConfig({ [name]: value })).not.toThrow(`: ${value}`);
  });

  it('read the token late, and say what to do when there is none', () => {
    const file = join(dir, 'token');
    const config = loadEdgeConfig({ GATEWAY_TOKEN_FILE: file });
    expect(() => config.gatewayToken()).toThrow(/GATEWAY_TOKEN: not set.*copy data\/gateway-token/);
    writeFileSync(file, 'a-token\n');
    expect(config.gatewayToken()).toBe('a-token');
    writeFileSync(file, '');
    expect(() => config.gatewayToken()).toThrow(/GATEWAY_TOKEN_FILE: holds no token/);
    expect(loadEdgeConfig({ GATEWAY_TOKEN: 't', GATEWAY_TOKEN_FILE: file }).gatewayToken()).toBe('t');
  });
});
