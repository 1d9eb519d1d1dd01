import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { traceIdOf } from '../../edge/utterance.ts';
import { fromRoot } from '../../platform/env.ts';
import { createRealtimeSocket } from '../../rehearsal/adapters/realtime-socket.ts';
import { startRehearsal } from '../../rehearsal/server.ts';
import type { Rehearsal } from '../../rehearsal/server.ts';
import { startFakeEdgeGateway } from '../fakes/edge-gateway.ts';
import type { FakeEdgeGateway } from '../fakes/edge-gateway.ts';
import { startEdge } from '../fakes/edge-process.ts';
import type { EdgeProcess } from '../fakes/edge-process.ts';
import { allGone, familyOf } from '../fakes/family.ts';
import { ScriptedRecogniser } from '../fakes/scripted-recogniser.ts';
import { until } from '../fakes/until.ts';

/** The whole edge as a process: real sound, real detector, the SDK over real sockets; what is scripted is far away. */
const SPOKEN = fromRoot('examples/speech/refactor-and-validate.wav');
const TEXT = 'refactor the API and validate the staging website';
/** The promise for everything that has to end. */
const END_MS = 10_000;

let dir = '';
let gateway: FakeEdgeGateway;
let rehearsal: Rehearsal;
const edges: EdgeProcess[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dual-edge-chaos-'));
  gateway = await startFakeEdgeGateway();
  rehearsal = await startRehearsal({
    realtimeDoor: createRealtimeSocket,
    openRecogniser: () => Promise.resolve(new ScriptedRecogniser(Array.from({ length: 20 }, () => TEXT))),
  });
});
afterEach(async () => {
  for (const edge of edges.splice(0)) {
    edge.kill('SIGKILL');
    await edge.ended;
  }
  await gateway.stop();
  await rehearsal.close();
  rmSync(dir, { recursive: true, force: true });
});

const edge = (
  args: readonly string[] = ['--input', SPOKEN],
  more: { env?: Record<string, string>; own?: boolean } = {},
) => {
  const started = startEdge({
    args,
    dir,
    gatewayUrl: gateway.url,
    ...(more.own !== true && { rehearsalUrl: rehearsal.url }),
    ...(more.env && { env: more.env }),
  });
  edges.push(started);
  return started;
};
const finals = () => gateway.arrivals.filter(({ body }) => body.is_final);
const spooled = (): string[] =>
  readdirSync(join(dir, 'data/edge/spool'), { recursive: true }).filter((name) =>
    String(name).endsWith('.json'),
  ) as string[];
const counter = (line: EdgeProcess['lines'][number] | undefined): string => line?.text ?? '';

