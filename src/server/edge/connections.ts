import type { Socket } from 'node:net';
import { type Connection, type Counts, type HoldingLimits, newConnection, shareOf, sourceTable, willRespond } from './holdings.ts';
import { type Loads, newLoads } from './loads.ts';
import { newReading, type Reading } from './reading.ts';
import type { IsTrusted } from './trusted-proxies.ts';

/** Connections of this server. Limits and closes them. */
export interface Connections extends Pick<Reading, 'start' | 'stopLimiting' | 'countHead'>, Omit<Loads, 'close' | 'bytes'> {
  /**
   * Counts a new connection. Destroys the connection and returns undefined if its source (client address) has too many
   * connections, or all sources together have too many.
   */
  enter(raw: Socket, address: string, isTrusted: IsTrusted): Connection | undefined;
  /**
   * Counts a connection for the client that its proxy named. If that client has too many connections, destroys the
   * connection and returns false.
   */
  move(connection: Connection, address: string, isTrusted: IsTrusted): boolean;
  /** Begins to limit the requests on a stream. Call it after the HTTP server listens to the stream. */
  limitRequests(connection: Connection, stream: Socket): void;
  of(stream: Socket): Connection | undefined;
  /** Ignores further requests, and destroys the connection within a grace period that begins after the pending responses. */
  end(connection: Connection): void;
  /** Destroys all connections. */
  destroyAll(): void;
  /** Returns the connections, requests and bytes of all sources. */
  counts(): Counts;
}

/** Opens the table of connections, which all listeners share. */
export function openConnections(limits: HoldingLimits): Connections {
  const connectionsOfSource = shareOf(limits.connectionsMax, limits);
  const sources = sourceTable();
  const reading = newReading(limits);
  const { close, bytes, ...loads } = newLoads(limits, sources, reading);
  const all = new Set<Connection>();
  const byStream = new Map<Socket, Connection>();
  let checking: NodeJS.Timeout | undefined;

  function check(): void {
    const now = performance.now();
    for (const connection of all) {
      const [oldest] = connection.loads;
      const at = oldest?.respondedAt;
      if (at !== undefined && now - at >= limits.responseTimeoutMs) connection.raw.destroy();
    }
  }

  function leave(connection: Connection): void {
    const { source, stream } = connection;
    connection.ending = true;
    // Ends all requests of the connection here. If a response is queued after another response, Node's HTTP server does
    // not emit 'close' for the queued response.
    for (const load of connection.loads) close(load);
    all.delete(connection);
    if (stream !== undefined) byStream.delete(stream);
    reading.stopLimiting(connection);
    source.connections -= 1;
    sources.release(source);
    if (all.size > 0) return;
    clearInterval(checking);
    checking = undefined;
  }

  return {
    ...loads,
    start: reading.start,
    stopLimiting: reading.stopLimiting,
    countHead: reading.countHead,
    enter(raw, address, isTrusted) {
      const shared = isTrusted(address);
      if (all.size >= limits.connectionsMax || (!shared && (sources.find(address)?.connections ?? 0) >= connectionsOfSource)) {
        raw.destroy();
        return undefined;
      }
      const source = sources.of(address);
      const connection = newConnection(raw, source, shared);
      source.connections += 1;
      all.add(connection);
      raw.once('close', () => leave(connection));
      checking ??= setInterval(check, limits.checkingIntervalMs).unref();
      return connection;
    },
    move(connection, address, isTrusted) {
      const shared = isTrusted(address);
      if (!shared && (sources.find(address)?.connections ?? 0) >= connectionsOfSource) {
        connection.raw.destroy();
        return false;
      }
      const source = sources.of(address);
      connection.source.connections -= 1;
      sources.release(connection.source);
      source.connections += 1;
      connection.source = source;
      connection.shared = shared;
      return true;
    },
    limitRequests(connection, stream) {
      connection.stream = stream;
      byStream.set(stream, connection);
      reading.limitRequests(connection, stream);
    },
    of: (stream) => byStream.get(stream),
    end(connection) {
      if (connection.ending) return;
      connection.ending = true;
      const begin = () => {
        const timer = setTimeout(() => connection.raw.destroy(), limits.graceMs);
        connection.raw.once('close', () => clearTimeout(timer));
      };
      const last = [...connection.loads].findLast(willRespond);
      if (last === undefined) begin();
      else last.response.once('close', begin);
    },
    destroyAll() {
      for (const connection of [...all]) connection.raw.destroy();
    },
    counts() {
      const each = [...sources.all()];
      const requests = each.reduce((sum, source) => sum + source.requests, 0);
      return { connections: all.size, bytes: bytes(), requests, sources: each.length };
    },
  };
}
