import { SpokenReply } from './conversation-reply.ts';
import type { ClientEvent, ServerEvent } from './realtime-events.ts';
import { fromBase64 } from './realtime-events.ts';

/** Where the model's voice is heard. */
export interface ReplyAudio {
  /**
   * Plays 24 kHz samples as they come, in turn behind what is being played; `text`: the words of it so far. Resolves
   * when the last was heard, when a person spoke over it, or as soon as the signal aborts, with the milliseconds heard.
   */
  play(samples: AsyncIterable<Int16Array>, text: () => string, signal: AbortSignal): Promise<number>;
}

export interface VoiceOptions {
  audio: ReplyAudio;
  send(event: ClientEvent): boolean;
  /** A reply was not heard to its end, or is too long for anybody: what makes it should stop. */
  cutOff(responseId: string): void;
  /** A reply is no longer heard. */
  over(): void;
}

/** Less than this missing, it was heard: what a device is still playing is an estimate. */
const TOLERANCE_MS = 100;

type Sound = ServerEvent & { type: 'response.output_audio.delta' };
type Words = ServerEvent & { type: 'response.output_audio_transcript.delta' | 'response.output_audio_transcript.done' };
type About = Pick<Sound, 'item_id' | 'content_index' | 'response_id'>;

/** One thing the model says. */
interface Item {
  reply: SpokenReply;
  stop: AbortController;
  /** Of which session it is: items of an earlier one mean nothing to the next. */
  session: number;
  /** Somebody was told to play it; once, with its first sound. */
  handedOn: boolean;
  playing: boolean;
  /** Nothing more comes of it. */
  complete: boolean;
}

/** Hands on what the model says while it says it, and tells the service how much of it was heard. */
export class ConversationVoice {
  readonly #options: VoiceOptions;
  /** What still comes, or is still heard. */
  readonly #items = new Map<string, Item>();
  #session = 0;

  constructor(options: VoiceOptions) {
    this.#options = options;
  }

  get isSpeaking(): boolean {
    return [...this.#items.values()].some(({ playing }) => playing);
  }

  sound(event: Sound): void {
    const item = this.#of(event);
    if (!item.handedOn) this.#play(item);
    if (!item.reply.push(fromBase64(event.delta))) this.#options.cutOff(event.response_id);
  }

  /** Answers the whole text when it is complete. */
  words(event: Words): string | null {
    const { reply } = this.#of(event);
    if (event.type === 'response.output_audio_transcript.delta') {
      reply.text += event.delta;
      return null;
    }
    reply.text = event.transcript;
    return reply.text;
  }

  /** All the sound of an item came. */
  soundDone(itemId: string): void {
    this.#items.get(itemId)?.reply.end();
  }

  /** Nothing more comes of a response. */
  responseDone(responseId: string): void {
    for (const item of this.#items.values()) if (item.reply.responseId === responseId) this.#complete(item);
  }

  /** Silence; the service is told what was heard as soon as that is known. */
  interrupt(): void {
    for (const { reply, stop } of this.#items.values()) {
      stop.abort(new Error('interrupted'));
      reply.cut();
    }
  }

  /** The session is over: what came of it may still be heard, nothing more comes. */
  gone(): void {
    this.#session += 1;
    for (const item of this.#items.values()) this.#complete(item);
  }

  #of(about: About): Item {
    const known = this.#items.get(about.item_id);
    if (known) return known;
    const reply = new SpokenReply({
      itemId: about.item_id,
      contentIndex: about.content_index,
      responseId: about.response_id,
    });
    const item = {
      reply,
      stop: new AbortController(),
      session: this.#session,
      handedOn: false,
      playing: false,
      complete: false,
    };
    this.#items.set(reply.itemId, item);
    return item;
  }

  #play(item: Item): void {
    const { reply, stop } = item;
    item.handedOn = true;
    item.playing = true;
    this.#options.audio
      .play(reply.samples(), () => reply.text, stop.signal)
      .then(
        (heardMs) => this.#heard(item, heardMs),
        () => this.#over(item),
      );
  }

  #complete(item: Item): void {
    item.complete = true;
    item.reply.end();
    if (!item.playing) this.#items.delete(item.reply.itemId);
  }

  #over(item: Item): void {
    item.playing = false;
    item.reply.cut();
    if (item.complete) this.#items.delete(item.reply.itemId);
    this.#options.over();
  }

  #heard(item: Item, heardMs: number): void {
    const { reply, session } = item;
    const whole = reply.ended && heardMs >= reply.receivedMs - TOLERANCE_MS;
    // Without a device nobody interrupted it: it is read instead.
    const interrupted = !whole && reply.started;
    if (interrupted) this.#options.cutOff(reply.responseId);
    if (interrupted && session === this.#session && reply.receivedMs > 0)
      this.#options.send({
        type: 'conversation.item.truncate',
        item_id: reply.itemId,
        content_index: reply.contentIndex,
        audio_end_ms: Math.max(0, Math.min(Math.floor(heardMs), reply.receivedMs)),
      });
    this.#over(item);
  }
}
