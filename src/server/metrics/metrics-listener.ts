/** HTTP listener that only serves `GET /metrics`, for Prometheus. It is separate from the listeners of the API. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Address, isLoopback } from '../setting-types.ts';
import { METRICS_TYPE } from './text.ts';

// This is not an import, because an import of node:http also loads a WebSocket client (see `edge/listener.ts`).
const { createServer } = process.getBuiltinModule('node:http');

/** Limits of the listener. Prometheus sends one request at a time. */
const CONNECTIONS_MAX = 32;
const HEADERS_BYTES_MAX = 8_192;
const REQUEST_WITHIN_MS = 5_000;
/** Time in which a client must read some of a response. */
const RESPONSE_WITHIN_MS = 10_000;
/** Longer than the usual interval of Prometheus, which then uses one connection. */
const KEEP_ALIVE_MS = 65_000;
/** Time for which a text is served again, so that frequent requests do not cost more. */
export const TEXT_FOR_MS = 1_000;

export interface MetricsListenerParts {
  /** Returns the text of the metrics. */
  readonly text: () => Promise<string>;
  readonly now: () => number;
}

export interface MetricsListener {
  /** URL of the metrics. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Starts the listener.
 *
 * - `GET /metrics` → 200. At most one text a second is computed, whatever the number of requests
 * - another path, or a host name in `Host` other than loopback on a loopback address → 404. So a web page that resolves its own name to
 *   this machine cannot read the metrics
 * - another method → 405. It reads no body
 *
 * @throws Error  the address is in use or invalid
 */
export async function openMetricsListener({ host, port }: Address, { text, now }: MetricsListenerParts): Promise<MetricsListener> {
  const isLocal = isLoopback(host);
  const texts = shared(text, now);
  const server = createServer(
    {
      maxHeaderSize: HEADERS_BYTES_MAX,
      headersTimeout: REQUEST_WITHIN_MS,
      requestTimeout: REQUEST_WITHIN_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => {
      request.on('error', () => undefined);
      if (!isForMetrics(request, isLocal)) refuse(response, 404);
      else if (request.method !== 'GET') refuse(response, 405);
      else
        texts().then(
          (body) => response.writeHead(200, { 'content-type': METRICS_TYPE, 'cache-control': 'no-store' }).end(body),
          () => refuse(response, 503),
        );
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.timeout = RESPONSE_WITHIN_MS;
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(port, host);
  await once(server, 'listening');
  // An error after this, such as a lack of file descriptors, affects one connection only.
  server.on('error', () => undefined);
  const { port: used } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${used}/metrics`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function isForMetrics({ url, headers }: IncomingMessage, isLocal: boolean): boolean {
  if (url !== '/metrics' && url?.startsWith('/metrics?') !== true) return false;
  const name = URL.parse(`http://${headers.host}`)?.hostname.replace(/^\[(.*)\]$/, '$1');
  return !isLocal || (name !== undefined && isLoopback(name));
}

/** Refuses a request and closes its connection, so that no body is read. */
function refuse(response: ServerResponse, status: 404 | 405 | 503): void {
  response.writeHead(status, { connection: 'close', ...(status === 405 && { allow: 'GET' }) }).end();
}

/** Returns a function that computes a text at most once in `TEXT_FOR_MS`. Concurrent calls share one text. */
function shared(text: () => Promise<string>, now: () => number): () => Promise<string> {
  let latest: { readonly at: number; readonly text: Promise<string> } | undefined;
  return () => {
    const at = now();
    if (latest !== undefined && at - latest.at < TEXT_FOR_MS) return latest.text;
    latest = { at, text: text() };
    return latest.text;
  };
}