describe('the whole edge', () => {
  it('hears a file once, delivers it once, answers, and ends with the code of what became of it', async () => {
    const run = edge(['--input', SPOKEN, '--once']);
    expect(await run.ended).toBe(4); // declined by the scripted gateway
    expect(run.lines.map(({ event }) => event)).toEqual(
      expect.arrayContaining([
        'speech_start',
        'first_append',
        'first_partial',
        'speech_end',
        'final',
        'spooled',
        'acked',
      ]),
    );
    const [id] = gateway.taken;
    expect(gateway.taken).toHaveLength(1);
    expect(finals()[0]?.body).toMatchObject({ text: TEXT, is_final: true, sequence: 1 });
    for (const line of run.lines.filter(({ utterance_id: of }) => of !== null))
      expect([line.utterance_id, line.trace_id]).toEqual([id, traceIdOf(id ?? '')]);
    expect(gateway.complaints).toEqual([]);
    expect(spooled()).toEqual([]);
    // The same way in the trace, in order.
    const [file = ''] = readdirSync(join(dir, 'traces'));
    const phases = readFileSync(join(dir, 'traces', file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { phase: string }).phase);
    expect(phases).toEqual(['captured', 'speech_start', 'first_partial', 'final', 'spooled', 'acked']);
  }, 60_000);

  it('killed between final and acknowledgement: the next start delivers it, under its old session and number', async () => {
    gateway.fate = (_arrival, nth) => (nth === 1 ? 'hang' : 'take');
    const first = edge();
    const { utterance_id: id } = await first.event('spooled');
    await until(() => (finals().length > 0 ? true : undefined));
    const session = finals()[0]?.body.session_id;
    first.kill('SIGKILL');
    await first.ended;
    expect(gateway.taken).toEqual([]);
    const second = edge(['--input', '-']);
    await until(() => (gateway.taken.length > 0 ? true : undefined));
    expect(gateway.taken).toEqual([id]);
    expect(finals().at(-1)?.body).toMatchObject({ utterance_id: id, session_id: session, sequence: 1, text: TEXT });
    await until(() => (spooled().length === 0 ? true : undefined));
    second.kill('SIGTERM');
    await second.ended;
  }, 60_000);

  it('the line to the recogniser cut in the middle of a sentence: said again to the next session, one final', async () => {
    rehearsal.inject({ provider: 'openai', kind: 'cut', after_appends: 60 });
    const run = edge(['--input', SPOKEN, '--once']);
    expect(await run.ended).toBe(4);
    expect(rehearsal.connections()).toHaveLength(2);
    expect(run.lines.filter(({ event }) => event === 'final').map(counter)).toEqual([TEXT]);
    expect(gateway.taken).toHaveLength(1);
  }, 60_000);

  it.each([
    ['a key that is refused', 'unauthorized', /401/],
    ['a quota that is used up', 'insufficient_quota', /quota/i],
  ] as const)(
    '%s: said once in plain words, then the end; nothing is sent',
    async (_what, kind, words) => {
      rehearsal.inject({ provider: 'openai', kind, count: 5 });
      const run = edge(['--input', SPOKEN, '--once'], {
        env: {
          OPENAI_API_KEY: 'sk-a-secret-of-thirty-characters',
          OPENAI_REALTIME_URL: `${rehearsal.url.replace('http', 'ws')}/v1/realtime`,
        },
      });
      expect(await run.ended).toBe(3);
      const errors = run.lines.filter(({ event }) => event === 'error').map(counter);
      expect(errors.filter((text) => words.test(text)).length).toBeGreaterThan(0);
      expect(new Set(errors.filter((text) => words.test(text))).size).toBe(1);
      expect(JSON.stringify(run.lines) + run.said()).not.toContain('sk-a-secret');
      expect(finals()).toEqual([]);
    },
    60_000,
  );

  it('a recogniser that stalls, and one that tells the end before the words: one final all the same', async () => {
    rehearsal.inject({ provider: 'openai', kind: 'stall', delay_ms: 5_000 });
    const run = edge(['--input', SPOKEN, '--once']);
    expect(await run.ended).toBe(4);
    expect(run.lines.filter(({ event }) => event === 'final').map(counter)).toEqual([TEXT]);
    rehearsal.inject({ provider: 'openai', kind: 'completed_first' });
    const next = edge(['--input', SPOKEN, '--once']);
    expect(await next.ended).toBe(4);
    expect(next.lines.filter(({ event }) => event === 'final').map(counter)).toEqual([TEXT]);
    expect(gateway.taken).toHaveLength(2);
  }, 90_000);

  it('a gateway that is away: says so, keeps what was said, ends with 3, and delivers it at the next start', async () => {
    const port = gateway.port;
    await gateway.stop();
    const run = edge(['--input', SPOKEN, '--once']);
    expect(await run.ended).toBe(3);
    expect(
      run.lines
        .filter(({ event }) => event === 'error')
        .map(counter)
        .join('\n'),
    ).toMatch(/kept.*delivered at the next start/);
    expect(spooled()).toHaveLength(1);
    gateway = await startFakeEdgeGateway({ port });
    const next = edge(['--input', '-']);
    await until(() => (gateway.taken.length > 0 ? true : undefined));
    next.kill('SIGTERM');
    await next.ended;
  }, 120_000);

  it('a gateway that stands still while somebody speaks: no frame is lost, and all is delivered when it goes on', async () => {
    gateway.freeze();
    const run = edge(['--input', SPOKEN, '--once']);
    await run.event('spooled');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    gateway.thaw();
    expect(await run.ended).toBe(4);
    expect(gateway.taken).toHaveLength(1);
  }, 90_000);

  it('Ctrl-C ends it and all it started, in time; so does a kill -9, for the models it started', async () => {
    const asked = edge(['--input', '-'], { own: true });
    const models = await until(() => {
      const family = familyOf(asked.pid).filter(({ command }) => command.includes('rehearsal/main'));
      return family.length > 0 ? family : undefined;
    });
    const from = performance.now();
    asked.kill('SIGINT');
    expect(await asked.ended).toBe(0);
    expect(performance.now() - from).toBeLessThan(END_MS);
    await allGone(models, 2_000);

    const killed = edge(['--input', '-'], { own: true });
    const others = await until(() => {
      const family = familyOf(killed.pid).filter(({ command }) => command.includes('rehearsal/main'));
      return family.length > 0 ? family : undefined;
    });
    await until(() => (killed.said().includes('hears') ? true : undefined));
    killed.kill('SIGKILL');
    await killed.ended;
    await allGone(others, 5_000);
  }, 60_000);

  it('hears what is piped in, and says what is wrong with what cannot be heard', async () => {
    const piped = edge(['--input', '-', '--once']);
    piped.stdin?.end(readFileSync(SPOKEN).subarray(44));
    expect(await piped.ended).toBe(4);
    expect(gateway.taken).toHaveLength(1);
    const wrong = edge(['--input', join(dir, 'nothing.wav'), '--once']);
    expect(await wrong.ended).toBe(3);
    expect(wrong.said()).toMatch(/cannot play nothing.wav: it is not there/);
    const usage = edge(['--mode', 'sing']);
    expect(await usage.ended).toBe(2);
  }, 90_000);
});
