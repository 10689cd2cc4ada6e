/** HTTP server of logs for monitors: checkpoints, tiles and bundles of entries. Owns no storage. Source: C2SP tlog-tiles 0.1.0. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { weightedLruMap } from '#core/weighted-lru-map.ts';
import { HASH_BYTES } from './hash.ts';
import { tileWidth } from './merkle.ts';
import { decodeEntryBundle, encodeEntryBundle, parseTilePath, type TileAddress } from './tile-path.ts';

/** Latest checkpoint of a log. */
export interface ServedCheckpoint {
  readonly size: number;
  /** Signed note. */
  readonly signed: string;
}

/** Reads of stored logs. The server calls one at a time. */
export interface TileSource {
  /** Returns the latest checkpoint of each log, by its epoch. */
  checkpoints(): Promise<ReadonlyMap<number, ServedCheckpoint>>;
  /** Returns the bytes of a tile, or of a bundle of entries. The latest checkpoint of the log needs a tile of at least this width. */
  tile(epoch: number, address: TileAddress): Promise<Uint8Array>;
}

export interface TileServerParts {
  readonly source: TileSource;
  readonly host: string;
  /** Port 0 lets the system choose a free port. */
  readonly port: number;
  /** Reports that a read failed. Called at most once a minute. */
  readonly onError: (error: unknown) => void;
}

/** A running server. */
export interface TileServer {
  /** Returns the prefix of a log: `http://127.0.0.1:7420` for the first one, and `http://127.0.0.1:7420/2` for epoch 2. */
  prefix(epoch: number): string;
  /** Closes the server and its connections. */
  stop(): Promise<void>;
}

const HEADERS_BYTES_MAX = 8_192;
const REQUEST_WITHIN_MS = 5_000;
/** Time in which a client must read some of a response. */
const RESPONSE_WITHIN_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
const CONNECTIONS_MAX = 256;
/** Reads that wait for the one in progress. Further requests are refused. */
export const READS_WAITING_MAX = 32;
/** Tiles in memory, in bytes. A tile has at most 8,192 bytes, and a bundle of trail leaves 17,152. */
const TILES_MAX_BYTES = 8 * 1024 * 1024;
/** Time for which checkpoints are served again, so that frequent requests and requests for unknown paths do not read. */
const CHECKPOINTS_FOR_MS = 1_000;
const REPORTED_EVERY_MS = 60_000;
const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';
/** Bytes of a path never change, because a path names one width of one tile of one log. */
const FOR_EVER = 'public, max-age=31536000, immutable';
/** The first log has no prefix, so each resource has one path. */
const PATH = /^(?:\/([2-9]|[1-9][0-9]{1,8}))?\/(checkpoint|tile\/[0-9a-z/.]{1,60})$/;

/** The reads that wait are at their maximum. */
class Busy extends Error {}

interface Reply {
  readonly status: 200 | 404 | 405 | 503;
  readonly type?: string;
  readonly caching?: string;
  readonly body?: string | Uint8Array;
}

/**
 * Starts the server.
 *
 * - `GET /checkpoint`, `GET /tile/L/N[.p/W]`, `GET /tile/entries/N[.p/W]` → 200 for the log of epoch 1. The log of a later epoch has these
 *   paths below `/EPOCH`, so that the bytes of a path never change
 * - a tile that the latest checkpoint does not need, and any other path → 404, without a read
 * - another method → 405. It reads no body
 * - too many reads wait, or a read failed → 503
 *
 * Does not authenticate callers, because the signature of the log authenticates what they get.
 *
 * @throws Error  the address is in use or invalid
 */
