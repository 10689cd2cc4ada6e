import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Received } from '#core/exchange.ts';
import { plainAddress } from '#core/source-address.ts';
import { type Address, isLoopback } from '../setting-types.ts';
import { endpointOf } from '../settings.ts';
import { TLS_FLOOR } from '../tls-floor.ts';
import { answerBare } from './bare-answer.ts';
import { type Client, clientOf, type Peer, statedPeer, tlsOf } from './client.ts';
import { corsHeaders } from './cors.ts';
import { type Connection, type HoldingLimits, type Load, willRespond } from './holdings.ts';
import { readProxyHeader } from './proxy-protocol.ts';
import { receive } from './receive.ts';
import { NO_BODY, type ReceiveParts, receivedOf } from './respond.ts';
import { isConnect } from './sockets.ts';
import type { TlsMaterial } from './tls-material.ts';
import type { IsTrusted } from './trusted-proxies.ts';
import { UNREADABLE, type Unreadable, unreadable } from './unreadable.ts';

// An import would evaluate all exports of node:http. The export WebSocket loads a WebSocket client, 3 MiB that the
// server does not need.
const { createServer } = process.getBuiltinModule('node:http');

/** Limits of connections. */
export interface ConnectionLimits extends HoldingLimits {
  readonly headersMaxBytes: number;
  readonly headersMaxCount: number;
  /** Maximum time for the TLS handshake of a connection, and maximum time until its PROXY protocol header arrives. */
  readonly handshakeTimeoutMs: number;
  /** Maximum time from the first byte of a request to the end of its headers. `requestTimeoutMs` limits the whole request. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
}

/**
 * Estimated memory of a request, in bytes, in addition to its head and body: its objects and its entry in the core's
 * queue.
 */
const REQUEST_BYTES = 4_096;

/** Default limits. The times are long enough for slow clients, and limit the resources that a hostile client can hold. */
export const CONNECTION_LIMITS: ConnectionLimits = {
  headersMaxBytes: 32_768,
  headersMaxCount: 200,
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  responseTimeoutMs: 30_000,
  graceMs: 5_000,
  checkingIntervalMs: 5_000,
  keepAliveMs: 75_000,
  connectionsMax: 20_000,
  underWayMaxBytes: 256 * 1024 * 1024,
  sourceSharePercent: 25,
  requestsOfSourceMax: 512,
  requestsOfConnectionMax: 16,
};

/** Parts that listeners share. */
export interface ListenerParts extends ReceiveParts {
  /** Takes over the connection of a request for a messaging session. */
  readonly upgrade: (request: IncomingMessage, connection: Duplex, head: Buffer, received: Received) => void;
  readonly limits: ConnectionLimits;
  readonly isTrusted: IsTrusted;
  /** Whether each connection of a trusted proxy begins with a PROXY protocol header. */
  readonly proxyProtocol: boolean;
}

/** A listening server. */
export interface Listener {
  /**
   * URL of the listener, such as `http://127.0.0.1:7080`. If the listener listens on every address of the machine, the
   * host in the URL is `localhost`.
   */
  readonly endpoint: string;
  readonly everyAddress: boolean;
  /** Uses another certificate for new connections. For HTTPS only. */
  renewTls(tls: TlsMaterial): void;
  /** Stops accepting connections, waits for responses under way, then destroys the remaining connections. */
  close(): Promise<void>;
}

/** Listens on one address. `tls` is the certificate of an HTTPS listener. */
export async function listen(address: Address, tls: TlsMaterial | undefined, parts: ListenerParts): Promise<Listener> {
  const { limits, connections } = parts;
  const server = newServer(tls, limits);
  const peers = new WeakMap<Connection, Peer>();
  acceptConnections(server, address, tls !== undefined, parts, peers);
  const take = (request: IncomingMessage, response: ServerResponse, expectsContinue = false) => {
    const connection = connections.of(request.socket);
    const peer = connection && peers.get(connection);
    if (connection === undefined || peer === undefined) return;
    const { 'content-length': declared = '0', 'transfer-encoding': encoding } = request.headers;
    connections.countHead(connection, encoding === undefined ? Number(declared) : 'chunks');
    if (connection.ending) return;
    takeRequest(request, response, connection, { peer, expectsContinue }, parts);
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => take(request, response));
  // With this listener Node does not respond to `Expect: 100-continue` itself. A request gets no 100
  // response if its body is too large or if the core refuses its head.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => take(request, response, true));
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const connection = connections.of(request.socket);
    const peer = connection && peers.get(connection);
    if (connection === undefined || peer === undefined) stream.destroy();
    else upgrade(request, stream, head, connection, peer, parts);
  });
  // The server ignores other expectations (RFC 9110 §10.1.1). Node would respond 417 without a request ID.
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => take(request, response));
  server.on('clientError', (error: NodeJS.ErrnoException, stream: Socket) => {
    const connection = connections.of(stream);
    // Without a connection, this is a TLS handshake that failed or took too long.
    if (connection === undefined) stream.destroy();
    // An upload has its own time limit, which depends on its progress. Node reports a request only once.
    else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isUploading(connection)) return;
    else if (!connection.ending) refuseUnreadable(error, stream, connection, parts);
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
    everyAddress: address.host === '0.0.0.0' || address.host === '::',
    endpoint: endpointOf(tls === undefined ? 'http' : 'https', { host: address.host, port }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => connections.destroyAll(), 5_000).unref();
      }),
  };
}

