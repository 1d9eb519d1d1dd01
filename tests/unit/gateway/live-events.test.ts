import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFile, readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { AcceptedReply } from '../../../contracts/replies.ts';
import { voiceTaskId } from '../../../contracts/names.ts';
import { TraceEvent } from '../../../contracts/trace-event.ts';
import { decodePositions, encodePositions } from '../../../gateway/live-events.ts';
import { createLog } from '../../../platform/log.ts';
import { createMetrics } from '../../../platform/metrics.ts';
import { readServerEvents } from '../../../platform/server-events.ts';
import { createTraceLog } from '../../../platform/trace-log.ts';
import type { TraceLog } from '../../../platform/trace-log.ts';
import { openGateway, TOKEN } from '../../fakes/gateway.ts';
import type { TestGateway } from '../../fakes/gateway.ts';
import { until } from '../../fakes/until.ts';

let gateway: TestGateway;
let worker: TraceLog;
let traceId: string;

const logOf = (process_: string): TraceLog =>
  createTraceLog({
    dir: join(gateway.dir, 'traces'),
    process: process_,
    metrics: createMetrics('test', '0'),
    log: createLog('test', (text) => text, 'error'),
    scrub: (text) => text,
  });
const order = async (): Promise<string> => {
  const response = await gateway.call('/transcript', { text: 'refactor', is_final: true });
  return ((await response.json()) as AcceptedReply).trace_id;
};
beforeEach(async () => {
  gateway = await openGateway();
  worker = logOf('worker');
  traceId = await order();
});
afterEach(async () => {
  worker.close();
  await gateway.close();
});

interface Heard {
  id: string | null;
  event: string;
  data: string;
}

/** A reader that keeps what it hears. */
const listen = (path = `/trace/${traceId}/events`, lastEventId?: string) => {
  const controller = new AbortController();
  const heard: Heard[] = [];
  const over = (async (): Promise<void> => {
    const response = await gateway.call(path, undefined, {
      signal: controller.signal,
      ...(lastEventId && { headers: { 'last-event-id': lastEventId } }),
    });
    if (!response.body) throw new Error('no body');
    for await (const { id, event, data } of readServerEvents(response.body)) heard.push({ id, event, data });
  })();
  over.catch(() => undefined);
  const phases = (): string[] =>
    heard.filter(({ event }) => event !== 'done').map(({ data }) => TraceEvent.parse(JSON.parse(data)).phase);
  return {
    heard,
    phases,
    over,
    stop: () => controller.abort(),
    until: (n: number) => until(() => (heard.length >= n ? true : undefined)),
  };
};
const happen = (phase: 'running' | 'model_turn' | 'completed', key = ''): void =>
  void worker.write({ trace_id: traceId, phase, key });
const end = (): void => gateway.engine.close(voiceTaskId(traceId), {});

