import type { LineState } from './recogniser.ts';
import type { ConnectionEnd, ConnectRealtime, RealtimeConnection } from './realtime-connection.ts';
import type { ClientEvent, ServerEvent, SessionSettings } from './realtime-events.ts';
import type { LineLimits } from './realtime-limits.ts';
import { SESSION_LIMITS } from './realtime-limits.ts';
import { readServerEvent } from './realtime-events.ts';
import { judgeFault, refusedSettings } from './realtime-failures.ts';

/** How much is going on: nothing; nothing is being said, answers are awaited; somebody speaks. */
export type Calm = 'quiet' | 'between' | 'busy';

/** Something worth a count or a line in the log; `code` is the service's own word where it has one. */
export interface RealtimeNotice {
  kind: 'reconnect' | 'rotation' | 'replay' | 'server_error' | 'unknown_event' | 'unreadable_event';
  code: string | null;
}

/** What a line tells its owner. */
export interface LineEvents {
  /** A session is set up and empty; it takes sound from now on. */
  opened(): void;
  /** Of the session opened last. */
  event(event: ServerEvent): void;
  /** That session is over; what it had not answered it never will. */
  gone(): void;
  state(state: LineState, problem: string | null): void;
  /** Asked when a session is to be replaced before its time is up. */
  calm(): Calm;
  notice(notice: RealtimeNotice): void;
}

export interface LineOptions {
  connect: ConnectRealtime;
  settings: SessionSettings;
  events: LineEvents;
  limits?: Partial<LineLimits>;
  /** 0 to 1; default: Math.random. */
  random?: () => number;
}

const SETUP_ID = 'setup';

/** One connection and how far it has come. */
interface Leg {
  connection: RealtimeConnection;
  /** Its session is set up. */
  ready: boolean;
  /** `performance.now()` when its session ends. */
  endsAtMs: number;
  timers: NodeJS.Timeout[];
}

/**
 * A line to the Realtime service that is opened again whenever it ends, until something fatal happens. Near the end of
 * a session's time the next one is opened first and then takes its place, so that nothing waits.
 */
export class RealtimeLine {
  readonly #options: LineOptions;
  readonly #limits: LineLimits;
  #current: Leg | null = null;
  #next: Leg | null = null;
  #redial: NodeJS.Timeout | null = null;
  /** Connections in a row that did not last. */
  #failures = 0;
  #said = '';
  #closed = false;
  #closing: Promise<void>[] = [];

  constructor(options: LineOptions) {
    this.#options = options;
    this.#limits = { ...SESSION_LIMITS, ...options.limits };
  }

  /** Begins; once. */
  start(): void {
    this.#say('connecting', null);
    this.#dial();
  }

  get isOpen(): boolean {
    return this.#current !== null;
  }

  /** Of the session opened last; 0 without one. */
  get bufferedBytes(): number {
    return this.#current?.connection.bufferedBytes ?? 0;
  }

  /** false: there is no session. true promises nothing. */
  send(event: ClientEvent): boolean {
    return this.#current?.connection.send(event) ?? false;
  }

  /** It has become calmer: a replacement that waits for that may happen. */
  calmer(): void {
    const current = this.#current;
    if (!current || !this.#next?.ready) return;
    const leftMs = current.endsAtMs - performance.now();
    const calm = this.#options.events.calm();
    const { rotateBetweenMs, rotateNowMs } = this.#limits;
    if (calm === 'quiet' || (calm === 'between' && leftMs <= rotateBetweenMs) || leftMs <= rotateNowMs)
      this.#promote(this.#next);
  }

  /** Ends the session and opens another: it no longer does what it should. */
  renew(reason: string): void {
    const leg = this.#current;
    if (!leg) return;
    this.#drop(leg);
    this.#ended(leg, { fatal: false, message: reason, retryAfterMs: null });
  }

  async close(): Promise<void> {
    this.#shut();
    await Promise.all(this.#closing);
  }

  #shut(): void {
    this.#closed = true;
    if (this.#redial) clearTimeout(this.#redial);
    for (const leg of [this.#current, this.#next]) if (leg) this.#drop(leg);
    this.#current = null;
    this.#next = null;
  }

  #dial(): void {
    const connection = this.#options.connect({
      open: () => void connection.send({ type: 'session.update', event_id: SETUP_ID, session: this.#options.settings }),
      event: (raw) => this.#hear(leg, raw),
      ended: (end) => this.#ended(leg, end),
    });
    const endsAtMs = performance.now() + this.#limits.lifetimeMs;
    const leg: Leg = { connection, ready: false, endsAtMs, timers: [] };
    this.#next = leg;
    this.#at(leg, this.#limits.setupMs, () => {
      if (leg.ready) return;
      this.#drop(leg);
      this.#ended(leg, { fatal: false, message: 'The speech service set up no session.', retryAfterMs: null });
    });
  }

  #at(leg: Leg, inMs: number, act: () => void): void {
    leg.timers.push(setTimeout(act, Math.max(0, inMs)));
  }

