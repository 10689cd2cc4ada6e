/**
 * Messages between the main thread, which owns the sockets, and the core, which owns the messaging sessions. They are
 * plain data, because they are copied from one thread to the other.
 */

/** Path of the upgrade request. */
export const CONNECT_PATH = '/connect';

/**
 * Order from the core to the main thread to send messages or to close sockets. `to` has the numbers of the sockets.
 * Orders are passed to the main thread in batches, and the orders of a batch are executed in sequence. Consecutive
 * messages with the same recipients are one order. With `confirm`, the main thread notifies the core when it has
 * written the messages.
 */
export type SocketOrder =
  | { readonly send: readonly string[]; readonly to: Uint32Array; readonly confirm?: true }
  | { readonly close: Closing; readonly to: readonly number[] };

/** Notification to the core about the socket with this number. The Connect request of the socket has succeeded. */
export type SocketNews = { readonly opened: number } | { readonly closed: number } | { readonly written: number };

/** Reason for closing a messaging session, as its client receives it. */
export interface Closing {
  /** Status code of the WebSocket protocol. */
  readonly code: number;
  readonly reason: string;
}

/**
 * Reasons for closing. After the first four reasons, clients reconnect, with new credentials if they can. After the
 * last two reasons, they do not reconnect.
 *
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages", handling disconnects; `DefaultMessagingSession` of
 * amazon-chime-sdk-js 3.32, `canReconnect`.
 * Assumed: the code of each reason. The guide states only what clients do.
 */
// biome-ignore format: a table
export const CLOSINGS = {
  expired:   { code: 1001, reason: 'The credentials have expired' },
  failed:    { code: 1011, reason: 'Internal server error' },
  leaving:   { code: 1012, reason: 'Service restart' },
  tryAgain:  { code: 1013, reason: 'Try again later' },
  replaced:  { code: 4003, reason: 'Another connection opened this session' },
  withdrawn: { code: 4401, reason: 'Not authorized' },
} as const satisfies Record<string, Closing>;
