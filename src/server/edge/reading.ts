import type { Socket } from 'node:net';
import type { Connection, HoldingLimits, Load, Source } from './holdings.ts';

/**
 * Scheduler of reads. It selects the connections to read from, and limits the bytes that are parsed in one turn of the event loop. One
 * source can therefore not use a whole turn.
 *
 * The unit of work is one request head of minimal length, for which Node's parser and this server need 10 to 20 µs.
 */
export interface Reading {
  /** Calls `begin`, at once or in a later turn of the event loop if many connections of the source arrive together. */
  start(connection: Connection, begin: () => void): void;
  /** Begins to limit the requests on the stream of a connection. Call it after the HTTP server listens to the stream. */
  limitRequests(connection: Connection, stream: Socket): void;
  /** Ends the limits on the stream of a connection. Call it when the stream no longer carries HTTP requests. */
  stopLimiting(connection: Connection): void;
  /** Counts the head of a request, with the length of its body. Call it for each request, also for those that are ignored. */
  countHead(connection: Connection, body: Connection['bodyLeft']): void;
  /** Counts a request that waits for a response. */
  added(load: Load): void;
  /** Reports that a request does not wait any more. */
  removed(load: Load): void;
}

/** New connections of one source that start in one turn of the event loop: a TLS handshake costs up to a millisecond. */
const STARTS_PER_TURN = 4;

/**
 * Bytes that are parsed before the limits are checked again. They contain at most 79 heads of minimal length. Most requests need one step.
 */
export const STEP_BYTES = 2_048;

const HEAD_WORK = 1;
/** Work of each step, in addition to the work of its heads. Parsing 2,048 bytes takes time even if they contain no complete head. */
const STEP_WORK = 1;
/** Bytes and work of a step within a body of unknown length. A client can send chunks of one byte, up to 170 in one step. */
const CHUNKS_BYTES = 1_024;
const CHUNKS_WORK = 64;

/** Work for one source in one turn, after which the server stops reading from the source until the next turn. */
export const WORK_OF_SOURCE = 128;
/** Work for all sources in one turn, after which sources over `WORK_OF_SMALL_SOURCE` wait for the next turn. */
export const WORK_OF_TURN = 512;
const WORK_OF_SMALL_SOURCE = 8;

/** Maximum held connections of a source from which the server resumes reading in one turn. */
const RELEASES_PER_TURN = 32;

/**
 * Maximum connections of a source with bytes that were read and not parsed. At the maximum, the server reads from no other connection of
 * the source.
 */
const PARTIAL_MAX = 64;

/** Work in each turn of the event loop, and the sources that wait for the next turn. */
interface Turns {
  /** Adds work. Returns whether the source must wait for the next turn. */
  spend(source: Source, work: number): boolean;
  /** Lets a source start connections and resume held connections in the next turn. */
  wait(source: Source): void;
}

/** Creates the schedule of sources over turns of the event loop. `read` resumes reading from a held connection. */
function newTurns(limits: HoldingLimits, read: (connection: Connection) => void): Turns {
  /** Sources with connections to start or to read from in the next turn of the event loop. */
  const waiting = new Set<Source>();
  /** Sources with work in this turn. */
  const working = new Set<Source>();
  let work = 0;
  let turning = false;

  function wake(): void {
    if (turning) return;
    turning = true;
    setImmediate(turn);
  }

  function turn(): void {
    turning = false;
    work = 0;
    for (const source of working) source.work = 0;
    working.clear();
    for (const source of [...waiting]) {
      startSome(source);
      readSome(source);
      if (source.arriving.length === 0 && !mayRead(source) && source.startedThisTurn === 0) waiting.delete(source);
    }
    if (waiting.size > 0) wake();
  }

  function startSome(source: Source): void {
    source.startedThisTurn = 0;
    for (const begin of source.arriving.splice(0, STARTS_PER_TURN)) {
      source.startedThisTurn += 1;
      begin();
    }
  }

  function mayRead({ partial, held, requests }: Source): boolean {
    return partial.size + held.size > 0 && requests < limits.requestsOfSourceMax;
  }

  /**
   * Resumes connections of a source, alternately from `partial` and from `held`. Otherwise partial connections, whose bytes are already in
   * memory, could use all work of every turn. Their number is limited, because each holds up to 64 KiB.
   */
  function readSome(source: Source): void {
    const { partial, held, open } = source;
    source.readsPartial = held.size === 0 || partial.size >= PARTIAL_MAX || (partial.size > 0 && !source.readsPartial);
    const from = source.readsPartial ? partial : held;
    for (let left = RELEASES_PER_TURN; left > 0 && mayRead(source); left--) {
      const [connection] = from;
      if (connection === undefined) return;
      from.delete(connection);
      open.add(connection);
      read(connection);
    }
  }

  return {
    spend(source, more) {
      if (source.work === 0) working.add(source);
      source.work += more;
      work += more;
      wake();
      return source.work >= WORK_OF_SOURCE || (work >= WORK_OF_TURN && source.work >= WORK_OF_SMALL_SOURCE);
    },
    wait(source) {
      waiting.add(source);
      wake();
    },
  };
}

