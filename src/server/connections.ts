import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sourceOf } from '#core/source-address.ts';
import type { IsTrusted } from './trusted-proxies.ts';

/** Bounds on what clients hold of this server, on all listeners together. */
export interface HoldingLimits {
  readonly connectionsMax: number;
  /** Bytes of requests under way: bodies, heads, and responses that the client has not read. */
  readonly underWayMaxBytes: number;
  /** Percentage of `connectionsMax` and of `underWayMaxBytes` that one source may hold. */
  readonly sourceSharePercent: number;
  /** Requests of one source that wait for a response, before the server stops to read from that source. */
  readonly requestsOfSourceMax: number;
  /** Requests of one connection that wait for a response, before the server stops to read from that connection. */
  readonly requestsOfConnectionMax: number;
  /** From the end of a response to the moment when the client has read it. */
  readonly responseTimeoutMs: number;
  /** From the moment when a connection should end to its destruction. */
  readonly graceMs: number;
  /** Interval between two checks of `responseTimeoutMs`. */
  readonly checkingIntervalMs: number;
}

/** What one source holds of this server. */
interface Source {
  readonly name: string;
  connections: number;
  bytes: number;
  /** Requests that wait for a response. */
  requests: number;
  /** Requests on connections of trusted proxies, from the head to the response. Each occupies a connection. */
  proxied: number;
  /** Connections and requests that refer to this object. */
  references: number;
  /** New connections, from which nothing was read. */
  readonly arriving: (() => void)[];
  /** Connections that speak HTTP and are read from. */
  readonly open: Set<Connection>;
  /** Connections that speak HTTP and are not read from, because `requests` is at its maximum. */
  readonly held: Set<Connection>;
  startedThisTurn: number;
  /** Heads of requests since `countedFrom`, on the clock of `performance.now`. */
  heads: number;
  countedFrom: number;
}

/** One connection, from its acceptance to the close of its socket. */
export interface Connection {
  /** The TCP connection. Its destruction ends everything on top of it. */
  readonly raw: Socket;
  /** The stream that HTTP is spoken on: `raw`, or the TLS socket on top of it after the handshake. */
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
  /** Whether the client sends requests on a connection that is about to end. Nothing more is read. */
  muted: boolean;
}

/** What one request holds, from its head until its response was sent or its connection closed, and until the core has answered. */
export interface Load {
  readonly connection: Connection;
  readonly source: Source;
  readonly response: ServerResponse;
  readonly shared: boolean;
  bytes: number;
  state: 'reading' | 'waiting' | 'settled';
  closed: boolean;
  /** When the whole response was handed to the stream, on the clock of `performance.now`. */
  respondedAt: number | undefined;
  /** Frees the body. Called if it is not used, and at the end. */
  onDrop: (() => void) | undefined;
}

/** Reports whether a request is complete or refused, so that its own response is yet to come or was sent. */
export function willRespond({ state, response }: Load): boolean {
  return state !== 'reading' || response.req.complete;
}

/** What all sources hold. */
export interface Counts {
  readonly connections: number;
  readonly bytes: number;
  readonly requests: number;
  readonly sources: number;
}

/** The connections of this server. Owns their limits, and their end. */
export interface Connections {
  /** Counts a new connection. Returns undefined, after destroying it, if there are too many of its source or in all. */
  enter(raw: Socket, address: string, isTrusted: IsTrusted): Connection | undefined;
  /** Counts a connection for the client that its proxy named. Returns false, after destroying it, if that client has too many. */
  move(connection: Connection, address: string, isTrusted: IsTrusted): boolean;
  /** Calls `begin`, at once or in a later turn of the event loop if many connections of the source arrive together. */
  start(connection: Connection, begin: () => void): void;
  /** Begins to limit the requests on a stream. Call it after the HTTP server listens to the stream. */
  speak(connection: Connection, stream: Socket): void;
  /** Ends the limits of requests: the stream is not HTTP any more. */
  stopSpeaking(connection: Connection): void;
  of(stream: Socket): Connection | undefined;
  /** Counts the head of a request. Call it for each request, also for those that are ignored. */
  countHead(connection: Connection): void;
  /** Counts a request for the source of its client, or without `address` for that of its connection. */
  load(connection: Connection, response: ServerResponse, address?: string): Load;
  /** Reserves bytes. Returns false, and reserves nothing, if there is no room for them. */
  hold(load: Load, bytes: number): boolean;
  /** Counts bytes that exist already. */
  charge(load: Load, bytes: number): void;
  /** Frees the bytes of a body that is not used. */
  drop(load: Load): void;
  /** Counts the request as one that waits for a response. Returns false if its source has too many and cannot be held. */
  wait(load: Load): boolean;
  /** Reports that the core has answered. */
  settle(load: Load): void;
  /** Ignores further requests, and destroys the connection within a grace period that begins after the responses that wait. */
  end(connection: Connection): void;
  /** Destroys all connections. */
  destroyAll(): void;
  /** What all sources hold now. */
  counts(): Counts;
}

