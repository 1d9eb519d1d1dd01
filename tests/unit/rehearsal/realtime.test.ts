import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Synthesise } from '../../../rehearsal/realtime/reply.ts';
import { PeerOfSession, sound, WRITES } from '../../fakes/realtime-peer.ts';
import { ScriptedRecogniser } from '../../fakes/scripted-recogniser.ts';
import { until } from '../../fakes/until.ts';

const COMMIT = { type: 'input_audio_buffer.commit' };
const CREATE = { type: 'response.create' };
const tool = (name: string, ...required: string[]) => ({
  type: 'function',
  name,
  description: name,
  parameters: {
    type: 'object',
    properties: Object.fromEntries(required.map((key) => [key, { type: 'string' }])),
    required,
  },
});
const TALKS = {
  type: 'realtime',
  instructions: 'Be brief.',
  output_modalities: ['audio'],
  audio: { input: WRITES.audio.input, output: { format: { type: 'audio/pcm', rate: 24_000 }, voice: 'marin' } },
  tools: [tool('submit_task', 'text'), tool('task_status', 'trace_id'), tool('cancel_task', 'trace_id')],
  tool_choice: 'auto',
};

let recogniser: ScriptedRecogniser;
let open: PeerOfSession[];
beforeEach(() => {
  recogniser = new ScriptedRecogniser(['refactor the api', 'validate the staging website', 'stop']);
  open = [];
});
afterEach(() => {
  for (const { session } of open) session.closed();
  expect(recogniser.complaints).toEqual([]);
});
const writes = (): PeerOfSession => {
  const peer = new PeerOfSession(recogniser).say({ type: 'session.update', session: WRITES });
  open.push(peer);
  return peer;
};
const talks = (synthesise?: Synthesise): PeerOfSession => {
  const peer = new PeerOfSession(recogniser, { model: 'gpt-realtime', ...(synthesise && { synthesise }) });
  open.push(peer);
  return peer.say({ type: 'session.update', session: TALKS });
};

