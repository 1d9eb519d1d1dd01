import type { Log } from '../platform/log.ts';
import { meaningOf } from './forward-failures.ts';
import { createFinalSender } from './forward-finals.ts';
import { createPartialSender } from './forward-partials.ts';
import type { PartialCounts } from './forward-partials.ts';
import type { Forwarder, ForwarderEvents, WayState } from './forwarder.ts';
import { localFailure } from './gateway-calls.ts';
import type { GatewayCalls } from './gateway-calls.ts';
import { createGatewayLink } from './gateway-link.ts';
import type { LinkCounts, OpenSocket, SocketEnd } from './gateway-link.ts';
import type { Spool } from './spool.ts';
import { mintId, traceIdOf } from './utterance.ts';

/** How often it is looked for what another edge left that died, milliseconds. */
const RESCAN_MS = 10_000;
/** Numbers without a final that wait to be told. Each that is forgotten costs the gateway 2 s of waiting. */
const MAX_SKIPS = 256;

export interface ForwarderDeps {
  sessionId: string;
  spool: Spool;
  openSocket: OpenSocket;
  calls: GatewayCalls;
  events: Omit<ForwarderEvents, 'spool'>;
  log: Pick<Log, 'warn'>;
  /** 0 to 1; default `Math.random`. */
  random?: () => number;
}

/** What forwarding counted since it began. */
export interface ForwardCounts {
  link: LinkCounts;
  partials: PartialCounts;
  repeatedAcks: number;
}

/** Why there is no link, with what to do where a person must do it. */
const troubleOf = ({ reason, status }: SocketEnd, url: string): string => {
  const meaning = meaningOf(localFailure('unreachable', reason, status), url);
  return meaning.kind === 'wait' ? meaning.say : reason;
};

/** Forwards over the link, or over HTTP while it is away. The spool is the forwarder's now, and closed with it. */
export const createForwarder = (deps: ForwarderDeps): Forwarder & { counts(): ForwardCounts } => {
  const { sessionId, spool, calls, events, log } = deps;
  const random = deps.random && { random: deps.random };
  const closing = new AbortController();
  const skips = new Map<string, { sessionId: string; sequence: number }>();
  /** Since the link went away. */
  let httpWorks = false;
  let trouble: string | null = null;
  let linkTrouble: string | null = null;
  let told = '';

  const state = (): [WayState, string | null] => {
    if (trouble !== null) return ['waiting', trouble];
    if (link.up) return ['link', null];
    if (httpWorks) return ['http', null];
    return linkTrouble === null ? ['connecting', null] : ['waiting', linkTrouble];
  };
  const tell = (): void => {
    const [way, problem] = state();
    if (closing.signal.aborted || told === `${way} ${problem}`) return;
    told = `${way} ${problem}`;
    events.state(way, problem);
  };

  const finals = createFinalSender({
    spool,
    link: () => link,
    calls,
    log,
    ...random,
    events: {
      acked: (utteranceId, reply) => events.acked(utteranceId, reply),
      refused: (utteranceId, problem) => events.refused(utteranceId, problem),
      // Under a new id: what is known under the old one may be over, and nothing may follow it.
      unused: (ofSession, sequence) => skip(mintId('u'), ofSession, sequence),
      overHttp: () => {
        if (!link.up) httpWorks = true;
        tellSkips();
        tell();
      },
      trouble: (problem) => {
        trouble = problem;
        if (problem !== null) httpWorks = false;
        tell();
      },
    },
  });
  const partials = createPartialSender(() => link, sessionId);

  /** A partial without a revision uses a number up: the gateway waits for no final under it. */
  const tellSkips = (): void => {
    for (const [utteranceId, { sessionId: ofSession, sequence }] of skips) {
      const body = { is_final: false, text: '', utterance_id: utteranceId, session_id: ofSession, sequence };
      if (link.send({ type: 'transcript', ...body })) skips.delete(utteranceId);
      else if (httpWorks) {
        skips.delete(utteranceId);
        void calls.partial(body, closing.signal);
      }
    }
  };

  const skip = (utteranceId: string, ofSession: string, sequence: number): void => {
    skips.set(utteranceId, { sessionId: ofSession, sequence });
    const [oldest] = skips.keys();
    if (skips.size > MAX_SKIPS && oldest !== undefined) skips.delete(oldest);
    tellSkips();
  };

  const link = createGatewayLink({
    open: deps.openSocket,
    sessionId,
    ...random,
    events: {
      up: () => {
        linkTrouble = null;
        httpWorks = false;
        tellSkips();
        finals.linkUp();
        tell();
      },
      down: (end, wasUp) => {
        if (!wasUp) linkTrouble = troubleOf(end, calls.url);
        finals.linkDown();
        tell();
      },
      ack: (ack) => finals.ack(ack),
      refused: (error) => {
        if (error.utterance_id === null)
          log.warn({ status: error.status, problem: error.problem.type }, 'the gateway did not understand a message');
        finals.linkError(error);
      },
      task: (event) => events.task(event),
    },
  });

  const rescan = setInterval(() => void spool.rescan().then(() => finals.wake()), RESCAN_MS);
  rescan.unref();
  tell();
  finals.wake();

  return {
    partial: (partial) => {
      if (!closing.signal.aborted) partials.offer(partial);
    },
    final: async (final) => {
      partials.over(final.utteranceId);
      const where = await spool.add({ ...final, sessionId });
      const { utteranceId } = final;
      if (where === 'disk') events.spooled(utteranceId, traceIdOf(utteranceId), final.text);
      finals.wake();
    },
    skip: (utteranceId, sequence) => {
      partials.over(utteranceId);
      skip(utteranceId, sessionId, sequence);
    },
    get pending() {
      return spool.entries.length;
    },
    counts: () => ({ link: link.counts, partials: partials.counts, repeatedAcks: finals.repeatedAcks }),
    close: async () => {
      clearInterval(rescan);
      closing.abort();
      partials.close();
      await finals.close();
      await link.close();
      await spool.close();
    },
  };
};
