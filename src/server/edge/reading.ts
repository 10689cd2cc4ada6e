import type { Socket } from 'node:net';
import { type ChunkedStep, chunkedStep } from './chunked-step.ts';
import type { Connection, HoldingLimits, Load, Source } from './holdings.ts';

/**
 * Scheduler of reads. It selects the connections to read from, and limits the bytes that are parsed in one turn of the
 * event loop. One source (client address) can therefore not use a whole turn.
 *
 * The unit of work is one request head (request line and headers) of minimal length, for which Node's parser and this
 * server need 10 to 20 µs.
 */
export interface Reading {
  /**
   * Calls `begin` at once. If many connections of the source arrive together, calls it in a later turn of the event
   * loop.
   */
  start(connection: Connection, begin: () => void): void;
  /** Begins to limit the requests on the stream of a connection. Call it after the HTTP server listens to the stream. */
  limitRequests(connection: Connection, stream: Socket): void;
  /** Ends the limits on the stream of a connection. Call it when the stream no longer carries HTTP requests. */
  stopLimiting(connection: Connection): void;
  /** Counts the head of a request, with the length of its body. Call it for each request, also for those that are ignored. */
  countHead(connection: Connection, body: Connection['bodyLeft']): void;
  /** Counts a request that waits for a response. */
  added(load: Load): void;
  /** Subtracts a request that no longer waits for a response. */
  removed(load: Load): void;
}

/**
 * Maximum number of new connections of one source that start in one turn of the event loop. The maximum is low, because
 * a TLS handshake costs up to a millisecond.
 */
const STARTS_PER_TURN = 4;

/**
 * Number of bytes that are parsed in one step. The limits are checked between two steps. One step contains at most 79
 * request heads of minimal length. Most requests need one step. A step is shorter if it has many lines (`STEP_LINES`).
 */
export const STEP_BYTES = 2_048;

const HEAD_WORK = 1;
/**
 * Work of each step, in addition to the work for the request heads in it. Parsing 2,048 bytes takes time even if they
 * contain no complete head.
 */
const STEP_WORK = 1;
/**
 * Work of each line in a step that contains a part of a body of unknown length, in addition to the work of the step. A chunk has two lines,
 * and a client can send chunks of one byte.
 */
export const LINE_WORK = 0.25;

/**
 * Maximum work for one source in one turn of the event loop. At the maximum, the server stops reading from the source
 * until the next turn.
 */
export const WORK_OF_SOURCE = 128;
/**
 * Maximum work for all sources in one turn of the event loop. At the maximum, the server stops reading from a source
 * until the next turn. It continues to read from sources with less work than `WORK_OF_SMALL_SOURCE`.
 */
export const WORK_OF_TURN = 512;
const WORK_OF_SMALL_SOURCE = 8;

/** Maximum number of held connections of one source from which the server resumes reading in one turn. */
const RELEASES_PER_TURN = 32;

/**
 * Maximum number of connections of a source with bytes that were read and not parsed. At the maximum, the server reads
 * from no other connection of the source.
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
   * Resumes connections of a source, alternately from `partial` and from `held`. Without the alternation, partial
   * connections could use all work of every turn, because their bytes are already in memory. The number of partial
   * connections is limited, because each of them holds up to 64 KiB.
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
    // A connection of a trusted proxy carries requests of many clients, so the limits per source do not apply to it.
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
      // The HTTP server resumes the stream when it reads a body or has sent a response. If the connection is held, this
      // listener stops the reading again.
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
      // The lines of the step can be chunks of this body. Other requests of the step do not pay for them again.
      const lines = body === 'chunks' ? connection.linesOfStep : 0;
      connection.linesOfStep -= lines;
      spend(connection, HEAD_WORK + lines * LINE_WORK);
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

/**
 * Stream of the HTTP server. `_paused` is the HTTP server's own flag. While it is true the HTTP server accepts no
 * bytes, because responses wait for the client to read.
 */
