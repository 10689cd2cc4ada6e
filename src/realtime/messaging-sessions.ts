import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Authenticate } from '#access/authenticate.ts';
import type { Authorize } from '#access/authorize.ts';
import { BOUND_TO_PRINCIPALS } from '#access/principal-layers.ts';
import type { Snapshot } from '#access/snapshot.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import { DECISION_STEPS } from '#policy/decision-steps.ts';
import type { StepBudget } from '#policy/steps.ts';
import { findUser, parseAppInstanceArn } from '#services/chime/app-instances.ts';
import type { ChannelEvent } from '#services/chime/events.ts';
import { type JoinedChannel, memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import type { Store, Tx } from '#store/store.ts';
import { decode } from '#wire/decode.ts';
import { type Memberships, memberOf, newAudience, readMemberships } from './audience.ts';
import { type ConnectRequest, connectAccess, routeConnect } from './connect.ts';
import { newFeed } from './feed.ts';
import { eventText, SESSION_ESTABLISHED } from './frames.ts';
import { CLOSINGS, type Closing, type SocketOrder } from './protocol.ts';
import { type SessionEvent, sessionEventOf } from './session-events.ts';

/**
 * The messaging sessions of one server. Owns who is connected, whether he still may be, and what he is told; sockets belong to who
 * follows its orders. README.md says who closes whom.
 */
export interface MessagingSessions {
  /**
   * Reserves a session of a user for a Connect request, which may call it again. Returns false if the user or the account has too many.
   *
   * The reservation counts as a session until `admit` or `release`.
   */
  reserve(requestId: string, userArn: string): boolean;
  /** Frees the reservation of a Connect request that was not admitted. */
  release(requestId: string): void;
  /** A Connect was answered with success: the socket, by its number, may be opened. */
  admit(socket: number, received: Received): void;
  opened(socket: number): void;
  closed(socket: number): void;
  /** Ends all of it, without a word to the sockets: who owns them closes them. */
  stop(): Promise<void>;
}

export interface SessionLimits {
  /** Open sessions of one user on one server. */
  readonly sessionsOfUser: number;
  /** Open sessions of all users of one account on one server. */
  readonly sessionsOfAccount: number;
  /** How soon after a change of identity every session is decided again; who is to be told something is decided again before. */
  readonly decideWithinMs: number;
  /** How often every session is decided again whatever happens: policies speak of times, and of tags. */
  readonly decideEveryMs: number;
  /** How often is looked for what nobody hinted at. */
  readonly pollEveryMs: number;
}

/** Assumed: the number of sessions. AWS documents no limit. */
export const SESSION_LIMITS: SessionLimits = {
  sessionsOfUser: 50,
  sessionsOfAccount: 5_000,
  decideWithinMs: 250,
  decideEveryMs: 60_000,
  pollEveryMs: 1_000,
};

export interface MessagingSessionParts {
  readonly store: Store;
  readonly snapshot: Pick<Snapshot, 'watch'>;
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  /** Whether what the snapshot says may be honoured now. */
  readonly holds: () => boolean;
  readonly guide2021: boolean;
  readonly now: () => Instant;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
  /** That there are events to read; returns what ends the listening. */
  readonly onHint: (heard: () => void) => () => void;
  readonly follow: (orders: readonly SocketOrder[]) => void;
  readonly limits: SessionLimits;
  readonly report: (what: string) => void;
}

interface Session {
  readonly socket: number;
  readonly received: Received;
  readonly request: ConnectRequest;
  readonly accountId: string;
  readonly region: string;
  readonly appInstanceId: string;
  /** `admitted`: its socket is not open yet. `opening`: it is told nothing before the next turn. */
  state: 'admitted' | 'opening' | 'open';
  /** What to close its socket with as soon as that is open. */
  closing?: Closing;
  expiry?: NodeJS.Timeout;
}

/** Sessions that are authorized in one transaction at most. Every other caller waits for it. */
const DECIDED_AT_ONCE = 100;

/**
 * Steps after which a transaction authorizes no further session, about 10 ms. One decision may take more: at most
 * `DECISION_STEPS`, which no legal set of policies reaches.
 */
export const SLICE_STEPS = 2 ** 22;

/** How often is looked whether something is due. */
const TICK_MS = 100;

/** For how long sessions wait for what cannot be read. */
const FAILING_MAX_MS = 5_000;

/** The longest time a timer can wait. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Something to tell, and whom. */
interface Delivery {
  readonly text: string;
  readonly to: readonly Session[];
}

/**
 * Makes the sessions of a server. All is done in turns, one after the other: read what happened and who is connected since, in one transaction;
 * decide again who is to hear of it and whose permission may have changed; tell them.
 *
 * So a session is told what was committed after the transaction in which it was opened, in the order of commits, at most once, and nothing by
 * a permission that was withdrawn. Requirements AUTHN-3, EVAL-10, ROLE-4.
 */
export function messagingSessions(parts: MessagingSessionParts): MessagingSessions {
  const { store, limits, now, monotonic, follow, report } = parts;
  const profile = parts.guide2021 ? 'classic' : 'sdk';
  const sessions = new Map<number, Session>();
  const ofUser = new Map<string, Set<Session>>();
  const ofAccount = new Map<string, number>();
  /** Users of Connect requests that may still be admitted, by request. */
  const reserved = new Map<string, string>();
  /** Sessions that no decision by what is in force now stands for. */
  const undecided = new Set<Session>();
  /** Users whose sessions are opening or open. */
  let audience = newAudience();
  let feed = newFeed(monotonic);
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let readAt = 0;
  let failingSince: number | undefined;
  let decideAllAt = 0;
  /** When those who are undecided are due. */
  let dueAt: number | undefined;
  let tick: NodeJS.Timeout | undefined;

  function due(within: number): void {
    dueAt = Math.min(dueAt ?? Number.POSITIVE_INFINITY, monotonic() + within);
  }

  parts.snapshot.watch((change) => {
    const bound = BOUND_TO_PRINCIPALS.has(change.kind);
    for (const session of sessions.values()) if (!bound || session.accountId === change.accountId) undecided.add(session);
    if (undecided.size > 0) due(limits.decideWithinMs);
  });
  const unhear = parts.onHint(() => {
    if (sessions.size > 0) turn();
  });

  function watch(): void {
    if (tick !== undefined) return;
    decideAllAt = monotonic() + limits.decideEveryMs;
    tick = setInterval(() => {
      const at = monotonic();
      if (!parts.holds()) closeAll(CLOSINGS.tryAgain);
      if (at >= decideAllAt) {
        for (const session of sessions.values()) undecided.add(session);
        decideAllAt = at + limits.decideEveryMs;
        due(0);
      }
      if ((dueAt !== undefined && at >= dueAt) || at >= readAt + limits.pollEveryMs) turn();
    }, TICK_MS);
  }

  function isThere(session: Session): boolean {
    return sessions.get(session.socket) === session;
  }

  function forget(session: Session): void {
    const { socket, request } = session;
    if (!isThere(session)) return;
    sessions.delete(socket);
    undecided.delete(session);
    clearTimeout(session.expiry);
    const left = (ofAccount.get(session.accountId) ?? 1) - 1;
    if (left === 0) ofAccount.delete(session.accountId);
    else ofAccount.set(session.accountId, left);
    const others = ofUser.get(request.UserArn);
    others?.delete(session);
    if (others?.size === 0) {
      ofUser.delete(request.UserArn);
      audience.disconnect(request.UserArn);
    }
    if (sessions.size > 0) return;
    clearInterval(tick);
    tick = undefined;
    // Nobody is told what happens now: the next who comes begins with what happens then.
    if (running === undefined) startAnew();
  }

  function startAnew(): void {
    audience = newAudience();
    feed = newFeed(monotonic);
  }

  function close(session: Session, closing: Closing): void {
    if (session.state === 'admitted') {
      session.closing ??= closing;
      return;
    }
    if (!isThere(session)) return;
    follow([{ close: closing, to: [session.socket] }]);
    forget(session);
  }

  function closeAll(closing: Closing): void {
    for (const session of [...sessions.values()]) close(session, closing);
  }

  /** Asks for a turn that begins after the call. */
  function turn(): void {
    again = true;
    if (running !== undefined || stopped) return;
    running = turns().finally(() => {
      running = undefined;
      if (sessions.size === 0) startAnew();
      else if (again) turn();
    });
  }

  async function turns(): Promise<void> {
    while (again && !stopped && sessions.size > 0) {
      again = false;
      readAt = monotonic();
      const deliveries = await readUnlessFailing();
      await decideUntilSure(new Set(deliveries.flatMap(({ to }) => to)));
      tell(deliveries);
      if (dueAt !== undefined && monotonic() >= dueAt) await decideDue();
    }
  }

  /** Authorizes a slice of the sessions that are due. Between two slices events are read and delivered. */
  async function decideDue(): Promise<void> {
    const open = [...sessions.values()].filter((session) => undecided.has(session));
    if (open.length > 0) await decideSlice(open);
    if (undecided.size > 0) again = true;
    else dueAt = undefined;
  }

  /** What could not be read is read with the next poll; whoever waited too long for it is better off with another server. */
  async function readUnlessFailing(): Promise<readonly Delivery[]> {
    try {
      const deliveries = await read();
      failingSince = undefined;
      return deliveries;
    } catch (error) {
      if (failingSince === undefined) report(`what happens in channels could not be read: ${(error as Error).message}`);
      failingSince ??= monotonic();
      if (monotonic() - failingSince > FAILING_MAX_MS) closeAll(CLOSINGS.failed);
      return [];
    }
  }

  /** Reads what happened, and where those are members who have connected since. */
  async function read(): Promise<readonly Delivery[]> {
    const opening = [...sessions.values()].filter(({ state }) => state === 'opening');
    const { reading, events, joined, ofConnected } = await store.transaction(async (tx) => {
      const reading = await feed.read(tx);
      const events = reading.events.map(sessionEventOf);
      const ofConnected = await readMemberships(tx, events.filter(isChannelEvent), audience);
      const joined = new Map<string, readonly JoinedChannel[]>();
      // Who is connected before all is read would hear of what happened before.
      if (reading.caughtUp) {
        for (const { appInstanceId, request } of opening) {
          if (!audience.isConnected(request.UserArn) && !joined.has(request.UserArn))
            joined.set(request.UserArn, await tx.of(memberships).joinedBy(appInstanceId, memberOf(request.UserArn)));
        }
      }
      return { reading, events, joined, ofConnected };
    });
    reading.taken();
    const deliveries = events.flatMap((event) => deliveriesOf(event, ofConnected));
    if (!reading.caughtUp) {
      again = true;
      return deliveries;
    }
    for (const session of opening) {
      const { UserArn } = session.request;
      if (!isThere(session)) continue;
      if (!audience.isConnected(UserArn)) {
        const there = joined.get(UserArn);
        if (there === undefined) {
          // The session that was connected then has gone meanwhile.
          again = true;
          continue;
        }
        audience.connect(UserArn, session.appInstanceId, there);
      }
      session.state = 'open';
      deliveries.push({ text: SESSION_ESTABLISHED, to: [session] });
    }
    return deliveries;
  }

  function deliveriesOf(event: SessionEvent, memberships: Memberships): Delivery[] {
    if (isChannelEvent(event)) {
      const to = audience.apply(event, memberships).flatMap((userArn) => [...(ofUser.get(userArn) ?? [])].filter(isOpen));
      return to.length === 0 ? [] : [{ text: eventText(event), to }];
    }
    if (event.type === 'SessionOpened') {
      for (const session of [...(ofUser.get(event.userArn) ?? [])]) {
        if (session.request.SessionId === event.sessionId && session.received.requestId !== event.key) close(session, CLOSINGS.replaced);
      }
      return [];
    }
    for (const session of sessions.values()) {
      const gone = event.userArn ?? session.request.UserArn;
      if (session.appInstanceId === event.appInstanceId && session.request.UserArn === gone) undecided.add(session);
    }
    due(0);
    return [];
  }

  function tell(deliveries: readonly Delivery[]): void {
    // Without a lease nobody knows whether they may hear it.
    if (!parts.holds()) {
      closeAll(CLOSINGS.tryAgain);
      return;
    }
    const orders = deliveries.flatMap(({ text, to }) => {
      const there = to.filter(isThere).map(({ socket }) => socket);
      return there.length === 0 ? [] : [{ send: text, to: there }];
    });
    if (orders.length > 0) follow(orders);
  }

  /** Decides those of `asked` that are undecided, until nothing changed meanwhile. */
  async function decideUntilSure(asked: Iterable<Session>): Promise<void> {
    const all = [...asked];
    for (;;) {
      const open = all.filter((session) => undecided.has(session));
      if (open.length === 0) return;
      await decideSlice(open);
    }
  }

  /**
   * Authorizes the first of some sessions again, as many as fit into one slice, and lets the thread serve other callers after it.
   * A session that cannot be decided is closed, alone. Requirement EVAL-12.
   */
  async function decideSlice(open: readonly Session[]): Promise<void> {
    const some = open.slice(0, DECIDED_AT_ONCE);
    let closings: readonly (Closing | undefined)[];
    try {
      closings = await store.transaction(async (tx) => {
        const decided: (Closing | undefined)[] = [];
        const meter: StepBudget = { stepsLeft: SLICE_STEPS + DECISION_STEPS };
        for (const session of some) {
          decided.push(await decide(tx, session, meter));
          if (meter.stepsLeft < DECISION_STEPS) break;
        }
        return decided;
      });
    } catch (error) {
      await nextTurn();
      if (some.length > 1) {
        for (const session of some) await decideSlice([session]);
        return;
      }
      report(`a messaging session is closed, because it could not be decided: ${(error as Error).message}`);
      closings = [CLOSINGS.failed];
    }
    closings.forEach((closing, i) => {
      if (closing !== undefined) close(some[i] as Session, closing);
    });
    await nextTurn();
  }

  /**
   * Decides a session by what it was opened with and what is in force now: who signed is proven again as of then, so that a key or a user that
   * is no more proves nothing. Answers what it is to be closed with.
   */
  async function decide(tx: Tx, session: Session, meter: StepBudget): Promise<Closing | undefined> {
    const { received, request, region } = session;
    // What changes from here on is for the next decision.
    undecided.delete(session);
    try {
      const authenticated = parts.authenticate(received, { signingName: 'chime', unsigned: false }, received.receivedAt);
      const { principal } = authenticated;
      const caller = { principal, accountId: principal.accountId, region: authenticated.region, profile } as const;
      await parts.authorize({ received, authenticated, profile, asked: [connectAccess(request, caller)], now: now(), meter }, tx);
      if (region !== caller.region || (await findUser(tx, caller, request.UserArn)) === undefined) return CLOSINGS.withdrawn;
      return expiring(session, principal.session?.expiresAt);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return error.code === 'ServiceUnavailable' ? CLOSINGS.tryAgain : CLOSINGS.withdrawn;
    }
  }

  /** Closes a session when its credentials expire. */
  function expiring(session: Session, expiresAt: Instant | undefined): Closing | undefined {
    if (expiresAt === undefined || !isThere(session)) return undefined;
    const left = expiresAt - now();
    if (left <= 0) return CLOSINGS.expired;
    clearTimeout(session.expiry);
    session.expiry = setTimeout(
      () => {
        const closing = expiring(session, expiresAt);
        if (closing !== undefined) close(session, closing);
      },
      Math.min(left, TIMER_MAX_MS),
    );
    return undefined;
  }

  return {
    reserve(requestId, userArn) {
      const accountId = parseAppInstanceArn(userArn)?.accountId ?? '';
      let user = ofUser.get(userArn)?.size ?? 0;
      let account = ofAccount.get(accountId) ?? 0;
      for (const [request, arn] of reserved) {
        if (request === requestId) continue;
        if (arn === userArn) user += 1;
        if (parseAppInstanceArn(arn)?.accountId === accountId) account += 1;
      }
      if (user >= limits.sessionsOfUser || account >= limits.sessionsOfAccount) return false;
      reserved.set(requestId, userArn);
      return true;
    },
    release: (requestId) => void reserved.delete(requestId),
    admit(socket, received) {
      const request = decode(routeConnect(received, parts), received) as unknown as ConnectRequest;
      const { accountId, region, appInstanceId } = parseAppInstanceArn(request.UserArn) as NonNullable<
        ReturnType<typeof parseAppInstanceArn>
      >;
      const session: Session = { socket, received, request, accountId, region, appInstanceId, state: 'admitted' };
      sessions.set(socket, session);
      reserved.delete(received.requestId);
      ofAccount.set(accountId, (ofAccount.get(accountId) ?? 0) + 1);
      undecided.add(session);
      const others = ofUser.get(request.UserArn);
      if (others === undefined) ofUser.set(request.UserArn, new Set([session]));
      else others.add(session);
      watch();
      turn();
    },
    opened(socket) {
      const session = sessions.get(socket);
      if (session === undefined) return follow([{ close: CLOSINGS.tryAgain, to: [socket] }]);
      session.state = 'opening';
      if (session.closing !== undefined) close(session, session.closing);
      else turn();
    },
    closed(socket) {
      const session = sessions.get(socket);
      if (session !== undefined) forget(session);
    },
    async stop() {
      stopped = true;
      unhear();
      for (const session of [...sessions.values()]) forget(session);
      await running;
    },
  };
}

function isOpen({ state }: Session): boolean {
  return state === 'open';
}

function isChannelEvent(event: SessionEvent): event is ChannelEvent {
  return event.type !== 'SessionOpened' && event.type !== 'UsersGone';
}
