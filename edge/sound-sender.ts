import { CAPTURE_HZ, WIRE_HZ } from './frames.ts';
import type { SessionLimits } from './realtime-limits.ts';
import type { ClientEvent } from './realtime-events.ts';
import { toBase64 } from './realtime-events.ts';
import type { Resampler } from './resample.ts';
import { createResampler } from './resample.ts';
import type { Stretch, UtteranceRing } from './utterance-ring.ts';

/** The sound of one utterance and how much of it the session has. */
export interface Outgoing {
  readonly utteranceId: string;
  readonly stretch: Stretch;
  /** No more sound comes. */
  ended: boolean;
  /** Position behind the last sample that was sent. */
  sentTo: number;
  /** All of it was sent, and the commit. */
  committed: boolean;
}

export interface SenderEvents {
  /** The first sound of it was handed to the network. */
  opened(utteranceId: string): void;
  committed(utteranceId: string, commitId: string): void;
  /** The network has not taken anything for too long. */
  stuck(): void;
}

export interface SenderOptions {
  line: { send(event: ClientEvent): boolean; readonly isOpen: boolean; readonly bufferedBytes: number };
  ring: UtteranceRing;
  /** The first in spoken order that is not committed. */
  next: () => Outgoing | undefined;
  events: SenderEvents;
  limits: Pick<SessionLimits, 'maxBufferedBytes' | 'stuckMs'>;
}

/** Samples in one event at most, while older sound catches up: 300 ms. */
const MOST_SAMPLES = (CAPTURE_HZ * 300) / 1_000;
/** Samples sent in one go: a second takes 3 ms, and then others get their turn. */
const BURST_SAMPLES = CAPTURE_HZ;
/** The service takes no commit of less: 100 ms. */
const LEAST_WIRE_SAMPLES = WIRE_HZ / 10;
/** How often it is looked whether the network takes sound again. */
const RETRY_MS = 20;

/**
 * Sends utterances one after another: sound as it comes, or as fast as the network takes it when it is older, then the
 * commit. The session's buffer never holds the sound of two.
 */
export class SoundSender {
  readonly #options: SenderOptions;
  readonly #resampler: Resampler = createResampler();
  #active: Outgoing | null = null;
  /** Samples of the active one on the wire. */
  #wireSamples = 0;
  #commits = 0;
  #timer: NodeJS.Timeout | null = null;
  #blockedSinceMs: number | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Sends what can be sent now; goes on by itself with the rest. */
  pump(): void {
    if (this.#timer) return;
    let budget = BURST_SAMPLES;
    while (this.#options.line.isOpen) {
      if (this.#isBlocked()) return this.#later(RETRY_MS);
      const outgoing = (this.#active ??= this.#options.next() ?? null);
      if (!outgoing) return;
      const waiting = outgoing.stretch.end - outgoing.sentTo;
      if (waiting === 0) {
        if (!outgoing.ended || !this.#commit(outgoing)) return;
      } else {
        if (budget <= 0) return this.#later(0);
        const sent = this.#append(outgoing, Math.min(waiting, MOST_SAMPLES));
        if (sent === 0) return;
        budget -= sent;
      }
    }
  }

  /** What was sent of it is not wanted; true: the session had some. */
  clear(outgoing: Outgoing): boolean {
    if (this.#active !== outgoing) return false;
    this.#active = null;
    this.#startAfresh();
    return outgoing.sentTo > outgoing.stretch.start && this.#options.line.send({ type: 'input_audio_buffer.clear' });
  }

  /** The session is over, and all it had. */
  reset(): void {
    this.#active = null;
    this.#startAfresh();
    this.#blockedSinceMs = null;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #append(outgoing: Outgoing, count: number): number {
    const { line, ring, events } = this.#options;
    const first = outgoing.sentTo === outgoing.stretch.start;
    if (first) this.#startAfresh();
    const samples = this.#resampler.push(ring.read(outgoing.stretch, outgoing.sentTo, count));
    if (!line.send({ type: 'input_audio_buffer.append', audio: toBase64(samples) })) return 0;
    outgoing.sentTo += count;
    this.#wireSamples += samples.length;
    if (first) events.opened(outgoing.utteranceId);
    return count;
  }

  #commit(outgoing: Outgoing): boolean {
    const { line, events } = this.#options;
    // One without any sound began all the same: nothing of the one before it counts.
    const isEmpty = outgoing.sentTo === outgoing.stretch.start;
    if (isEmpty) this.#startAfresh();
    const tail = this.#resampler.flush();
    const end = new Int16Array(Math.max(tail.length, LEAST_WIRE_SAMPLES - this.#wireSamples));
    end.set(tail);
    const commitId = `commit-${(this.#commits += 1)}`;
    if (!line.send({ type: 'input_audio_buffer.append', audio: toBase64(end) })) return false;
    if (isEmpty) events.opened(outgoing.utteranceId);
    if (!line.send({ type: 'input_audio_buffer.commit', event_id: commitId })) return false;
    outgoing.committed = true;
    this.#active = null;
    events.committed(outgoing.utteranceId, commitId);
    return true;
  }

  #startAfresh(): void {
    this.#resampler.reset();
    this.#wireSamples = 0;
  }

  #isBlocked(): boolean {
    const { line, events, limits } = this.#options;
    if (line.bufferedBytes <= limits.maxBufferedBytes) {
      this.#blockedSinceMs = null;
      return false;
    }
    this.#blockedSinceMs ??= performance.now();
    if (performance.now() - this.#blockedSinceMs > limits.stuckMs) {
      this.#blockedSinceMs = null;
      events.stuck();
    }
    return true;
  }

  #later(inMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.pump();
    }, inMs);
  }
}
