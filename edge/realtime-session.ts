import { oneLine } from '../platform/text.ts';
import { CAPTURE_HZ } from './frames.ts';
import type { ClientEvent, ServerEvent } from './realtime-events.ts';
import { LOST } from './realtime-failures.ts';
import type { SessionLimits } from './realtime-limits.ts';
import { SESSION_LIMITS } from './realtime-limits.ts';
import type { Calm } from './realtime-line.ts';
import { RealtimeLine } from './realtime-line.ts';
import { StallWatch } from './realtime-stalls.ts';
import type { SessionOptions } from './realtime-listener.ts';
import type { LineState, Recogniser } from './recogniser.ts';
import type { Outgoing } from './sound-sender.ts';
import { SoundSender } from './sound-sender.ts';
import type { Told } from './transcripts.ts';
import { Transcripts } from './transcripts.ts';
import type { Utterance } from './utterance.ts';
import { UtteranceRing } from './utterance-ring.ts';

/** An utterance that has no text yet. */
interface Pending extends Outgoing {
  attempts: number;
  /** `performance.now()` of the last commit; null: not committed. */
  committedAtMs: number | null;
  appendSaid: boolean;
  /** The longest text that was shown. */
  shown: string;
}

/**
 * Speech to text over the Realtime service. The sound of every utterance without a text is kept, bounded, and said again
 * in order to the next session when one ends; each utterance gets one final, or is lost with a reason.
 */
export class RealtimeSession implements Recogniser {
  readonly #options: SessionOptions;
  readonly #limits: SessionLimits;
  readonly #ring: UtteranceRing;
  readonly #line: RealtimeLine;
  readonly #sender: SoundSender;
  /** In spoken order. */
  readonly #pending = new Map<string, Pending>();
  #transcripts = new Transcripts();
  #open: Pending | null = null;
  /** Why nothing will be written down any more; and the utterance that began since. */
  #hopeless: string | null = null;
  #unheard: string | null = null;
  readonly #stalls: StallWatch;
  #lastEventMs = 0;

