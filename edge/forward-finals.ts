import type { LinkAck, LinkError } from '../contracts/edge-link.ts';
import type { FinalReply, Problem } from '../contracts/replies.ts';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { backoffMs } from './backoff.ts';
import { bodyOf, whyUnsendable } from './forward-body.ts';
import type { FinalBody } from './forward-body.ts';
import { meaningOf } from './forward-failures.ts';
import { localFailure } from './gateway-calls.ts';
import type { CallFailure, GatewayCalls } from './gateway-calls.ts';
import type { GatewayLink } from './gateway-link.ts';
import type { SpooledFinal } from './spool-final.ts';
import type { SpoolEntry } from './spool-index.ts';
import type { Spool } from './spool.ts';
import { traceIdOf } from './utterance.ts';

/** Finals under way at once; the gateway lets 64 of a session wait. */
const WINDOW = 8;
/** A final on the link without an answer is sent over HTTP after this, milliseconds. */
const ACK_MS = 10_000;
/** The link may be away this long before HTTP stands in, milliseconds: most reconnects are over sooner. */
const LINK_GRACE_MS = 1_000;
/** Between attempts while nobody gets through, and of one final that fails alone; milliseconds. */
const RETRY = { firstMs: 500, mostMs: 15_000 };

/** What became of finals, and how the way is, by the finals' experience. */
export interface FinalEvents {
  acked(utteranceId: string, reply: FinalReply): void;
  refused(utteranceId: string, problem: Problem): void;
  /** No final will come under this number of that session. */
  unused(sessionId: string, sequence: number): void;
  /** An answer came over HTTP. */
  overHttp(): void;
  /** Nobody gets through now (why, for people), or somebody did again (null). */
  trouble(problem: string | null): void;
}

type LinkForFinals = Pick<GatewayLink, 'up' | 'send' | 'drop'>;

export interface FinalSenderDeps {
  spool: Spool;
  link: () => LinkForFinals;
  calls: Pick<GatewayCalls, 'submit' | 'url'>;
  events: FinalEvents;
  log: Pick<Log, 'warn'>;
  random?: () => number;
}

export interface FinalSender {
  /** There may be something to send. */
  wake(): void;
  linkUp(): void;
  linkDown(): void;
  ack(ack: LinkAck): void;
  linkError(error: LinkError): void;
  /** Acknowledgements of what was acknowledged before. */
  readonly repeatedAcks: number;
  close(): Promise<void>;
}

type Way = 'link' | 'http';

interface Flight {
  entry: SpoolEntry;
  /** null: it is being read. */
  sent: { way: Way; body: FinalBody } | null;
  /** Ends the wait for its answer. */
  giveUp(): void;
}

/**
 * Brings what is in the spool to the gateway, in spoken order, some at once, each until it is answered: over the link,
 * or over HTTP while the link is away or deaf. Finals of two starts of the edge are never under way together, since
 * only within one does the gateway know their order.
 */
