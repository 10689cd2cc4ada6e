import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { type Answer, header, type Received } from '#core/exchange.ts';
import { sourceOf } from '#core/source-address.ts';
import { CLOSINGS, type Closing, CONNECT_PATH, type SocketNews, type SocketOrder } from '#realtime/protocol.ts';
import { answerBare, GRACE_MS } from './bare-answer.ts';
import { isJoin, NO_MEDIA, refuseJoin, SIGNALING_OPTIONS } from './meeting-refusal.ts';
import { newSocketWriter, type WrittenSocket } from './socket-writer.ts';
import { UNREADABLE, unreadable } from './unreadable.ts';
import { newUpgrades, type Upgrade } from './upgrades.ts';

/** Limits of the WebSockets of a server. */
export interface SocketLimits {
  readonly socketsMax: number;
  /** Percentage of `socketsMax` that one source (client address) may hold. */
  readonly sourceSharePercent: number;
  /** Maximum bytes of frames that were written to one socket and that its client has not read. */
  readonly waitingMaxBytes: number;
  /** Maximum size of a client's frame. It is small, because clients send only answers to pings. */
  readonly frameMaxBytes: number;
  /** Time from the refusal of a request to the destruction of its connection. */
  readonly graceMs: number;
  /** Maximum time from the upgrade request to the answer of the core. */
  readonly upgradeTimeoutMs: number;
  /** Interval between two pings. The server disconnects a client that has not responded before the next ping. */
  readonly pingEveryMs: number;
  /** Maximum time that a closed socket waits for its client's close frame. */
  readonly closeTimeoutMs: number;
}

const SOCKET_LIMITS: SocketLimits = {
  socketsMax: 10_000,
  sourceSharePercent: 25,
  waitingMaxBytes: 1024 * 1024,
  frameMaxBytes: 1024,
  graceMs: GRACE_MS,
  upgradeTimeoutMs: 15_000,
  pingEveryMs: 30_000,
  closeTimeoutMs: 2_000,
};

export interface SocketParts {
  /** Sends a Connect request to the core. The status 101 opens a session. Any other status closes the socket with a reason. */
  readonly ask: (received: Received, socket: number) => Promise<Answer>;
  readonly notify: (news: SocketNews) => void;
  readonly limits?: Partial<SocketLimits>;
}

/** WebSockets of messaging sessions. Manages the sockets and their limits. The core determines the frames to send. */
export interface Sockets {
  /** Takes over the connection of an upgrade request. */
  upgrade(request: IncomingMessage, connection: Duplex, head: Buffer, received: Received): void;
  follow(orders: readonly SocketOrder[]): void;
  /** Returns the number of open sockets of messaging sessions. */
  count(): number;
  /** Closes all sockets, so that their clients reconnect to another server. */
  close(): Promise<void>;
}

/** Reports whether a request opens a messaging session or joins a meeting. The server ignores the `Upgrade` header of all other requests. */
export function isConnect(request: IncomingMessage): boolean {
  const { headers, url, method } = request;
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return false;
  return url === CONNECT_PATH || url?.startsWith(`${CONNECT_PATH}?`) === true || isJoin(request);
}

/** Creates the manager of a server's sockets. It loads the WebSocket library when the first client connects. */
export function openSockets({ ask, notify, limits: given }: SocketParts): Sockets {
  const limits = { ...SOCKET_LIMITS, ...given };
  let serving: Promise<Library> | undefined;
  let library: Library | undefined;
  const sockets = new Map<number, WrittenSocket>();
  const writer = newSocketWriter(limits.waitingMaxBytes);
  const pings = pinging(sockets, limits.pingEveryMs);
  const upgrades = newUpgrades(limits, ({ number, admitted }) => {
    sockets.delete(number);
    if (admitted) notify({ closed: number });
  });
  let closing = false;

  function opened({ number, connection }: Upgrade, socket: WebSocket): void {
    const open = { socket, connection };
    sockets.set(number, open);
    pings.add(socket);
    notify({ opened: number });
    if (closing) end(open, CLOSINGS.leaving);
  }

  function end(open: WrittenSocket | undefined, closing: Closing): void {
    if (open === undefined) return;
    writer.flush(open);
    closeSocket(open.socket, closing, limits.closeTimeoutMs);
  }

  /** Sends frames. Closes the sockets of clients that do not read. These clients can reconnect. */
  function send(frames: Buffer, to: Uint32Array, confirm: boolean): void {
    for (const number of to) {
      const open = sockets.get(number);
      const onWritten = confirm ? () => notify({ written: number }) : undefined;
      if (open !== undefined && !writer.add(open, frames, onWritten)) end(open, CLOSINGS.tryAgain);
    }
  }

  return {
    upgrade(request, connection, head, received) {
      connection.on('error', destroyThis);
      const upgrade = closing ? undefined : upgrades.enter(connection, sourceOf(received.sourceIp));
      if (upgrade === undefined) {
        answerBare(connection, unreadable(UNREADABLE.load), limits.graceMs);
        return;
      }
      serving ??= loadLibrary(limits.frameMaxBytes).then((loaded) => (library = loaded));
      Promise.all([isJoin(request) ? undefined : ask(received, upgrade.number), serving])
        .finally(() => upgrades.answered(upgrade))
        .then(([answer, { server, signaling }]) => {
          if (answer === undefined) {
            signaling.handleUpgrade(request, connection, head, (socket) => {
              socket.on('error', ignoreError);
              refuseJoin(socket, () => closeSocket(socket, NO_MEDIA, limits.closeTimeoutMs));
            });
            return;
          }
          const admitted = answer.status === 101;
          if (connection.destroyed) {
            if (admitted) notify({ closed: upgrade.number });
            return;
          }
          upgrade.admitted = admitted;
          server.handleUpgrade(request, connection, head, (socket) => {
            socket.on('error', ignoreError);
            if (admitted) opened(upgrade, socket);
            else closeSocket(socket, refusalOf(answer), limits.closeTimeoutMs);
          });
        })
        .catch(() => connection.destroy());
    },
    follow(orders) {
      for (const order of orders) {
        if ('close' in order) for (const number of order.to) end(sockets.get(number), order.close);
        else if (library !== undefined) send(library.toFrames(order.send), order.to, order.confirm === true);
      }
    },
    count: () => sockets.size,
    async close() {
      closing = true;
      pings.stop();
      const ended = [...sockets.values()].map(
        (open) =>
          new Promise<void>((resolve) => {
            open.socket.once('close', () => resolve());
            end(open, CLOSINGS.leaving);
          }),
      );
      await Promise.all(ended);
      writer.stop();
      (await serving)?.server.close();
    },
  };
}