  constructor(options: SessionOptions) {
    const { connect, settings, random } = options;
    const limits = { ...SESSION_LIMITS, ...options.limits };
    this.#options = options;
    this.#limits = limits;
    this.#ring = new UtteranceRing((limits.keptMs / 1_000) * CAPTURE_HZ);
    this.#line = new RealtimeLine({
      connect,
      settings,
      limits,
      ...(random && { random }),
      events: {
        opened: () => this.#opened(),
        event: (event) => this.#hear(event),
        gone: () => this.#gone(),
        state: (state, problem) => this.#state(state, problem),
        calm: () => this.#calm(),
        notice: (notice) => options.notice?.(notice),
      },
    });
    this.#sender = new SoundSender({
      line: this.#line,
      ring: this.#ring,
      next: () => [...this.#pending.values()].find(({ committed }) => !committed),
      limits,
      events: {
        opened: (utteranceId) => this.#firstSent(utteranceId),
        committed: (utteranceId, commitId) => this.#committed(utteranceId, commitId),
        stuck: () => this.#line.renew('The network takes no sound.'),
      },
    });
    this.#stalls = new StallWatch({
      stallMs: limits.stallMs,
      waiting: () => [...this.#pending.values()].flatMap(({ committedAtMs }) => committedAtMs ?? []),
      stalled: () => this.#endStalls(),
    });
  }

  /** Opens the line; once. */
  start(): void {
    this.#line.start();
  }

  /** For the listener: false when there is no session. */
  send(event: ClientEvent): boolean {
    return this.#line.send(event);
  }

  /** For the listener: the session does not do what it should. */
  renew(reason: string): void {
    this.#line.renew(reason);
  }

  begin({ utteranceId }: Utterance): void {
    if (this.#open) this.end();
    if (this.#hopeless !== null) {
      this.#unheard = utteranceId;
      return;
    }
    const stretch = this.#ring.begin();
    this.#open = {
      utteranceId,
      stretch,
      ended: false,
      sentTo: stretch.start,
      committed: false,
      attempts: 0,
      committedAtMs: null,
      appendSaid: false,
      shown: '',
    };
    this.#pending.set(utteranceId, this.#open);
    const [oldest] = this.#pending.values();
    if (this.#pending.size > this.#limits.keptCount && oldest) this.#lose(oldest, LOST.overrun);
  }

  append(samples: Int16Array): void {
    if (!this.#open) return;
    this.#ring.append(this.#open.stretch, samples);
    // What is overwritten before it was sent cannot be sent; what was sent is the session's, as long as it lasts.
    for (const pending of [...this.#pending.values()])
      if (!pending.committed && pending.sentTo < this.#ring.oldest) this.#lose(pending, LOST.overrun);
    this.#sender.pump();
  }

  end(): void {
    if (this.#unheard !== null && this.#hopeless !== null) this.#options.events.lost(this.#unheard, this.#hopeless);
    this.#unheard = null;
    if (!this.#open) return;
    this.#open.ended = true;
    this.#open = null;
    this.#sender.pump();
  }

  discard(): void {
    this.#unheard = null;
    const pending = this.#open;
    if (!pending) return;
    this.#open = null;
    if (this.#sender.clear(pending)) this.#transcripts.cleared();
    this.#pending.delete(pending.utteranceId);
    this.#ring.takeBack(pending.stretch);
    this.calmer();
  }

  async close(): Promise<void> {
    this.#stalls.stop();
    this.#sender.reset();
    this.#hopeless ??= LOST.closed;
    const closing = this.#line.close();
    for (const pending of [...this.#pending.values()]) this.#lose(pending, LOST.closed);
    await closing;
  }

  #opened(): void {
    this.#options.listener?.opened();
    if (this.#pending.size > 0) this.#options.notice?.({ kind: 'replay', code: null });
    this.#sender.pump();
  }

  #gone(): void {
    this.#sender.reset();
    this.#transcripts = new Transcripts();
    for (const pending of [...this.#pending.values()]) {
      if (!this.#ring.isWhole(pending.stretch)) this.#lose(pending, LOST.overrun);
      else this.#again(pending);
    }
    this.#options.listener?.gone();
  }

  #state(state: LineState, problem: string | null): void {
    if (state === 'closed') {
      this.#hopeless = problem ?? LOST.failed;
      for (const pending of [...this.#pending.values()]) this.#lose(pending, this.#hopeless);
    }
    this.#options.events.state(state, problem);
  }

  #calm(): Calm {
    if (this.#open) return 'busy';
    return this.#pending.size === 0 && !this.#options.listener?.busy() ? 'quiet' : 'between';
  }

  /** For the listener, too: it is no longer busy. */
  calmer(): void {
    if (this.#calm() !== 'busy') this.#line.calmer();
  }

  #firstSent(utteranceId: string): void {
    this.#transcripts.opened(utteranceId);
    const pending = this.#pending.get(utteranceId);
    if (!pending || pending.appendSaid) return;
    pending.appendSaid = true;
    this.#options.events.firstAppend(utteranceId);
  }

  #committed(utteranceId: string, commitId: string): void {
    this.#transcripts.commitSent(utteranceId, commitId);
    const pending = this.#pending.get(utteranceId);
    if (!pending) return;
    pending.attempts += 1;
    pending.committedAtMs = performance.now();
    this.#stalls.watch();
    this.#options.listener?.committed(utteranceId);
  }

  #hear(event: ServerEvent): void {
    this.#lastEventMs = performance.now();
    switch (event.type) {
      case 'input_audio_buffer.committed':
        return this.#told(this.#transcripts.committed(event.item_id));
      case 'conversation.item.input_audio_transcription.delta': {
        const told = this.#transcripts.delta(event.item_id, event.delta ?? '');
        this.#stalls.sign();
        return told ? this.#show(told.utteranceId, told.text.trimStart()) : undefined;
      }
      case 'conversation.item.input_audio_transcription.completed':
        return this.#told(this.#transcripts.completed(event.item_id, event.transcript));
      case 'conversation.item.input_audio_transcription.failed':
        return this.#failed(this.#transcripts.failed(event.item_id), event.error?.message);
      case 'error':
        this.#failed(this.#transcripts.refused(event.error.event_id ?? ''));
        return this.#options.listener?.event(event);
      default:
        return this.#options.listener?.event(event);
    }
  }

  #told(told: Told | null): void {
    this.#stalls.sign();
    if (!told || !this.#settle(told.utteranceId)) return;
    this.#options.listener?.named(told.utteranceId, told.itemId);
    this.#options.events.final(told.utteranceId, told.text.trim());
    this.calmer();
  }

  #show(utteranceId: string, text: string): void {
    const pending = this.#pending.get(utteranceId);
    // Said again after a reconnect the text starts anew: shown when it has come further than before.
    if (!pending || text.length <= pending.shown.length) return;
    pending.shown = text;
    this.#options.events.partial(utteranceId, text);
  }

  /** A part of a conversation stays there although it has no text; text alone is worth another try. */
  #failed(utteranceId: string | null, why?: string | null): void {
    const pending = utteranceId === null ? undefined : this.#pending.get(utteranceId);
    if (!pending) return;
    const words = why ? ` It says: ${oneLine(why, 300)}` : '';
    if (this.#options.listener || !this.#ring.isWhole(pending.stretch)) this.#lose(pending, LOST.failed + words);
    else this.#again(pending, words);
    this.#sender.pump();
    this.calmer();
  }

  /** To be sent from its start, unless that was done too often. */
  #again(pending: Pending, why = ''): void {
    if (pending.attempts >= this.#limits.attempts) return this.#lose(pending, LOST.unanswered + why);
    pending.sentTo = pending.stretch.start;
    pending.committed = false;
    pending.committedAtMs = null;
  }

  #lose(pending: Pending, reason: string): void {
    if (!this.#settle(pending.utteranceId)) return;
    if (this.#sender.clear(pending)) this.#transcripts.cleared();
    this.#transcripts.forget(pending.utteranceId);
    this.#options.events.lost(pending.utteranceId, reason);
  }

  #settle(utteranceId: string): boolean {
    if (this.#open?.utteranceId === utteranceId) this.#open = null;
    return this.#pending.delete(utteranceId);
  }

  #endStalls(): void {
    // A conversation that goes on is not ended for the sake of a text.
    const goesOn = (sinceMs: number): boolean => this.#options.listener !== undefined && this.#lastEventMs > sinceMs;
    let dead = false;
    for (const pending of [...this.#pending.values()]) {
      const { committedAtMs } = pending;
      if (committedAtMs === null || !this.#stalls.isStalled(committedAtMs)) continue;
      if (goesOn(committedAtMs)) this.#lose(pending, LOST.failed);
      else dead = true;
    }
    if (dead) this.#line.renew('The speech service does not answer.');
    this.calmer();
  }
}