function newServer(tls: TlsMaterial | undefined, limits: ConnectionLimits): Server {
  const options = {
    maxHeaderSize: limits.headersMaxBytes,
    keepAlive: true,
    noDelay: true,
    connectionsCheckingInterval: limits.checkingIntervalMs,
    // Node would respond to a request without Host with an empty body. The server instead sends the JSON error that all
    // unreadable requests get.
    requireHostHeader: false,
    shouldUpgradeCallback: isConnect,
  };
  const server: Server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({ ...options, ...TLS_FLOOR, ...tls, handshakeTimeout: limits.handshakeTimeoutMs });
  server.headersTimeout = limits.headersTimeoutMs;
  server.requestTimeout = limits.requestTimeoutMs;
  server.keepAliveTimeout = limits.keepAliveMs;
  // The value is one above the limit, because Node drops further headers silently, and the server must reject such a request.
  server.maxHeadersCount = limits.headersMaxCount + 1;
  return server;
}

/**
 * Counts each connection and reads its PROXY protocol header, then passes the connection to the HTTP or TLS server.
 * Refuses plain HTTP from a peer on another machine, unless the peer is a trusted proxy.
 */
function acceptConnections(
  server: Server,
  address: Address,
  secure: boolean,
  { connections, limits, isTrusted, proxyProtocol }: ListenerParts,
  peers: WeakMap<Connection, Peer>,
): void {
  const [accept] = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const everyPeer = secure || isLoopback(address.host);
  /** Connections in their TLS handshake, by the addresses and ports of both ends. */
  const handshaking = new Map<string, { connection: Connection; peer: Peer }>();

  function begin(connection: Connection, peer: Peer): void {
    const { raw } = connection;
    if (secure) {
      const key = endsOf(raw);
      handshaking.set(key, { connection, peer });
      raw.once('close', () => handshaking.delete(key));
      accept?.call(server, raw);
      return;
    }
    accept?.call(server, raw);
    peers.set(connection, peer);
    connections.limitRequests(connection, raw);
  }

  server.on('connection', (raw: Socket) => {
    const peerAddress = plainAddress(raw.remoteAddress ?? '');
    if (peerAddress === undefined || !(everyPeer || isLoopback(peerAddress) || isTrusted(peerAddress))) {
      raw.destroy();
      return;
    }
    const connection = connections.enter(raw, peerAddress, isTrusted);
    if (connection === undefined) return;
    if (!proxyProtocol || !connection.shared) {
      connections.start(connection, () => begin(connection, { address: peerAddress, trusted: connection.shared, secure: false }));
      return;
    }
    raw.on('error', () => raw.destroy());
    const timer = setTimeout(() => raw.destroy(), limits.handshakeTimeoutMs);
    readProxyHeader(raw, (header) => {
      clearTimeout(timer);
      if (header === undefined) raw.destroy();
      else if (connections.move(connection, header.address ?? peerAddress, isTrusted)) {
        connections.start(connection, () => {
          begin(connection, statedPeer(header, peerAddress, connection.shared));
          if (!secure) raw.resume();
        });
      }
    });
  });
  server.on('secureConnection', (stream: TLSSocket) => {
    const key = endsOf(stream);
    const found = handshaking.get(key);
    handshaking.delete(key);
    if (found === undefined) {
      stream.destroy();
      return;
    }
    const { connection, peer } = found;
    peers.set(connection, peer.stated ? peer : { ...peer, secure: true, tls: tlsOf(stream) });
    connections.limitRequests(connection, stream);
  });
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function isUploading({ last, loads }: Connection): boolean {
  return [...loads].some(({ response, uploads }) => response === last && uploads);
}

function takeRequest(
  request: IncomingMessage,
  response: ServerResponse,
  connection: Connection,
  { peer, expectsContinue }: { readonly peer: Peer; readonly expectsContinue: boolean },
  parts: ListenerParts,
): void {
  const client = clientOf(peer, request.rawHeaders, parts.isTrusted);
  const load = parts.connections.load(connection, response, client?.sourceIp === peer.address ? undefined : client?.sourceIp);
  const refuse = (why: Unreadable) => refuseHead(request, connection, load, parts, why);
  const wrong = wrongHead(request, parts.limits) ?? (client === undefined ? UNREADABLE.proxy : undefined);
  if (!parts.connections.hold(load, REQUEST_BYTES + headBytes(request.rawHeaders))) refuse(UNREADABLE.load);
  else if (wrong !== undefined) refuse(wrong);
  else receive({ request, response, client: client as Client, load, refuse, expectsContinue }, parts);
}

/** Returns the memory of the headers, in bytes. V8 uses one byte for each character of a header. */
function headBytes(rawHeaders: readonly string[]): number {
  let bytes = 0;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}

function upgrade(
  request: IncomingMessage,
  stream: Duplex,
  head: Buffer,
  connection: Connection,
  peer: Peer,
  { connections, limits, isTrusted, upgrade }: ListenerParts,
): void {
  connections.stopLimiting(connection);
  stream.on('error', () => stream.destroy());
  // Destroys the connection if an earlier request on it has no response yet. The WebSocket would take over the
  // connection, so the response could not be sent.
  if (connection.ending || [...connection.loads].some(({ respondedAt }) => respondedAt === undefined)) {
    stream.destroy();
    return;
  }
  const client = clientOf(peer, request.rawHeaders, isTrusted);
  const wrong = wrongHead(request, limits) ?? (client === undefined ? UNREADABLE.proxy : undefined);
  if (wrong !== undefined) answerBare(stream, unreadable(wrong), limits.graceMs);
  else upgrade(request, stream, head, receivedOf(request, client as Client, NO_BODY));
}

function wrongHead({ rawHeaders, headers, httpVersion }: IncomingMessage, limits: ConnectionLimits): Unreadable | undefined {
  if (rawHeaders.length > 2 * limits.headersMaxCount) return UNREADABLE.headers;
  return headers.host === undefined && httpVersion !== '1.0' ? UNREADABLE.otherwise : undefined;
}

/** Refuses bytes that are not HTTP, and requests that did not arrive in time. */
function refuseUnreadable(
  error: NodeJS.ErrnoException,
  stream: Socket,
  connection: Connection,
  { connections, limits }: ListenerParts,
): void {
  if (error.code === 'ECONNRESET' || !stream.writable) {
    connection.raw.destroy();
    return;
  }
  const loads = [...connection.loads];
  // If a complete request is pending, its own response is sent before the refusal.
  const acted = loads.findLast(willRespond);
  const { last } = connection;
  // True if the unreadable bytes are the rest of a body whose request already has an error response.
  const isAnswered = last?.writableEnded && !last.req.complete;
  connections.end(connection);
  for (const load of loads) if (!willRespond(load)) connections.drop(load);
  const why =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? UNREADABLE.headers
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? UNREADABLE.time
        : UNREADABLE.otherwise;
  const refuse = () => (isAnswered ? stream.end() : answerBare(stream, unreadable(why), limits.graceMs));
  if (acted === undefined) refuse();
  else acted.response.once('close', refuse);
}

function refuseHead(
  request: IncomingMessage,
  connection: Connection,
  load: Load,
  { connections, limits }: ListenerParts,
  why: Unreadable,
): void {
  const { status, body, ...error } = unreadable(why);
  const headers = [...error.headers, ...corsHeaders(request)];
  request.resume();
  connections.end(connection);
  const [oldest] = connection.loads;
  if (!request.complete && oldest === load) {
    // The HTTP server would close the connection at once. The rest of the request's body would then reset the
    // connection, before the client has read the response.
    answerBare(request.socket, { status, headers, body }, limits.graceMs);
    return;
  }
  load.response.writeHead(status, [...headers, 'content-length', String(Buffer.byteLength(body)), 'connection', 'close']).end(body);
  load.respondedAt = performance.now();
}