export async function startTileServer({ source, host, port, onError }: TileServerParts): Promise<TileServer> {
  const find = served(source);
  let reportedAt = Number.NEGATIVE_INFINITY;
  function report(error: unknown): void {
    if (error instanceof Busy || performance.now() - reportedAt < REPORTED_EVERY_MS) return;
    reportedAt = performance.now();
    onError(error);
  }
  const server = createServer(
    {
      maxHeaderSize: HEADERS_BYTES_MAX,
      headersTimeout: REQUEST_WITHIN_MS,
      requestTimeout: REQUEST_WITHIN_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => {
      request.on('error', () => undefined);
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const reply: Promise<Reply> = isRead ? find(request.url ?? '') : Promise.resolve({ status: 405 });
      reply.then(
        (found) => send(request, response, found),
        (error: unknown) => {
          report(error);
          send(request, response, { status: 503 });
        },
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
  const address = server.address() as AddressInfo;
  const url = `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
  return {
    prefix: (epoch) => (epoch === 1 ? url : `${url}/${epoch}`),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Returns the function that finds the reply for a path. */
function served(source: TileSource): (path: string) => Promise<Reply> {
  const oneAtATime = queue();
  const tiles = weightedLruMap<string, Uint8Array>(TILES_MAX_BYTES);
  const pending = new Map<string, Promise<Uint8Array>>();
  let latest: { readonly at: number; readonly checkpoints: ReturnType<TileSource['checkpoints']> } | undefined;

  function checkpoints(): ReturnType<TileSource['checkpoints']> {
    const now = performance.now();
    if (latest === undefined || now - latest.at >= CHECKPOINTS_FOR_MS) latest = { at: now, checkpoints: oneAtATime(source.checkpoints) };
    return latest.checkpoints;
  }

  /** Returns the bytes of a tile. Requests for one tile share one read. */
  async function bytesOf(epoch: number, address: TileAddress): Promise<Uint8Array> {
    const key = `${epoch}/${address.level}/${address.index}/${address.width}`;
    const cached = tiles.get(key);
    if (cached !== undefined) return cached;
    let read = pending.get(key);
    if (read === undefined) {
      read = oneAtATime(() => source.tile(epoch, address)).finally(() => pending.delete(key));
      pending.set(key, read);
    }
    const bytes = await read;
    tiles.set(key, bytes, bytes.length);
    return bytes;
  }

  return async (path) => {
    const [, prefix = '1', resource] = PATH.exec(path) ?? [];
    if (resource === undefined) return { status: 404 };
    const epoch = Number(prefix);
    const address = resource === 'checkpoint' ? undefined : parseTilePath(resource);
    if (resource !== 'checkpoint' && address === undefined) return { status: 404 };
    const checkpoint = (await checkpoints()).get(epoch);
    if (checkpoint === undefined) return { status: 404 };
    if (address === undefined) return { status: 200, type: TEXT, caching: 'no-cache', body: checkpoint.signed };
    const { level, index, width } = address;
    // All widths of a tile are the beginning of one stored tile, so they need one read.
    const available = tileWidth(level === 'entries' ? 0 : level, index, checkpoint.size);
    if (width > available) return { status: 404 };
    const bytes = await bytesOf(epoch, { level, index, width: available });
    return { status: 200, type: BYTES, caching: FOR_EVER, body: beginning(bytes, level, available, width) };
  };
}

/** Returns the first `width` hashes or entries of a tile. */
function beginning(bytes: Uint8Array, level: TileAddress['level'], available: number, width: number): Uint8Array {
  if (width === available) return bytes;
  return level === 'entries'
    ? encodeEntryBundle(decodeEntryBundle(bytes, available).slice(0, width))
    : bytes.subarray(0, width * HASH_BYTES);
}

/** Returns a function that runs reads one after the other. It rejects with `Busy` if too many wait. */
function queue(): <Result>(read: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (read) => {
    if (waiting > READS_WAITING_MAX) throw new Busy('too many reads wait');
    waiting += 1;
    const result = last.then(read);
    last = result.catch(() => undefined).then(() => (waiting -= 1));
    return await result;
  };
}

/** Sends a reply. A refusal is not cached, because the tile may exist later, and an unread body closes the connection. */
function send(request: IncomingMessage, response: ServerResponse, { status, type = TEXT, caching = 'no-store', body = '' }: Reply): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': caching,
    'x-content-type-options': 'nosniff',
    ...(status === 405 && { allow: 'GET, HEAD', connection: 'close' }),
    ...(status === 503 && { 'retry-after': '1' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
