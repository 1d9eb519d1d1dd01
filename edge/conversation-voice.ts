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
}

/** Less than this missing, it was heard: what a device is still playing is an estimate. */
const TOLERANCE_MS = 100;

type Sound = ServerEvent & { type: 'response.output_audio.delta' };
type Words = ServerEvent & { type: 'response.output_audio_transcript.delta' | 'response.output_audio_transcript.done' };
type About = Pick<Sound, 'item_id' | 'content_index' | 'response_id'>;

/** Hands on what the model says while it says it, and tells the service how much of it was heard. */
export class ConversationVoice {
  readonly #options: VoiceOptions;
  /** What is not heard out, by item. */
  readonly #replies = new Map<string, { reply: SpokenReply; stop: AbortController; session: number }>();
  /** Items of an earlier session mean nothing to the next. */
  #session = 0;

  constructor(options: VoiceOptions) {
    this.#options = options;
  }

  get isSpeaking(): boolean {
    return this.#replies.size > 0;
  }

  sound(event: Sound): void {
    const reply = this.#of(event);
    if (!reply.push(fromBase64(event.delta))) this.#options.cutOff(event.response_id);
  }

  /** Answers the whole text when it is complete. */
  words(event: Words): string | null {
    const reply = this.#of(event);
    if (event.type === 'response.output_audio_transcript.delta') {
      reply.text += event.delta;
      return null;
    }
    reply.text = event.transcript;
    return reply.text;
  }

  /** All the sound of an item came. */
  soundDone(itemId: string): void {
    this.#replies.get(itemId)?.reply.end();
  }

  /** Nothing more comes of a response. */
  responseDone(responseId: string): void {
    for (const { reply } of this.#replies.values()) if (reply.responseId === responseId) reply.end();
  }

  /** Silence; the service is told what was heard as soon as that is known. */
  interrupt(): void {
    for (const { reply, stop } of this.#replies.values()) {
      stop.abort(new Error('interrupted'));
      reply.cut();
    }
  }

  /** The session is over: what came of it may still be heard, nothing more comes. */
  gone(): void {
    this.#session += 1;
    for (const { reply } of this.#replies.values()) reply.end();
  }

  #of(about: About): SpokenReply {
    const known = this.#replies.get(about.item_id);
    if (known) return known.reply;
    const reply = new SpokenReply({
      itemId: about.item_id,
      contentIndex: about.content_index,
      responseId: about.response_id,
    });
    const stop = new AbortController();
    const session = this.#session;
    this.#replies.set(reply.itemId, { reply, stop, session });
    this.#options.audio
      .play(reply.samples(), () => reply.text, stop.signal)
      .then(
        (heardMs) => this.#heard(reply, session, heardMs),
        () => this.#over(reply),
      );
    return reply;
  }

  #over(reply: SpokenReply): void {
    this.#replies.delete(reply.itemId);
    reply.cut();
  }

  #heard(reply: SpokenReply, session: number, heardMs: number): void {
    const whole = reply.ended && heardMs >= reply.receivedMs - TOLERANCE_MS;
    this.#over(reply);
    // Without a device nobody interrupted it: it is read instead.
    if (whole || !reply.started) return;
    this.#options.cutOff(reply.responseId);
    if (session !== this.#session || reply.receivedMs === 0) return;
    this.#options.send({
      type: 'conversation.item.truncate',
      item_id: reply.itemId,
      content_index: reply.contentIndex,
      audio_end_ms: Math.max(0, Math.min(Math.floor(heardMs), reply.receivedMs)),
    });
  }
}
