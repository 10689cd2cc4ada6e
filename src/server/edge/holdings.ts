import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sourceOf } from '#core/source-address.ts';

/** Limits of the resources that clients hold, on all listeners together. */
export interface HoldingLimits {
  readonly connectionsMax: number;
  /** Maximum bytes of unfinished requests: bodies, heads, and responses that the client has not read. */
  readonly underWayMaxBytes: number;
  /** Percentage of `connectionsMax` and of `underWayMaxBytes` that one source may hold. */
  readonly sourceSharePercent: number;
  /** Maximum requests of one source that wait for a response. At the maximum, the server stops reading from the source. */
  readonly requestsOfSourceMax: number;
  /** Maximum requests of one connection that wait for a response. At the maximum, the server stops reading from the connection. */
  readonly requestsOfConnectionMax: number;
  /** Maximum time from the end of a response until the client has read it. */
  readonly responseTimeoutMs: number;
  /** Time from the decision to end a connection to its destruction. */
  readonly graceMs: number;
  /** Interval between two checks of `responseTimeoutMs`. */
  readonly checkingIntervalMs: number;
}

/** Connections, requests and bytes that one source holds. */
export interface Source {
  readonly name: string;
  connections: number;
  bytes: number;
  /** Requests that wait for a response. */
  requests: number;
  /** Requests on connections of trusted proxies, from the head to the response. Each request occupies one of these connections. */
  proxied: number;
  /** Connections and requests that refer to this object. */
  references: number;
  /** Functions that start new connections, from which nothing was read yet. */
  readonly arriving: (() => void)[];
  /** HTTP connections that the server reads from. */
  readonly open: Set<Connection>;
  /** HTTP connections that the server does not read from, because `requests` or `work` is at its maximum. */
  readonly held: Set<Connection>;
  /** Connections as in `held`, but with bytes that were read and not yet parsed. */
  readonly partial: Set<Connection>;
  startedThisTurn: number;
  /** Whether the last turn of the source read from `partial`. Turns alternate between `partial` and `held`. */
  readsPartial: boolean;
  /** Work for the source in this turn of the event loop, in the unit of `Reading`. */
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
  /** Requests whose head was read and whose response was not sent, the oldest first. */
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
  /** Listener that passes the bytes of `stream` to the HTTP server, while the stream is HTTP. */
  onData: ((bytes: Buffer) => void) | undefined;
}

/** Returns a connection of which nothing was read. */
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
    onData: undefined,
  };
}

/**
 * Resources of one request. The request holds them until the core has answered, and the response was sent or the connection closed.
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
  /** Frees the body. Runs if the body is not used, and at the end of the request. */
  onDrop: (() => void) | undefined;
}

/** Reports whether a request is complete or refused, so that its own response was or will be sent. */
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
  /** Returns a source without adding a reference. Undefined if it holds nothing. */
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
