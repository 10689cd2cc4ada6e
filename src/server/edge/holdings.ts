import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sourceOf } from '#core/source-address.ts';

/** Limits on the resources that clients hold. Each limit applies to all listeners together. */
export interface HoldingLimits {
  readonly connectionsMax: number;
  /**
   * Maximum number of bytes that unfinished requests hold: heads (request line and headers), bodies, and responses that
   * the client has not read.
   */
  readonly underWayMaxBytes: number;
  /** Percentage of `connectionsMax` and of `underWayMaxBytes` that one source (client address) may hold. */
  readonly sourceSharePercent: number;
  /**
   * Maximum number of requests of one source that wait for a response. At the maximum, the server stops reading from
   * the source.
   */
  readonly requestsOfSourceMax: number;
  /**
   * Maximum number of requests of one connection that wait for a response. At the maximum, the server stops reading
   * from the connection.
   */
  readonly requestsOfConnectionMax: number;
  /** Maximum time from the moment at which the whole response was written until the client has read it. */
  readonly responseTimeoutMs: number;
  /** Time from the decision to end a connection to its destruction. */
  readonly graceMs: number;
  /** Interval between two checks of `responseTimeoutMs`. */
  readonly checkingIntervalMs: number;
}

/** Connections, requests and bytes that one source (a client's IPv4 address or IPv6 /64 network) holds. */
export interface Source {
  readonly name: string;
  connections: number;
  bytes: number;
  /** Requests that wait for a response. */
  requests: number;
  /**
   * Unfinished requests of the source on connections of trusted proxies. Their number has the same limit as the number
   * of the source's connections, because each such request occupies a connection.
   */
  proxied: number;
  /** Connections and requests that refer to this object. */
  references: number;
  /** Functions that wait to pass new connections to the HTTP or TLS server. */
  readonly arriving: (() => void)[];
  /** HTTP connections that the server reads from. */
  readonly open: Set<Connection>;
  /** HTTP connections that the server does not read from, because `requests` or `work` is at its maximum. */
  readonly held: Set<Connection>;
  /**
   * Connections that the server does not read from, for the same reason as the connections in `held`. Some bytes of
   * each connection in `partial` were already read, but are not parsed yet.
   */
  readonly partial: Set<Connection>;
  startedThisTurn: number;
  /** Whether the server last resumed connections from `partial`. It resumes alternately from `partial` and `held`. */
  readsPartial: boolean;
  /**
   * Work that the server has done for the source in this turn of the event loop. `Reading` defines the unit of work.
   */
  work: number;
}

/** One connection, from its acceptance to the close of its socket. */
export interface Connection {
  /** The TCP connection. Destroying it also ends the TLS and HTTP streams on top of it. */
  readonly raw: Socket;
  /** Stream of the HTTP messages: `raw`, or the TLS socket on top of it after the handshake. */
  stream?: Socket;
  source: Source;
  /** Whether the peer is a trusted proxy, whose connections carry requests of many sources. */
  shared: boolean;
  /** Requests whose head (request line and headers) was read and whose response was not sent, the oldest first. */
  readonly loads: Set<Load>;
  /** Requests that wait for a response. */
  requests: number;
  /** Response to the last request whose head was read. */
  last: ServerResponse | undefined;
  /** Whether the connection is about to end: further requests on it are ignored. */
  ending: boolean;
  /** Whether the client has sent a request on a connection that is about to end. The server then reads nothing more. */
  muted: boolean;
  /** Maximum number of remaining bytes in the body of the last request. `chunks` means that the length is unknown. */
  bodyLeft: number | 'chunks';
  /** Upper bound of the number of lines in the bytes that are being parsed, without those whose work is counted already. */
  linesOfStep: number;
  /** Listener that passes the bytes of `stream` to the HTTP server, while the stream carries HTTP. */
  onData: ((bytes: Buffer) => void) | undefined;
}

/** Returns the state of a new connection, from which nothing was read yet. */
export function newConnection(raw: Socket, source: Source, shared: boolean): Connection {
  return {
    raw,
    source,
    shared,
    loads: new Set(),
    requests: 0,
    last: undefined,
    ending: false,
    muted: false,
    bodyLeft: 0,
    linesOfStep: 0,
    onData: undefined,
  };
}

/**
 * Resources of one request. The request holds them until two things have happened: (1) the core has answered, and (2)
 * the response was sent or the connection closed.
 */
export interface Load {
  readonly connection: Connection;
  readonly source: Source;
  readonly response: ServerResponse;
  readonly shared: boolean;
  bytes: number;
  state: 'reading' | 'waiting' | 'settled';
  closed: boolean;
  /** Time when the whole response was written to the stream, on the clock of `performance.now`. */
  respondedAt: number | undefined;
  /** Whether the body is stored in a file while it arrives. Then `requestTimeoutMs` does not apply. */
  uploads: boolean;
  /** Frees the body. Runs if the body is not used, and at the end of the request. */
  onDrop: (() => void) | undefined;
}

/** Reports whether a request gets a response of its own, because it is complete or was refused. */
export function willRespond({ state, response }: Load): boolean {
  return state !== 'reading' || response.req.complete;
}

/** Connections, requests and bytes that all sources hold. */
export interface Counts {
  readonly connections: number;
  readonly bytes: number;
  readonly requests: number;
  readonly sources: number;
}

/** Returns the part of a limit that one source may hold. */
export function shareOf(all: number, { sourceSharePercent }: HoldingLimits): number {
  return Math.max(1, Math.floor((all * sourceSharePercent) / 100));
}

/** Sources that hold connections, requests or bytes. */
export interface SourceTable {
  of(address: string): Source;
  /** Returns a source without adding a reference. Returns undefined if the source holds nothing. */
  find(address: string): Source | undefined;
  /** Drops one reference. Deletes a source without references. */
  release(source: Source): void;
  all(): Iterable<Source>;
}

/** Creates an empty table. `of` adds a reference to the source that it returns. */
export function sourceTable(): SourceTable {
  const sources = new Map<string, Source>();
  return {
    of(address) {
      const name = sourceOf(address);
      const known = sources.get(name);
      if (known !== undefined) {
        known.references += 1;
        return known;
      }
      const made: Source = {
        name,
        connections: 0,
        bytes: 0,
        requests: 0,
        proxied: 0,
        references: 1,
        arriving: [],
        open: new Set(),
        held: new Set(),
        partial: new Set(),
        startedThisTurn: 0,
        readsPartial: false,
        work: 0,
      };
      sources.set(name, made);
      return made;
    },
    find: (address) => sources.get(sourceOf(address)),
    release(source) {
      source.references -= 1;
      if (source.references === 0) sources.delete(source.name);
    },
    all: () => sources.values(),
  };
}