describe('a session that writes down', () => {
  it('is introduced, set up, and confirms what it was told', () => {
    const { told } = writes();
    expect(told[0]).toMatchObject({
      type: 'session.created',
      session: { type: 'transcription', id: 'sess_re1', expires_at: 1_060 },
    });
    expect(told[1]).toMatchObject({ type: 'session.updated', session: WRITES });
    expect(new Set(told.map(({ event_id: id }) => id)).size).toBe(2);
  });

  it('sends deltas while the person speaks and the rest after the commit, in the order of the provider', async () => {
    const peer = writes().speak(5);
    await peer.told1('delta', 2);
    expect(peer.of('delta').map(({ delta }) => delta)).toEqual(['refactor', ' the']);
    expect(peer.of('input_audio_buffer.committed')).toEqual([]);
    peer.say(COMMIT);
    const done = await peer.told1('completed');
    expect(peer.types().slice(2)).toEqual([
      'text.delta',
      'text.delta',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
      'text.delta',
      'text.completed',
    ]);
    expect(peer.of('delta').map(({ delta }) => delta)).toEqual(['refactor', ' the', ' api']);
    expect(done).toMatchObject({ transcript: 'refactor the api', usage: { type: 'duration', seconds: 0.5 } });
    expect(new Set(peer.told.slice(2).map(({ item_id: id, item }) => id ?? (item as { id: string }).id)).size).toBe(1);
    // 24 kHz came in, 16 kHz went on, with the tail of the filter.
    expect(recogniser.streams[0]).toMatchObject({ samples: 8_000 + 22, end: 'finished' });
  });

  it('sends nothing early for a model that only writes afterwards', async () => {
    const peer = new PeerOfSession(recogniser);
    open.push(peer);
    const input = { ...WRITES.audio.input, transcription: { model: 'gpt-transcribe' } };
    peer.say({ type: 'session.update', session: { type: 'transcription', audio: { input } } }).speak(5, COMMIT);
    await peer.told1('completed');
    expect(peer.types().slice(2).indexOf('text.delta')).toBe(3);
  });

  it('keeps two quick utterances apart', async () => {
    const peer = writes().speak(2, COMMIT).speak(3, COMMIT);
    await peer.told1('completed', 2);
    const [first, second] = peer.of('input_audio_buffer.committed');
    expect(second).toMatchObject({ previous_item_id: first?.['item_id'] });
    const texts = peer.of('completed').map(({ item_id: id, transcript }) => [id, transcript]);
    expect(texts).toEqual([
      [first?.['item_id'], 'refactor the api'],
      [second?.['item_id'], 'validate the staging website'],
    ]);
    for (const [id, text] of texts) {
      const deltas = peer.of('delta').filter((event) => event['item_id'] === id);
      expect(deltas.map(({ delta }) => delta).join('')).toBe(text);
    }
  });

  it('refuses a commit of less than 100 ms and keeps the sound', async () => {
    const peer = writes().say({ type: 'input_audio_buffer.append', audio: sound(90) }, { ...COMMIT, event_id: 'c1' });
    expect(peer.errors()).toMatchObject([
      { type: 'invalid_request_error', code: 'input_audio_buffer_commit_empty', event_id: 'c1' },
    ]);
    peer.say({ type: 'input_audio_buffer.append', audio: sound(10) }, COMMIT);
    expect(await peer.told1('completed')).toMatchObject({ usage: { seconds: 0.1 } });
  });

  it('forgets what is cleared', async () => {
    const peer = writes().speak(2, { type: 'input_audio_buffer.clear' }, COMMIT);
    await until(() => recogniser.streams[0]?.end === 'discarded' || undefined);
    expect(peer.types()).toContain('input_audio_buffer.cleared');
    expect(peer.errors()).toMatchObject([{ code: 'input_audio_buffer_commit_empty' }]);
  });

  it('takes sound before its recogniser is there, and loses none', async () => {
    let ready = (): void => undefined;
    recogniser.beforeOpen = () => new Promise((resolve) => (ready = resolve));
    const peer = writes().speak(4, COMMIT);
    await new Promise((resolve) => setImmediate(resolve));
    ready();
    await peer.told1('completed');
    expect(recogniser.streams[0]?.samples).toBe(6_400 + 22);
  });

  it('says what to install where there is no recogniser', async () => {
    const peer = new PeerOfSession(null);
    open.push(peer);
    peer.say({ type: 'session.update', session: WRITES }).speak(2, COMMIT);
    expect(await peer.told1('failed')).toMatchObject({ error: { message: 'install pocketsphinx' } });
  });

  it('discards what is under way when the connection goes', async () => {
    recogniser.beforeText = () => new Promise(() => undefined);
    const peer = writes().speak(2, COMMIT).speak(2);
    await until(() => recogniser.streams.length === 2 || undefined);
    await new Promise((resolve) => setImmediate(resolve));
    peer.session.closed();
    const before = peer.told.length;
    peer.say(COMMIT);
    await until(() => recogniser.streams[1]?.end === 'discarded' || undefined);
    expect(peer.told).toHaveLength(before);
  });

  it('has no responses', () => {
    const peer = writes().say({ ...CREATE, event_id: 'r' });
    expect(peer.errors()).toMatchObject([{ code: 'invalid_value', event_id: 'r' }]);
  });

  it('ends at its time, with the word for it', async () => {
    const peer = new PeerOfSession(recogniser, { lifeMs: 40 });
    open.push(peer);
    await peer.told1('error');
    expect(peer.errors()).toMatchObject([{ code: 'session_expired' }]);
    expect(peer.peer.ended).toBe('1001');
  });

  it('cuts a client off that takes nothing', () => {
    const peer = writes();
    Object.assign(peer.peer, { waitingBytes: 40 * 1024 * 1024 });
    peer.say({ type: 'input_audio_buffer.clear' });
    expect(peer.peer.ended).toBe('dropped');
  });
});

