import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Authenticate } from '#access/authenticate.ts';
import type { Authorize } from '#access/authorize.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Instant } from '#core/instant.ts';
import { DECISION_STEPS } from '#policy/decision-steps.ts';
import type { StepBudget } from '#policy/steps.ts';
import { findUser } from '#services/chime-kit/app-instances.ts';
import type { Store, Tx } from '#store/store.ts';
import { connectAccess } from './connect.ts';
import { CLOSINGS, type Closing } from './protocol.ts';
import type { Session } from './sessions.ts';

/**
 * Maximum number of sessions in a slice. `authorizeSlice` takes about 2 ms for a slice, and other requests wait
 * meanwhile.
 */
export const SLICE_SESSIONS = 25;

/**
 * Number of policy evaluation steps after which `authorizeSlice` authorizes no further session. These steps take about
 * 2 ms. The last decision can exceed the number. A single decision takes at most `DECISION_STEPS` steps, and no valid
 * set of policies reaches that limit.
 */
export const SLICE_STEPS = 2 ** 20;

/**
 * Repeated authorization of sessions with the current principals and policies. Marks the sessions that must be
 * authorized. Requirements AUTHN-3, EVAL-10.
 *
 * A marked session receives nothing. An authorization removes the mark, unless the session was marked again during the
 * authorization.
 */
export interface Reauthorization {
  /**
   * Marks sessions that may no longer be authorized. They are authorized again within `withinMs`. A session that is
   * marked already keeps its deadline if that is earlier.
   */
  mark(sessions: readonly Session[], withinMs: number): void;
  /** Marks a new session. The session is authorized when there is a first frame to send to it. */
  markNew(session: Session): void;
  isMarked(session: Session): boolean;
  /** Reports whether `authorizeSlice` has sessions to authorize. */
  isDue(): boolean;
  /**
   * Authorizes one slice, which has at most `SLICE_SESSIONS` sessions: first the sessions with withheld frames, then
   * the other sessions that are due.
   */
  authorizeSlice(): Promise<void>;
  /** Removes the mark of a closed session. */
  forget(session: Session): void;
}

export interface ReauthorizationParts {
  readonly store: Store;
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  readonly guide2021: boolean;
  readonly now: () => Instant;
  /** Returns milliseconds on a monotonic clock. */
  readonly monotonic: () => number;
  /** Returns the sessions with withheld frames. The session that has waited longest is first. */
  readonly waiting: () => Iterable<Session>;
  /** Receives the sessions that were authorized, immediately after their marks were removed. */
  readonly release: (sessions: readonly Session[]) => void;
  readonly close: (sessions: readonly Session[], closing: Closing) => void;
  /**
   * Receives the time at which the credentials of an authorized session expire. If the credentials have expired
   * already, returns the reason to close the session.
   */
  readonly expires: (session: Session, expiresAt: Instant) => Closing | undefined;
  readonly report: (line: string) => void;
}

/** Result of the authorization of one session. */
interface Outcome {
  readonly session: Session;
  /** Number of the mark that the authorization removes. */
  readonly number: number;
  /** Reason to close the session. */
  readonly closing: Closing | undefined;
}

/** Mark of a session that must be authorized again. */
interface Mark {
  /**
   * Number that distinguishes this mark from later marks. An authorization does not remove a mark that is set later.
   */
  readonly number: number;
  /** Monotonic time by which the session is authorized again, even if it has no frames to receive. */
  readonly dueAt: number;
}

