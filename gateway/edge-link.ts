import type { IncomingMessage } from 'node:http';
import { EDGE_LINK_PATH } from '../contracts/edge-link.ts';
import type { FinalReply } from '../contracts/replies.ts';
import { delay } from '../platform/lifecycle.ts';
import { createConversation, LINK_CLOSE } from './edge-conversation.ts';
import type { Conversation, ConversationDeps, Link, LinkPeer } from './edge-conversation.ts';
import type { LinkEvents } from './link-events.ts';
import { checkOrigin } from './middleware/guard-origin.ts';
import { createBearerCheck, unauthorized } from './middleware/require-token.ts';
import { ProblemError } from './problems.ts';

/** Edges linked at once; a house has a few. */
export const MAX_LINKS = 32;
/** What an edge waits that found no place, or a gateway that ends. */
const RETRY_S = 5;
/** What is being answered when the process ends may take this long. */
const DRAIN_MS = 2_000;

export interface EdgeLinks {
  /** Links that are open. */
  readonly size: number;
  /** The checks of a request over HTTP, and whether there is room. @throws ProblemError why it is not upgraded */
  admit(request: Pick<IncomingMessage, 'headers' | 'url'>): void;
  open(peer: LinkPeer): Link;
  /** A final of that session was answered on another way: its link hears of the task. */
  answered(sessionId: string | undefined, reply: FinalReply): void;
  /** Admits nobody and takes nothing more, lets what is being answered be answered, then closes every link. */
  close(): Promise<void>;
}

export interface EdgeLinkDeps extends ConversationDeps {
  hosts: ReadonlySet<string>;
  token: string;
}

/** The gateway's side of `/ws/edge`, all links together; sockets are an adapter's business. */
export const createEdgeLinks = (deps: EdgeLinkDeps): EdgeLinks => {
  const checkBearer = createBearerCheck(deps.token);
  const open = new Set<Conversation>();
  const bySession = new Map<string, { conversation: Conversation; follow: LinkEvents['follow'] }>();
  const answering = new Set<Promise<void>>();
  let ending = false;

  const answered = (sessionId: string | undefined, reply: FinalReply): void => {
    if (sessionId !== undefined && reply.status === 'accepted') bySession.get(sessionId)?.follow(reply.trace_id);
  };

  return {
    get size() {
      return open.size;
    },
    admit: ({ headers, url = '' }) => {
      checkOrigin(deps.hosts, headers);
      if (!checkBearer(headers.authorization)) throw unauthorized();
      if (url.split('?')[0] !== EDGE_LINK_PATH) throw new ProblemError('not-found', `only ${EDGE_LINK_PATH} is a link`);
      if (ending) throw new ProblemError('not-ready', 'the gateway ends', { retryAfterS: RETRY_S });
      if (open.size >= MAX_LINKS)
        throw new ProblemError('too-many', `${MAX_LINKS} edges are linked`, { retryAfterS: RETRY_S });
    },
    open: (peer) => {
      let greetedAs: string | null = null;
      const conversation = createConversation(deps, peer, {
        answered,
        greeted: (sessionId, follow) => {
          // The same edge, which has noticed before us that its connection is dead.
          bySession.get(sessionId)?.conversation.close(LINK_CLOSE.replaced, 'replaced by a newer connection');
          bySession.set(sessionId, { conversation, follow });
          greetedAs = sessionId;
        },
        busy: (work) => {
          answering.add(work);
          void work.finally(() => answering.delete(work));
        },
      });
      open.add(conversation);
      return {
        message: (text) => {
          if (!ending) conversation.message(text);
        },
        closed: () => {
          conversation.closed();
          open.delete(conversation);
          if (greetedAs !== null && bySession.get(greetedAs)?.conversation === conversation)
            bySession.delete(greetedAs);
        },
      };
    },
    answered,
    close: async () => {
      ending = true;
      const patience = new AbortController();
      const late = delay(DRAIN_MS, patience.signal).catch(() => undefined);
      await Promise.race([Promise.all(answering), late]);
      patience.abort();
      for (const conversation of open) conversation.close(LINK_CLOSE.ending, 'the gateway ends');
    },
  };
};
