import { once } from 'node:events';
import type { WebSocket } from 'ws';
import { FakeReply } from './realtime-reply.ts';
import type { FakeRealtime, Handshake } from './realtime-server.ts';

/** The level of the sound that says a number: `speech(7, …)` is heard as "number 7". */
const LEVEL = 200;
const WIRE_HZ = 24_000;

/** Sound of so many milliseconds that the fake server hears as "number n"; 16 kHz. */
export const speech = (n: number, ms: number): Int16Array => new Int16Array((ms * 16_000) / 1_000).fill(n * LEVEL);

/** A committed buffer, and what the service says about it. */
export interface Turn {
  /** From 1, over all connections. */
  readonly n: number;
  readonly session: FakeSession;
  readonly itemId: string;
  readonly ms: number;
  /** What the sound said: `number 7`, by its level in the middle. */
  readonly heard: string;
  confirm(): void;
  delta(text: string): void;
  complete(text?: string): void;
  fail(code: string): void;
}

type Sent = Record<string, unknown> & { type: string };
const transcription = 'conversation.item.input_audio_transcription';

/** One connection, as the service has it. */
export class FakeSession {
  readonly received: Sent[] = [];
  settings: Record<string, unknown> | null = null;
  /** Items in the conversation: ids, and what was put in. */
  readonly items: { id: string; kind: string; text: string }[] = [];
  readonly calls = new Set<string>();
  /** Milliseconds of sound in each spoken item. */
  readonly spokenMs = new Map<string, number>();
  reply: FakeReply | null = null;
  readonly closed: Promise<unknown>;
  /** Bytes of the buffer that is not committed. */
  buffer: Buffer[] = [];
  /** The name of the item that the buffer will be; known already while sound comes. */
  bufferItem: string;
  readonly #server: FakeRealtime;
  readonly #socket: WebSocket;
  readonly #transcribes: boolean;
  #answered = 0;

  constructor(server: FakeRealtime, socket: WebSocket, handshake: Handshake) {
    this.#server = server;
    this.#socket = socket;
    this.#transcribes = handshake.query['intent'] === 'transcription';
    this.closed = once(socket, 'close');
    this.bufferItem = server.name('item');
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => this.#take(data.toString('utf8')));
    this.send({ type: 'session.created', session: this.#session() });
  }

  send(event: Sent): void {
    if (this.#socket.readyState === this.#socket.OPEN)
      this.#socket.send(JSON.stringify({ event_id: this.#server.name('event'), ...event }));
  }

  /** Something that is no event. */
  sendText(text: string): void {
    this.#socket.send(text);
  }

  error(code: string, eventId: string | null = null, more: Record<string, string> = {}): void {
    this.send({
      type: 'error',
      error: { type: 'invalid_request_error', code, message: code, param: null, event_id: eventId, ...more },
    });
  }

  /** The network is gone. */
  drop(): void {
    this.#socket.terminate();
  }

  end(code: number, reason = ''): void {
    this.#socket.close(code, reason);
  }

  /** Takes nothing more from the network; what the client sends piles up at its side. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** A piece of text of the sound that is not committed yet. */
  early(text: string): void {
    this.send({ type: `${transcription}.delta`, item_id: this.bufferItem, content_index: 0, delta: text });
  }

  types(): string[] {
    return this.received.map(({ type }) => type);
  }

  complain(what: string): void {
    this.#server.complaints.push(what);
  }

  #session(): Record<string, unknown> {
    const expires =
      this.#server.livesMs === null ? {} : { expires_at: Math.round((Date.now() + this.#server.livesMs) / 1_000) };
    return {
      ...this.settings,
      type: this.#transcribes ? 'transcription' : 'realtime',
      id: this.#server.name('sess'),
      ...expires,
    };
  }

  #take(text: string): void {
    const event = JSON.parse(text) as Sent;
    this.received.push(event);
    if (!this.settings && event.type !== 'session.update') this.complain(`${event.type} before session.update`);
    const eventId = typeof event['event_id'] === 'string' ? event['event_id'] : null;
    switch (event.type) {
      case 'session.update':
        return this.#update(event['session'] as Record<string, unknown>, eventId);
      case 'input_audio_buffer.append':
        return this.#append(event['audio']);
      case 'input_audio_buffer.commit':
        return this.#commit(eventId);
      case 'input_audio_buffer.clear':
        if (this.buffer.length === 0) this.complain('clear of an empty buffer');
        this.#freshBuffer();
        return this.send({ type: 'input_audio_buffer.cleared' });
      case 'conversation.item.create':
        return this.#create(event['item'] as Record<string, unknown>);
      case 'conversation.item.delete':
        return this.#delete(String(event['item_id']));
      case 'conversation.item.truncate':
        return this.#truncate(String(event['item_id']), Number(event['audio_end_ms']));
      case 'response.create':
        return this.#respond(eventId);
      case 'response.cancel':
        if (this.reply) return this.reply.done('cancelled');
        return this.error('response_cancel_not_active', eventId);
      default:
        return this.complain(`no event of the protocol: ${event.type}`);
    }
  }

  #update(settings: Record<string, unknown>, eventId: string | null): void {
    const wanted = this.#transcribes ? 'transcription' : 'realtime';
    if (settings['type'] !== wanted)
      this.complain(`session.update of type ${String(settings['type'])}, opened for ${wanted}`);
    if (this.#server.refuseSettings)
      return this.error(this.#server.refuseSettings, eventId, { param: 'session.audio' });
    this.settings = settings;
    if (this.#server.answersSettings) this.send({ type: 'session.updated', session: this.#session() });
  }

  #append(audio: unknown): void {
    const text = typeof audio === 'string' ? audio : '';
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length === 0) this.complain('append without sound');
    if (bytes.length % 2 === 1) this.complain('append of half a sample');
    if (bytes.toString('base64') !== text) this.complain('append that is not base64');
    this.buffer.push(bytes);
    this.#server.onAppend(this);
  }

  #freshBuffer(): void {
    this.buffer = [];
    this.bufferItem = this.#server.name('item');
  }

