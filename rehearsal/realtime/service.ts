import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { RecognitionStream, SpeechRecogniser } from '../speech-recogniser.ts';
import type { ConnectionLog } from './connection-log.ts';
import type { RealtimeFaults } from './faults.ts';
import type { Peer } from './peer.ts';
import type { Synthesise } from './reply.ts';
import { RealtimeSession } from './session.ts';

export const REALTIME_PATH = '/v1/realtime';
/** An event of a client is no longer: the provider's own limit on a piece of sound is 15 MiB. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Connections at once, handshakes included. */
const MAX_CONNECTIONS = 16;
/** The provider's: sixty minutes. */
const LIFE_MS = 3_600_000;
/** The process is on its way out. */
const GOING_AWAY = 1001;
const NO_RECOGNISER = 'this rehearsal was started without a speech recogniser';

export interface RealtimeServiceOptions {
  faults: RealtimeFaults;
  connections: ConnectionLog;
  /** Called at the first connection, and again at a later one when it failed. @throws Error saying what to install */
  openRecogniser?: (() => Promise<SpeechRecogniser>) | undefined;
  synthesise?: Synthesise | undefined;
  /** Milliseconds a session lasts; default 60 min. */
  sessionMs?: number | undefined;
  now: () => number;
  log?: Log | undefined;
}

/** A handshake is answered with an error. */
export interface Refusal {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

/** A handshake is taken, `waitMs` from now; it ends in one of the two. */
export interface Admission {
  waitMs: number;
  open(peer: Peer): Pick<RealtimeSession, 'message' | 'closed'>;
  /** The client went before. */
  abandon(): void;
}

export interface RealtimeService {
  admit(url: URL, authorization: string | undefined): { refusal: Refusal } | { admission: Admission };
  /** Says goodbye to every session; then the recogniser is closed. */
  close(): Promise<void>;
}

/** The upgrades of an HTTP server. */
export interface RealtimeDoor {
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Resolves when every socket is gone, half a second later at the latest, and the recogniser closed. */
  close(): Promise<void>;
}
export type OpenRealtimeDoor = (service: RealtimeService, log?: Log) => RealtimeDoor;

const refusal = (
  status: number,
  type: string,
  code: string | null,
  message: string,
  headers: Record<string, string> = {},
): { refusal: Refusal } => ({
  refusal: { status, headers, body: { error: { message, type, param: null, code } } },
});

/** OpenAI's Realtime service (GA): who may connect, and what all sessions share. */
export const createRealtimeService = (options: RealtimeServiceOptions): RealtimeService => {
  const { faults, connections, openRecogniser, synthesise = null, sessionMs = LIFE_MS, now, log } = options;
  const peers = new Map<Peer, RealtimeSession>();
  let waiting = 0;
  let recogniser: Promise<SpeechRecogniser> | null = null;

  const hire = (): Promise<SpeechRecogniser> => {
    if (recogniser) return recogniser;
    const hired = openRecogniser ? openRecogniser() : Promise.reject(new Error(NO_RECOGNISER));
    recogniser = hired;
    hired.then(
      ({ label }) => log?.info({ label }, 'a speech recogniser is at work'),
      (error: unknown) => {
        if (recogniser === hired) recogniser = null;
        log?.warn({ error: messageOf(error) }, 'no speech recogniser');
      },
    );
    return hired;
  };

  const admit: RealtimeService['admit'] = (url, authorization) => {
    const transcribes = url.searchParams.get('intent') === 'transcription';
    const model = transcribes ? null : url.searchParams.get('model');
    const entry = connections.open({ path: url.pathname, model });
    const refused = (answer: { refusal: Refusal }): { refusal: Refusal } => {
      entry.status = answer.refusal.status;
      entry.outcome = 'refused';
      return answer;
    };
    if (url.pathname !== REALTIME_PATH)
      return refused(
        refusal(404, 'invalid_request_error', null, `rehearsal: no WebSocket at ${url.pathname.slice(0, 200)}`),
      );
    if (!/^Bearer\s+\S/i.test(authorization ?? ''))
      return refused(
        refusal(
          401,
          'invalid_request_error',
          null,
          "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        ),
      );
    const fault = faults.take('handshake');
    if (fault) entry.faults.push(fault.kind);
    if (fault?.kind === 'unauthorized')
      return refused(
        refusal(401, 'invalid_request_error', 'invalid_api_key', 'Incorrect API key provided (a rehearsed refusal).'),
      );
    if (!transcribes && !model)
      return refused(refusal(400, 'invalid_request_error', 'missing_model', 'You must provide a model parameter.'));
    if (peers.size + waiting >= MAX_CONNECTIONS)
      return refused(
        refusal(429, 'requests', 'rate_limit_exceeded', 'Too many concurrent sessions.', { 'retry-after': '1' }),
      );
    waiting += 1;
    const open = (peer: Peer): Pick<RealtimeSession, 'message' | 'closed'> => {
      waiting -= 1;
      entry.status = 101;
      entry.outcome = 'open';
      const hired = hire();
      const openStream = (): Promise<RecognitionStream> => hired.then((working) => working.open());
      const session = new RealtimeSession({
        model,
        peer,
        openStream,
        synthesise,
        faults,
        entry,
        lifeMs: sessionMs,
        now,
        log,
      });
      peers.set(peer, session);
      return {
        message: (text) => session.message(text),
        closed: () => {
          session.closed();
          entry.outcome = 'ended';
          peers.delete(peer);
        },
      };
    };
    const abandon = (): void => {
      waiting -= 1;
      entry.outcome = 'ended';
    };
    return { admission: { waitMs: fault?.kind === 'slow' ? fault.delay_ms : 0, open, abandon } };
  };

  return {
    admit,
    close: async () => {
      for (const [peer, session] of peers) {
        session.closed();
        peer.close(GOING_AWAY, 'rehearsal is closing');
      }
      const working = await recogniser?.catch(() => null);
      await working?.close();
    },
  };
};
