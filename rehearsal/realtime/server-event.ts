/** An event on its way to the client; its `event_id` is added when it is sent. */
export type ServerEvent = { type: string } & Record<string, unknown>;

/** Sends one event of a session. */
export type SendEvent = (event: ServerEvent) => void;

/** New names within one session: `item_re3_17`. */
export type Name = (kind: 'item' | 'event' | 'resp' | 'call' | 'conv') => string;
