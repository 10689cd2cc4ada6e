import type { Authenticate } from '#access/authenticate.ts';
import type { Authorize } from '#access/authorize.ts';
import { BOUND_TO_PRINCIPALS } from '#access/principal-layers.ts';
import type { Snapshot } from '#access/snapshot.ts';
import type { Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { IdentityChange } from '#store/identity/identity.ts';
import type { Store } from '#store/store.ts';
import { type Admission, newAdmission } from './admission.ts';
import { newEventReader } from './event-reader.ts';
import { expiryTimers } from './expiry.ts';
import type { SessionLimits } from './limits.ts';
import { newOutbox } from './outbox.ts';
import { newPrefetch } from './prefetch.ts';
import { CLOSINGS, type Closing, type SocketNews, type SocketOrder } from './protocol.ts';
import { newReauthorization } from './reauthorization.ts';
import { newSessionTurn } from './session-turn.ts';
import { newSession, newSessions, type Session, type Sessions } from './sessions.ts';
import { newTurns } from './turns.ts';

/**
 * Messaging sessions of one server. Owns the connected users, their authorization and the events that they receive.
 * The main thread owns the sockets. It executes the orders to send frames and to close sockets. README.md lists when
 * the main thread closes a session, and when this module does.
 */
export interface MessagingSessions extends Pick<Admission, 'reserve'> {
  /** Frees the reservation of a Connect request that did not succeed. */
  release(requestId: string): void;
  /** Adds the session of a Connect request that succeeded. After that, the main thread may open the socket. */
  admit(socket: number, received: Received): void;
  /** Receives the notification that a socket was opened, was closed, or has written its messages. */
  receive(news: SocketNews): void;
  /** Ends all sessions, but sends no orders. The main thread closes the sockets. */
  stop(): Promise<void>;
}

/** Parts of the server that messaging sessions need. */
export interface MessagingSessionParts {
  readonly store: Store;
  readonly snapshot: Pick<Snapshot, 'watch'>;
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  /** Reports whether the server has a lease. Without a lease, `snapshot` may be outdated. */
  readonly holds: () => boolean;
  readonly guide2021: boolean;
  readonly now: () => Instant;
  /** Returns milliseconds on a monotonic clock. */
  readonly monotonic: () => number;
  /** Subscribes to notifications of new events ("hints"). Returns the function that ends the subscription. */
  readonly onHint: (receive: () => void) => () => void;
  /** Passes orders to the main thread, which owns the sockets. */
  readonly follow: (orders: readonly SocketOrder[]) => void;
  readonly limits: SessionLimits;
  /** Logs a line. The line starts with lower case and has no prefix. */
  readonly report: (line: string) => void;
}

/** Interval at which the server checks its lease, the sessions to authorize again, and the time of the next poll. */
const TICK_MS = 100;

/**
 * Creates the messaging sessions of a server.
 *
 * The sessions are served in turns, which never overlap. A turn does the following:
 * - It reads the events, and the memberships of new sessions, in one transaction.
 * - It sends the events to the sessions that the current identity authorizes.
 * - It authorizes a limited number of the other sessions, and sends them the events that were withheld until then.
 * Requirements AUTHN-3, EVAL-10, ROLE-4.
 */
export function messagingSessions(parts: MessagingSessionParts): MessagingSessions {
  const { limits, monotonic } = parts;
  const sessions = newSessions();
  const admission = newAdmission(sessions, limits);
  const outbox = newOutbox({ sessions, isMarked: (session) => reauthorization.isMarked(session), follow: parts.follow });
  const reauthorization = newReauthorization({
    ...parts,
    close,
    waiting: outbox.waiting,
    // Without a lease, the identity snapshot and the authorizations may be outdated.
    release: (some) => (parts.holds() ? outbox.release(some) : close(sessions.all(), CLOSINGS.tryAgain)),
    expires: expiryTimers(sessions, parts.now, close),
  });
  const reader = newEventReader({ ...parts, sessions, close, reauthorize: (some) => reauthorization.mark(some, 0) });
  const prefetch = newPrefetch(parts.store, reauthorization.isMarked, parts.now);
  const turn = newSessionTurn({ ...parts, sessions, reauthorization, reader, outbox, prefetch, close, request: () => turns.request() });
  const turns = newTurns(turn.run, restartIfEmpty);
  const timers = newTimers([
    { everyMs: TICK_MS, run: check },
    { everyMs: limits.reauthorizeEveryMs, run: () => reauthorization.mark(sessions.all(), 0) },
  ]);
  const unsubscribe = parts.onHint(() => {
    if (sessions.count() > 0) turn.requestReading();
  });

  parts.snapshot.watch({
    changed: (change) => reauthorization.mark(sessionsAffectedBy(change, sessions), limits.reauthorizeWithinMs),
    replaced: () => reauthorization.mark(sessions.all(), limits.reauthorizeWithinMs),
  });

  function check(): void {
    if (!parts.holds()) close(sessions.all(), CLOSINGS.tryAgain);
    if (reauthorization.isDue()) turns.request();
    if (monotonic() >= turn.readAt() + limits.pollEveryMs) turn.requestReading();
  }

  /** Closes sessions. An admitted session is closed as soon as its socket is open. */
  function close(some: readonly Session[], closing: Closing): void {
    const connected = some.filter(sessions.has);
    for (const session of connected) if (session.state === 'admitted') session.closing ??= closing;
    const open = connected.filter(({ state }) => state !== 'admitted');
    outbox.close(open, closing);
    for (const session of open) forget(session);
  }

  function forget(session: Session): void {
    if (!sessions.has(session)) return;
    sessions.remove(session);
    for (const part of [reauthorization, outbox, prefetch]) part.forget(session);
    clearTimeout(session.expiry);
    const { UserArn } = session.request;
    if (sessions.countOfUser(UserArn) === 0) reader.disconnect(UserArn);
    if (sessions.count() > 0) return;
    timers.stop();
    if (!turns.isRunning()) restartIfEmpty();
  }

  function opened(socket: number): void {
    const session = sessions.at(socket);
    if (session === undefined) {
      parts.follow([{ close: CLOSINGS.tryAgain, to: [socket] }]);
      return;
    }
    session.state = 'opening';
    if (session.closing !== undefined) close([session], session.closing);
    else turn.requestReading();
  }

  /** Restarts the event reader if there are no sessions, so that it skips the events until the next session opens. */
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
      reauthorization.markNew(session);
      timers.start();
      turn.requestReading();
    },
    receive(news) {
      if ('opened' in news) return opened(news.opened);
      const session = sessions.at('closed' in news ? news.closed : news.written);
      if (session === undefined) return;
      if ('closed' in news) return forget(session);
      prefetch.written(session);
      turns.request();
    },
    async stop() {
      const stopped = turns.stop();
      turn.stop();
      unsubscribe();
      for (const session of sessions.all()) forget(session);
      await stopped;
    },
  };
}

/** Returns the sessions that a change of identity may affect. */
function sessionsAffectedBy({ kind, accountId, text }: IdentityChange, sessions: Sessions): readonly Session[] {
  // A new sign-in of a person withdraws nothing.
  if (kind === 'person-sign-in' && text !== undefined) return [];
  const all = sessions.all();
  return BOUND_TO_PRINCIPALS.has(kind) ? all.filter((session) => session.accountId === accountId) : all;
}

/** Creates repeating timers. Repeated calls of `start` have no effect until `stop` is called. */
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