  #commit(eventId: string | null): void {
    const ms = this.#bufferedMs();
    if (this.#findsTurns()) return this.complain('commit although the service finds the turns');
    if (ms >= 100) return this.#server.onCommit(this.takeTurn());
    this.#freshBuffer();
    this.complain(`commit of ${ms.toFixed(1)} ms: 100 ms are the least`);
    this.error('input_audio_buffer_commit_empty', eventId);
  }

  #bufferedMs(): number {
    return (this.buffer.reduce((bytes, { length }) => bytes + length, 0) / 2 / WIRE_HZ) * 1_000;
  }

  #findsTurns(): boolean {
    const audio = this.settings?.['audio'] as { input?: { turn_detection?: unknown } } | undefined;
    return (audio?.input?.turn_detection ?? null) !== null;
  }

  /** Makes a turn of what is in the buffer, as a commit does. */
  takeTurn(): Turn {
    const bytes = Buffer.concat(this.buffer);
    const ms = this.#bufferedMs();
    const itemId = this.bufferItem;
    this.#freshBuffer();
    const level = bytes.readInt16LE(2 * Math.floor(bytes.length / 4));
    const heard = `number ${Math.round(level / LEVEL)}`;
    this.items.push({ id: itemId, kind: 'sound', text: heard });
    const about = { item_id: itemId, content_index: 0 };
    const turn: Turn = {
      n: this.#server.turns.length + 1,
      session: this,
      itemId,
      ms,
      heard,
      confirm: () => this.send({ type: 'input_audio_buffer.committed', item_id: itemId, previous_item_id: null }),
      delta: (delta) => this.send({ type: `${transcription}.delta`, ...about, delta }),
      complete: (transcript = heard) =>
        this.send({
          type: `${transcription}.completed`,
          ...about,
          transcript,
          usage: { type: 'duration', seconds: ms / 1_000 },
        }),
      fail: (code) =>
        this.send({
          type: `${transcription}.failed`,
          ...about,
          error: { type: 'server_error', code, message: code },
        }),
    };
    this.#server.turns.push(turn);
    return turn;
  }

  #create(item: Record<string, unknown>): void {
    const id = this.#server.name('item');
    if (item['type'] === 'function_call_output' && !this.calls.delete(String(item['call_id'])))
      this.complain(`output of a call nobody made: ${String(item['call_id'])}`);
    const content = item['content'] as { type: string; text: string }[] | undefined;
    const spoken = item['role'] === 'assistant' ? 'output_text' : 'input_text';
    if (content?.some(({ type }) => type !== spoken))
      this.complain(`a message of ${String(item['role'])} holds ${spoken}`);
    const text = content?.map((part) => part.text).join('') ?? String(item['output']);
    this.items.push({ id, kind: String(item['role'] ?? item['type']), text });
    this.send({ type: 'conversation.item.added', previous_item_id: null, item: { id, ...item } });
  }

  #delete(itemId: string): void {
    const at = this.items.findIndex(({ id }) => id === itemId);
    if (at < 0) return this.complain(`delete of an item that is not there: ${itemId}`);
    this.items.splice(at, 1);
    this.#answered = Math.min(this.#answered, this.items.length);
    this.send({ type: 'conversation.item.deleted', item_id: itemId });
  }

  #truncate(itemId: string, endMs: number): void {
    const ms = this.spokenMs.get(itemId);
    if (ms === undefined) this.complain(`truncate of an item that has no sound: ${itemId}`);
    else if (!Number.isInteger(endMs) || endMs < 0 || endMs > ms) this.complain(`truncate at ${endMs} ms of ${ms} ms`);
    else this.send({ type: 'conversation.item.truncated', item_id: itemId, content_index: 0, audio_end_ms: endMs });
  }

  #respond(eventId: string | null): void {
    if (this.#transcribes) return this.complain('response.create in a session that only writes down');
    if (this.reply) {
      this.complain('response.create while another response is active');
      return this.error('conversation_already_has_active_response', eventId);
    }
    if (this.#server.refuseResponses()) return this.error('conversation_already_has_active_response', eventId);
    if (this.items.length === this.#answered) this.complain('response.create without anything new to answer');
    this.#answered = this.items.length;
    if (this.#server.deafToResponses) return;
    this.reply = new FakeReply(this, this.#server.name);
    this.reply.begin();
    void this.#server.onResponse(this.reply);
  }
}
