import type { Socket } from 'node:net';
import type { Connection, HoldingLimits, Load, Source } from './holdings.ts';

/** Decides which connections are read from, so that no source fills a turn of the event loop. */
export interface Reading {
  /** Calls `begin`, at once or in a later turn of the event loop if many connections of the source arrive together. */
  start(connection: Connection, begin: () => void): void;
  /** Begins to limit the requests on the stream of a connection. */
  speak(connection: Connection, stream: Socket): void;
  /** Ends the limits of requests: the stream is not HTTP any more. */
  stopSpeaking(connection: Connection): void;
  /** Counts the head of a request. Call it for each request, also for those that are ignored. */
  countHead(connection: Connection): void;
  /** Counts a request that waits for a response. */
  added(load: Load): void;
  /** Reports that a request does not wait any more. */
  removed(load: Load): void;
}

/** New connections of one source that start in one turn of the event loop: a TLS handshake costs up to a millisecond. */
const STARTS_PER_TURN = 4;
/**
 * Heads of requests that the server parses for one source in 5 ms, before it reads from one connection of the source per turn.
 * One read brings up to 2,000 pipelined heads, so a turn for each of many connections would hold up all other sources.
 */
const HEADS_MAX = 256;
const HEADS_MS = 5;

/** Gives sources turns of the event loop. Returns the function that lets a source wait for one. `read` reads from a connection that was held. */
function newTurns(limits: HoldingLimits, read: (connection: Connection) => void): (source: Source) => void {
  /** Sources that have something to do in the next turn of the event loop. */
  const waiting = new Set<Source>();
  let turning = false;

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

  return waitForTurn;
}

/** Creates the scheduler of all connections. */
export function newReading(limits: HoldingLimits): Reading {
  const waitForTurn = newTurns(limits, read);

  function isHeld(connection: Connection): boolean {
    return connection.muted || connection.requests >= limits.requestsOfConnectionMax || connection.source.held.has(connection);
  }

  function read(connection: Connection): void {
    if (!isHeld(connection)) connection.stream?.resume();
  }

  function countHead(connection: Connection): void {
    const { source, shared } = connection;
    if (connection.ending && !connection.muted) {
      connection.muted = true;
      stopReading(connection.stream);
    }
    if (!isOverHeads(source) || shared || source.open.size === 0) return;
    holdSource(source);
    waitForTurn(source);
  }

  function added({ connection, source }: Load): void {
    source.requests += 1;
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
      waitForTurn(source);
      if (source.startedThisTurn >= STARTS_PER_TURN || source.arriving.length > 0) source.arriving.push(beginIfThere);
      else {
        source.startedThisTurn += 1;
        beginIfThere();
      }
    },
    speak(connection, stream) {
      const { source, shared } = connection;
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
    countHead,
    added,
    removed,
  };
}

/** Counts a head. Returns whether the source has sent too many of them lately. */
function isOverHeads(source: Source): boolean {
  const now = performance.now();
  if (now - source.countedFrom > HEADS_MS) {
    source.countedFrom = now;
    source.heads = 0;
  }
  source.heads += 1;
  return source.heads >= HEADS_MAX;
}

function holdSource(source: Source): void {
  for (const connection of source.open) {
    source.held.add(connection);
    stopReading(connection.stream);
  }
  source.open.clear();
}

/** Stops reading from a stream of the HTTP server. The server stops on the event, which `pause` emits only if the stream is flowing. */
function stopReading(stream: Socket | undefined): void {
  stream?.pause();
  stream?.emit('pause');
}