/** Creates the scheduler of all connections. */
export function newReading(limits: HoldingLimits): Reading {
  const turns = newTurns(limits, read);

  function isHeld(connection: Connection): boolean {
    const { muted, requests, source } = connection;
    return muted || requests >= limits.requestsOfConnectionMax || source.held.has(connection) || source.partial.has(connection);
  }

  function read(connection: Connection): void {
    if (!isHeld(connection)) connection.stream?.resume();
  }

  function spend({ source, shared }: Connection, work: number): void {
    // A connection of a trusted proxy carries requests of many clients. Only its own limit applies.
    if (shared || !turns.spend(source, work) || source.open.size === 0) return;
    holdSource(source);
    turns.wait(source);
  }

  function removed({ connection, source }: Load): void {
    source.requests -= 1;
    connection.requests -= 1;
    if (connection.requests === limits.requestsOfConnectionMax - 1) read(connection);
    if (source.held.size + source.partial.size > 0) turns.wait(source);
  }

  return {
    start(connection, begin) {
      const { source, shared } = connection;
      const beginIfThere = () => {
        if (!connection.raw.destroyed) begin();
      };
      if (shared) {
        beginIfThere();
        return;
      }
      turns.wait(source);
      if (source.startedThisTurn >= STARTS_PER_TURN || source.arriving.length > 0) source.arriving.push(beginIfThere);
      else {
        source.startedThisTurn += 1;
        beginIfThere();
      }
    },
    limitRequests(connection, stream) {
      const { source, shared } = connection;
      parseInSteps(connection, stream, { isHeld: () => isHeld(connection), onStep: (work) => spend(connection, work) });
      // The HTTP server resumes the stream when it reads a body or has sent a response.
      stream.on('resume', () => {
        if (isHeld(connection)) stopReading(stream);
      });
      if (shared) return;
      if (source.requests < limits.requestsOfSourceMax && source.held.size + source.partial.size === 0) {
        source.open.add(connection);
        return;
      }
      source.held.add(connection);
      turns.wait(source);
      stopReading(stream);
    },
    stopLimiting(connection) {
      const { stream, onData, source } = connection;
      if (onData !== undefined) stream?.off('data', onData);
      connection.onData = undefined;
      for (const connections of [source.open, source.held, source.partial]) connections.delete(connection);
    },
    countHead(connection, body) {
      connection.bodyLeft = body;
      if (connection.ending && !connection.muted) {
        connection.muted = true;
        stopReading(connection.stream);
      }
      spend(connection, HEAD_WORK);
    },
    added({ connection, source }) {
      source.requests += 1;
      connection.requests += 1;
      if (connection.requests === limits.requestsOfConnectionMax) stopReading(connection.stream);
      if (!connection.shared && source.requests >= limits.requestsOfSourceMax) holdSource(source);
    },
    removed,
  };
}

/** Stream of the HTTP server. `_paused` is the server's own flag: it accepts no bytes then, because responses wait for the client. */
type HttpStream = Socket & { readonly _paused?: boolean };

interface Steps {
  readonly isHeld: () => boolean;
  readonly onStep: (work: number) => void;
}

/**
 * Passes the bytes of a stream to the HTTP server in steps. Calls `onStep` before each step. If the connection is then held, the remaining
 * bytes wait in the stream.
 *
 * Without this, the HTTP server parses the 64 KiB of one read at once: 2,500 heads of minimal length.
 */
function parseInSteps(connection: Connection, stream: HttpStream, { isHeld, onStep }: Steps): void {
  const [deliver] = stream.listeners('data') as ((bytes: Buffer) => void)[];
  if (deliver === undefined) throw new Error('The HTTP server does not listen to its stream.');
  const onData = (bytes: Buffer): void => {
    for (let from = 0, to = 0; from < bytes.length; from = to) {
      if (stream.destroyed || connection.muted) return;
      const held = isHeld() || stream._paused;
      if (held || stream.isPaused() || connection.onData === undefined) {
        // The HTTP server resumes the stream after each request, and when it reads a body.
        if (held) stopReading(stream);
        stream.unshift(bytes.subarray(from));
        if (connection.source.held.delete(connection)) connection.source.partial.add(connection);
        return;
      }
      const { bodyLeft } = connection;
      onStep(bodyLeft === 'chunks' ? CHUNKS_WORK : STEP_WORK);
      // A body of known length contains no heads, and the parser passes on each step in one piece.
      to = Math.min(bytes.length, from + (bodyLeft === 'chunks' ? CHUNKS_BYTES : Math.max(STEP_BYTES, bodyLeft)));
      if (bodyLeft !== 'chunks') connection.bodyLeft = bodyLeft - (to - from);
      deliver(to - from === bytes.length ? bytes : bytes.subarray(from, to));
    }
  };
  // Node's HTTP server stops reading from the socket directly when a `data` listener is added. It then removes its `pause` and `resume`
  // listeners. The loop below restores them, because a paused stream would otherwise continue to read until its buffer is full.
  const removed = (['pause', 'resume'] as const).map((event) => [event, stream.listeners(event) as (() => void)[]] as const);
  connection.onData = onData;
  stream.on('data', onData);
  stream.off('data', deliver);
  for (const [event, listeners] of removed) {
    for (const listener of listeners) if (!stream.listeners(event).includes(listener)) stream.on(event, listener);
  }
}

/** Stops reading from all connections of a source. */
function holdSource({ open, held, partial }: Source): void {
  for (const connection of open) {
    (connection.stream !== undefined && connection.stream.readableLength > 0 ? partial : held).add(connection);
    stopReading(connection.stream);
  }
  open.clear();
}

/** Stops reading from a stream of the HTTP server. The server stops on the event, which `pause` emits only if the stream is flowing. */
function stopReading(stream: Socket | undefined): void {
  stream?.pause();
  stream?.emit('pause');
}
