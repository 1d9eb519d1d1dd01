import type { ClientEvent, ServerFault } from './realtime-events.ts';

/** Milliseconds. */
export interface GateLimits {
  /** From asking for a response to its beginning. */
  askedMs: number;
  /** Without any sign of a response that began. */
  activeMs: number;
  /** From cancelling a response to its end. */
  cancelMs: number;
}

export const GATE_LIMITS: GateLimits = { askedMs: 10_000, activeMs: 60_000, cancelMs: 3_000 };

export interface GateOptions {
  send(event: ClientEvent): boolean;
  /** May a response begin now? Asked each time. */
  free(): boolean;
  /** A response was asked for. */
  asked(): void;
  /** The response asked for last will not come, or did not end: refused, or given up. */
  failed(reason: string): void;
  /** The service does not do what it should. */
  dead(reason: string): void;
  limits?: Partial<GateLimits>;
}

type State = 'idle' | 'asked' | 'active' | 'cancelling';

/** One response at a time, as the service wants it: asks for the next when the last is over, cancels what is under way. */
export class ResponseGate {
  readonly #options: GateOptions;
  readonly #limits: GateLimits;
  #state: State = 'idle';
  #wanted = false;
  #responseId: string | null = null;
  #cancelAtOnce = false;
  #count = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#limits = { ...GATE_LIMITS, ...options.limits };
  }

  get isIdle(): boolean {
    return this.#state === 'idle' && !this.#wanted;
  }

  /** This response is under way, and wanted. */
  isCurrent(responseId: string): boolean {
    return this.#state === 'active' && this.#responseId === responseId;
  }

  /** A response is to be made of what is in the conversation; several wishes are one. */
  want(): void {
    this.#wanted = true;
    this.pump();
  }

  /** What is not under way yet is not wanted any more. */
  forget(): void {
    this.#wanted = false;
  }

  /** What is under way is to end. */
  cancel(): void {
    if (this.#state === 'asked') this.#cancelAtOnce = true;
    if (this.#state === 'active') this.#sendCancel();
  }

  /** It may have become free. */
  pump(): void {
    if (!this.#wanted || this.#state !== 'idle' || !this.#options.free()) return;
    this.#count += 1;
    if (!this.#options.send({ type: 'response.create', event_id: `response-${this.#count}` })) return;
    this.#wanted = false;
    this.#cancelAtOnce = false;
    this.#enter('asked', this.#limits.askedMs, () => {
      this.#over();
      this.#options.failed('The model did not answer.');
      this.#options.dead('The model does not answer.');
    });
    this.#options.asked();
  }

  created(responseId: string): void {
    if (this.#state !== 'asked') return;
    this.#responseId = responseId;
    this.#enter('active', this.#limits.activeMs, () => this.#sendCancel());
    if (this.#cancelAtOnce) this.#sendCancel();
  }

  /** Something came of a response. */
  sign(responseId: string): void {
    if (this.isCurrent(responseId)) this.#enter('active', this.#limits.activeMs, () => this.#sendCancel());
  }

  /** A response is over; true: it was the one under way. Then `pump`. */
  done(responseId: string): boolean {
    const waited = this.#state === 'active' || this.#state === 'cancelling';
    const ours = this.#responseId === responseId;
    if (!waited || (this.#responseId !== null && !ours)) return false;
    this.#over();
    if (!ours) this.pump();
    return ours;
  }

  /** An error came that names something we sent. */
  refused(fault: ServerFault): void {
    const eventId = fault.event_id ?? '';
    if (eventId === `cancel-${this.#count}` && this.#state === 'cancelling') this.#giveUp('It was over already.');
    if (eventId !== `response-${this.#count}` || this.#state !== 'asked') return;
    if (fault.code !== 'conversation_already_has_active_response') return this.#giveUp('The model refused to answer.');
    // Not ours, but under way: the next turn is behind it.
    this.#wanted = !this.#cancelAtOnce;
    this.#responseId = null;
    this.#enter('active', this.#limits.askedMs, () => this.#sendCancel());
  }

  /** The session is over; true: so is a response that was under way. */
  reset(): boolean {
    const lost = this.#state !== 'idle';
    this.#over();
    return lost;
  }

  #sendCancel(): void {
    this.#enter('cancelling', this.#limits.cancelMs, () => this.#giveUp('The response did not end.'));
    this.#options.send({ type: 'response.cancel', event_id: `cancel-${this.#count}` });
  }

  #giveUp(reason: string): void {
    this.#over();
    this.#options.failed(reason);
    this.pump();
  }

  #over(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#state = 'idle';
    this.#responseId = null;
  }

  #enter(state: State, forMs: number, then: () => void): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#state = state;
    this.#timer = setTimeout(then, forMs);
  }
}
