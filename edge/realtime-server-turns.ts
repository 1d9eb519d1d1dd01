import { MAX_TEXT } from '../contracts/transcript.ts';
import type { Frame } from './frames.ts';
import { CAPTURE_HZ } from './frames.ts';
import type { ServerEvent, SessionSettings } from './realtime-events.ts';
import type { ConnectRealtime } from './realtime-connection.ts';
import { LOST } from './realtime-failures.ts';
import type { SessionLimits } from './realtime-limits.ts';
import { SESSION_LIMITS } from './realtime-limits.ts';
import type { RealtimeNotice } from './realtime-line.ts';
import { RealtimeLine } from './realtime-line.ts';
import { StallWatch } from './realtime-stalls.ts';
import type { LineState, RecogniserEvents } from './recogniser.ts';
import type { Outgoing } from './sound-sender.ts';
import { SoundSender } from './sound-sender.ts';
import type { Utterance } from './utterance.ts';
import { UtteranceRing } from './utterance-ring.ts';

/** What is told where the service finds the turns. */
export interface ServerTurnEvents extends RecogniserEvents {
  /** The service noticed speech. */
  began(utterance: Utterance): void;
  /** It noticed the end of it; once, before the utterance's final. */
  ended(utteranceId: string): void;
}

export interface ServerTurnOptions {
  connect: ConnectRealtime;
  /** With `turn_detection`. */
  settings: SessionSettings;
  events: ServerTurnEvents;
  /** A new utterance, whose speech began at that position of the sound, milliseconds since capture began. */
  mint: (onsetAudioMs: number) => Utterance;
  limits?: Partial<SessionLimits>;
  notice?: (notice: RealtimeNotice) => void;
}

const PER_MS = CAPTURE_HZ / 1_000;
/** Said again, the service may find an onset a little elsewhere. */
const SLACK = 400 * PER_MS;

/** A stretch of speech as the service found it, in positions of the ring. */
interface Speech {
  utteranceId: string;
  start: number;
  /** null: still going on. */
  end: number | null;
  text: string;
  shown: string;
  settled: boolean;
  itemId: string | null;
  attempts: number;
  /** Since when an answer is awaited, `performance.now()`. */
  awaitedAtMs: number | null;
}

/**
 * Speech to text where the service decides what an utterance is. All sound is sent, silence as well, so it costs for
 * every minute that the line is open, and an onset is known only when the service has noticed it. After a reconnect
 * the sound from the oldest sentence without text on is sent again; what the service then finds is matched to what it
 * had found by its place in the sound.
 */
export class ServerTurns {
  readonly #options: ServerTurnOptions;
  readonly #limits: SessionLimits;
  readonly #ring: UtteranceRing;
  readonly #line: RealtimeLine;
  readonly #sender: SoundSender;
  readonly #stalls: StallWatch;
  #sound: Outgoing;
  #speeches: Speech[] = [];
  /** Capture time of the ring's first sample, milliseconds. */
  #originMs = 0;

