import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startRehearsal } from '../../../rehearsal/server.ts';
import type { LoggedRequest } from '../../../rehearsal/request-log.ts';
import type { Rehearsal, RehearsalOptions } from '../../../rehearsal/server.ts';

const open: Rehearsal[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((rehearsal) => rehearsal.close()));
});
const start = async (options: RehearsalOptions = {}): Promise<Rehearsal> => {
  const rehearsal = await startRehearsal(options);
  open.push(rehearsal);
  return rehearsal;
};

const claude = (url: string, text: string, signal?: AbortSignal): Promise<Response> =>
  fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'k', 'anthropic-version': '2026-10-21' },
    body: JSON.stringify({ model: 'claude-sonnet-5-5', max_tokens: 100, messages: [{ role: 'user', content: text }] }),
    ...(signal ? { signal } : {}),
  });
const get = async (url: string): Promise<unknown> => (await fetch(url)).json();

describe('the log of requests', () => {
  it('tells the same turn asked twice by its hash', async () => {
    const rehearsal = await start();
    const { url } = rehearsal;
    const requests = (): LoggedRequest[] => rehearsal.requests();
    for (const text of ['say a', 'say b', 'say a']) await (await claude(url, text)).json();
    const [first, second, third] = requests();
    expect(first).toMatchObject({
      n: 1,
      provider: 'anthropic',
      model: 'claude-sonnet-5-5',
      status: 200,
      outcome: 'answered',
      turn: 0,
      scenario: 'say',
    });
    expect(third?.sha256).toBe(first?.sha256);
    expect(second?.sha256).not.toBe(first?.sha256);
    const listed = (await get(`${url}/rehearsal/requests`)) as {
      requests: unknown[];
      answered_by_sha256: Record<string, number>;
    };
    expect(listed.requests).toHaveLength(3);
    expect(listed.answered_by_sha256).toEqual({ [first?.sha256 ?? '']: 2, [second?.sha256 ?? '']: 1 });
    await fetch(`${url}/rehearsal/requests`, { method: 'DELETE' });
    expect(requests()).toEqual([]);
  });

  it('has one hash for a body whatever the order of its fields', async () => {
    const rehearsal = await start();
    const { url } = rehearsal;
    const requests = (): LoggedRequest[] => rehearsal.requests();
    const send = (body: string): Promise<Response> =>
      fetch(`${url}/v1/messages`, { method: 'POST', headers: { 'x-api-key': 'k' }, body });
    await send('{"model":"m","max_tokens":1}');
    await send('{"max_tokens":1,"model":"m"}');
    expect(new Set(requests().map(({ sha256 }) => sha256)).size).toBe(1);
    expect(requests().map(({ outcome }) => outcome)).toEqual(['refused', 'refused']);
  });

  it('calls an answer nobody waited for cut', async () => {
    const rehearsal = await start({ delayMs: 60_000 });
    const { url } = rehearsal;
    const requests = (): LoggedRequest[] => rehearsal.requests();
    const controller = new AbortController();
    const asked = claude(url, 'say a', controller.signal).catch(() => null);
    while (requests().length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await asked;
    while (requests()[0]?.outcome === 'open') await new Promise((resolve) => setImmediate(resolve));
    expect(requests()[0]).toMatchObject({ outcome: 'cut', status: null });
  });
});

describe('a script', () => {
  it('answers by the number of turns, and says when it has no more', async () => {
    const { url } = await start({ script: [{ text: 'first' }] });
    expect(await (await claude(url, 'x')).json()).toMatchObject({ content: [{ text: 'first' }] });
    const beyond = await fetch(`${url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'k', 'anthropic-version': 'x' },
      body: JSON.stringify({
        model: 'm',
        max_tokens: 9,
        messages: ['user', 'assistant', 'user'].map((role) => ({ role, content: 'x' })),
      }),
    });
    expect(beyond.status).toBe(400);
    expect(await beyond.text()).toContain('the script has no answer for turn 2');
  });

  it('may be programs of one’s own, asked before the shipped ones', async () => {
    const { url } = await start({
      scenarios: [
        {
          name: 'mine',
          fits: ({ opening }) => opening.instruction === 'say mine',
          run: function* () {
            return 'of my own';
          },
        },
      ],
    });
    expect(await (await claude(url, 'say mine')).json()).toMatchObject({
      content: [{ text: '(rehearsal) of my own' }],
    });
    expect(await (await claude(url, 'say yours')).json()).toMatchObject({ content: [{ text: '(rehearsal) yours' }] });
  });

  it('that breaks is a final error with its reason', async () => {
    const { url } = await start({
      scenarios: [
        {
          name: 'broken',
          fits: () => true,
          run: () => {
            throw new Error('no idea');
          },
        },
      ],
    });
    const response = await claude(url, 'x');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message: 'rehearsal: the program broke: no idea' } });
  });
});

describe('the server', () => {
  it('is well, and knows nothing else', async () => {
    const { url } = await start();
    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect(await get(`${url}/health`)).toEqual({ status: 'ok', rehearsal: true });
    expect(await get(`${url}/v1/models`)).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  });

  it('refuses bodies over 32 MiB', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'k' },
      body: 'x'.repeat(33 * 1024 * 1024),
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { type: 'request_too_large' } });
  });

  it('closes at once, whatever is under way', async () => {
    const rehearsal = await startRehearsal();
    rehearsal.inject({ kind: 'stall' });
    const asked = claude(rehearsal.url, 'say a').then(
      () => 'answered',
      () => 'cut',
    );
    while (rehearsal.requests().length === 0) await new Promise((resolve) => setImmediate(resolve));
    await rehearsal.close();
    expect(await asked).toBe('cut');
  });
});

describe('the process', () => {
  it('prints where it listens and ends within a second of SIGTERM, a request under way or not', async () => {
    const child = spawn(process.execPath, ['rehearsal/main.ts'], {
      env: { PATH: process.env['PATH'], LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
      const { listening } = JSON.parse(line) as { listening: string };
      expect(listening).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      await fetch(`${listening}/rehearsal/faults`, { method: 'POST', body: '{"kind":"stall"}' });
      const asked = claude(listening, 'say a').catch(() => null);
      let logged: unknown[] = [];
      while (logged.length === 0)
        ({ requests: logged } = (await get(`${listening}/rehearsal/requests`)) as { requests: unknown[] });
      const asking = performance.now();
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number];
      expect(code).toBe(0);
      expect(performance.now() - asking).toBeLessThan(1_000);
      await asked;
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('names a bad setting, never its value', async () => {
    const child = spawn(process.execPath, ['rehearsal/main.ts'], {
      env: { PATH: process.env['PATH'], REHEARSAL_PORT: 'sesame' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(2);
    expect(said).toContain('REHEARSAL_PORT');
    expect(said).not.toContain('sesame');
  });
});