/** Ends a connection after an error. This function is not a closure, so that the connection keeps no reference to its request. */
function destroyThis(this: Duplex): void {
  this.destroy();
}

/** Ignores an error of a client's socket. The error closes only this socket. */
function ignoreError(): void {}

/** Pings all sockets at an interval, and ends those that have not responded to the last ping. */
function pinging(sockets: ReadonlyMap<number, WrittenSocket>, everyMs: number) {
  /** Sockets that have responded since the last ping. */
  const alive = new WeakSet<WebSocket>();
  let timer: NodeJS.Timeout | undefined;

  function pingAll(): void {
    for (const { socket } of sockets.values()) {
      if (!alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }
  return {
    add(socket: WebSocket): void {
      timer ??= setInterval(pingAll, everyMs);
      alive.add(socket);
      socket.on('pong', () => alive.add(socket));
    },
    stop: () => clearInterval(timer),
  };
}

/** Parts of the WebSocket library `ws` that this module uses. */
interface Library {
  /** Server of messaging sessions. */
  readonly server: WebSocketServer;
  /** Server of the signaling of meetings. */
  readonly signaling: WebSocketServer;
  /**
   * Serializes messages as one text frame each. The frames are the same for all sockets, because a server does not mask
   * frames, and these frames are not compressed.
   */
  readonly toFrames: (messages: readonly string[]) => Buffer;
}

/** Part of `ws` that its type definitions lack. Source: ws 8.23, `lib/sender.js`, `Sender.frame`, a public static method. */
interface Sender {
  frame(data: Buffer, options: typeof TEXT_FRAME): readonly Buffer[];
}

const TEXT_FRAME = { fin: true, opcode: 1, mask: false, readOnly: true, rsv1: false } as const;

/** Loads the library for the first client. */
async function loadLibrary(maxPayload: number): Promise<Library> {
  const ws = await import('ws');
  const { Sender } = ws as unknown as { readonly Sender: Sender };
  return {
    server: new ws.WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload }),
    signaling: new ws.WebSocketServer(SIGNALING_OPTIONS),
    toFrames: (messages) => Buffer.concat(messages.flatMap((message) => Sender.frame(Buffer.from(message), TEXT_FRAME))),
  };
}

/**
 * Returns the code and reason to close the socket of a refused request. An HTTP error would not work, because browsers
 * hide its status and the client library would wait forever. The library stops on code 4401 and retries on other codes.
 *
 * Source: `DefaultMessagingSession` of amazon-chime-sdk-js 3.32, `receiveMessageHandler`: the server opens the socket
 * and then closes it with an error code; `canReconnect`.
 * Assumed: the close reason is the error code, such as `AccessDeniedException`.
 */
function refusalOf({ status, headers }: Answer): Closing {
  if (status === 429 || status === 503) return CLOSINGS.tryAgain;
  if (status >= 500) return CLOSINGS.failed;
  return { code: CLOSINGS.withdrawn.code, reason: header({ rawHeaders: headers }, 'x-amzn-errortype') ?? CLOSINGS.withdrawn.reason };
}

/** Closes a socket, and destroys its connection if the client does not close it in time. */
function closeSocket(socket: WebSocket, { code, reason }: Closing, timeoutMs: number): void {
  socket.close(code, reason);
  const timer = setTimeout(() => socket.terminate(), timeoutMs);
  socket.once('close', () => clearTimeout(timer));
}
