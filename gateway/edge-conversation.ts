import { z } from 'zod';
import { EDGE_LINK_PATH, LinkUp, MAX_LINK_MESSAGE_BYTES } from '../contracts/edge-link.ts';
import type { LinkAck, LinkError, LinkEvent, LinkHello, LinkTranscript } from '../contracts/edge-link.ts';
import type { FinalReply } from '../contracts/replies.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';
import { UtteranceId } from '../contracts/transcript.ts';
import { unlessAborted } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import type { Scrub } from '../platform/secrets.ts';
import { answerTranscript, statusOf } from './answer-transcript.ts';
import { SlowReader } from './event-stream.ts';
import type { LinkEvents, Listener } from './link-events.ts';
import type { InFlight } from './middleware/limit-in-flight.ts';
import { parsed, scrubbed } from './parsed.ts';
import { ProblemError, problemBody, problemOf, PROBLEMS } from './problems.ts';
import type { SessionTraces } from './session-traces.ts';
import type { SubmitTranscript } from './submit-transcript.ts';

/** Finals of one link that are being answered; a further one is told to come back. */
export const MAX_FINALS = 64;
/** An edge says who it is within this. */
const HELLO_MS = 5_000;
/** Malformed messages of one link before it is closed: an edge of ours sends none. */
export const MAX_MALFORMED = 20;
/** Beyond these bytes that wait for the edge, events wait too; an edge that takes nothing for SLOW_MS is dropped. */
const WAITING_BYTES = 256 * 1024;
const SLOW_MS = 10_000;
/** Bytes that wait for the edge before its link is closed, whatever they are. */
const MAX_WAITING_BYTES = 2 * 1024 * 1024;

/**
 * Why a link is closed: codes of RFC 6455, and two of our own. An edge comes back after each of them, except after
 * `replaced`: that was itself.
 */
export const LINK_CLOSE = {
  ending: 1001,
  notText: 1003,
  refused: 1008,
  failed: 1011,
  replaced: 4001,
  /** It took less than happened; the `after` of its next hello goes on from there. */
  slow: 4002,
} as const;

/** The far end of one connection. */
export interface LinkPeer {
  /** Resolves when the message has left the process, or never will; never rejects. */
  send(text: string): Promise<void>;
  /** Bytes given to `send` that have not left. */
  readonly waitingBytes: number;
  /** Repeatable; the first one counts. */
  close(code: number, reason: string): void;
}

/** What a connection tells its conversation. */
export interface Link {
  message(text: string): void;
  /** The connection is gone, whoever ended it. */
  closed(): void;
}

export interface ConversationDeps {
  submit: SubmitTranscript;
  /** Begins to tell an edge of its tasks. */
  events: (listener: Listener) => LinkEvents;
  sessions: Pick<SessionTraces, 'adopt'>;
  inFlight: InFlight;
  scrub: Scrub;
  log: Log;
}

/** What the conversations have to do with each other. */
export interface Surroundings {
  /** It has said who it is. */
  greeted(sessionId: string, follow: LinkEvents['follow']): void;
  /** A final of that session was answered here. */
  answered(sessionId: string | undefined, reply: FinalReply): void;
  /** Something is being answered that should not be cut off. */
  busy(work: Promise<void>): void;
}

export interface Conversation extends Link {
  close(code: number, reason: string): void;
}

const Named = z.looseObject({ utterance_id: UtteranceId });
/** The utterance a message is about, whatever else is wrong with it. */
const utteranceIn = (message: unknown): string | null => {
  const named = Named.safeParse(message);
  return named.success ? named.data.utterance_id : null;
};

const errorOf = (problem: ProblemError, utteranceId: string | null): LinkError => ({
  type: 'error',
  utterance_id: utteranceId,
  status: PROBLEMS[problem.problem].status,
  ...(problem.retryAfterS !== null && { retry_after_ms: problem.retryAfterS * 1_000 }),
  problem: problemBody(problem),
});

/** An event as one message; one that is too large goes without the largest parts of its payload, and says so. */
const eventMessage = (event: TraceEvent): string => {
  const whole = JSON.stringify({ type: 'event', ...event } satisfies LinkEvent);
  if (Buffer.byteLength(whole) <= MAX_LINK_MESSAGE_BYTES) return whole;
  const payload: Record<string, unknown> = { cut: true };
  let room = MAX_LINK_MESSAGE_BYTES / 2;
  for (const [name, value] of Object.entries(event.payload)) {
    const bytes = Buffer.byteLength(JSON.stringify([name, value]));
    if (bytes > room) continue;
    room -= bytes;
    payload[name] = value;
  }
  return JSON.stringify({ type: 'event', ...event, payload } satisfies LinkEvent);
};

