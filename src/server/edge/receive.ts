/** Receives the body of a request, passes the request to the core, and responds. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer, Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import type { Client } from './client.ts';
import type { Connections } from './connections.ts';
import { corsHeaders, preflightAnswer } from './cors.ts';
import type { HoldingLimits, Load } from './holdings.ts';
import { UNREADABLE, type Unreadable } from './unreadable.ts';

/** Parts that answer a request. */
export interface ReceiveParts {
  readonly bodyMaxBytes: number;
  readonly answer: (received: Received) => Promise<Answer>;
  /** Formats the error of a request whose body is not read. */
  readonly refuse: (received: Received, code: 'RequestTooLarge') => Promise<Answer>;
  /** Answers a health probe without the core. Undefined for any other request. */
  readonly probe: (method: string, target: string) => Answer | undefined;
  /** Shared by all listeners, with the same limits. */
  readonly connections: Connections;
  readonly limits: HoldingLimits;
}

/** A request whose head was accepted. `refuse` responds with an error and ends the connection. */
export interface Accepted {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly client: Client;
  readonly load: Load;
  readonly refuse: (why: Unreadable) => void;
}

/** Memory that each chunk of a body uses in addition to its content, in bytes. A client can send pieces of one byte. */
const CHUNK_BYTES = 256;
/** A refused body is read and dropped up to this many times its limit, so that the client can use the connection again. */
const DRAIN_FACTOR = 8;
/** Empty body, for a request without a body or whose body is not read. */
export const NO_BODY = new Uint8Array(0);

/** Returns a request as the core reads it. */
export function receivedOf(request: IncomingMessage, client: Client, body: Uint8Array): Received {
  return {
    requestId: randomUUID(),
    receivedAt: instant(Date.now()),
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    rawHeaders: request.rawHeaders,
    body,
    ...client,
  };
}

/** Reads the body of a request and responds. */
export function receive(accepted: Accepted, parts: ReceiveParts): void {
  const { request, client, load, refuse } = accepted;
  const answer = parts.probe(request.method ?? 'GET', request.url ?? '/') ?? preflightAnswer(request);
  if (answer !== undefined) {
    // Health probes and CORS preflights do not pass through the core's queue. Many of these requests in one read would delay all other
    // connections.
    if (load.connection.requests >= parts.limits.requestsOfConnectionMax) {
      refuse(UNREADABLE.load);
      return;
    }
    request.resume();
    respond(accepted, parts, () => Promise.resolve(answer));
    return;
  }
  if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined) {
    respond(accepted, parts, () => parts.answer(receivedOf(request, client, NO_BODY)));
    return;
  }
  receiveBody(accepted, parts);
}

function receiveBody(accepted: Accepted, parts: ReceiveParts): void {
  const { request, response, client, load, refuse } = accepted;
  const { connections, bodyMaxBytes } = parts;
  let size = 0;
  let refused = false;
  const chunks: Buffer[] = [];
  load.onDrop = () => {
    refused = true;
    chunks.length = 0;
  };
  const tooLarge = () => {
    connections.drop(load);
    respond(accepted, parts, () => parts.refuse(receivedOf(request, client, NO_BODY), 'RequestTooLarge'));
  };
  if (Number(request.headers['content-length']) > bodyMaxBytes) tooLarge();
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (!refused && size > bodyMaxBytes) tooLarge();
    if (!refused && !connections.hold(load, CHUNK_BYTES + chunk.length)) {
      connections.drop(load);
      refuse(UNREADABLE.load);
    }
    if (!refused) chunks.push(chunk);
    else if (size > bodyMaxBytes * DRAIN_FACTOR) {
      request.pause();
      if (response.writableFinished) request.destroy();
      else response.once('finish', () => request.destroy());
    }
  });
  request.on('end', () => {
    if (refused) return;
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
    respond(accepted, parts, () => parts.answer(receivedOf(request, client, body)));
  });
}

/** Responds with the answer that `ask` returns. Refuses the request if too many requests of its source already wait. */
function respond({ request, response, load, refuse }: Accepted, { connections }: ReceiveParts, ask: () => Promise<Answer>): void {
  if (!connections.wait(load)) {
    refuse(UNREADABLE.load);
    return;
  }
  ask()
    .then(({ status, headers, body }) => {
      connections.settle(load);
      if (load.closed || response.destroyed) return;
      // RFC 9110 §8.6: a response without a body has no Content-Length.
      const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
      connections.charge(load, length);
      const all = [...headers, ...corsHeaders(request)];
      response.writeHead(status, status === 204 ? all : [...all, 'content-length', String(length)]);
      response.end(request.method === 'HEAD' ? undefined : body);
      load.respondedAt = performance.now();
    })
    .catch(() => {
      connections.settle(load);
      response.destroy();
    });
}