describe('live events', () => {
  it('replay what happened, follow what happens, then say it is done, as Temporal tells it', async () => {
    happen('running');
    const reader = listen();
    await reader.until(4);
    happen('model_turn', '1');
    await reader.until(5);
    happen('completed');
    end();
    await reader.over;
    expect(reader.phases()).toEqual(['received', 'routed', 'submitted', 'running', 'model_turn', 'completed']);
    const done = reader.heard.at(-1);
    expect(done?.event).toBe('done');
    expect(JSON.parse(done?.data ?? '')).toMatchObject({ trace_id: traceId, status: 'failed' });
  });

  it('tell a trace that is over, then end', async () => {
    happen('completed');
    end();
    const reader = listen();
    await reader.over;
    expect(reader.phases()).toEqual(['received', 'routed', 'submitted', 'completed']);
    expect(reader.heard.at(-1)?.event).toBe('done');
  });

  it('tell only of that trace', async () => {
    const other = await order();
    worker.write({ trace_id: other, phase: 'running' });
    end();
    const reader = listen();
    await reader.over;
    expect(reader.heard.every(({ data }) => data.includes(traceId))).toBe(true);
  });

  it('resume behind every single event without leaving one out', async () => {
    for (const key of ['1', '2', '3']) happen('model_turn', key);
    end();
    const whole = listen();
    await whole.over;
    const all = whole.heard.filter(({ event }) => event !== 'done');
    expect(all).toHaveLength(6);
    for (const [at, { id }] of all.entries()) {
      const rest = listen(undefined, id ?? '');
      await rest.over;
      const told = rest.heard.filter(({ event }) => event !== 'done').map(({ data }) => data);
      expect(told).toEqual(all.slice(at + 1).map(({ data }) => data));
    }
  });

  it('resume over several files, and over one that came later', async () => {
    happen('running');
    const first = listen();
    await first.until(4);
    first.stop();
    const second = logOf('worker');
    second.write({ trace_id: traceId, phase: 'model_turn', key: 'from another process' });
    second.close();
    happen('completed');
    end();
    const rest = listen(undefined, first.heard.at(-1)?.id ?? '');
    await rest.over;
    expect(rest.phases().sort()).toEqual(['completed', 'model_turn']);
  });

  it('start from the beginning for an id that is none of ours', async () => {
    end();
    for (const id of [
      'nonsense',
      Buffer.from('{"x":-1}').toString('base64url'),
      Buffer.from('[1').toString('base64url'),
    ]) {
      const reader = listen(undefined, id);
      await reader.over;
      expect(reader.phases()).toEqual(['received', 'routed', 'submitted']);
    }
    expect(decodePositions(encodePositions({ abcdefabcdef: 7 }))).toEqual({ abcdefabcdef: 7 });
  });

  it('pass over a torn line, and wait for the rest of one that is being written', async () => {
    const [file = ''] = (await readdir(join(gateway.dir, 'traces'))).map((name) => join(gateway.dir, 'traces', name));
    await appendFile(file, `{"trace_id":"${traceId}", torn\n{"trace_id":"${traceId}"`);
    const reader = listen();
    await reader.until(3);
    happen('running');
    await reader.until(4);
    end();
    await reader.over;
    expect(reader.phases()).toEqual(['received', 'routed', 'submitted', 'running']);
  });

  it('are told although the file has nothing: the outcome is Temporal’s', async () => {
    const silent = 'd'.repeat(32);
    gateway.engine.add({ workflowId: voiceTaskId(silent), status: 'terminated', closedAt: new Date().toISOString() });
    const reader = listen(`/trace/${silent}/events`);
    await reader.over;
    expect(reader.heard.map(({ event }) => event)).toEqual(['done']);
  });

  it('of what was declined are told, with that status', async () => {
    const { trace_id } = (await (
      await gateway.call('/transcript', { text: 'hi', is_final: true })
    ).json()) as AcceptedReply;
    const reader = listen(`/trace/${trace_id}/events`);
    await reader.over;
    expect(reader.phases()).toEqual(['received', 'routed', 'declined']);
    expect(JSON.parse(reader.heard.at(-1)?.data ?? '')).toMatchObject({ status: 'declined' });
  });

  it('wait for a Temporal that is away when the end comes', async () => {
    const reader = listen();
    await reader.until(3);
    gateway.engine.away = true;
    end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(reader.heard).toHaveLength(3);
    gateway.engine.away = false;
    await reader.over;
    expect(reader.heard.at(-1)?.event).toBe('done');
  });

  it('have a head that says what they are, and 404 for what nobody knows', async () => {
    end();
    const response = await gateway.call(`/trace/${traceId}/events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await response.text();
    expect((await gateway.call(`/trace/${'0'.repeat(32)}/events`)).status).toBe(404);
  });

  it('are read by a bounded number, and a place comes free', async () => {
    const small = await openGateway({ engine: gateway.engine, dir: gateway.dir, maxStreams: 1 });
    const controller = new AbortController();
    const first = await small.call(`/trace/${traceId}/events`, undefined, { signal: controller.signal });
    expect(first.status).toBe(200);
    const second = await small.call(`/trace/${traceId}/events`);
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, '5']);
    controller.abort();
    await until(async () => {
      const third = await small.call(`/trace/${traceId}/events`, undefined, { signal: AbortSignal.timeout(1_000) });
      await third.body?.cancel();
      return third.status === 200 ? true : undefined;
    });
    await small.close();
  });

  it('drop a reader that does not read, instead of keeping everything for it', async () => {
    const small = await openGateway({ engine: gateway.engine, dir: gateway.dir, maxStreams: 1 });
    const { hostname, port } = new URL(small.url);
    const path = `/trace/${traceId}/events`;
    const sent = request({ hostname, port, path, agent: false, headers: { authorization: `Bearer ${TOKEN}` } });
    const deaf = new Promise<void>((resolve, reject) => {
      sent.once('error', reject).once('response', (response) => {
        response.pause();
        response.on('error', () => undefined);
        resolve();
      });
    });
    sent.end();
    await deaf;
    const words = 'x'.repeat(20_000);
    const writing = setInterval(() => {
      for (let n = 0; n < 50; n++)
        worker.write({ trace_id: traceId, phase: 'model_turn', key: `${Math.random()}`, payload: { words } });
    }, 20);
    try {
      await until(async () => {
        const next = await small.call(path);
        await next.body?.cancel();
        return next.status === 200 ? true : undefined;
      }, 20_000);
    } finally {
      clearInterval(writing);
      sent.destroy();
      await small.close();
    }
  }, 30_000);
});
