import type { ClientEvent } from './realtime-events.ts';

/** Why a connection is over. */
export interface ConnectionEnd {
  /** Trying again cannot help: `message` says what a person has to do. */
  fatal: boolean;
  /** For people; never holds the key. */
  message: string;
  /** The far side asked for so many milliseconds of rest; null: it did not. */
  retryAfterMs: number | null;
}

/** What a connection tells; nothing before the call that opened it returned, nothing after `ended` or `close`. */
export interface ConnectionEvents {
  /** Events may be sent. */
  open(): void;
  /** An event of the far side, as it came. */
  event(event: unknown): void;
  /** Once. */
  ended(end: ConnectionEnd): void;
}

/** One connection to a Realtime service, kept alive by pings. It is not opened again by itself. */
export interface RealtimeConnection {
  /** false: it was not open. true promises nothing: what is on its way when a connection ends is gone. */
  send(event: ClientEvent): boolean;
  /** Bytes handed over that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** Resolves when the socket is gone, a second later at the latest. */
  close(): Promise<void>;
}

/** Begins to open a connection. */
export type ConnectRealtime = (events: ConnectionEvents) => RealtimeConnection;