  #drop(leg: Leg): void {
    for (const timer of leg.timers) clearTimeout(timer);
    const closing = leg.connection.close();
    this.#closing.push(closing);
    void closing.then(() => this.#closing.splice(this.#closing.indexOf(closing), 1));
  }

  #ended(leg: Leg, end: ConnectionEnd): void {
    if (leg !== this.#current && leg !== this.#next) return;
    for (const timer of leg.timers) clearTimeout(timer);
    const wasCurrent = leg === this.#current;
    if (wasCurrent) this.#current = null;
    else this.#next = null;
    if (end.fatal && this.#current === null) {
      this.#shut();
      if (wasCurrent) this.#options.events.gone();
      this.#say('closed', end.message);
      return;
    }
    if (wasCurrent) {
      this.#options.events.notice({ kind: 'reconnect', code: null });
      this.#options.events.gone();
    }
    if (this.#closed) return;
    if (this.#next === null) this.#dialLater(end);
    else if (this.#next.ready) this.#promote(this.#next);
    else this.#say('connecting', end.message);
  }

  #dialLater(end: ConnectionEnd): void {
    const { firstBackoffMs, lastBackoffMs } = this.#limits;
    const random = this.#options.random ?? Math.random;
    const backoffMs = Math.min(lastBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    const waitMs = Math.max(backoffMs * (1 - random() / 2), end.retryAfterMs ?? 0);
    if (!this.#current) this.#say('waiting', end.message);
    if (this.#redial) clearTimeout(this.#redial);
    this.#redial = setTimeout(() => {
      this.#redial = null;
      if (!this.#current) this.#say('connecting', end.message);
      this.#dial();
    }, waitMs);
  }

  #hear(leg: Leg, raw: unknown): void {
    if (leg !== this.#current && leg !== this.#next) return;
    const read = readServerEvent(raw);
    if (read.kind !== 'known') {
      this.#options.events.notice({ kind: `${read.kind}_event`, code: null });
      return;
    }
    const { event } = read;
    if (event.type === 'session.created' || event.type === 'session.updated') this.#live(leg, event);
    else if (event.type === 'error' && this.#over(leg, event)) return;
    else if (leg === this.#current) this.#options.events.event(event);
  }

  /** Takes note of how long a session lives, once: a clock that jumps later changes nothing. */
  #live(leg: Leg, event: ServerEvent & { type: 'session.created' | 'session.updated' }): void {
    const { lifetimeMs, leastLifetimeMs } = this.#limits;
    const saysMs = typeof event.session.expires_at === 'number' ? event.session.expires_at * 1_000 - Date.now() : null;
    if (saysMs !== null && saysMs >= leastLifetimeMs && saysMs < lifetimeMs) leg.endsAtMs = performance.now() + saysMs;
    if (event.type === 'session.updated' && !leg.ready) {
      leg.ready = true;
      if (this.#current === null) this.#promote(leg);
      else this.calmer();
    }
  }

  #over(leg: Leg, event: ServerEvent & { type: 'error' }): boolean {
    const { error } = event;
    this.#options.events.notice({ kind: 'server_error', code: error.code ?? error.type ?? null });
    const end = error.event_id === SETUP_ID && !leg.ready ? refusedSettings(error) : judgeFault(error);
    if (!end) return false;
    this.#drop(leg);
    this.#ended(leg, end);
    return true;
  }

  #promote(leg: Leg): void {
    const { events } = this.#options;
    const old = this.#current;
    this.#current = leg;
    this.#next = null;
    if (old) {
      this.#drop(old);
      events.notice({ kind: 'rotation', code: null });
      events.gone();
    }
    this.#at(leg, this.#limits.steadyMs, () => {
      this.#failures = 0;
    });
    this.#planRotation(leg);
    this.#say('open', null);
    events.opened();
  }

  #planRotation(leg: Leg): void {
    const leftMs = leg.endsAtMs - performance.now();
    const { rotateQuietMs, rotateBetweenMs, rotateNowMs } = this.#limits;
    // A session that lives shortly is replaced in the second half of its life, not at once.
    this.#at(leg, leftMs - Math.min(rotateQuietMs, leftMs / 2), () => {
      if (this.#next === null && this.#redial === null) this.#dial();
    });
    // A little later than to the point: timers may be early by a part of a millisecond, and these come once.
    for (const beforeMs of [rotateBetweenMs, rotateNowMs]) this.#at(leg, leftMs - beforeMs + 5, () => this.calmer());
  }

  #say(state: LineState, problem: string | null): void {
    const words = `${state} ${problem ?? ''}`;
    if (this.#closed && state !== 'closed') return;
    if (words === this.#said) return;
    this.#said = words;
    this.#options.events.state(state, problem);
  }
}
