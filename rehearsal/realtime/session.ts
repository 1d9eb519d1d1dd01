import type { Log } from '../../platform/log.ts';
import type { RecognitionStream } from '../speech-recogniser.ts';
import { readClientEvent, samplesOf } from './client-events.ts';
import type { ClientEvent } from './client-events.ts';
import type { LoggedConnection } from './connection-log.ts';
import { EventProblem } from './event-problem.ts';
import type { RealtimeFault, RealtimeFaults } from './faults.ts';
import { InputBuffer } from './input-buffer.ts';
import type { OpenUtterance } from './input-buffer.ts';
import { Items } from './items.ts';
import type { Item } from './items.ts';
import type { Peer } from './peer.ts';
import { Replies } from './replies.ts';
import type { Synthesise } from './reply.ts';
import type { Name, SendEvent } from './server-event.ts';
import { firstSettings, updateSettings, writesWhileSpoken } from './settings.ts';
import type { Settings } from './settings.ts';
import { Transcriptions } from './transcriptions.ts';

/** The provider takes no commit of less. */
const LEAST_COMMIT_MS = 100;
/** Sound in one utterance: a quarter of an hour. */
const MOST_BUFFER_MS = 900_000;
/** A client that takes nothing any more is left: so many bytes wait for it. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
const FLOOD_EVENTS = 5_000;
/** As the provider closes a session whose time is over. */
const GOING_AWAY = 1001;

export interface SessionOptions {
  /** null: a session that writes down, without a model. */
  model: string | null;
  peer: Peer;
  openStream: () => Promise<RecognitionStream>;
  synthesise: Synthesise | null;
  faults: RealtimeFaults;
  entry: LoggedConnection;
  /** Milliseconds until it expires. */
  lifeMs: number;
  now: () => number;
  log?: Log | undefined;
}

/** One session of the Realtime service, from `session.created` to its end. */
export class RealtimeSession {
  readonly #options: SessionOptions;
  readonly #id: string;
  readonly #expiresAt: number;
  readonly #ended = new AbortController();
  readonly #items = new Items();
  readonly #buffer: InputBuffer;
  readonly #transcriptions: Transcriptions;
  readonly #replies: Replies;
  readonly #expiry: NodeJS.Timeout;
  #settings: Settings;
  #names = 0;

