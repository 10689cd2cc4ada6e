/**
 * HTTP handler for AWS's clients that blocks internal addresses (SSRF) and bounds time and size of each exchange. It never follows a
 * redirect.
 */
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { RequestHandler } from '@smithy/types';
import { isInternal, publicLookup } from '#access/guarded-fetch.ts';
import type { Connections } from './connections.ts';

// This is not an import, because an import of node:http also loads a WebSocket client (see `server/edge/listener.ts`).
const { request: httpRequest } = process.getBuiltinModule('node:http');

export interface GuardedHandlerOptions {
  readonly allowInternal: boolean;
  /** Longest time of one exchange, with the connection. */
  readonly timeoutMs: number;
  /** Longest body of a response. Default: 64 KiB. */
  readonly maxBytes?: number;
  /** Default: each request has a connection of its own, with a full TLS handshake. */
  readonly connections?: Connections;
}

/** Failed exchange. The message names the reason, without anything that the host sent. */
export class GuardedRequestProblem extends Error {
  /** True if the handler refused the address, so that another attempt cannot succeed. */
  readonly isRefused: boolean;
  constructor(message: string, isRefused = false) {
    super(message);
    this.isRefused = isRefused;
  }
}

/** Parts of a request of AWS's clients that the handler sends. */
interface ClientRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Part of a response that AWS's clients read. */
interface ClientResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** Creates the handler. Each new connection resolves and checks the name again, and connects to a checked address. */
export function guardedHandler({
  allowInternal,
  timeoutMs,
  maxBytes = 65_536,
  connections,
}: GuardedHandlerOptions): RequestHandler<ClientRequest, ClientResponse> {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(asked) {
      const { protocol, hostname, port, method, headers, body } = asked;
      const host = hostname.replace(/^\[|\]$/g, '');
      // The lookup does not run for a host that is an IP address.
      if (!allowInternal && ((isIP(host) !== 0 && isInternal(host)) || protocol !== 'https:'))
        throw new GuardedRequestProblem(
          'the endpoint has an internal address or does not use TLS, and neither --allow-internal nor BELFRY_OUTGOING_INTERNAL_HOSTS allows it',
          true,
        );
      const agents = connections?.of(allowInternal);
      const options: RequestOptions = {
        agent: (protocol === 'https:' ? agents?.https : agents?.http) ?? false,
        host,
        ...(port !== undefined && { port }),
        method,
        path: pathOf(asked),
        headers,
        signal: AbortSignal.timeout(timeoutMs),
        ...(!allowInternal && { lookup: publicLookup(() => new GuardedRequestProblem('the endpoint has an internal address', true)) }),
      };
      const response = await responseTo(protocol, options, body as Uint8Array | undefined);
      return { response: { statusCode: response.statusCode ?? 0, headers: headersOf(response), body: await bodyOf(response, maxBytes) } };
    },
  };
}

/** Sends a request. If the host closed a kept connection before it responded, the request is sent again on a new connection. */
function responseTo(protocol: string, options: RequestOptions, body: Uint8Array | undefined): Promise<IncomingMessage> {
  const send = protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    const sent = send(options);
    sent.on('error', (error) => {
      if (isTimeout(error)) reject(new GuardedRequestProblem('the endpoint did not respond in time'));
      else if (sent.reusedSocket && !isAnswered && isClosed(error)) resolve(responseTo(protocol, { ...options, agent: false }, body));
      else reject(error);
    });
    sent.on('response', (response) => {
      isAnswered = true;
      resolve(response);
    });
    sent.end(body);
  });
}

function isClosed({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function isTimeout({ name }: Error): boolean {
  return name === 'TimeoutError' || name === 'AbortError';
}

/** Returns path and query of a request. The query of PutObject has names and plain values. */
function pathOf({ path, query }: ClientRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => [value].flat().map((each) => [name, each ?? ''] as [string, string]));
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`;
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, [value].flat().join(', ')]])),
  );
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        response.destroy();
        throw new GuardedRequestProblem('the response of the endpoint is too long');
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof GuardedRequestProblem) throw error;
    throw new GuardedRequestProblem('the response of the endpoint is incomplete');
  }
  return Buffer.concat(chunks);
}
