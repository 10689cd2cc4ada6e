import type { Authenticate } from '#access/authenticate.ts';
import type { Authorize } from '#access/authorize.ts';
import { BOUND_TO_PRINCIPALS } from '#access/principal-layers.ts';
import type { Snapshot } from '#access/snapshot.ts';
import type { Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { Store } from '#store/store.ts';
import { type Admission, newAdmission } from './admission.ts';
import { newEventReader } from './event-reader.ts';
import { expiryTimers } from './expiry.ts';
import type { SessionLimits } from './limits.ts';
import { CLOSINGS, type Closing, type SocketOrder } from './protocol.ts';
import { newReauthorization } from './reauthorization.ts';
import { newSessionTurn } from './session-turn.ts';
import { newSession, newSessions, type Session } from './sessions.ts';
import { newTurns } from './turns.ts';

/**
 * Messaging sessions of one server. Owns the connected users, their authorization and the events that they receive. The main thread owns
 * the sockets and follows the orders. README.md lists which side closes a session, and when.
 */
export interface MessagingSessions extends Pick<Admission, 'reserve'> {
  /** Frees the reservation of a Connect request that did not succeed. */
  release(requestId: string): void;
  /** Adds the session of a Connect request that succeeded. The socket with this number may be opened. */
  admit(socket: number, received: Received): void;
  opened(socket: number): void;
  closed(socket: number): void;
  /** Stops without orders to the sockets. Their owner closes them. */
  stop(): Promise<void>;
}

/** Parts of the server that messaging sessions need. */
export interface MessagingSessionParts {
  readonly store: Store;
  readonly snapshot: Pick<Snapshot, 'watch'>;
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  /** Reports whether the lease on the snapshot holds. */
  readonly holds: () => boolean;
  readonly guide2021: boolean;
  readonly now: () => Instant;
  /** Returns milliseconds on a monotonic clock. */
  readonly monotonic: () => number;
  /** Subscribes to hints that there are new events. Returns the function that ends the subscription. */
  readonly onHint: (receive: () => void) => () => void;
  /** Passes orders to the owner of the sockets. */
  readonly follow: (orders: readonly SocketOrder[]) => void;
  readonly limits: SessionLimits;
  /** Logs a line, which starts with lower case and has no prefix. */
  readonly report: (line: string) => void;
}

/** Interval between checks of the lease, of deadlines and of the poll interval. */
const TICK_MS = 100;

/**
 * Creates the messaging sessions of a server.
 *
 * They work in turns, one after the other: read the events and the memberships of new sessions in one transaction, authorize the recipients
 * and the sessions that are due, and send. So no session receives an event by a withdrawn permission.
 * Requirements AUTHN-3, EVAL-10, ROLE-4.
 */
export function messagingSessions(parts: MessagingSessionParts): MessagingSessions {
  const { limits, monotonic, follow } = parts;
  const sessions = newSessions();
  const admission = newAdmission(sessions, limits);
  const reauthorization = newReauthorization({ ...parts, sessions, close, expires: expiryTimers(sessions, parts.now, close) });
  const reader = newEventReader({ ...parts, sessions, close, reauthorize });
  const turn = newSessionTurn({ ...parts, sessions, reauthorization, reader, closeAll });
  const turns = newTurns(turn.run, restartIfEmpty);
  const timers = newTimers([
    { everyMs: TICK_MS, run: check },
    { everyMs: limits.reauthorizeEveryMs, run: () => reauthorize(sessions.all()) },
  ]);
  const unsubscribe = parts.onHint(() => {
    if (sessions.count() > 0) turns.request();
  });

  parts.snapshot.watch((change) => {
    const bound = BOUND_TO_PRINCIPALS.has(change.kind);
    const affected = sessions.all().filter(({ accountId }) => !bound || accountId === change.accountId);
    reauthorize(affected, limits.reauthorizeWithinMs);
  });

  function check(): void {
    if (!parts.holds()) closeAll(CLOSINGS.tryAgain);
    if (reauthorization.isDue() || monotonic() >= turn.readAt() + limits.pollEveryMs) turns.request();
  }

  function reauthorize(some: readonly Session[], withinMs = 0): void {
    if (some.length === 0) return;
    for (const session of some) reauthorization.mark(session);
    reauthorization.scheduleWithin(withinMs);
  }

  function close(session: Session, closing: Closing): void {
    if (session.state === 'admitted') {
      session.closing ??= closing;
      return;
    }
    if (!sessions.has(session)) return;
    follow([{ close: closing, to: [session.socket] }]);
    forget(session);
  }

  function closeAll(closing: Closing): void {
    for (const session of sessions.all()) close(session, closing);
  }

  function forget(session: Session): void {
    if (!sessions.has(session)) return;
    sessions.remove(session);
    reauthorization.forget(session);
    clearTimeout(session.expiry);
    const { UserArn } = session.request;
    if (sessions.countOfUser(UserArn) === 0) reader.disconnect(UserArn);
    if (sessions.count() > 0) return;
    timers.stop();
    if (!turns.isRunning()) restartIfEmpty();
  }

  /** Without sessions no event is delivered. The next session starts with later events. */
  function restartIfEmpty(): void {
    if (sessions.count() === 0) reader.restart();
  }

  return {
    reserve: admission.reserve,
    release: admission.release,
    admit(socket, received) {
      const session = newSession(socket, received, parts);
      sessions.add(session);
      admission.release(received.requestId);
      reauthorization.mark(session);
      timers.start();
      turns.request();
    },
    opened(socket) {
      const session = sessions.at(socket);
      if (session === undefined) return follow([{ close: CLOSINGS.tryAgain, to: [socket] }]);
      session.state = 'opening';
      if (session.closing !== undefined) close(session, session.closing);
      else turns.request();
    },
    closed(socket) {
      const session = sessions.at(socket);
      if (session !== undefined) forget(session);
    },
    async stop() {
      const stopped = turns.stop();
      unsubscribe();
      for (const session of sessions.all()) forget(session);
      await stopped;
    },
  };
}

/** Creates timers that run while there are sessions. A second `start` has no effect before `stop`. */
function newTimers(intervals: readonly { readonly everyMs: number; readonly run: () => void }[]) {
  let running: readonly NodeJS.Timeout[] | undefined;
  return {
    start(): void {
      running ??= intervals.map(({ everyMs, run }) => setInterval(run, everyMs));
    },
    stop(): void {
      for (const timer of running ?? []) clearInterval(timer);
      running = undefined;
    },
  };
}
