/** Refusal of clients that join the media of a meeting. This server creates meetings, but does not support their media yet. */
import type { IncomingMessage } from 'node:http';
import type { ServerOptions, WebSocket } from 'ws';

/** Path of the signaling URL in MediaPlacement, without the ID of the meeting. */
export const SIGNALING_PATH = '/control/';

/**
 * Reason to close the signaling socket.
 *
 * If the server closes the socket with this code while the client joins, the client stops with SignalingBadRequest and
 * logs the reason. If the server refused the upgrade with an HTTP error, the client would retry.
 * Source: amazon-chime-sdk-js 3.32, `JoinAndReceiveIndexTask`.
 */
export const NO_MEDIA = { code: 4400, reason: 'This server does not support meeting media' } as const;

/** Maximum time until a client sends its first message. */
const FIRST_MESSAGE_MS = 5_000;

/** Options of the WebSocket server. The client sends its join token as a second subprotocol, which the server does not read. */
export const SIGNALING_OPTIONS = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: 64 * 1024,
  handleProtocols: (protocols: ReadonlySet<string>) => (protocols.has('_aws_wt_session') ? '_aws_wt_session' : false),
} as const satisfies ServerOptions;

/** Reports whether an upgrade request is for the signaling of a meeting. */
export function isJoin({ url }: IncomingMessage): boolean {
  return url?.startsWith(SIGNALING_PATH) === true;
}

/**
 * Runs `close` after the client's first message, which is the request to join. If the socket closed earlier, the client
 * would ignore the close reason.
 */
export function refuseJoin(socket: WebSocket, close: () => void): void {
  const timer = setTimeout(close, FIRST_MESSAGE_MS);
  socket.once('message', () => {
    clearTimeout(timer);
    close();
  });
  socket.once('close', () => clearTimeout(timer));
}
