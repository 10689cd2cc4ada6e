import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Answer, Received } from '#core/exchange.ts';
import { sourceOf } from '#core/source-address.ts';
import { CLOSINGS, type Closing, CONNECT_PATH, type SocketNews, type SocketOrder } from '#realtime/protocol.ts';
import { answerBare, GRACE_MS } from './bare-answer.ts';
import { UNREADABLE, unreadable } from './unreadable.ts';

/** Bounds of the WebSockets of a server. */
export interface SocketLimits {
  readonly socketsMax: number;
  /** Percentage of `socketsMax` that one source may hold. */
  readonly sourceSharePercent: number;
  /** Frames written to one socket and not yet taken by its client. */
  readonly waitingMaxBytes: number;
  /** Clients send nothing but answers to pings. */
  readonly frameMaxBytes: number;
  /** From a refusal to the destruction of the connection. */
  readonly graceMs: number;
  /** From the upgrade request to its answer. */
  readonly upgradeTimeoutMs: number;
  /** Interval between two pings. A client that has not responded to one by the next is disconnected. */
  readonly pingEveryMs: number;
  /** How long a closed socket waits for its client's own close frame. */
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
  /** Sends a Connect request to the core. Status 101 allows to open the socket. */
  readonly ask: (received: Received, socket: number) => Promise<Answer>;
  readonly notify: (news: SocketNews) => void;
  readonly limits?: Partial<SocketLimits>;
}

/** WebSockets of messaging sessions. Owns the sockets and their limits. The core decides what is sent over them. */
export interface Sockets {
  /** Takes over the connection of an upgrade request. */
  upgrade(request: IncomingMessage, connection: Duplex, head: Buffer, received: Received): void;
  follow(orders: readonly SocketOrder[]): void;
  /** Closes all sockets, so that their clients reconnect to another server. */
  close(): Promise<void>;
}

/** Reports whether a request opens a messaging session. The server ignores the `Upgrade` header of all other requests. */
export function isConnect({ headers, url, method }: IncomingMessage): boolean {
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return false;
  return url === CONNECT_PATH || url?.startsWith(`${CONNECT_PATH}?`) === true;
}

/** Opens the sockets of a server. Nothing runs before the first client. */
export function openSockets({ ask, notify, limits: given }: SocketParts): Sockets {
  const limits = { ...SOCKET_LIMITS, ...given };
  let serving: Promise<WebSocketServer> | undefined;
  const sockets = new Map<number, WebSocket>();
  /** Connections that are a WebSocket or wait to become one, by source. */
  const held = countsOfSources(Math.max(1, Math.floor((limits.socketsMax * limits.sourceSharePercent) / 100)));
  let waiting = 0;
  let last = 0;
  let closing = false;

  const pings = pinging(sockets, limits.pingEveryMs);

  /** Loads the library for the first client. */
  async function serve(): Promise<WebSocketServer> {
    const { WebSocketServer } = await import('ws');
    return new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: limits.frameMaxBytes });
  }

  function opened(number: number, socket: WebSocket): void {
    sockets.set(number, socket);
    pings.add(socket);
    // An error of a client only closes its socket.
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(number));
    notify({ opened: number });
    if (closing) end(socket, CLOSINGS.leaving);
  }

  const end = (socket: WebSocket, closing: Closing): void => closeSocket(socket, closing, limits.closeTimeoutMs);

  return {
    upgrade(request, connection, head, received) {
      // Until it is a WebSocket.
      connection.on('error', () => connection.destroy());
      const source = sourceOf(received.sourceIp);
      if (closing || sockets.size + waiting >= limits.socketsMax || !held.enter(source)) {
        answerBare(connection, unreadable(UNREADABLE.load), limits.graceMs);
        return;
      }
      connection.once('close', () => held.leave(source));
      const number = ++last;
      waiting += 1;
      const timer = setTimeout(() => connection.destroy(), limits.upgradeTimeoutMs);
      let admitted = false;
      connection.once('close', () => {
        clearTimeout(timer);
        if (admitted) notify({ closed: number });
      });
      serving ??= serve();
      Promise.all([ask(received, number), serving])
        .finally(() => {
          waiting -= 1;
          clearTimeout(timer);
        })
        .then(([answer, server]) => {
          admitted = answer.status === 101;
          if (!admitted) answerBare(connection, answer, limits.graceMs);
          else if (connection.destroyed) notify({ closed: number });
          else server.handleUpgrade(request, connection, head, (socket) => opened(number, socket));
        })
        .catch(() => connection.destroy());
    },
    follow(orders) {
      for (const order of orders) {
        if ('send' in order) {
          const frame = Buffer.from(order.send);
          for (const number of order.to) sendFrame(sockets.get(number), frame, limits);
        } else {
          for (const number of order.to) {
            const socket = sockets.get(number);
            if (socket !== undefined) end(socket, order.close);
          }
        }
      }
    },
    async close() {
      closing = true;
      pings.stop();
      const ended = [...sockets.values()].map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.once('close', () => resolve());
            end(socket, CLOSINGS.leaving);
          }),
      );
      await Promise.all(ended);
      (await serving)?.close();
    },
  };
}

/** Pings all sockets at an interval, and ends those that have not responded to the last ping. */
function pinging(sockets: ReadonlyMap<number, WebSocket>, everyMs: number) {
  /** Sockets that have responded since the last ping. */
  const alive = new WeakSet<WebSocket>();
  let timer: NodeJS.Timeout | undefined;

  function pingAll(): void {
    for (const socket of sockets.values()) {
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

/** Counts what sources hold, at most `max` each. */
function countsOfSources(max: number) {
  const counts = new Map<string, number>();
  return {
    /** Counts one more of a source. Returns false, and counts nothing, if the source has `max` already. */
    enter(source: string): boolean {
      const count = counts.get(source) ?? 0;
      if (count >= max) return false;
      counts.set(source, count + 1);
      return true;
    },
    leave(source: string): void {
      const left = (counts.get(source) ?? 1) - 1;
      if (left === 0) counts.delete(source);
      else counts.set(source, left);
    },
  };
}

/** Closes a socket, and destroys its connection if the client does not close it in time. */
function closeSocket(socket: WebSocket, { code, reason }: Closing, timeoutMs: number): void {
  socket.close(code, reason);
  const timer = setTimeout(() => socket.terminate(), timeoutMs);
  socket.once('close', () => clearTimeout(timer));
}

/** Sends a frame. Closes the socket of a client that does not read; the client can reconnect. */
function sendFrame(socket: WebSocket | undefined, frame: Buffer, { waitingMaxBytes, closeTimeoutMs }: SocketLimits): void {
  if (socket === undefined || socket.readyState !== socket.OPEN) return;
  if (socket.bufferedAmount + frame.length > waitingMaxBytes) closeSocket(socket, CLOSINGS.tryAgain, closeTimeoutMs);
  else socket.send(frame, { binary: false });
}