/** One link from its first message to its last. Nothing here waits for anything else: messages are read as they come. */
export const createConversation = (deps: ConversationDeps, peer: LinkPeer, around: Surroundings): Conversation => {
  const { submit, log } = deps;
  const gone = new AbortController();
  let session: { id: string; events: LinkEvents } | null = null;
  let malformed = 0;
  let finals = 0;

  const end = (reason: string): void => {
    clearTimeout(patience);
    gone.abort(new Error(reason));
  };
  const close = (code: number, reason: string): void => {
    peer.close(code, reason);
    end(reason);
  };
  const patience = setTimeout(() => close(LINK_CLOSE.refused, 'no hello came'), HELLO_MS);

  const say = (message: LinkAck | LinkError): void => {
    if (gone.signal.aborted) return;
    void peer.send(JSON.stringify(message));
    if (peer.waitingBytes > MAX_WAITING_BYTES) close(LINK_CLOSE.slow, 'too much waits for you');
  };
  const tell = async (event: TraceEvent): Promise<void> => {
    gone.signal.throwIfAborted();
    const sent = peer.send(eventMessage(event));
    if (peer.waitingBytes < WAITING_BYTES) return;
    try {
      await unlessAborted(sent, AbortSignal.any([gone.signal, AbortSignal.timeout(SLOW_MS)]));
    } catch {
      gone.signal.throwIfAborted();
      throw new SlowReader();
    }
  };
  const failed = (error: unknown): void => {
    if (error instanceof SlowReader) return close(LINK_CLOSE.slow, 'too slow');
    log.error({ err: error }, 'a link to an edge failed');
    close(LINK_CLOSE.failed, 'the gateway failed');
  };

  const greet = ({ session_id: id, after }: LinkHello): void => {
    clearTimeout(patience);
    session = { id, events: deps.events({ sessionId: id, after, tell, failed, signal: gone.signal }) };
    around.greeted(id, session.events.follow);
    log.info({ sessionId: id }, 'an edge is linked');
  };

  /** One final more that is being answered; the answer counts it off. @throws ProblemError too-many */
  const enter = (): (() => void) => {
    if (finals >= MAX_FINALS)
      throw new ProblemError('too-many', `${MAX_FINALS} finals of this link are under way`, { retryAfterS: 1 });
    const leave = deps.inFlight.enter();
    finals += 1;
    return () => {
      finals -= 1;
      leave();
    };
  };

  const refuse = (error: unknown, utteranceId: string | null): void => {
    const problem = problemOf(error);
    if (problem.problem === 'internal')
      log.error({ method: 'GET', path: EDGE_LINK_PATH, err: problem.cause }, 'a request failed');
    say(errorOf(problem, utteranceId));
  };

  const take = async (
    { type: _type, ...transcript }: LinkTranscript,
    by: { id: string; events: LinkEvents },
  ): Promise<void> => {
    let leave = (): void => undefined;
    try {
      if (transcript.is_final) leave = enter();
      const reply = await answerTranscript(submit, transcript);
      if (reply.status === 'partial_received') return;
      // Before it is acknowledged: after that nobody would say again whose it is.
      if (reply.status === 'accepted' && transcript.session_id !== by.id)
        await deps.sessions.adopt(by.id, reply.trace_id);
      say({ type: 'ack', utterance_id: transcript.utterance_id, status: statusOf(reply), reply });
      if (reply.status !== 'accepted') return;
      by.events.follow(reply.trace_id);
      around.answered(transcript.session_id, reply);
    } catch (error) {
      refuse(error, transcript.utterance_id);
    } finally {
      leave();
    }
  };

  /** @throws ProblemError bad-request, too-large */
  const understand = (text: string, json: unknown): LinkUp => {
    if (Buffer.byteLength(text) > MAX_LINK_MESSAGE_BYTES)
      throw new ProblemError('too-large', `at most ${MAX_LINK_MESSAGE_BYTES} bytes`);
    if (json === undefined) throw new ProblemError('bad-request', 'the message is not valid JSON');
    const up = parsed(LinkUp, scrubbed(json, deps.scrub), 'bad-request');
    if (up.type === 'hello' && session) throw new ProblemError('bad-request', 'hello comes once, and first');
    return up;
  };

  const hear = (text: string): void => {
    const json = jsonIn(text);
    let up: LinkUp;
    try {
      up = understand(text, json);
    } catch (error) {
      // Before hello nothing was refused for what it says: its finals come again on the next link.
      refuse(error, session ? utteranceIn(json) : null);
      malformed += 1;
      if (!session) close(LINK_CLOSE.refused, 'hello comes first');
      else if (malformed >= MAX_MALFORMED) close(LINK_CLOSE.refused, 'too many malformed messages');
      return;
    }
    if (up.type === 'hello') greet(up);
    else if (session) around.busy(take(up, session));
    else close(LINK_CLOSE.refused, 'hello comes first');
  };

  return {
    close,
    message: (text) => {
      if (gone.signal.aborted) return;
      try {
        hear(text);
      } catch (error) {
        failed(error);
      }
    },
    closed: () => end('the edge went away'),
  };
};

/** undefined: it is none. */
const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};
