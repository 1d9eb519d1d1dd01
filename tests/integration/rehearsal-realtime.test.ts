import { connect as connectTcp } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { createOpenaiRealtime } from '../../edge/adapters/openai-realtime.ts';
import { RealtimeSession } from '../../edge/realtime-session.ts';
import { transcriptionSettings } from '../../edge/realtime-settings.ts';
import { createRealtimeSocket } from '../../rehearsal/adapters/realtime-socket.ts';
import type { RealtimeFaultInput } from '../../rehearsal/realtime/faults.ts';
import { startRehearsal } from '../../rehearsal/server.ts';
import type { Rehearsal } from '../../rehearsal/server.ts';
import { Heard } from '../fakes/heard.ts';
import { sound, WRITES } from '../fakes/realtime-peer.ts';
import { ScriptedRecogniser } from '../fakes/scripted-recogniser.ts';
import { until } from '../fakes/until.ts';

type Event = Record<string, unknown> & { type: string };

let recogniser: ScriptedRecogniser;
let opened: number;
let rehearsal: Rehearsal;
let clients: OpenAIRealtimeWS[];

beforeEach(async () => {
  recogniser = new ScriptedRecogniser(['refactor the api', 'validate the staging website', 'cancel that']);
  opened = 0;
  clients = [];
  rehearsal = await startRehearsal({
    realtimeDoor: createRealtimeSocket,
    openRecogniser: () => {
      opened += 1;
      return Promise.resolve(recogniser);
    },
    // A hundred milliseconds, and it goes on until it is told not to.
    synthesise: async function* voice(text, signal) {
      yield new Int16Array(2_400).fill(50);
      if (text.includes('for ever')) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
});
afterEach(async () => {
  for (const { socket } of clients) socket.terminate();
  await rehearsal.close();
  expect(recogniser.complaints).toEqual([]);
});

/** The provider's own client, on a plain socket. */
const dial = (purpose: { model: string } | { intent: 'transcription' }, apiKey = 'sk-rehearsal') => {
  const { port } = new URL(rehearsal.url);
  const options = { createConnection: () => connectTcp(Number(port), '127.0.0.1') };
  const client = new OpenAIRealtimeWS({ ...purpose, options }, { apiKey, baseURL: `https://127.0.0.1:${port}/v1` });
  const events: Event[] = [];
  const wrong: string[] = [];
  let closed: number | null = null;
  client.on('event', (event) => void events.push(event as unknown as Event));
  client.on('error', (error) => void wrong.push(error.message));
  client.socket.on('close', (code) => {
    closed = code;
  });
  clients.push(client);
  const of = (type: string): Event[] => events.filter((event) => event.type.endsWith(type));
  return {
    client,
    events,
    wrong,
    of,
    types: () => events.map(({ type }) => type),
    told: (type: string, nth = 1) => until(() => of(type)[nth - 1], 5_000),
    closed: () => until(() => closed ?? undefined, 5_000),
    send: (...sent: Record<string, unknown>[]) => {
      for (const event of sent) client.socket.send(JSON.stringify(event));
    },
    speak: (pieces: number) => {
      for (let piece = 0; piece < pieces; piece += 1)
        client.send({ type: 'input_audio_buffer.append', audio: sound(100) });
    },
    commit: () => client.send({ type: 'input_audio_buffer.commit' }),
  };
};

const ready = async () => {
  const line = dial({ intent: 'transcription' });
  await line.told('session.created');
  line.send({ type: 'session.update', session: WRITES });
  await line.told('session.updated');
  return line;
};
const inject = async (fault: Omit<RealtimeFaultInput, 'provider'>): Promise<void> => {
  const body = JSON.stringify({ provider: 'openai', ...fault });
  expect((await fetch(`${rehearsal.url}/rehearsal/faults`, { method: 'POST', body })).status).toBe(200);
};

describe("the provider's own client", () => {
  it('has speech written down while it goes on, and the connection is in the log', async () => {
    expect(opened).toBe(0);
    const line = await ready();
    line.speak(5);
    await line.told('transcription.delta', 2);
    expect(line.of('committed')).toEqual([]);
    line.commit();
    expect(await line.told('transcription.completed')).toMatchObject({ transcript: 'refactor the api' });
    line.speak(2);
    line.commit();
    line.speak(2);
    line.commit();
    await line.told('transcription.completed', 3);
    expect(line.of('transcription.completed').map(({ transcript }) => transcript)).toEqual([
      'refactor the api',
      'validate the staging website',
      'cancel that',
    ]);
    expect(line.wrong).toEqual([]);
    expect(opened).toBe(1);
    line.client.close();
    await until(() => rehearsal.connections()[0]?.outcome === 'ended' || undefined);
    const listed = (await (await fetch(`${rehearsal.url}/rehearsal/requests`)).json()) as Record<string, unknown>;
    expect(listed).toMatchObject({
      requests: [],
      connections: [
        {
          provider: 'openai',
          path: '/v1/realtime',
          model: null,
          status: 101,
          appends: 9,
          audio_ms: 900,
          commits: 3,
          transcripts: 3,
        },
      ],
    });
  });

  it('converses: a call of a function, its answer spoken, interrupted and truncated', async () => {
    const line = dial({ model: 'gpt-realtime' });
    expect(await line.told('session.created')).toMatchObject({ session: { model: 'gpt-realtime', type: 'realtime' } });
    const parameters = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };
    line.send({
      type: 'session.update',
      session: {
        ...WRITES,
        type: 'realtime',
        output_modalities: ['audio'],
        tools: [{ type: 'function', name: 'submit_task', description: 'Starts work', parameters }],
        tool_choice: 'auto',
      },
    });
    await line.told('session.updated');
    line.speak(4);
    line.commit();
    line.client.send({ type: 'response.create' });
    const call = await line.told('function_call_arguments.done');
    expect(call).toMatchObject({ name: 'submit_task', arguments: '{"text":"refactor the api"}' });
    await line.told('response.done');
    line.send(
      {
        type: 'conversation.item.create',
        item: { type: 'function_call_output', call_id: call['call_id'], output: 'It goes on for ever.' },
      },
      { type: 'response.create' },
    );
    const audio = await line.told('output_audio.delta');
    line.send(
      { type: 'response.create' },
      { type: 'response.cancel' },
      { type: 'conversation.item.truncate', item_id: audio['item_id'], content_index: 0, audio_end_ms: 60 },
    );
    await line.told('conversation.item.truncated');
    expect(line.of('response.done').map(({ response }) => (response as { status: string }).status)).toEqual([
      'completed',
      'cancelled',
    ]);
    expect(line.of('error').map(({ error }) => (error as { code: string }).code)).toEqual([
      'conversation_already_has_active_response',
    ]);
    expect(line.of('output_audio_transcript.done')).toMatchObject([{ transcript: 'It goes on for ever.' }]);
  });

  it('is told what is wrong with its events, and may go on', async () => {
    const line = await ready();
    line.client.socket.send('{');
    line.client.socket.send(Buffer.from([1, 2, 3]));
    line.send({ type: 'input_audio_buffer.commit', event_id: 'c1' });
    await until(() => (line.of('error').length === 3 ? true : undefined));
    expect(line.of('error').map(({ error }) => error)).toMatchObject([
      { code: 'invalid_json' },
      { code: 'invalid_json' },
      { code: 'input_audio_buffer_commit_empty', event_id: 'c1' },
    ]);
    line.speak(2);
    line.commit();
    await line.told('transcription.completed');
  });

  it('loses its connection for a message that is too long', async () => {
    const line = await ready();
    line.client.socket.send('x'.repeat(17 * 1024 * 1024));
    expect(await line.closed()).toBe(1009);
  });
});

describe('the door', () => {
  const upgrade = async (path: string, headers: Record<string, string>): Promise<string> => {
    const socket = connectTcp(Number(new URL(rehearsal.url).port), '127.0.0.1');
    const lines = Object.entries({
      host: '127.0.0.1',
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
    let answer = '';
    for await (const chunk of socket) {
      answer += String(chunk);
      if (answer.startsWith('HTTP/1.1 101')) break;
    }
    return answer;
  };
  const bearer = { authorization: 'Bearer k' };

  it.each<[string, string, Record<string, string>, RegExp]>([
    ['without a key', '/v1/realtime?model=m', {}, /^HTTP\/1.1 401 .*You didn't provide an API key/s],
    ['with another kind of key', '/v1/realtime?model=m', { authorization: 'Basic k' }, /^HTTP\/1.1 401 /],
    ['without a model', '/v1/realtime', bearer, /^HTTP\/1.1 400 .*"missing_model"/s],
    ['elsewhere', '/v1/other?model=m', bearer, /^HTTP\/1.1 404 /],
    ['at no address at all', '//', bearer, /^HTTP\/1.1 404 /],
    ['without a proper handshake', '/v1/realtime?model=m', { ...bearer, 'sec-websocket-key': 'x' }, /^HTTP\/1.1 400 /],
    ['as it should be', '/v1/realtime?model=m', bearer, /^HTTP\/1.1 101 /],
  ])('answers a handshake %s', async (_what, path, headers, answer) => {
    expect(await upgrade(path, headers)).toMatch(answer);
  });

  it('has room for sixteen, and again when one has left', async () => {
    const lines = Array.from({ length: 16 }, () => dial({ intent: 'transcription' }));
    await Promise.all(lines.map((line) => line.told('session.created')));
    expect(await upgrade('/v1/realtime?model=m', bearer)).toMatch(/^HTTP\/1.1 429 .*retry-after: 1/s);
    lines[0]?.client.socket.terminate();
    await until(() => rehearsal.connections().some(({ outcome }) => outcome === 'ended') || undefined);
    expect(await upgrade('/v1/realtime?model=m', bearer)).toMatch(/^HTTP\/1.1 101 /);
  });

  it('says goodbye when the server ends, and closes the recogniser', async () => {
    const line = await ready();
    await inject({ kind: 'slow', delay_ms: 60_000 });
    const late = dial({ intent: 'transcription' });
    await until(() => rehearsal.connections()[1]?.faults.length || undefined);
    await rehearsal.close();
    expect(await line.closed()).toBe(1001);
    await late.closed();
    expect(recogniser.closed).toBe(true);
    rehearsal = await startRehearsal();
  });

  it('is not there where nobody opened it', async () => {
    await rehearsal.close();
    rehearsal = await startRehearsal();
    expect(await upgrade('/v1/realtime?model=m', { ...bearer, connection: 'close' })).toMatch(/^HTTP\/1.1 404 /);
  });
});

describe('faults on the wire', () => {
  it('unauthorized: 401, once', async () => {
    await inject({ kind: 'unauthorized' });
    const line = dial({ intent: 'transcription' });
    await line.closed();
    expect(line.wrong.join()).toContain('401');
    await ready();
    expect(rehearsal.connections().map(({ outcome, faults }) => [outcome, faults])).toEqual([
      ['refused', ['unauthorized']],
      ['open', []],
    ]);
  });

  it('slow: the handshake takes its time; a client that goes before is no connection', async () => {
    await inject({ kind: 'slow', delay_ms: 150 });
    const start = performance.now();
    await dial({ intent: 'transcription' }).told('session.created');
    expect(performance.now() - start).toBeGreaterThanOrEqual(140);
    await inject({ kind: 'slow', delay_ms: 60_000, count: 15 });
    const impatient = Array.from({ length: 15 }, () => dial({ intent: 'transcription' }));
    await until(() => rehearsal.connections().length === 16 || undefined);
    for (const { client } of impatient) client.socket.terminate();
    await until(() => rehearsal.connections().filter(({ outcome }) => outcome === 'ended').length === 15 || undefined);
    // The room they took is free again.
    await dial({ intent: 'transcription' }).told('session.created');
  });

  it.each([
    ['cut', 1006],
    ['session_expired', 1001],
    ['cut_after_commit', 1006],
  ] as const)('%s ends the connection', async (kind, code) => {
    await inject({ kind, after_appends: 2 });
    const line = await ready();
    line.speak(3);
    line.commit();
    expect(await line.closed()).toBe(code);
    expect(line.of('transcription.completed')).toEqual([]);
    expect(line.of('error').length).toBe(kind === 'session_expired' ? 1 : 0);
  });

  it.each([
    ['insufficient_quota', 'error'],
    ['flood', 'rate_limits.updated'],
    ['stall', 'transcription.completed'],
    ['transcription_failed', 'transcription.failed'],
    ['completed_first', 'transcription.delta'],
    ['out_of_order', 'transcription.completed'],
  ] as const)('%s', async (kind, shows) => {
    await inject({ kind, after_appends: 1, delay_ms: 50 });
    const line = await ready();
    line.speak(2);
    line.commit();
    await line.told(shows);
    expect(rehearsal.connections()[0]?.faults).toEqual([kind]);
  });

  it('are listed with the others, cleared, and refused when they are none', async () => {
    rehearsal.inject({ kind: 'cut' });
    await inject({ kind: 'cut' });
    const get = async () => (await (await fetch(`${rehearsal.url}/rehearsal/faults`)).json()) as { faults: unknown[] };
    expect((await get()).faults).toMatchObject([{ kind: 'cut' }, { kind: 'cut', provider: 'openai' }]);
    await fetch(`${rehearsal.url}/rehearsal/faults`, { method: 'DELETE' });
    expect((await get()).faults).toEqual([]);
    const body = JSON.stringify({ provider: 'openai', kind: 'refusal' });
    expect((await fetch(`${rehearsal.url}/rehearsal/faults`, { method: 'POST', body })).status).toBe(400);
  });
});

describe("the edge's own session", () => {
  const SPEECH = Int16Array.from({ length: 8_000 }, (_, at) => Math.round(8_000 * Math.sin(at / 8)));

  it.each<[string, RealtimeFaultInput | null]>([
    ['as it should be', null],
    ...(
      [
        'cut',
        'session_expired',
        'cut_after_commit',
        'completed_first',
        'out_of_order',
        'stall',
        'transcription_failed',
        'flood',
      ] as const
    ).map((kind): [string, RealtimeFaultInput] => [kind, { provider: 'openai', kind, delay_ms: 200 }]),
  ])('gets every sentence once: %s', async (_what, fault) => {
    recogniser = new ScriptedRecogniser(Array.from({ length: 8 }, () => 'refactor the api'));
    if (fault) rehearsal.inject(fault);
    const heard = new Heard();
    const session = new RealtimeSession({
      connect: createOpenaiRealtime({ url: rehearsal.url, apiKey: 'sk-any', session: { mode: 'transcribe' } }),
      settings: transcriptionSettings({ transcriptionModel: 'gpt-live-transcribe', turns: 'local' }),
      events: heard,
      limits: { firstBackoffMs: 20 },
    });
    session.start();
    await heard.reached('open');
    for (const id of ['u1', 'u2']) {
      session.begin(heard.utterance(id));
      for (let at = 0; at < SPEECH.length; at += 320) session.append(SPEECH.subarray(at, at + 320));
      session.end();
    }
    await heard.settled();
    await session.close();
    expect(heard.finals).toEqual({ u1: 'refactor the api', u2: 'refactor the api' });
    expect(heard.faults).toEqual([]);
    expect(heard.partials.length).toBeGreaterThan(0);
  });

  it('says once that the quota is used up, and stops', async () => {
    rehearsal.inject({ provider: 'openai', kind: 'insufficient_quota', after_appends: 1 });
    const heard = new Heard();
    const session = new RealtimeSession({
      connect: createOpenaiRealtime({ url: rehearsal.url, apiKey: 'sk-any', session: { mode: 'transcribe' } }),
      settings: transcriptionSettings({ transcriptionModel: 'gpt-live-transcribe', turns: 'local' }),
      events: heard,
    });
    session.start();
    await heard.reached('open');
    session.begin(heard.utterance('u1'));
    session.append(SPEECH);
    expect(await heard.reached('closed')).toContain('quota');
    session.end();
    await session.close();
  });
});
