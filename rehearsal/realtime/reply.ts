import { delay } from '../../platform/lifecycle.ts';
import { estimateTokens } from '../tokens.ts';
import { toBase64 } from './client-events.ts';
import type { Item } from './items.ts';
import type { Name, SendEvent, ServerEvent } from './server-event.ts';

/** Says a text; 24 kHz. Ends with the signal. */
export type Synthesise = (text: string, signal: AbortSignal) => AsyncIterable<Int16Array>;

/** Milliseconds between two pieces of text: a model takes its time, and a client may interrupt it. */
const PACE_MS = 15;
const WORDS_A_PIECE = 3;
/** Samples of sound in one event: 100 ms. */
const PIECE_SAMPLES = 2_400;
const WIRE_SAMPLES_PER_MS = 24;

export type ReplyStatus = 'completed' | 'cancelled' | 'failed';

export interface ReplyOptions {
  send: SendEvent;
  name: Name;
  /** Puts the item into the conversation; answers which one it follows. */
  add(item: Item): string | null;
  modality: 'audio' | 'text';
  /** Tokens of what was read. */
  inputTokens: number;
}

/** The item a reply is working on, and how it ends whole or cut short. */
interface OpenItem {
  item: Item;
  /** Of the item before it. */
  previousId: string | null;
  close(): void;
}

interface Begun {
  item: Item;
  previousId: string | null;
  about: Record<string, unknown>;
}

/** One response on the wire: every event that begins something has one that ends it, also when it is cut short. */
export class Reply {
  readonly id: string;
  readonly #options: ReplyOptions;
  readonly #aborter = new AbortController();
  readonly #output: Record<string, unknown>[] = [];
  #open: OpenItem | null = null;
  #outputTokens = 0;
  #over = false;

  constructor(options: ReplyOptions) {
    this.#options = options;
    this.id = options.name('resp');
    this.#send({ type: 'response.created', response: this.#response('in_progress', null) });
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Aborts when the reply is over. */
  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** Calls a function, its arguments in two pieces. */
  async call(name: string, args: Record<string, string>): Promise<void> {
    const callId = this.#options.name('call');
    const written = JSON.stringify(args);
    const wire = { type: 'function_call', name, call_id: callId, arguments: '' };
    const { item, previousId, about } = this.#begin(wire, 'call', written);
    let sent = '';
    this.#open = {
      item,
      previousId,
      close: () => {
        this.#send({
          type: 'response.function_call_arguments.done',
          ...about,
          call_id: callId,
          name,
          arguments: sent,
        });
        item.wire['arguments'] = sent;
      },
    };
    const half = Math.ceil(written.length / 2);
    for (const delta of [written.slice(0, half), written.slice(half)]) {
      await delay(PACE_MS, this.signal);
      this.#send({ type: 'response.function_call_arguments.delta', ...about, call_id: callId, delta });
      sent += delta;
    }
    this.#outputTokens += estimateTokens(written);
    this.#end('completed');
  }

  /** Says a text, as sound with its transcript where there is a voice, or as text. */
  async say(text: string, synthesise: Synthesise | null): Promise<void> {
    const spoken = this.#options.modality === 'audio' && synthesise !== null;
    const wire = { type: 'message', role: 'assistant', content: [] as unknown[] };
    const { item, previousId, about } = this.#begin(wire, 'assistant', text);
    const part = { ...about, content_index: 0 };
    const kind = spoken ? 'response.output_audio_transcript' : 'response.output_text';
    const partOf = (said: string) => (spoken ? { type: 'audio', transcript: said } : { type: 'text', text: said });
    let said = '';
    this.#send({ type: 'response.content_part.added', ...part, part: partOf('') });
    this.#open = {
      item,
      previousId,
      close: () => {
        if (spoken) this.#send({ type: 'response.output_audio.done', ...part });
        this.#send({ type: `${kind}.done`, ...part, [spoken ? 'transcript' : 'text']: said });
        this.#send({ type: 'response.content_part.done', ...part, part: partOf(said) });
        wire.content = [spoken ? { type: 'output_audio', transcript: said } : { type: 'output_text', text: said }];
        item.wire['content'] = wire.content;
      },
    };
    const words = text.split(/(?<= )/);
    for (let at = 0; at < words.length; at += WORDS_A_PIECE) {
      await delay(PACE_MS, this.signal);
      const delta = words.slice(at, at + WORDS_A_PIECE).join('');
      said += delta;
      this.#send({ type: `${kind}.delta`, ...part, delta });
    }
    this.#outputTokens += estimateTokens(text);
    if (spoken) await this.#voice(synthesise(text, this.signal), item, part);
    this.#end('completed');
  }

  /** Ends it, whatever it is doing. Repeatable: the first one counts. */
  done(status: ReplyStatus, details: Record<string, unknown> | null = null): void {
    if (this.#over) return;
    this.#end(status === 'completed' ? 'completed' : 'incomplete');
    this.#over = true;
    this.#send({ type: 'response.done', response: this.#response(status, details) });
    this.#aborter.abort(new Error('the response is over'));
  }

  async #voice(sound: AsyncIterable<Int16Array>, item: Item, part: Record<string, unknown>): Promise<void> {
    for await (const samples of sound) {
      for (let at = 0; at < samples.length; at += PIECE_SAMPLES) {
        const piece = samples.subarray(at, at + PIECE_SAMPLES);
        if (this.#over) return;
        item.spokenMs += piece.length / WIRE_SAMPLES_PER_MS;
        this.#send({ type: 'response.output_audio.delta', ...part, delta: toBase64(piece) });
      }
    }
  }

  #begin(wire: Item['wire'], by: Item['by'], text: string): Begun {
    this.signal.throwIfAborted();
    const id = this.#options.name('item');
    const own = { id, object: 'realtime.item', status: 'in_progress', ...wire };
    const item: Item = { id, by, wire: own, text: Promise.resolve(text), spokenMs: 0 };
    const about = { response_id: this.id, item_id: id, output_index: this.#output.length };
    this.#send({
      type: 'response.output_item.added',
      response_id: this.id,
      output_index: about.output_index,
      item: own,
    });
    const previousId = this.#options.add(item);
    this.#send({ type: 'conversation.item.added', previous_item_id: previousId, item: own });
    return { item, previousId, about };
  }

  #end(status: 'completed' | 'incomplete'): void {
    const open = this.#open;
    if (!open || this.#over) return;
    this.#open = null;
    open.close();
    const { item, previousId } = open;
    item.wire['status'] = status;
    this.#send({ type: 'conversation.item.done', previous_item_id: previousId, item: item.wire });
    this.#send({
      type: 'response.output_item.done',
      response_id: this.id,
      output_index: this.#output.length,
      item: item.wire,
    });
    this.#output.push(item.wire);
  }

  #response(status: string, details: Record<string, unknown> | null): Record<string, unknown> {
    const { modality, inputTokens } = this.#options;
    const usage = {
      input_tokens: inputTokens,
      output_tokens: this.#outputTokens,
      total_tokens: inputTokens + this.#outputTokens,
      input_token_details: { text_tokens: inputTokens, audio_tokens: 0, cached_tokens: 0 },
      output_token_details: { text_tokens: this.#outputTokens, audio_tokens: 0 },
    };
    return {
      object: 'realtime.response',
      id: this.id,
      status,
      status_details: details,
      output: [...this.#output],
      output_modalities: [modality],
      metadata: null,
      usage: status === 'in_progress' ? null : usage,
    };
  }

  #send(event: ServerEvent): void {
    if (!this.#over || event.type === 'response.done') this.#options.send(event);
  }
}
