import type { ServerResponse } from 'node:http';
import { type Connection, type HoldingLimits, type Load, type SourceTable, shareOf } from './holdings.ts';
import type { Reading } from './reading.ts';

/** Counter of the resources that requests hold. */
export interface Loads {
  /** Counts a request for the source with this address, or for the source of its connection if `address` is absent. */
  load(connection: Connection, response: ServerResponse, address?: string): Load;
  /** Reserves bytes. If this would exceed a limit, returns false and reserves nothing. */
  hold(load: Load, bytes: number): boolean;
  /** Counts bytes that are already in memory, without checking the limits. */
  charge(load: Load, bytes: number): void;
  /** Frees the bytes of a body that is not used. */
  drop(load: Load): void;
  /**
   * Counts the request as waiting for a response. Returns false in two cases: (1) the request has ended, or (2) it
   * arrived on a proxy's connection and its source has too many waiting requests.
   */
  wait(load: Load): boolean;
  /** Notes that the core has answered the request. */
  settle(load: Load): void;
  /** Notes that the core has admitted the head of a request, whose body is read now. Returns false if the request has ended. */
  readOn(load: Load): boolean;
  /** Ends a request. Frees its resources now, or when the core has answered it. */
  close(load: Load): void;
  /** Bytes of all requests. */
  bytes(): number;
}

/** Counts the resources of requests, and refuses requests over the limits. */
export function newLoads(limits: HoldingLimits, sources: SourceTable, reading: Reading): Loads {
  const connectionsOfSource = shareOf(limits.connectionsMax, limits);
  const bytesOfSource = shareOf(limits.underWayMaxBytes, limits);
  let bytes = 0;

  function charge(load: Load, more: number): void {
    load.bytes += more;
    bytes += more;
    load.source.bytes += more;
  }

  function freeIfOver(load: Load): void {
    if (!load.closed || load.state === 'waiting') return;
    charge(load, -load.bytes);
    if (load.shared) load.source.proxied -= 1;
    sources.release(load.source);
  }

  function close(load: Load): void {
    if (load.closed) return;
    load.closed = true;
    load.connection.loads.delete(load);
    if (load.state === 'settled') reading.removed(load);
    load.onDrop?.();
    freeIfOver(load);
  }

  return {
    load(connection, response, address) {
      const source = address === undefined ? connection.source : sources.of(address);
      if (address === undefined) source.references += 1;
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
        uploads: false,
        onDrop: undefined,
      };
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
      reading.added(load);
      return true;
    },
    settle(load) {
      if (load.state !== 'waiting') return;
      load.state = 'settled';
      // `reading` counts an open request until `close`, because the client has not read the response yet. So a settled
      // request is removed here only if it is already closed.
      if (load.closed) reading.removed(load);
      freeIfOver(load);
    },
    readOn(load) {
      if (load.state !== 'settled' || load.closed) return false;
      load.state = 'reading';
      reading.removed(load);
      return true;
    },
    close,
    bytes: () => bytes,
  };
}