describe('what is no event', () => {
  it.each<[string, string | null, Record<string, unknown>]>([
    ['no JSON', '{', { code: 'invalid_json', event_id: null }],
    ['no text', null, { code: 'invalid_json' }],
    ['no object', '[1]', { code: 'missing_required_parameter', param: 'type' }],
    ['no type', '{"event_id":"e1"}', { code: 'missing_required_parameter', event_id: 'e1' }],
    ['an unknown type', '{"type":"meteor","event_id":"e2"}', { code: 'invalid_value', param: 'type', event_id: 'e2' }],
    ['a stranger within', '{"type":"input_audio_buffer.commit","x":1}', { code: 'unknown_parameter', param: 'x' }],
    ['a missing part', '{"type":"input_audio_buffer.append"}', { code: 'missing_required_parameter', param: 'audio' }],
    ['no base64', '{"type":"input_audio_buffer.append","audio":"%%%%"}', { code: 'invalid_value', param: 'audio' }],
    ['half a sample', '{"type":"input_audio_buffer.append","audio":"AAAA"}', { code: 'invalid_value', param: 'audio' }],
    [
      'an item nobody has',
      '{"type":"conversation.item.delete","item_id":"i"}',
      { code: 'item_delete_invalid_item_id' },
    ],
    ['a cancel of nothing', '{"type":"response.cancel"}', { code: 'response_cancel_not_active' }],
  ])('%s is answered with an error, and the session goes on', (_what, text, error) => {
    const peer = talks();
    peer.session.message(text);
    expect(peer.errors()).toMatchObject([{ type: 'invalid_request_error', ...error }]);
    expect(peer.entry.errors).toBe(1);
    peer.say({ type: 'input_audio_buffer.clear' });
    expect(peer.types().at(-1)).toBe('input_audio_buffer.cleared');
  });

  const input = (more: Record<string, unknown>) => ({
    ...WRITES,
    audio: { input: { ...WRITES.audio.input, ...more } },
  });
  it.each<[string, unknown, string, string]>([
    ['another type', { type: 'realtime' }, 'invalid_value', 'session.type'],
    ['no type', {}, 'invalid_value', 'session.type'],
    [
      '16 kHz',
      input({ format: { type: 'audio/pcm', rate: 16_000 } }),
      'invalid_value',
      'session.audio.input.format.rate',
    ],
    ['a stranger', { ...WRITES, voice: 'x' }, 'unknown_parameter', 'session.voice'],
    [
      'a model that writes nothing down',
      input({ transcription: { model: 'gpt-5' } }),
      'invalid_value',
      'session.audio.input.transcription.model',
    ],
    [
      'turns of the server with a streaming model',
      input({ turn_detection: { type: 'server_vad' } }),
      'invalid_value',
      'session.audio.input.turn_detection',
    ],
  ])('settings with %s are refused', (_what, session, code, param) => {
    const peer = writes().say({ type: 'session.update', event_id: 's', session });
    expect(peer.errors()).toMatchObject([{ code, param, event_id: 's' }]);
    expect(peer.of('session.updated')).toHaveLength(1);
  });

  it('keeps a quarter of an hour of sound at most', () => {
    const peer = new PeerOfSession({ label: 'deaf', open: () => new Promise(() => undefined), close: async () => {} });
    open.push(peer);
    peer.say({ type: 'session.update', session: WRITES });
    const audio = Buffer.alloc(48_000 * 60).toString('base64');
    for (let minute = 0; minute < 16; minute += 1) peer.say({ type: 'input_audio_buffer.append', audio });
    expect(peer.errors()).toMatchObject([{ code: 'input_audio_buffer_full' }]);
  });
});

describe('turns found by the server', () => {
  it('finds where speech begins and ends, and commits by itself', async () => {
    const peer = new PeerOfSession(recogniser);
    open.push(peer);
    const turns = { type: 'server_vad', prefix_padding_ms: 200, silence_duration_ms: 300 };
    const input = { ...WRITES.audio.input, transcription: { model: 'gpt-transcribe' }, turn_detection: turns };
    peer.say({ type: 'session.update', session: { type: 'transcription', audio: { input } } });
    const append = (ms: number, level: number) =>
      peer.say({ type: 'input_audio_buffer.append', audio: sound(ms, level) });
    append(1_010, 20);
    append(600, 8_000);
    append(250, 20);
    expect(peer.of('input_audio_buffer.speech_stopped')).toEqual([]);
    append(400, 20);
    const done = await peer.told1('completed');
    const [started] = peer.of('input_audio_buffer.speech_started');
    const [stopped] = peer.of('input_audio_buffer.speech_stopped');
    expect(started).toMatchObject({ item_id: done['item_id'], audio_start_ms: 800 });
    expect(Number(stopped?.['audio_end_ms'])).toBeCloseTo(1_910, -2);
    expect(peer.of('input_audio_buffer.committed')).toHaveLength(1);
    expect(done).toMatchObject({ transcript: 'refactor the api' });
    expect(recogniser.streams).toHaveLength(1);
  });
});

