import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Answer, Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { answerBare } from './bare-answer.ts';
import { type Address, endpointOf } from './settings.ts';
import { isConnect } from './sockets.ts';
import { TLS_FLOOR, type TlsMaterial } from './tls.ts';
import { UNREADABLE, type Unreadable, unreadable } from './unreadable.ts';

// An import would read everything that node:http exports, and its WebSocket brings a whole client along: 3 MiB that no server needs.
const { createServer } = process.getBuiltinModule('node:http');

/** Bounds of one connection. */
export interface ConnectionLimits {
  readonly headersMaxBytes: number;
  readonly headersMaxCount: number;
  /** From the first byte of a request to the end of its headers, and of the whole. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** How often the times are looked at. */
  readonly checkingIntervalMs: number;
  readonly keepAliveMs: number;
  readonly connectionsMax: number;
  /** Of all requests under way at once: their bodies, and for each of them `REQUEST_BYTES`. */
  readonly underWayMaxBytes: number;
}

/** What a request holds besides its body: headers, sockets, its place in the core's queue. */
const REQUEST_BYTES = 4_096;

/** Times are generous to slow clients and short enough that a hostile one holds little. */
const CONNECTION_LIMITS: ConnectionLimits = {
  headersMaxBytes: 32_768,
  headersMaxCount: 200,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  checkingIntervalMs: 5_000,
  keepAliveMs: 75_000,
  connectionsMax: 20_000,
  underWayMaxBytes: 256 * 1024 * 1024,
};
/** A refused body is read and dropped up to this many times its limit, so that the connection can live on. */
const DRAIN_FACTOR = 8;

export interface ListenerParts {
  readonly bodyMaxBytes: number;
  readonly answer: (received: Received) => Promise<Answer>;
  /** Spells an error for a request whose body is not read (too large, too slow). */
  readonly refuse: (received: Received, code: 'RequestTooLarge') => Promise<Answer>;
  /** Takes over the connection of a request for a messaging session. */
  readonly upgrade: (request: IncomingMessage, connection: Duplex, head: Buffer, received: Received) => void;
  /** Answers a health probe without the core. Undefined for any other request. */
  readonly probe: (method: string, target: string) => Answer | undefined;
  /** In place of the defaults; the tests of slow clients need not wait for them. */
  readonly limits?: Partial<ConnectionLimits>;
}

/** A listening server. */
export interface Listener {
  /** `http://127.0.0.1:7080`. */
  readonly endpoint: string;
  /** Uses another certificate for new connections. For HTTPS only. */
  renewTls(tls: TlsMaterial): void;
  /** Stops accepting, lets answers under way finish, then closes what remains. */
  close(): Promise<void>;
}

/** Listens on one address; `tls` makes it HTTPS. */
export async function listen(address: Address, tls: TlsMaterial | undefined, parts: ListenerParts): Promise<Listener> {
  const limits = { ...CONNECTION_LIMITS, ...parts.limits };
  const options = {
    maxHeaderSize: limits.headersMaxBytes,
    keepAlive: true,
    noDelay: true,
    connectionsCheckingInterval: limits.checkingIntervalMs,
    // Node would answer without a body; here it gets the same answer as what is unreadable otherwise.
    requireHostHeader: false,
    shouldUpgradeCallback: isConnect,
  };
  const server: Server =
    tls === undefined ? createServer(options) : createTlsServer({ ...options, ...TLS_FLOOR, ...tls, handshakeTimeout: 10_000 });
  server.headersTimeout = limits.headersTimeoutMs;
  server.requestTimeout = limits.requestTimeoutMs;
  server.keepAliveTimeout = limits.keepAliveMs;
  // One more than may be: Node drops what is beyond silently, and half of a request is not to be answered.
  server.maxHeadersCount = limits.headersMaxCount + 1;
  server.maxConnections = limits.connectionsMax;
  const sockets = new Map<Socket, Peer>();
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    sockets.set(socket, peerOf(socket, tls !== undefined));
    socket.once('close', () => sockets.delete(socket));
  });
  let underWayBytes = 0;
  const take = (request: IncomingMessage, response: ServerResponse) => {
    const load: Load = {
      heldBytes: 0,
      hold(bytes) {
        if (underWayBytes + bytes > limits.underWayMaxBytes) return false;
        underWayBytes += bytes;
        load.heldBytes += bytes;
        return true;
      },
    };
    const peer = sockets.get(request.socket) ?? peerOf(request.socket, tls !== undefined);
    peer.last = response;
    response.once('close', () => {
      underWayBytes -= load.heldBytes;
      // An idle connection holds no request.
      if (peer.last === response) peer.last = undefined;
    });
    if (!load.hold(REQUEST_BYTES)) {
      refuseHead(request, response, UNREADABLE.load);
      return;
    }
    const wrong = wrongHead(request, limits);
    if (wrong !== undefined) refuseHead(request, response, wrong);
    else receive(request, response, peer, parts, load);
  };
  server.on('request', take);
  // `Expect: 100-continue` is answered by Node only where nobody listens for it; a too large body is refused without being asked for.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (Number(request.headers['content-length'] ?? 0) <= parts.bodyMaxBytes) response.writeContinue();
    take(request, response);
  });
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    const wrong = wrongHead(request, limits);
    const peer = sockets.get(request.socket) ?? peerOf(request.socket, tls !== undefined);
    if (wrong !== undefined) answerBare(connection, unreadable(wrong));
    else parts.upgrade(request, connection, head, receivedOf(request, peer, NO_BODY));
  });
  // Another expectation may be passed over (RFC 9110 §10.1.1): Node would answer it 417, with nothing in it that tells which request it was.
  server.on('checkExpectation', take);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const last = sockets.get(socket)?.last;
    // A request that came whole before the nonsense was acted upon: its own answer must tell, not this one.
    if (last?.req.complete) last.once('close', () => refuseUnreadable(error, socket));
    else refuseUnreadable(error, socket);
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    renewTls: (renewed) => (server as TlsServer).setSecureContext({ ...TLS_FLOOR, ...renewed }),
    endpoint: endpointOf(tls === undefined ? 'http' : 'https', { host: address.host, port }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 5_000).unref();
      }),
  };
}

