/** The far end of a connection. */
export interface Peer {
  send(text: string): void;
  /** Bytes the network has not taken yet. */
  readonly waitingBytes: number;
  close(code: number, reason: string): void;
  /** Without a goodbye. */
  drop(): void;
}