describe('a session that talks', () => {
  const beginTask = async (peer: PeerOfSession): Promise<string> => {
    peer.speak(5, COMMIT, CREATE);
    const done = await peer.told1('response.done');
    const { output } = done['response'] as { output: { call_id: string; name: string; arguments: string }[] };
    expect(output).toMatchObject([{ name: 'submit_task', arguments: '{"text":"refactor the api"}' }]);
    return output[0]?.call_id ?? '';
  };
  const answer = (callId: string, output: unknown) => ({
    type: 'conversation.item.create',
    item: { type: 'function_call_output', call_id: callId, output: JSON.stringify(output) },
  });

  it('hands on what is said, and retells what came of it', async () => {
    const peer = talks();
    const callId = await beginTask(peer);
    const types = peer.types();
    expect(types.slice(types.indexOf('response.created')).filter((type) => !type.startsWith('text'))).toEqual([
      'response.created',
      'response.output_item.added',
      'conversation.item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.done',
    ]);
    peer.say(answer(callId, { status: 'accepted', trace_id: 'ab12', jobs: [{}, {}] }), CREATE);
    const done = await peer.told1('response.done', 2);
    expect(done['response']).toMatchObject({
      status: 'completed',
      output: [{ content: [{ type: 'output_text', text: 'Two jobs started.' }] }],
      usage: { output_tokens: 5 },
    });
    expect(
      peer
        .of('response.output_text.delta')
        .map(({ delta }) => delta)
        .join(''),
    ).toBe('Two jobs started.');
    // The id came from the conversation.
    recogniser.streams.push({ text: '', samples: 0, peak: 0, end: 'finished' });
    peer.speak(2, COMMIT, CREATE);
    const cancel = await peer.told1('response.done', 3);
    expect(cancel['response']).toMatchObject({ output: [{ name: 'cancel_task', arguments: '{"trace_id":"ab12"}' }] });
  });

  it('takes one answer for a call, and none for a call nobody made', async () => {
    const peer = talks();
    const callId = await beginTask(peer);
    peer.say(answer(callId, 1), answer(callId, 2), answer('call_x', 3));
    expect(peer.errors().map(({ code }) => code)).toEqual(['invalid_tool_call_id', 'invalid_tool_call_id']);
  });

  it('has one active response at a time, and a cancelled one is over at once', async () => {
    let ready = (): void => undefined;
    recogniser.beforeText = () => new Promise((resolve) => (ready = resolve));
    const peer = talks().speak(2, COMMIT, CREATE, { ...CREATE, event_id: 'second' });
    expect(peer.errors()).toMatchObject([{ code: 'conversation_already_has_active_response', event_id: 'second' }]);
    peer.say({ type: 'response.cancel', response_id: 'resp_other' }, { type: 'response.cancel' });
    expect(peer.errors()[1]).toMatchObject({ code: 'response_cancel_not_active' });
    expect(peer.of('response.done')).toMatchObject([
      { response: { status: 'cancelled', status_details: { reason: 'client_cancelled' } } },
    ]);
    peer.say(CREATE);
    expect(peer.of('response.created')).toHaveLength(2);
    await new Promise((resolve) => setImmediate(resolve));
    ready();
    await peer.told1('response.done', 2);
    expect(peer.of('response.done')).toHaveLength(2);
  });

  it('speaks where it has a voice; what was cut short is closed and can be truncated', async () => {
    let silenced = false;
    const peer = talks(async function* voice(_text, signal) {
      yield new Int16Array(4_800).fill(100);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      silenced = true;
      yield new Int16Array(4_800).fill(100);
    });
    peer.say(
      {
        type: 'conversation.item.create',
        item: { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'Tests pass. All of them.' }] },
      },
      CREATE,
    );
    await peer.told1('response.output_audio.delta', 2);
    peer.say({ type: 'response.cancel' });
    const [itemId] = peer.of('response.output_audio.delta').map((event) => event['item_id']);
    const truncate = { type: 'conversation.item.truncate', item_id: itemId, content_index: 0 };
    peer.say({ ...truncate, audio_end_ms: 500 }, { ...truncate, audio_end_ms: 150 });
    expect(peer.errors()).toMatchObject([{ code: 'invalid_value', param: 'audio_end_ms' }]);
    const types = peer.types();
    expect(types.slice(types.lastIndexOf('response.output_audio.delta') + 1)).toEqual([
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.done',
      'error',
      'conversation.item.truncated',
    ]);
    expect(peer.of('response.output_audio_transcript.done')).toMatchObject([{ transcript: 'Tests pass.' }]);
    await until(() => silenced || undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(peer.of('response.output_audio.delta')).toHaveLength(2);
  });

  it('fails out loud when its voice does', async () => {
    const peer = talks(() => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('no larynx')) }),
    })).say(CREATE);
    const done = await peer.told1('response.done');
    expect(done['response']).toMatchObject({ status: 'failed', status_details: { error: { message: 'no larynx' } } });
  });

  it('knows its items', () => {
    const message = (id: string, text: string, more = {}) => ({
      type: 'conversation.item.create',
      item: { id, type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
      ...more,
    });
    const peer = talks().say(
      message('a', 'one'),
      message('b', 'two'),
      message('c', 'zero', { previous_item_id: 'root' }),
    );
    expect(peer.of('conversation.item.added').map((event) => event['previous_item_id'])).toEqual([null, 'a', null]);
    peer.say(message('a', 'again'), message('d', 'x', { previous_item_id: 'nobody' }));
    expect(peer.errors().map(({ code }) => code)).toEqual([
      'item_create_duplicate_id',
      'item_create_invalid_previous_item_id',
    ]);
    peer.say({ type: 'conversation.item.delete', item_id: 'b' }, { type: 'conversation.item.retrieve', item_id: 'b' });
    expect(peer.types().slice(-2)).toEqual(['conversation.item.deleted', 'error']);
  });
});

