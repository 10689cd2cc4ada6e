import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { type FrameSequence, sequenceOf } from './frame-sequence.ts';

/** An open WebSocket and its pending frames. */
export interface WrittenSocket {
  readonly socket: WebSocket;
  /** Connection of the socket, as the upgrade event passed it. */
  readonly connection: Duplex;
  pending?: FrameSequence | undefined;
  /** Runs when the pending frames have been written. */
  onWritten?: (() => void) | undefined;
}

/**
 * Writer of frames to sockets. It collects the frames of each socket and writes them with one write, at most every
 * 10 ms. If a pass over all waiting sockets takes long, the interval to the next pass is longer.
 *
 * The writer writes complete frames directly to the connection, so the frames that `ws` itself writes (ping, pong,
 * close) never split another frame. Decision 0019.
 */
export interface SocketWriter {
  /**
   * Adds frames for one socket. Passing the same buffer for several sockets is cheaper than passing equal buffers. If
   * too many bytes already wait, because the client does not read, adds nothing and returns false. `onWritten` runs
   * when the operating system has accepted the frames.
   */
  add(to: WrittenSocket, frames: Buffer, onWritten?: () => void): boolean;
  /** Writes the frames of a socket now. Call it before the socket is closed. */
  flush(to: WrittenSocket): void;
  /** Drops all waiting frames. */
  stop(): void;
}

/** Minimum interval between two writes to one socket. */
const WRITE_EVERY_MS = 10;

/**
 * Interval between the beginnings of two passes over the sockets, as a multiple of the duration of a pass. So thousands
 * of sockets with continuous traffic occupy the thread for at most a third of the time, and get larger batches.
 */
const REST_FACTOR = 3;

/**
 * Maximum number of writes in one turn of the event loop. They take about 2 ms. Requests are read between two turns.
 */
const WRITES_AT_ONCE = 256;

/** Creates a writer. `waitingMaxBytes` limits the bytes that wait for one socket, in the writer and in its connection. */
export function newSocketWriter(waitingMaxBytes: number): SocketWriter {
  /**
   * Map from a frame to the sequence that contains only this frame. All sockets whose pending frames begin with this
   * frame share the sequence.
   */
  let first = new WeakMap<Buffer, FrameSequence>();
  /** Sockets with pending frames. */
  let waiting: WrittenSocket[] = [];
  let beganAt = 0;
  /** Earliest time of the next pass. */
  let restsUntil = 0;
  let timer: NodeJS.Timeout | undefined;
  let turn: NodeJS.Immediate | undefined;

  function firstSequence(frame: Buffer): FrameSequence {
    let sequence = first.get(frame);
    if (sequence === undefined) first.set(frame, (sequence = sequenceOf(frame)));
    return sequence;
  }

  function schedule(): void {
    if (timer !== undefined || turn !== undefined) return;
    const left = restsUntil - performance.now();
    if (left > 0) timer = setTimeout(begin, left);
    else turn = setImmediate(begin);
  }

  function begin(): void {
    timer = undefined;
    beganAt = performance.now();
    const sockets = waiting;
    waiting = [];
    write(sockets, 0);
  }

  function write(sockets: readonly WrittenSocket[], from: number): void {
    const to = Math.min(from + WRITES_AT_ONCE, sockets.length);
    for (let i = from; i < to; i++) flush(sockets[i] as WrittenSocket);
    if (to < sockets.length) {
      turn = setImmediate(() => write(sockets, to));
      return;
    }
    turn = undefined;
    restsUntil = beganAt + Math.max(WRITE_EVERY_MS, REST_FACTOR * (performance.now() - beganAt));
    if (waiting.length > 0) schedule();
  }

  function flush(to: WrittenSocket): void {
    const { pending, onWritten, socket, connection } = to;
    if (pending === undefined) return;
    to.pending = undefined;
    to.onWritten = undefined;
    if (socket.readyState === socket.OPEN) connection.write(pending.toBuffer(), onWritten);
  }

  return {
    add(to, frames, onWritten) {
      const { pending, socket, connection } = to;
      if (socket.readyState !== socket.OPEN) return true;
      if (connection.writableLength + (pending?.bytes ?? 0) + frames.length > waitingMaxBytes) return false;
      if (pending === undefined) {
        waiting.push(to);
        to.pending = firstSequence(frames);
        schedule();
      } else to.pending = pending.followedBy(frames);
      if (onWritten !== undefined) to.onWritten = onWritten;
      return true;
    },
    flush,
    stop() {
      clearTimeout(timer);
      clearImmediate(turn);
      for (const each of waiting) each.pending = undefined;
      waiting = [];
      first = new WeakMap();
    },
  };
}