type HttpStream = Socket & { readonly _paused?: boolean };

interface Steps {
  readonly isHeld: () => boolean;
  readonly onStep: (work: number) => void;
}

/**
 * Passes the bytes of a stream to the HTTP server in steps. Calls `onStep` before each step. If the server must stop
 * reading from the connection after that call, the remaining bytes wait in the stream.
 *
 * Without this function, the HTTP server would parse all 64 KiB of one read at once. They can contain 2,500 heads of
 * minimal length.
 */
function parseInSteps(connection: Connection, stream: HttpStream, { isHeld, onStep }: Steps): void {
  const [deliver] = stream.listeners('data') as ((bytes: Buffer) => void)[];
  if (deliver === undefined) throw new Error('The HTTP server has no listener on the stream of a connection.');
  const onData = (bytes: Buffer): void => {
    for (let from = 0, to = 0; from < bytes.length; from = to) {
      if (stream.destroyed || connection.muted) return;
      const held = isHeld() || stream._paused;
      if (held || stream.isPaused() || connection.onData === undefined) {
        // Stops the reading again, because the HTTP server resumes the stream after each request, and when it reads a
        // body.
        if (held) stopReading(stream);
        stream.unshift(bytes.subarray(from));
        if (connection.source.held.delete(connection)) connection.source.partial.add(connection);
        return;
      }
      const { bodyLeft } = connection;
      if (bodyLeft === 'chunks') {
        const { length, lines } = chunkedStep(bytes, from);
        onStep(STEP_WORK + lines * LINE_WORK);
        to = from + length;
        connection.linesOfStep = 0;
      } else {
        onStep(STEP_WORK);
        const { length, lines } = stepWithHeads(bytes, from, bodyLeft);
        to = from + length;
        connection.bodyLeft = bodyLeft - length;
        connection.linesOfStep = lines;
      }
      deliver(to - from === bytes.length ? bytes : bytes.subarray(from, to));
    }
  };
  // Before a `data` listener is added, Node's HTTP parser reads directly from the socket's handle. When the listener is
  // added, Node ends these reads and removes the `pause` and `resume` listeners of the HTTP server. The loop below
  // restores these listeners, because a paused stream would otherwise continue to read until its buffer is full.
  const removed = (['pause', 'resume'] as const).map((event) => [event, stream.listeners(event) as (() => void)[]] as const);
  connection.onData = onData;
  stream.on('data', onData);
  stream.off('data', deliver);
  for (const [event, listeners] of removed) {
    for (const listener of listeners) if (!stream.listeners(event).includes(listener)) stream.on(event, listener);
  }
}

/**
 * Returns the next step outside a body of unknown length. `bodyLeft` is the maximum number of remaining bytes of a body of known length. One
 * step may contain the whole rest of such a body, because it contains no request heads, and the parser passes it on in one piece.
 *
 * A step ends after `STEP_LINES` lines that follow the body. They can be chunks of a request that begins in the step.
 */
function stepWithHeads(bytes: Buffer, from: number, bodyLeft: number): ChunkedStep {
  const most = bytes.subarray(from, from + Math.max(STEP_BYTES, bodyLeft));
  const body = Math.min(bodyLeft, most.length);
  const { length, lines } = chunkedStep(most, body);
  return { length: body + length, lines };
}

/** Stops reading from all connections of a source. */
function holdSource({ open, held, partial }: Source): void {
  for (const connection of open) {
    (connection.stream !== undefined && connection.stream.readableLength > 0 ? partial : held).add(connection);
    stopReading(connection.stream);
  }
  open.clear();
}

/**
 * Stops reading from a stream of the HTTP server. The HTTP server stops when the stream emits the event `pause`. The
 * method `pause` emits this event only if the stream is flowing, so this function emits it too.
 */
function stopReading(stream: Socket | undefined): void {
  stream?.pause();
  stream?.emit('pause');
}
