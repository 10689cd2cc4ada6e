/** What the owner of the sockets and the owner of the sessions have in common; plain data, because they are on two threads. */

/** The path of the upgrade request. */
export const CONNECT_PATH = '/connect';

/** What the owner of the sockets is to do. */
export type SocketOrder =
  | { readonly send: string; readonly to: readonly number[] }
  | { readonly close: Closing; readonly to: readonly number[] };

/** What became of a socket that may be opened. */
export type SocketNews = { readonly opened: number } | { readonly closed: number };

/** Why a messaging session is closed, as its client is told. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/**
 * Clients reconnect after the first four, with credentials they have made anew, and not after the others.
 *
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages", handling disconnects; `DefaultMessagingSession` of
 * amazon-chime-sdk-js 3.32, `canReconnect`.
 * Assumed: which of them stands for what, where the guide only says what clients do.
 */
// biome-ignore format: a table
export const CLOSINGS = {
  expired:   { code: 1001, reason: 'The credentials have expired' },
  failed:    { code: 1011, reason: 'Internal server error' },
  leaving:   { code: 1012, reason: 'Service restart' },
  tryAgain:  { code: 1013, reason: 'Try again later' },
  replaced:  { code: 4003, reason: 'The session was opened again' },
  withdrawn: { code: 4401, reason: 'Not authorized' },
} as const satisfies Record<string, Closing>;
