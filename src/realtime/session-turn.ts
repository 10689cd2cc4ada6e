import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventReader, ReadEvents } from './event-reader.ts';
import type { Delivery, Outbox } from './outbox.ts';
import { type Prefetch, PrefetchError } from './prefetch.ts';
import { CLOSINGS, type Closing } from './protocol.ts';
import type { Reauthorization } from './reauthorization.ts';
import type { Session, Sessions } from './sessions.ts';

/** Minimum interval between two readings of stored events. All events of one reading are sent as one batch. */
const READ_EVERY_MS = 10;

/** If events cannot be read for longer than this, all sessions are closed. */
const FAILING_MAX_MS = 5_000;

export interface SessionTurnParts {
  readonly sessions: Sessions;
  readonly reauthorization: Pick<Reauthorization, 'isDue' | 'authorizeSlice'>;
  readonly reader: EventReader;
  readonly outbox: Outbox;
  readonly prefetch: Prefetch;
  /** Reports whether the server has a lease. Without a lease, the identity snapshot may be outdated. */
  readonly holds: () => boolean;
  /** Returns milliseconds on a monotonic clock. */
  readonly monotonic: () => number;
  readonly close: (sessions: readonly Session[], closing: Closing) => void;
  /** Requests a turn, which is one call of `SessionTurn.run`. */
  readonly request: () => void;
  readonly report: (line: string) => void;
}

/**
 * Work of the messaging sessions. A turn is one call of `run`: it sends events, authorizes sessions and sends channel
 * details.
 */
export interface SessionTurn {
  /** Requests a turn (a call of `run`) that reads events. */
  requestReading(): void;
  /**
   * Runs one turn. It reads events and sends them. Then it authorizes some of the sessions that must be authorized, and
   * sends the details of some channels. Returns 'more' if there are further sessions to authorize or details to send.
   */
  run(): Promise<'more' | 'done'>;
  /** Returns the monotonic time of the last reading. */
  readAt(): number;
  stop(): void;
}

/** Creates the work that messaging sessions do in each turn. `newTurns` calls `run` for each requested turn. */
export function newSessionTurn(parts: SessionTurnParts): SessionTurn {
  const { sessions, reauthorization, reader, outbox, prefetch, monotonic, close } = parts;
  let wanted = false;
  let readAt = Number.NEGATIVE_INFINITY;
  let failingSince: number | undefined;
  let timer: NodeJS.Timeout | undefined;

  function requestReading(): void {
    wanted = true;
    parts.request();
  }

  /** Reads the next events. The next poll repeats a failed read. If reads fail for too long, closes all sessions. */
  async function read(): Promise<ReadEvents> {
    readAt = monotonic();
    try {
      const events = await reader.read();
      failingSince = undefined;
      return events;
    } catch (error) {
      if (failingSince === undefined) parts.report(`channel events could not be read: ${(error as Error).message}`);
      failingSince ??= monotonic();
      if (monotonic() - failingSince > FAILING_MAX_MS) close(sessions.all(), CLOSINGS.failed);
      return { deliveries: [], established: [], more: false };
    }
  }

  async function readAndSend(): Promise<void> {
    wanted = false;
    const { deliveries, established, more } = await read();
    if (more) wanted = true;
    send(deliveries);
    for (const session of established.filter(sessions.has)) prefetch.add(session);
  }

  function send(deliveries: readonly Delivery[]): void {
    // Without a lease, this server's copy of users and policies may be stale. Then the server cannot check whether the
    // recipients may receive the events, so it closes all sessions.
    if (parts.holds()) close(outbox.send(deliveries), CLOSINGS.tryAgain);
    else close(sessions.all(), CLOSINGS.tryAgain);
  }

  async function sendDetails(): Promise<void> {
    try {
      send(await prefetch.read());
    } catch (error) {
      if (!(error instanceof PrefetchError)) throw error;
      parts.report(`a messaging session was closed because its channel details could not be read: ${error.message}`);
      close([error.session], CLOSINGS.failed);
    }
    await nextTurn();
  }

  /** Calls `parts.request` after a number of milliseconds, when events may be read again. */
  function waitForReading(milliseconds: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      parts.request();
    }, milliseconds);
  }

  return {
    requestReading,
    async run() {
      if (sessions.count() === 0) return 'done';
      const left = readAt + READ_EVERY_MS - monotonic();
      if (wanted && left <= 0) await readAndSend();
      if (reauthorization.isDue()) await reauthorization.authorizeSlice();
      if (prefetch.isDue()) await sendDetails();
      if (reauthorization.isDue() || prefetch.isDue()) return 'more';
      if (wanted) waitForReading(Math.max(readAt + READ_EVERY_MS - monotonic(), 0));
      return 'done';
    },
    readAt: () => readAt,
    stop: () => clearTimeout(timer),
  };
}