/** Creates the repeated authorization of sessions. No session is marked at first. */
export function newReauthorization(parts: ReauthorizationParts): Reauthorization {
  const { store, monotonic, waiting } = parts;
  const authorizeSession = sessionAuthorizer(parts);
  /** Marked sessions. The session that has been marked longest is first. */
  const marks = new Map<Session, Mark>();
  const pass = newPass(monotonic);
  let lastNumber = 0;
  /** Lower limit of all `dueAt`. Before this monotonic time, no marked session is due. */
  let nextDueAt = Number.POSITIVE_INFINITY;

  function mark(session: Session, dueAt: number): void {
    const number = ++lastNumber;
    marks.set(session, { number, dueAt: Math.min(dueAt, marks.get(session)?.dueAt ?? Number.POSITIVE_INFINITY) });
    nextDueAt = Math.min(nextDueAt, dueAt);
  }

  /**
   * Returns the sessions to authorize next: first the sessions with withheld frames, then the sessions that are due.
   */
  function nextSlice(): readonly Session[] {
    const slice = new Set<Session>();
    for (const session of waiting()) {
      if (slice.size === SLICE_SESSIONS) return [...slice];
      slice.add(session);
    }
    const now = monotonic();
    if (now < nextDueAt) return [...slice];
    pass.begin();
    let earliest = Number.POSITIVE_INFINITY;
    for (const [session, { dueAt }] of marks) {
      if (dueAt > now) earliest = Math.min(earliest, dueAt);
      else if (slice.size === SLICE_SESSIONS) return [...slice];
      else slice.add(session);
    }
    nextDueAt = earliest;
    pass.end();
    return [...slice];
  }

  /** Authorizes the sessions of a slice in order, until the step budget is used up. Returns their outcomes. */
  async function authorizeIn(tx: Tx, slice: readonly Session[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    const meter: StepBudget = { stepsLeft: SLICE_STEPS + DECISION_STEPS };
    for (const session of slice) {
      const number = marks.get(session)?.number;
      // The session was closed while the slice waited for its transaction.
      if (number === undefined) continue;
      outcomes.push({ session, number, closing: await authorizeSession(tx, session, meter) });
      if (meter.stepsLeft < DECISION_STEPS) break;
    }
    return outcomes;
  }

  /**
   * Authorizes the sessions of a slice and returns the outcomes. If the authorization of a session fails with an error,
   * only that session is closed. Requirement EVAL-12.
   */
  async function outcomesOf(slice: readonly Session[]): Promise<readonly Outcome[]> {
    try {
      return await store.transaction((tx) => authorizeIn(tx, slice));
    } catch (error) {
      await nextTurn();
      if (slice.length > 1) {
        const outcomes: Outcome[] = [];
        for (const session of slice) outcomes.push(...(await outcomesOf([session])));
        return outcomes;
      }
      parts.report(`a messaging session was closed because its authorization failed: ${(error as Error).message}`);
      return slice.map((session) => ({ session, number: marks.get(session)?.number ?? 0, closing: CLOSINGS.failed }));
    }
  }

  return {
    mark(sessions, withinMs) {
      const dueAt = Math.max(monotonic() + withinMs, pass.restsUntil());
      for (const session of sessions) mark(session, dueAt);
    },
    markNew: (session) => mark(session, Number.POSITIVE_INFINITY),
    isMarked: (session) => marks.has(session),
    isDue: () => monotonic() >= nextDueAt || !waiting()[Symbol.iterator]().next().done,
    async authorizeSlice() {
      const slice = nextSlice();
      const released: Session[] = [];
      for (const { session, number, closing } of slice.length === 0 ? [] : await outcomesOf(slice)) {
        if (marks.get(session)?.number === number) {
          marks.delete(session);
          if (closing === undefined) released.push(session);
        }
        if (closing !== undefined) parts.close([session], closing);
      }
      // The step budget can end a slice early, and a change of identity can mark a session again. So sessions of the
      // slice may still be due.
      for (const session of slice) nextDueAt = Math.min(nextDueAt, marks.get(session)?.dueAt ?? Number.POSITIVE_INFINITY);
      parts.release(released);
      await nextTurn();
    },
    forget: (session) => void marks.delete(session),
  };
}

/**
 * Creates the timing of passes. A pass authorizes all sessions that are due. The next pass begins only after a rest
 * that is as long as the last pass. So frequent changes of principals or policies occupy at most half of the thread's
 * time.
 */
function newPass(monotonic: () => number) {
  let beganAt: number | undefined;
  let restsUntil = 0;
  return {
    begin(): void {
      beganAt ??= monotonic();
    },
    end(): void {
      restsUntil = afterRest();
      beganAt = undefined;
    },
    /** Returns the earliest time of the next pass. */
    restsUntil: () => (beganAt === undefined ? restsUntil : afterRest()),
  };

  function afterRest(): number {
    const now = monotonic();
    return now + (now - (beganAt ?? now));
  }
}

/**
 * Returns a function that authorizes the Connect request of a session again, with the current principals and policies.
 * The function returns the reason to close the session, or `undefined` if the session remains authorized.
 *
 * It also verifies the signature again, as of the time of the request. So it detects a deleted key or user.
 */
function sessionAuthorizer({ authenticate, authorize, guide2021, now, expires }: ReauthorizationParts) {
  const profile = guide2021 ? 'classic' : 'sdk';

  return async (tx: Tx, session: Session, meter: StepBudget): Promise<Closing | undefined> => {
    const { received, request, region } = session;
    try {
      const authenticated = authenticate(received, { signingName: 'chime', unsigned: false }, received.receivedAt);
      const { principal } = authenticated;
      const caller = { principal, accountId: principal.accountId, region: authenticated.region, profile } as const;
      await authorize({ received, authenticated, profile, asked: [connectAccess(request, caller)], now: now(), meter }, tx);
      if (region !== caller.region || (await findUser(tx, caller, request.UserArn)) === undefined) return CLOSINGS.withdrawn;
      const expiresAt = principal.session?.expiresAt;
      return expiresAt && expires(session, expiresAt);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return error.code === 'ServiceUnavailable' ? CLOSINGS.tryAgain : CLOSINGS.withdrawn;
    }
  };
}