/** What one request holds of the listener's memory, until its answer is sent or its connection is gone. */
interface Load {
  heldBytes: number;
  /** False where there is no room for so much. */
  hold(bytes: number): boolean;
}

interface Peer {
  readonly sourceIp: string;
  readonly tls?: { readonly version: string; readonly cipherSuite: string };
  /** The answer under way to the request that came last. */
  last: ServerResponse | undefined;
}

/** What is the same for every request of a connection. Requirement CTX-2: the socket tells, no header does. */
function peerOf(socket: Socket, secure: boolean): Peer {
  const address = socket.remoteAddress ?? '';
  const sourceIp = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (!secure) return { sourceIp, last: undefined };
  // Null where the socket is gone already.
  const cipher = (socket as TLSSocket).getCipher() as { readonly standardName: string } | null;
  return {
    sourceIp,
    last: undefined,
    tls: { version: (socket as TLSSocket).getProtocol() ?? 'unknown', cipherSuite: cipher?.standardName ?? 'unknown' },
  };
}

const NO_BODY = new Uint8Array(0);

function receivedOf(request: IncomingMessage, peer: Peer, body: Uint8Array): Received {
  return {
    requestId: randomUUID(),
    receivedAt: instant(Date.now()),
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    rawHeaders: request.rawHeaders,
    body,
    sourceIp: peer.sourceIp,
    ...(peer.tls === undefined ? {} : { tls: peer.tls }),
  };
}

function wrongHead({ rawHeaders, headers, httpVersion }: IncomingMessage, limits: ConnectionLimits): Unreadable | undefined {
  if (rawHeaders.length > 2 * limits.headersMaxCount) return UNREADABLE.headers;
  return headers.host === undefined && httpVersion !== '1.0' ? UNREADABLE.otherwise : undefined;
}

function receive(request: IncomingMessage, response: ServerResponse, peer: Peer, parts: ListenerParts, load: Load): void {
  const received = (body: Uint8Array): Received => receivedOf(request, peer, body);
  const respond = (answer: Promise<Answer>) => {
    answer
      .then(({ status, headers, body }) => {
        if (response.destroyed) return;
        // RFC 9110 §8.6: an answer that cannot have a body must not say how long it is.
        const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
        response.writeHead(status, status === 204 ? [...headers] : [...headers, 'content-length', String(length)]);
        response.end(request.method === 'HEAD' ? undefined : body);
      })
      .catch(() => response.destroy());
  };
  const probed = parts.probe(request.method ?? 'GET', request.url ?? '/');
  if (probed !== undefined) {
    request.resume();
    respond(Promise.resolve(probed));
    return;
  }

  const declared = request.headers['content-length'];
  if (declared === undefined && request.headers['transfer-encoding'] === undefined) {
    respond(parts.answer(received(NO_BODY)));
    return;
  }
  let size = 0;
  let refused = Number(declared) > parts.bodyMaxBytes;
  if (refused) respond(parts.refuse(received(NO_BODY), 'RequestTooLarge'));
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (!refused && size > parts.bodyMaxBytes) {
      refused = true;
      chunks.length = 0;
      respond(parts.refuse(received(NO_BODY), 'RequestTooLarge'));
    }
    if (!refused && !load.hold(chunk.length)) {
      refused = true;
      chunks.length = 0;
      refuseHead(request, response, UNREADABLE.load);
    }
    if (!refused) chunks.push(chunk);
    else if (size > parts.bodyMaxBytes * DRAIN_FACTOR) {
      request.pause();
      if (response.writableFinished) request.destroy();
      else response.once('finish', () => request.destroy());
    }
  });
  request.on('end', () => {
    if (!refused) respond(parts.answer(received(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size))));
  });
}

/** What could not be read as HTTP at all. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const why =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? UNREADABLE.headers
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? UNREADABLE.time
        : UNREADABLE.otherwise;
  answerBare(socket, unreadable(why));
}

function refuseHead(request: IncomingMessage, response: ServerResponse, why: Unreadable): void {
  const { status, headers, body } = unreadable(why);
  request.resume();
  response.writeHead(status, [...headers, 'content-length', String(Buffer.byteLength(body)), 'connection', 'close']).end(body);
}
