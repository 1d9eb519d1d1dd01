import { messageOf } from '../../platform/errors.ts';
import { delay } from '../../platform/lifecycle.ts';
import type { RecognitionStream } from '../speech-recogniser.ts';
import type { RealtimeFault } from './faults.ts';
import { HeardSound } from './heard-sound.ts';
import type { SendEvent, ServerEvent } from './server-event.ts';

const TRANSCRIPTION = 'conversation.item.input_audio_transcription';
/** Utterances of one session that may wait for their text at once. */
const MAX_UNFINISHED = 64;

/** How what is said in an utterance is told to the client. */
export interface Telling {
  /** null: the session wants no text; otherwise whether it is sent while sound still comes in. */
  wanted: { early: boolean } | null;
  fault: RealtimeFault | null;
}

/** One utterance: takes sound until it is committed or discarded. */
export interface Spoken {
  readonly itemId: string;
  push(samples: Int16Array): void;
  /** No more sound comes; `ms` of it were heard. The text, or null where it could not be had. */
  finish(ms: number): Promise<string | null>;
  discard(): void;
}

export interface TranscriptionsOptions {
  open: () => Promise<RecognitionStream>;
  send: SendEvent;
  /** A text was sent whole. */
  completed: () => void;
  /** Ends with the session. */
  signal: AbortSignal;
}

/** Writes utterances down and sends what is read, append-only per item; several may be under way. */
export class Transcriptions {
  readonly #options: TranscriptionsOptions;
  readonly #unfinished = new Set<HeardSound>();
  /** Events of utterances that wait until another one is complete. */
  readonly #held = new Map<string, ServerEvent[]>();

  constructor(options: TranscriptionsOptions) {
    this.#options = options;
  }

  begin(itemId: string, { wanted, fault }: Telling): Spoken {
    let sent = '';
    let finishing = false;
    const late = fault?.kind === 'completed_first';
    if (fault?.kind === 'out_of_order') this.#held.set(itemId, []);

    const tell = (type: 'delta' | 'completed' | 'failed', more: Record<string, unknown>): void => {
      if (!wanted) return;
      const event = { type: `${TRANSCRIPTION}.${type}`, item_id: itemId, content_index: 0, ...more };
      const held = this.#held.get(itemId);
      if (held) held.push(event);
      else this.#options.send(event);
    };
    const tellUpTo = (text: string): void => {
      // Deltas only ever add: a text that does not go on where the last one ended waits for the completion.
      if (text.length <= sent.length || !text.startsWith(sent)) return;
      tell('delta', { delta: text.slice(sent.length) });
      sent = text;
    };
    const sound = new HeardSound(this.#options.open, (text) => {
      if (wanted?.early && !late && !finishing) tellUpTo(text);
    });
    const full = this.#unfinished.size >= MAX_UNFINISHED;
    this.#unfinished.add(sound);
    if (full) this.#drop(sound);

    const complete = async (ms: number): Promise<string | null> => {
      try {
        if (full) throw new Error(`${MAX_UNFINISHED} utterances wait for their text already`);
        if (fault?.kind === 'transcription_failed') throw new Error('a rehearsed failure of the transcription');
        const text = await sound.finish();
        if (fault?.kind === 'stall') await delay(fault.delay_ms, this.#options.signal);
        if (!late) tellUpTo(text);
        tell('completed', { transcript: text, usage: { type: 'duration', seconds: Math.round(ms) / 1_000 } });
        if (late) tellUpTo(text);
        return text;
      } catch (error) {
        if (this.#options.signal.aborted) return null;
        tell('failed', {
          error: { type: 'server_error', code: 'transcription_failed', message: messageOf(error), param: null },
        });
        return null;
      } finally {
        this.#drop(sound);
      }
    };

    return {
      itemId,
      push: (samples) => sound.push(samples),
      finish: async (ms) => {
        finishing = true;
        const text = await complete(ms);
        if (text !== null) this.#options.completed();
        if (fault?.kind === 'out_of_order') this.#releaseLater(itemId, fault.delay_ms);
        else this.#releaseAll();
        return text;
      },
      discard: () => {
        finishing = true;
        this.#held.delete(itemId);
        this.#drop(sound);
      },
    };
  }

  /** Forgets all that is under way. */
  close(): void {
    for (const sound of this.#unfinished) this.#drop(sound);
    this.#held.clear();
  }

  #drop(sound: HeardSound): void {
    this.#unfinished.delete(sound);
    sound.discard();
  }

  #releaseLater(itemId: string, delayMs: number): void {
    delay(delayMs, this.#options.signal).then(
      () => this.#release(itemId),
      () => undefined,
    );
  }

  #releaseAll(): void {
    for (const itemId of [...this.#held.keys()]) this.#release(itemId);
  }

  #release(itemId: string): void {
    const held = this.#held.get(itemId) ?? [];
    this.#held.delete(itemId);
    for (const event of held) this.#options.send(event);
  }
}
