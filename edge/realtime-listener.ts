import type { ConnectRealtime } from './realtime-connection.ts';
import type { ServerEvent, SessionSettings } from './realtime-events.ts';
import type { SessionLimits } from './realtime-limits.ts';
import type { RealtimeNotice } from './realtime-line.ts';
import type { RecogniserEvents } from './recogniser.ts';

/** Somebody who takes part in the session besides the one who writes down: the conversation. */
export interface SessionListener {
  /** A session is set up and empty. */
  opened(): void;
  gone(): void;
  /** All the sound of an utterance is in the session, as its newest item. Again after a reconnect. */
  committed(utteranceId: string): void;
  /** What the service calls its item; before its final. */
  named(utteranceId: string, itemId: string): void;
  /** What is not about transcription. */
  event(event: ServerEvent): void;
  /** A new session would cut something off. */
  busy(): boolean;
}

export interface SessionOptions {
  connect: ConnectRealtime;
  settings: SessionSettings;
  events: RecogniserEvents;
  listener?: SessionListener;
  limits?: Partial<SessionLimits>;
  notice?: (notice: RealtimeNotice) => void;
  /** 0 to 1; default: Math.random. */
  random?: () => number;
}