  constructor(options: SessionOptions) {
    const { model, lifeMs, now, entry, synthesise, log, openStream } = options;
    this.#options = options;
    this.#settings = firstSettings(model);
    this.#id = `sess_re${entry.n}`;
    this.#expiresAt = Math.floor((now() + lifeMs) / 1_000);
    this.#buffer = new InputBuffer({
      begin: () => this.#beginUtterance(),
      speechStarted: (utterance, atMs) => this.#speechStarted(utterance, atMs),
      speechStopped: (utterance, atMs) => this.#speechStopped(utterance, atMs),
    });
    this.#transcriptions = new Transcriptions({
      open: openStream,
      send: this.#send,
      completed: () => void (entry.transcripts += 1),
      signal: this.#ended.signal,
    });
    const { items, name, send } = { items: this.#items, name: this.#name, send: this.#send };
    this.#replies = new Replies({ items, name, send, settings: () => this.#settings, synthesise, log });
    this.#buffer.detect(this.#settings.audio.input.turn_detection);
    this.#expiry = setTimeout(() => this.#expire(), lifeMs);
    this.#send({ type: 'session.created', session: this.#described() });
  }

  /** What came over the wire; null: something that is no text. Never throws for what a client does. */
  message(text: string | null): void {
    if (this.#ended.signal.aborted) return;
    const read = readClientEvent(text ?? '');
    try {
      if ('problem' in read) throw read.problem;
      this.#obey(read.event);
    } catch (error) {
      if (!(error instanceof EventProblem)) throw error;
      this.#complain(error, read.eventId);
    }
  }

  /** The connection is gone. Repeatable. */
  closed(): void {
    if (this.#ended.signal.aborted) return;
    clearTimeout(this.#expiry);
    this.#ended.abort(new Error('the session is over'));
    this.#replies.close();
    this.#buffer.clear();
    this.#transcriptions.close();
  }

  #obey(event: ClientEvent): void {
    const { entry } = this.#options;
    switch (event.type) {
      case 'session.update':
        return this.#update(event.session);
      case 'input_audio_buffer.append':
        return this.#append(event.audio);
      case 'input_audio_buffer.commit':
        return this.#commit();
      case 'input_audio_buffer.clear':
        this.#buffer.clear();
        return this.#send({ type: 'input_audio_buffer.cleared' });
      case 'conversation.item.create':
        return this.#create(event);
      case 'conversation.item.retrieve': {
        const { wire } = this.#items.get(event.item_id, 'item_retrieve_invalid_item_id');
        return this.#send({ type: 'conversation.item.retrieved', item: wire });
      }
      case 'conversation.item.delete':
        this.#items.delete(event.item_id);
        return this.#send({ type: 'conversation.item.deleted', item_id: event.item_id });
      case 'conversation.item.truncate':
        return this.#truncate(event.item_id, event.audio_end_ms);
      case 'response.create':
        this.#replies.create(event.response?.output_modalities?.[0]);
        entry.responses += 1;
        return;
      case 'response.cancel':
        return this.#replies.cancel('client_cancelled', event.response_id);
    }
  }

  #update(update: unknown): void {
    const next = updateSettings(this.#settings, update);
    const before = this.#settings.audio.input.turn_detection;
    this.#settings = next;
    if (next.audio.input.turn_detection !== before) this.#buffer.detect(next.audio.input.turn_detection);
    this.#send({ type: 'session.updated', session: this.#described() });
  }

  #append(audio: string): void {
    const samples = samplesOf(audio);
    const { entry } = this.#options;
    const ms = samples.length / 24;
    if (this.#buffer.ms + ms > MOST_BUFFER_MS)
      throw new EventProblem('input_audio_buffer_full', 'The input audio buffer holds 15 minutes at most.', 'audio');
    entry.appends += 1;
    entry.audio_ms += ms;
    this.#buffer.push(samples);
    const { open } = this.#buffer;
    if (open?.fault && open.appends === open.fault.after_appends) this.#strike(open.fault);
  }

  /** What a fault does while sound comes in. */
  #strike({ kind }: RealtimeFault): void {
    if (kind === 'cut') this.#drop();
    if (kind === 'session_expired') this.#expire();
    if (kind === 'insufficient_quota')
      this.#complain(
        new EventProblem(
          'insufficient_quota',
          'You exceeded your current quota, please check your plan and billing details.',
        ),
        null,
        'insufficient_quota',
      );
    if (kind === 'flood')
      for (let sent = 0; sent < FLOOD_EVENTS && !this.#ended.signal.aborted; sent += 1)
        this.#send({ type: 'rate_limits.updated', rate_limits: [] });
  }

  #beginUtterance(): Pick<OpenUtterance, 'spoken' | 'fault'> {
    const fault = this.#options.faults.take('utterance');
    if (fault) this.#options.entry.faults.push(fault.kind);
    const { transcription } = this.#settings.audio.input;
    const wanted = transcription && { early: writesWhileSpoken(this.#settings) };
    return { spoken: this.#transcriptions.begin(this.#name('item'), { wanted, fault }), fault };
  }

  #commit(): void {
    const { ms } = this.#buffer;
    if (ms < LEAST_COMMIT_MS)
      throw new EventProblem(
        'input_audio_buffer_commit_empty',
        `Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has ${ms.toFixed(2)}ms of audio.`,
      );
    const utterance = this.#buffer.take();
    if (utterance) this.#committed(utterance);
  }

  #committed({ spoken, fault, samples }: OpenUtterance): void {
    const { itemId } = spoken;
    const before = this.#items.lastId;
    this.#options.entry.commits += 1;
    this.#send({ type: 'input_audio_buffer.committed', item_id: itemId, previous_item_id: before });
    const content: { type: string; transcript: string | null }[] = [{ type: 'input_audio', transcript: null }];
    const wire = { id: itemId, object: 'realtime.item', type: 'message', status: 'completed', role: 'user', content };
    const text = spoken.finish(samples / 24).then((heard) => {
      wire.content = [{ type: 'input_audio', transcript: heard }];
      return heard;
    });
    this.#add({ id: itemId, wire, by: 'user', text, spokenMs: 0 });
    if (fault?.kind === 'cut_after_commit') this.#drop();
  }

  #speechStarted({ spoken }: OpenUtterance, atMs: number): void {
    const about = { item_id: spoken.itemId, audio_start_ms: Math.round(atMs) };
    this.#send({ type: 'input_audio_buffer.speech_started', ...about });
    const interrupts = this.#settings.audio.input.turn_detection?.interrupt_response === true;
    if (interrupts && this.#replies.isActive) this.#replies.cancel('turn_detected');
  }

  #speechStopped(utterance: OpenUtterance, atMs: number): void {
    const about = { item_id: utterance.spoken.itemId, audio_end_ms: Math.round(atMs) };
    this.#send({ type: 'input_audio_buffer.speech_stopped', ...about });
    this.#committed(utterance);
    const answers = this.#settings.audio.input.turn_detection?.create_response === true;
    if (answers && this.#settings.type === 'realtime' && !this.#replies.isActive) this.#replies.create();
  }

  #create({ item, previous_item_id: previousId }: ClientEvent & { type: 'conversation.item.create' }): void {
    const id = item.id ?? this.#name('item');
    const wire = { ...item, id, object: 'realtime.item', status: 'completed' };
    if (item.type === 'message') {
      const text = item.content.map((part) => part.text).join(' ');
      return this.#add({ id, wire, by: item.role, text: Promise.resolve(text), spokenMs: 0 }, previousId);
    }
    if (!this.#items.isOpenCall(item.call_id))
      throw new EventProblem(
        'invalid_tool_call_id',
        `No function call with id '${item.call_id}' waits for an output.`,
        'item.call_id',
      );
    this.#add({ id, wire, by: 'output', text: Promise.resolve(item.output), spokenMs: 0 }, previousId);
  }

  #add(item: Item, previousId?: string | null): void {
    const previous_item_id = this.#items.add(item, previousId);
    for (const type of ['conversation.item.added', 'conversation.item.done'])
      this.#send({ type, previous_item_id, item: item.wire });
  }

  #truncate(itemId: string, endMs: number): void {
    const item = this.#items.get(itemId, 'item_truncate_invalid_item_id');
    if (item.spokenMs === 0)
      throw new EventProblem('invalid_value', 'Only model output audio messages can be truncated', 'item_id');
    if (endMs > item.spokenMs)
      throw new EventProblem(
        'invalid_value',
        `Audio content of ${Math.floor(item.spokenMs)}ms is already shorter than ${endMs}ms`,
        'audio_end_ms',
      );
    item.spokenMs = endMs;
    this.#send({ type: 'conversation.item.truncated', item_id: itemId, content_index: 0, audio_end_ms: endMs });
  }

  #expire(): void {
    const words = 'Your session hit the maximum duration of 60 minutes.';
    this.#complain(new EventProblem('session_expired', words), null);
    this.#options.peer.close(GOING_AWAY, words);
    this.closed();
  }

  #drop(): void {
    this.#options.peer.drop();
    this.closed();
  }

  #complain(problem: EventProblem, eventId: string | null, type = 'invalid_request_error'): void {
    const { code, message, param } = problem;
    this.#options.entry.errors += 1;
    this.#send({ type: 'error', error: { type, code, message, param, event_id: eventId } });
  }

  #described(): Record<string, unknown> {
    const object = this.#settings.type === 'realtime' ? 'realtime.session' : 'realtime.transcription_session';
    return { object, id: this.#id, expires_at: this.#expiresAt, ...this.#settings };
  }

  readonly #name: Name = (kind) => `${kind}_re${this.#options.entry.n}_${(this.#names += 1)}`;

  readonly #send: SendEvent = (event) => {
    const { peer } = this.#options;
    if (this.#ended.signal.aborted) return;
    peer.send(JSON.stringify({ event_id: this.#name('event'), ...event }));
    if (peer.waitingBytes <= MAX_WAITING_BYTES) return;
    this.#options.log?.warn({ connection: this.#options.entry.n }, 'a realtime client takes nothing; it is cut off');
    this.#drop();
  };
}
