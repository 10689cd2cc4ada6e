/** HTTP server of a witness. Source: C2SP tlog-witness 1.0.0. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeUtf8 } from '../strict.ts';
import { ADD_CHECKPOINT_BYTES_MAX, SIZE_TYPE } from './add-checkpoint.ts';
import type { Witness } from './witness.ts';

/** Parts of a witness server. */
export interface WitnessServerParts {
  readonly witness: Witness;
  readonly host: string;
  /** Port 0 lets the system choose a free port. */
  readonly port: number;
  /** Reports an error of the witness, such as a full disk. */
  readonly onError: (error: unknown) => void;
}

/** A running server. */
export interface WitnessServer {
  /** URL of the server, such as `http://127.0.0.1:7419`. */
  readonly url: string;
  /** Closes the server. Requests that are still arriving get one second. */
  readonly stop: () => Promise<void>;
}

const HEADERS_BYTES_MAX = 8_192;
const HEADERS_WITHIN_MS = 5_000;
/** Longest time in which a client must send a request. */
const REQUEST_WITHIN_MS = 10_000;
/** Logs call every 10 seconds, so connections stay open longer. */
const KEEP_ALIVE_MS = 65_000;
const CONNECTIONS_MAX = 256;
/** Time that a stop waits for requests that are still arriving. */
const STOP_WITHIN_MS = 1_000;
const TEXT = 'text/plain; charset=utf-8';
const CHECKPOINT_PATH = /^\/([0-9a-f]{64})\/checkpoint$/i;

/** Response of one request. */
interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
  readonly allow?: string;
}

/**
 * Starts the server.
 *
 * - `POST /add-checkpoint`: 200, 400, 403, 404, 409, 422, and 413 for a body over 135,168 bytes
 * - `GET /HEX(SHA-256(origin))/checkpoint`: 200, or 404
 *
 * Other paths are 404, and other methods are 405. If the state cannot be read or written, the response is 500 without
 * details. Does not authenticate callers, because the signature of the log authenticates a checkpoint.
 *
 * @throws Error  the address is in use or invalid
 */
export async function startWitnessServer({ witness, host, port, onError }: WitnessServerParts): Promise<WitnessServer> {
  const server = createServer(
    {
      maxHeaderSize: HEADERS_BYTES_MAX,
      headersTimeout: HEADERS_WITHIN_MS,
      requestTimeout: REQUEST_WITHIN_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => {
      handle(witness, request).then(
        (reply) => send(request, response, reply),
        (error: unknown) => {
          // A client that closed its connection is not an error of the witness.
          if (request.complete) onError(error);
          send(request, response, { status: 500, body: 'the witness cannot read or write its state' });
        },
      );
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${shown}:${address.port}`, stop: () => closed(server) };
}

async function handle(witness: Witness, request: IncomingMessage): Promise<Reply> {
  const path = request.url ?? '';
  const originHash = CHECKPOINT_PATH.exec(path)?.[1]?.toLowerCase();
  if (path !== '/add-checkpoint' && originHash === undefined) return { status: 404, body: 'unknown path' };
  const methods = originHash === undefined ? ['POST'] : ['GET', 'HEAD'];
  if (!methods.includes(request.method ?? '')) return { status: 405, allow: methods.join(', '), body: `the method must be ${methods[0]}` };
  if (originHash !== undefined) {
    const checkpoint = witness.checkpoint(originHash);
    return checkpoint === undefined ? { status: 404, body: 'no cosigned checkpoint' } : { status: 200, body: checkpoint };
  }
  const bytes = await bodyOf(request);
  if (bytes === 'too-large') return { status: 413, body: `the body has more than ${ADD_CHECKPOINT_BYTES_MAX} bytes` };
  const body = decodeUtf8(bytes);
  if (body === undefined) return { status: 400, body: 'the body is not UTF-8' };
  const reply = witness.addCheckpoint(body);
  switch (reply.status) {
    case 200:
      return { status: 200, body: reply.cosignature };
    case 409:
      return { status: 409, type: SIZE_TYPE, body: `${reply.size}` };
    case 400:
    case 403:
    case 404:
    case 422:
      return { status: reply.status, body: reply.reason };
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | 'too-large'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // By default, leaving the loop would destroy the request, and with it the connection of the response.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ADD_CHECKPOINT_BYTES_MAX) return 'too-large';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Sends a response. Its body ends with LF. */
function send(request: IncomingMessage, response: ServerResponse, { status, type = TEXT, body, allow }: Reply): void {
  const text = body.endsWith('\n') ? body : `${body}\n`;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(allow !== undefined && { allow }),
    // The rest of a body that is too large stays unread.
    ...(!request.complete && { connection: 'close' }),
  });
  response.end(text);
}

async function closed(server: Server): Promise<void> {
  const closing = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), STOP_WITHIN_MS);
  await closing;
  clearTimeout(timer);
}