  constructor(options: ServerTurnOptions) {
    this.#options = options;
    this.#limits = { ...SESSION_LIMITS, ...options.limits };
    const { connect, settings } = options;
    this.#ring = new UtteranceRing(this.#limits.keptMs * PER_MS);
    this.#sound = this.#from(0, 0);
    this.#line = new RealtimeLine({
      connect,
      settings,
      limits: this.#limits,
      events: {
        opened: () => this.#opened(),
        event: (event) => this.#hear(event),
        gone: () => this.#gone(),
        state: (state, problem) => this.#state(state, problem),
        calm: () =>
          this.#waiting.length === 0 ? 'quiet' : this.#waiting.some(({ end }) => end === null) ? 'busy' : 'between',
        notice: (notice) => options.notice?.(notice),
      },
    });
    this.#sender = new SoundSender({
      line: this.#line,
      ring: this.#ring,
      next: () => this.#sound,
      limits: this.#limits,
      events: {
        opened: () => undefined,
        committed: () => undefined,
        stuck: () => this.#line.renew('The network takes no sound.'),
      },
    });
    this.#stalls = new StallWatch({
      stallMs: this.#limits.stallMs,
      waiting: () => this.#waiting.flatMap(({ awaitedAtMs }) => awaitedAtMs ?? []),
      stalled: () => this.#line.renew('The speech service does not answer.'),
    });
  }

  /** Opens the line; once. */
  start(): void {
    this.#line.start();
  }

  /** Takes every frame, in order. */
  push({ samples, audioMs }: Frame): void {
    this.#originMs = audioMs - this.#sound.stretch.end / PER_MS;
    this.#ring.append(this.#sound.stretch, samples);
    const { oldest } = this.#ring;
    if (!this.#line.isOpen) this.#forget(oldest);
    this.#speeches = this.#speeches.filter(({ settled, end }) => !settled || (end ?? Infinity) >= oldest);
    this.#sender.pump();
  }

  /** Without a session what is overwritten is gone. */
  #forget(oldest: number): void {
    for (const speech of this.#waiting) if (speech.start < oldest) this.#lose(speech, LOST.overrun);
    if (this.#sound.sentTo < oldest) this.#sound = this.#from(oldest, this.#sound.stretch.end);
  }

  async close(): Promise<void> {
    this.#stalls.stop();
    this.#sender.reset();
    const closing = this.#line.close();
    this.#loseAll(LOST.closed);
    await closing;
  }

  get #waiting(): Speech[] {
    return this.#speeches.filter(({ settled }) => !settled);
  }

  #from(start: number, end: number): Outgoing {
    return { utteranceId: '', stretch: { start, end }, ended: false, sentTo: start, committed: false };
  }

  #opened(): void {
    for (const speech of this.#waiting) speech.awaitedAtMs = performance.now();
    if (this.#waiting.length > 0) this.#options.notice?.({ kind: 'replay', code: null });
    this.#stalls.watch();
    this.#sender.pump();
  }

  #gone(): void {
    this.#sender.reset();
    for (const speech of this.#waiting) {
      if (speech.start < this.#ring.oldest) this.#lose(speech, LOST.overrun);
      else if (speech.attempts >= this.#limits.attempts) this.#lose(speech, LOST.unanswered);
      speech.awaitedAtMs = null;
      speech.text = '';
    }
    for (const speech of this.#speeches) speech.itemId = null;
    const { sentTo, stretch } = this.#sound;
    const again = this.#waiting.map(({ start }) => start - SLACK);
    this.#sound = this.#from(Math.max(this.#ring.oldest, Math.min(sentTo, ...again)), stretch.end);
  }

  #state(state: LineState, problem: string | null): void {
    if (state === 'closed') this.#loseAll(problem ?? LOST.failed);
    this.#options.events.state(state, problem);
  }

  #hear(event: ServerEvent): void {
    switch (event.type) {
      case 'input_audio_buffer.speech_started':
        return void this.#started(event.item_id, this.#sound.stretch.start + event.audio_start_ms * PER_MS);
      case 'input_audio_buffer.speech_stopped': {
        const speech = this.#of(event.item_id);
        return speech && this.#stopped(speech, this.#sound.stretch.start + event.audio_end_ms * PER_MS);
      }
      case 'input_audio_buffer.committed': {
        const speech = this.#of(event.item_id) ?? this.#started(event.item_id, this.#sound.sentTo);
        if (speech.settled) return;
        speech.attempts += 1;
        speech.awaitedAtMs = performance.now();
        return this.#stalls.watch();
      }
      case 'conversation.item.input_audio_transcription.delta':
        return this.#show(this.#of(event.item_id), event.delta ?? '');
      case 'conversation.item.input_audio_transcription.completed': {
        const speech = this.#of(event.item_id);
        this.#stalls.sign();
        if (!speech || !this.#settle(speech)) return;
        this.#options.events.final(speech.utteranceId, event.transcript.trim());
        return this.#line.calmer();
      }
      case 'conversation.item.input_audio_transcription.failed': {
        const speech = this.#of(event.item_id);
        return speech && this.#lose(speech, LOST.failed);
      }
      default:
        return;
    }
  }

  #of(itemId: string): Speech | undefined {
    return this.#speeches.find((speech) => speech.itemId === itemId);
  }

  /** Speech at this place: found before, or new. */
  #started(itemId: string, start: number): Speech {
    const known = this.#speeches.find(
      (speech) => speech.itemId === null && start >= speech.start - SLACK && start < (speech.end ?? Infinity),
    );
    if (known) {
      known.itemId = itemId;
      known.awaitedAtMs = null;
      return known;
    }
    const utterance = this.#options.mint(this.#originMs + start / PER_MS);
    const { utteranceId } = utterance;
    const speech: Speech = {
      utteranceId,
      start,
      end: null,
      text: '',
      shown: '',
      settled: false,
      itemId,
      attempts: 0,
      awaitedAtMs: null,
    };
    this.#speeches.push(speech);
    this.#options.events.began(utterance);
    this.#options.events.firstAppend(utteranceId);
    return speech;
  }

  #stopped(speech: Speech, end: number): void {
    const first = speech.end === null;
    speech.end = Math.max(end, speech.end ?? 0);
    if (first) this.#options.events.ended(speech.utteranceId);
  }

  #show(speech: Speech | undefined, delta: string): void {
    this.#stalls.sign();
    if (!speech || speech.settled) return;
    speech.text = (speech.text + delta).slice(0, MAX_TEXT);
    const text = speech.text.trimStart();
    if (text.length <= speech.shown.length) return;
    speech.shown = text;
    this.#options.events.partial(speech.utteranceId, text);
  }

  /** Its end belongs to it even where the service did not tell. */
  #settle(speech: Speech): boolean {
    if (speech.settled) return false;
    this.#stopped(speech, speech.end ?? this.#sound.sentTo);
    speech.settled = true;
    return true;
  }

  #lose(speech: Speech, reason: string): void {
    if (this.#settle(speech)) this.#options.events.lost(speech.utteranceId, reason);
  }

  #loseAll(reason: string): void {
    for (const speech of this.#waiting) this.#lose(speech, reason);
  }
}