/** New connections of one source that start in one turn of the event loop: a TLS handshake costs up to a millisecond. */
const STARTS_PER_TURN = 4;
/**
 * Heads of requests that the server parses for one source in 5 ms, before it reads from one connection of the source per turn.
 * One read brings up to 2,000 pipelined heads, so a turn for each of many connections would hold up all other sources.
 */
const HEADS_MAX = 256;
const HEADS_MS = 5;

export function openConnections(limits: HoldingLimits): Connections {
  const share = (all: number) => Math.max(1, Math.floor((all * limits.sourceSharePercent) / 100));
  const connectionsOfSource = share(limits.connectionsMax);
  const bytesOfSource = share(limits.underWayMaxBytes);
  const all = new Set<Connection>();
  const byStream = new Map<Socket, Connection>();
  const sources = new Map<string, Source>();
  /** Sources that have something to do in the next turn of the event loop. */
  const waiting = new Set<Source>();
  let turning = false;
  let bytes = 0;
  let checking: NodeJS.Timeout | undefined;

  function sourceNamed(name: string): Source {
    const known = sources.get(name);
    if (known !== undefined) return known;
    const made: Source = {
      name,
      connections: 0,
      bytes: 0,
      requests: 0,
      proxied: 0,
      references: 0,
      arriving: [],
      open: new Set(),
      held: new Set(),
      startedThisTurn: 0,
      heads: 0,
      countedFrom: 0,
    };
    sources.set(name, made);
    return made;
  }

  function release(source: Source): void {
    source.references -= 1;
    if (source.references === 0) sources.delete(source.name);
  }

  function waitForTurn(source: Source): void {
    waiting.add(source);
    if (turning) return;
    turning = true;
    setImmediate(turn);
  }

  /** Each source starts a few connections and reads from one of those that were held, so that no source fills a turn. */
  function turn(): void {
    turning = false;
    for (const source of [...waiting]) {
      source.startedThisTurn = 0;
      for (const begin of source.arriving.splice(0, STARTS_PER_TURN)) {
        source.startedThisTurn += 1;
        begin();
      }
      const [held] = source.held;
      if (held !== undefined && source.requests < limits.requestsOfSourceMax) {
        source.held.delete(held);
        source.open.add(held);
        read(held);
      }
      const more = source.arriving.length > 0 || (source.held.size > 0 && source.requests < limits.requestsOfSourceMax);
      if (!more && source.startedThisTurn === 0) waiting.delete(source);
    }
    if (waiting.size === 0) return;
    turning = true;
    setImmediate(turn);
  }

  function isHeld(connection: Connection): boolean {
    return connection.muted || connection.requests >= limits.requestsOfConnectionMax || connection.source.held.has(connection);
  }

  function read(connection: Connection): void {
    if (!isHeld(connection)) connection.stream?.resume();
  }

  function holdSource(source: Source): void {
    for (const connection of source.open) {
      source.held.add(connection);
      stopReading(connection.stream);
    }
    source.open.clear();
  }

  function countHead(connection: Connection): void {
    const { source, shared } = connection;
    if (connection.ending && !connection.muted) {
      connection.muted = true;
      stopReading(connection.stream);
    }
    const now = performance.now();
    if (now - source.countedFrom > HEADS_MS) {
      source.countedFrom = now;
      source.heads = 0;
    }
    source.heads += 1;
    if (shared || source.heads < HEADS_MAX || source.open.size === 0) return;
    holdSource(source);
    waitForTurn(source);
  }

  function added(connection: Connection): void {
    const { source } = connection;
    connection.requests += 1;
    if (connection.requests === limits.requestsOfConnectionMax) stopReading(connection.stream);
    if (!connection.shared && source.requests >= limits.requestsOfSourceMax) holdSource(source);
  }

  function removed({ connection, source }: Load): void {
    source.requests -= 1;
    connection.requests -= 1;
    if (connection.requests === limits.requestsOfConnectionMax - 1) read(connection);
    if (source.held.size > 0) waitForTurn(source);
  }

  function charge(load: Load, more: number): void {
    load.bytes += more;
    bytes += more;
    load.source.bytes += more;
  }

  function freeIfOver(load: Load): void {
    if (!load.closed || load.state === 'waiting') return;
    charge(load, -load.bytes);
    if (load.shared) load.source.proxied -= 1;
    release(load.source);
  }

  function close(load: Load): void {
    if (load.closed) return;
    load.closed = true;
    load.connection.loads.delete(load);
    if (load.state === 'settled') removed(load);
    load.onDrop?.();
    freeIfOver(load);
  }

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
    // The HTTP server does not close the responses that are behind another one.
    for (const load of connection.loads) close(load);
    all.delete(connection);
    if (stream !== undefined) byStream.delete(stream);
    source.open.delete(connection);
    source.held.delete(connection);
    source.connections -= 1;
    release(source);
    if (all.size > 0) return;
    clearInterval(checking);
    checking = undefined;
  }

  return {
    enter(raw, address, isTrusted) {
      const shared = isTrusted(address);
      const name = sourceOf(address);
      if (all.size >= limits.connectionsMax || (!shared && (sources.get(name)?.connections ?? 0) >= connectionsOfSource)) {
        raw.destroy();
        return undefined;
      }
      const source = sourceNamed(name);
      source.references += 1;
      const connection: Connection = { raw, source, shared, loads: new Set(), requests: 0, last: undefined, ending: false, muted: false };
      source.connections += 1;
      all.add(connection);
      raw.once('close', () => leave(connection));
      checking ??= setInterval(check, limits.checkingIntervalMs).unref();
      return connection;
    },
    move(connection, address, isTrusted) {
      const name = sourceOf(address);
      const shared = isTrusted(address);
      if (!shared && (sources.get(name)?.connections ?? 0) >= connectionsOfSource) {
        connection.raw.destroy();
        return false;
      }
      const source = sourceNamed(name);
      source.references += 1;
      connection.source.connections -= 1;
      release(connection.source);
      source.connections += 1;
      connection.source = source;
      connection.shared = shared;
      return true;
    },
    start(connection, begin) {
      const { source, shared } = connection;
      const beginIfThere = () => {
        if (!connection.raw.destroyed) begin();
      };
      if (shared) {
        beginIfThere();
        return;
      }
      waitForTurn(source);
      if (source.startedThisTurn >= STARTS_PER_TURN || source.arriving.length > 0) source.arriving.push(beginIfThere);
      else {
        source.startedThisTurn += 1;
        beginIfThere();
      }
    },
    speak(connection, stream) {
      const { source, shared } = connection;
      connection.stream = stream;
      byStream.set(stream, connection);
      // The HTTP server resumes the stream when it reads a body or has sent a response.
      stream.on('resume', () => {
        if (isHeld(connection)) stopReading(stream);
      });
      if (shared) return;
      if (source.requests < limits.requestsOfSourceMax && source.held.size === 0) {
        source.open.add(connection);
        return;
      }
      source.held.add(connection);
      waitForTurn(source);
      stopReading(stream);
    },
    stopSpeaking(connection) {
      connection.source.open.delete(connection);
      connection.source.held.delete(connection);
    },
    of: (stream) => byStream.get(stream),
    countHead,
    load(connection, response, address) {
      const source = address === undefined ? connection.source : sourceNamed(sourceOf(address));
      const { shared } = connection;
      const load: Load = {
        connection,
        source,
        response,
        shared,
        bytes: 0,
        state: 'reading',
        closed: false,
        respondedAt: undefined,
        onDrop: undefined,
      };
      source.references += 1;
      if (shared) source.proxied += 1;
      response.once('close', () => close(load));
      connection.loads.add(load);
      connection.last = response;
      return load;
    },
    hold(load, more) {
      const { source } = load;
      if (bytes + more > limits.underWayMaxBytes || source.bytes + more > bytesOfSource) return false;
      if (source.proxied > connectionsOfSource) return false;
      charge(load, more);
      return true;
    },
    charge,
    drop(load) {
      charge(load, -load.bytes);
      load.onDrop?.();
    },
    wait(load) {
      const { source } = load;
      if (load.closed || (load.shared && source.requests >= limits.requestsOfSourceMax)) return false;
      load.state = 'waiting';
      source.requests += 1;
      added(load.connection);
      return true;
    },
    settle(load) {
      if (load.state !== 'waiting') return;
      load.state = 'settled';
      // A response that waits for its client still counts.
      if (load.closed) removed(load);
      freeIfOver(load);
    },
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
      let requests = 0;
      for (const source of sources.values()) requests += source.requests;
      return { connections: all.size, bytes, requests, sources: sources.size };
    },
  };
}

/** Stops reading from a stream of the HTTP server. The server stops on the event, which `pause` emits only if the stream is flowing. */
function stopReading(stream: Socket | undefined): void {
  stream?.pause();
  stream?.emit('pause');
}