describe('faults of an utterance', () => {
  it('stall: the completion is late', async () => {
    const peer = writes();
    peer.faults.add({ provider: 'openai', kind: 'stall', delay_ms: 80 });
    const start = performance.now();
    peer.speak(2, COMMIT);
    await peer.told1('completed');
    expect(performance.now() - start).toBeGreaterThanOrEqual(75);
    expect(peer.entry.faults).toEqual(['stall']);
  });

  it('completed_first: the deltas come after it', async () => {
    const peer = writes();
    peer.faults.add({ provider: 'openai', kind: 'completed_first' });
    peer.speak(5);
    await until(() => recogniser.streams[0]?.samples || undefined);
    peer.say(COMMIT);
    await peer.told1('delta');
    expect(peer.types().filter((type) => type.startsWith('text'))).toEqual(['text.completed', 'text.delta']);
  });

  it('out_of_order: its text waits until the next is complete', async () => {
    const peer = writes();
    peer.faults.add({ provider: 'openai', kind: 'out_of_order' });
    peer.speak(5, COMMIT).speak(5, COMMIT);
    await peer.told1('completed', 2);
    const [first, second] = peer.of('input_audio_buffer.committed').map((event) => event['item_id']);
    expect(peer.of('completed').map((event) => event['item_id'])).toEqual([second, first]);
    expect(
      peer
        .of('delta')
        .map((event) => event['item_id'])
        .lastIndexOf(second),
    ).toBeLessThan(peer.of('delta').findIndex((event) => event['item_id'] === first));
  });

  it('out_of_order: comes late where nothing follows', async () => {
    const peer = writes();
    peer.faults.add({ provider: 'openai', kind: 'out_of_order', delay_ms: 30 });
    peer.speak(5, COMMIT);
    expect(await peer.told1('completed')).toMatchObject({ transcript: 'refactor the api' });
  });

  it('transcription_failed: there is no text', async () => {
    const peer = writes();
    peer.faults.add({ provider: 'openai', kind: 'transcription_failed', nth: 2 });
    peer.speak(2, COMMIT).speak(2, COMMIT);
    await Promise.all([peer.told1('completed'), peer.told1('failed')]);
    expect(peer.entry.transcripts).toBe(1);
  });

  it.each([
    ['cut', 'dropped'],
    ['session_expired', '1001'],
  ] as const)('%s: the session ends while the person speaks', (kind, ended) => {
    const peer = writes();
    peer.faults.add({ provider: 'openai', kind, after_appends: 3 });
    peer.speak(2);
    expect(peer.peer.ended).toBeNull();
    peer.speak(1);
    expect(peer.peer.ended).toBe(ended);
  });

  it('cut_after_commit: the commit is confirmed, and nothing more', () => {
    const peer = writes();
    peer.faults.add({ provider: 'openai', kind: 'cut_after_commit' });
    peer.speak(2, COMMIT);
    expect(peer.of('input_audio_buffer.committed')).toHaveLength(1);
    expect(peer.peer.ended).toBe('dropped');
  });

  it('insufficient_quota and flood: events', async () => {
    const peer = writes();
    peer.faults.add({ provider: 'openai', kind: 'insufficient_quota', after_appends: 1 });
    peer.faults.add({ provider: 'openai', kind: 'flood', after_appends: 1 });
    peer.speak(2, COMMIT);
    expect(peer.errors()).toMatchObject([{ code: 'insufficient_quota', type: 'insufficient_quota' }]);
    peer.speak(1, COMMIT);
    await peer.told1('completed', 2);
    expect(peer.of('rate_limits.updated')).toHaveLength(5_000);
  });
});
