/** The private listener of the SIP proxy: HTTPS on a loopback address, with a certificate and a token of its own. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsMaterial } from '../edge/tls-material.ts';
import type { Address } from '../setting-types.ts';
import { TLS_FLOOR } from '../tls-floor.ts';
import type { OpenListener } from './hep-listener.ts';

/** Answers of the core. They receive the body, which may be malformed. */
export interface SipAnswers {
  /** Returns the decision about a SIP request, as JSON. */
  readonly decide: (body: Buffer) => Promise<string>;
  /** Stores the end of a call. Returns false if the report is malformed. */
  readonly record: (body: Buffer) => Promise<boolean>;
}

export interface DecisionListenerParts extends SipAnswers {
  readonly address: Address;
  readonly token: string;
  readonly tls: TlsMaterial;
  readonly report: (error: unknown) => void;
}

/** Listener whose certificate can be replaced. */
export interface DecisionListener extends OpenListener {
  renew(tls: TlsMaterial): void;
}

const BODY_MAX_BYTES = 16_384;
const CONNECTIONS_MAX = 64;
const REQUEST_MS = 5_000;
/** Longer than the proxy leaves a connection unused between two calls of a quiet minute. */
const IDLE_MS = 120_000;

/**
 * Opens the listener. It serves only `POST /sip/decide` and `POST /sip/record`.
 *
 * @throws Error  the address cannot be used
 */
export async function listenForDecisions(parts: DecisionListenerParts): Promise<DecisionListener> {
  const { address, token, tls } = parts;
  const expected = digest(`Basic ${Buffer.from(`sip:${token}`).toString('base64')}`);
  const isAllowed = ({ headers }: IncomingMessage) => timingSafeEqual(digest(headers.authorization ?? ''), expected);
  const server = createServer({ ...TLS_FLOOR, ...tls }, (request, response) => {
    void serve(request, response, isAllowed, parts).catch((error: unknown) => {
      parts.report(error);
      respond(response, 500);
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.requestTimeout = REQUEST_MS;
  server.headersTimeout = REQUEST_MS;
  server.keepAliveTimeout = IDLE_MS;
  server.on('tlsClientError', (_, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    renew: (renewed) => server.setSecureContext({ ...TLS_FLOOR, ...renewed }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  isAllowed: (request: IncomingMessage) => boolean,
  { decide, record }: SipAnswers,
): Promise<void> {
  if (!isAllowed(request)) return respond(response, 401);
  const { method, url } = request;
  if (url !== '/sip/decide' && url !== '/sip/record') return respond(response, 404);
  if (method !== 'POST') return respond(response, 405);
  const body = await readBody(request);
  if (body === 'too large') return respond(response, 413);
  if (url === '/sip/decide') return respond(response, 200, await decide(body));
  respond(response, (await record(body)) ? 200 : 400);
}

async function readBody(request: IncomingMessage): Promise<Buffer | 'too large'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX_BYTES) return 'too large';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Responds. Closes the connection after an error, so that a body that was not read is not read as a request. */
function respond(response: ServerResponse, status: number, json = '{}'): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', ...(status !== 200 && { connection: 'close' }) });
  response.end(json);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
