/** Messages between the owner of the sockets (main thread) and the owner of the sessions (core). They are plain data, to cross threads. */

/** Path of the upgrade request. */
export const CONNECT_PATH = '/connect';

/**
 * Order to the owner of the sockets. `to` has the numbers of sockets. Orders cross the threads in batches, and a batch is executed in its
 * order. A batch contains each message once. Messages with the same recipients are one order. With `confirm`, the core is notified when
 * the messages were written.
 */
export type SocketOrder =
  | { readonly send: readonly string[]; readonly to: Uint32Array; readonly confirm?: true }
  | { readonly close: Closing; readonly to: readonly number[] };

/** Notification about a socket that was allowed to open. */
export type SocketNews = { readonly opened: number } | { readonly closed: number } | { readonly written: number };

/** Reason for closing a messaging session, as its client receives it. */
export interface Closing {
  /** Status code of the WebSocket protocol. */
  readonly code: number;
  readonly reason: string;
}

/**
 * Reasons for closing. After the first four reasons, clients reconnect, with new credentials if they can. After the others, they stop.
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