export const createFinalSender = (deps: FinalSenderDeps): FinalSender => {
  const { spool, calls, events, log, random } = deps;
  const link = (): LinkForFinals => deps.link();
  const closing = new AbortController();
  const flights = new Map<string, Flight>();
  /** Finals that failed alone. */
  const later = new Map<string, { failures: number; notBeforeMs: number }>();
  /** Finals to which the link gave no answer. */
  const unheard = new Set<string>();
  let linkAwaySinceMs: number | null = performance.now();
  /** In a row, of everybody. */
  let failures = 0;
  let waitUntilMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let repeatedAcks = 0;

  const waitMs = (attempt: number): number => backoffMs(attempt, { ...RETRY, ...(random && { random }) });
  const wakeAt = (atMs: number): void => {
    clearTimeout(timer);
    if (!closing.signal.aborted) timer = setTimeout(wake, Math.max(1, Math.ceil(atMs - performance.now())));
  };
  const land = (flight: Flight): void => {
    flight.giveUp();
    flights.delete(flight.entry.key);
  };
  const wayFor = ({ key }: SpoolEntry): Way | null => {
    if (link().up && !unheard.has(key)) return 'link';
    const away = linkAwaySinceMs === null || performance.now() - linkAwaySinceMs >= LINK_GRACE_MS;
    return away || unheard.has(key) ? 'http' : null;
  };

  const forget = ({ key }: SpoolEntry): void => {
    const flight = flights.get(key);
    if (flight) land(flight);
    later.delete(key);
    unheard.delete(key);
  };
  const gotThrough = (): void => {
    failures = 0;
    events.trouble(null);
  };
  const delivered = (entry: SpoolEntry, utteranceId: string, reply: FinalReply): void => {
    forget(entry);
    gotThrough();
    void spool.settle(entry);
    events.acked(utteranceId, reply);
  };
  const refuse = (entry: SpoolEntry, body: FinalBody, problem: Problem): void => {
    forget(entry);
    void spool.refuse(entry, problem);
    events.refused(body.utterance_id, problem);
    events.unused(body.session_id, body.sequence);
  };
  const postpone = ({ key }: SpoolEntry): void => {
    const before = later.get(key)?.failures ?? 0;
    later.set(key, { failures: before + 1, notBeforeMs: performance.now() + Math.max(RETRY.firstMs, waitMs(before)) });
  };
  const failed = (entry: SpoolEntry, body: FinalBody, failure: CallFailure): void => {
    const flight = flights.get(entry.key);
    if (flight) land(flight);
    const meaning = meaningOf(failure, calls.url);
    if (meaning.kind === 'refused') {
      gotThrough();
      refuse(entry, body, failure.problem);
    } else if (meaning.kind === 'later') {
      log.warn({ traceId: entry.key, status: failure.status, problem: failure.problem.type }, 'a final failed alone');
      postpone(entry);
    } else {
      const nowMs = performance.now();
      // Those that were under way together fail together: that is one failure.
      const ownMs = nowMs >= waitUntilMs ? waitMs(failures++) : 0;
      waitUntilMs = Math.max(waitUntilMs, nowMs + Math.max(meaning.leastMs, ownMs));
      events.trouble(meaning.say);
    }
    wake();
  };

  const overLink = (flight: Flight, body: FinalBody): boolean => {
    if (!link().send({ type: 'transcript', ...body })) return false;
    const late = setTimeout(() => {
      unheard.add(flight.entry.key);
      land(flight);
      link().drop(`no answer within ${ACK_MS} ms`);
      wake();
    }, ACK_MS);
    flight.giveUp = () => clearTimeout(late);
    return true;
  };
  const overHttp = async (flight: Flight, body: FinalBody): Promise<void> => {
    const given = new AbortController();
    flight.giveUp = () => given.abort();
    const result = await calls.submit(body, AbortSignal.any([given.signal, closing.signal]));
    // Acknowledged over the link meanwhile, or this is the end.
    if (flights.get(flight.entry.key) !== flight || closing.signal.aborted) return;
    if (!result.ok) return failed(flight.entry, body, result);
    delivered(flight.entry, body.utterance_id, result.reply);
    events.overHttp();
    wake();
  };

  /** The first that may go now. */
  const next = (nowMs: number): SpoolEntry | null => {
    const [underWay] = flights.values();
    let soonestMs = Infinity;
    for (const entry of spool.entries) {
      if (flights.has(entry.key)) continue;
      const notBeforeMs = later.get(entry.key)?.notBeforeMs ?? 0;
      if (notBeforeMs > nowMs) {
        soonestMs = Math.min(soonestMs, notBeforeMs);
        continue;
      }
      return underWay && underWay.entry.folder !== entry.folder ? null : entry;
    }
    if (Number.isFinite(soonestMs)) wakeAt(soonestMs);
    return null;
  };

  /** Sends one; false when none can go now. */
  const sendNext = async (): Promise<boolean> => {
    const nowMs = performance.now();
    if (waitUntilMs > nowMs) {
      wakeAt(waitUntilMs);
      return false;
    }
    // While nobody gets through, one tries for all.
    if (flights.size >= (failures > 0 ? 1 : WINDOW)) return false;
    const entry = next(nowMs);
    if (!entry) return false;
    if (!wayFor(entry)) {
      wakeAt((linkAwaySinceMs ?? nowMs) + LINK_GRACE_MS);
      return false;
    }
    const flight: Flight = { entry, sent: null, giveUp: () => undefined };
    flights.set(entry.key, flight);
    let final: SpooledFinal | null;
    try {
      final = await spool.read(entry);
    } catch (error) {
      log.warn({ traceId: entry.key, error: messageOf(error) }, 'a spooled final cannot be read now');
      land(flight);
      postpone(entry);
      return true;
    }
    // Answered, gone or over while it was read.
    if (flights.get(entry.key) !== flight || closing.signal.aborted) return true;
    if (!final) {
      forget(entry);
      return true;
    }
    const body = bodyOf(final);
    const unsendable = whyUnsendable(body);
    if (unsendable !== null) {
      refuse(entry, body, localFailure('unsendable', unsendable, 400).problem);
      return true;
    }
    const way = wayFor(entry);
    flight.sent = way && { way, body };
    if (way === 'link' && overLink(flight, body)) return true;
    if (way === 'http') void overHttp(flight, body);
    else land(flight);
    return way === 'http';
  };

  const run = async (): Promise<void> => {
    do {
      again = false;
      while (!closing.signal.aborted && (await sendNext()));
    } while (again && !closing.signal.aborted);
  };
  const wake = (): void => {
    if (closing.signal.aborted) return;
    again = true;
    running ??= run().finally(() => (running = undefined));
  };

  return {
    wake,
    get repeatedAcks() {
      return repeatedAcks;
    },
    linkUp: () => {
      linkAwaySinceMs = null;
      failures = 0;
      waitUntilMs = 0;
      events.trouble(null);
      wake();
    },
    linkDown: () => {
      linkAwaySinceMs ??= performance.now();
      for (const flight of [...flights.values()]) if (flight.sent?.way === 'link') land(flight);
      wake();
    },
    ack: ({ utterance_id: utteranceId, reply }) => {
      const entry = spool.get(traceIdOf(utteranceId));
      if (entry) delivered(entry, utteranceId, reply);
      else repeatedAcks += 1;
      wake();
    },
    linkError: ({ utterance_id: utteranceId, status, problem, retry_after_ms: retryAfterMs }) => {
      const flight = utteranceId === null ? undefined : flights.get(traceIdOf(utteranceId));
      if (!flight?.sent) return;
      failed(flight.entry, flight.sent.body, { ok: false, status, problem, retryAfterMs: retryAfterMs ?? null });
    },
    close: async () => {
      closing.abort();
      clearTimeout(timer);
      for (const flight of [...flights.values()]) land(flight);
      await running;
    },
  };
};
