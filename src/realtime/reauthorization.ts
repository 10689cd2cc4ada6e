import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Authenticate } from '#access/authenticate.ts';
import type { Authorize } from '#access/authorize.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Instant } from '#core/instant.ts';
import { DECISION_STEPS } from '#policy/decision-steps.ts';
import type { StepBudget } from '#policy/steps.ts';
import { findUser } from '#services/chime/app-instances.ts';
import type { Store, Tx } from '#store/store.ts';
import { connectAccess } from './connect.ts';
import { CLOSINGS, type Closing } from './protocol.ts';
import type { Session } from './sessions.ts';

/** Maximum number of sessions that one slice authorizes, which takes about 2 ms. All other callers wait for a slice. */
export const SLICE_SESSIONS = 25;

/**
 * Steps after which a slice authorizes no further session, about 2 ms. One decision may take more: at most `DECISION_STEPS`, which no
 * valid set of policies reaches.
 */
export const SLICE_STEPS = 2 ** 20;

/**
 * Repeated authorization of sessions, by the current identity. Owns the marks of sessions that must be authorized. Requirements AUTHN-3,
 * EVAL-10.
 *
 * A marked session receives nothing. An authorization removes the mark, unless identity has changed since.
 */
export interface Reauthorization {
  /** Marks sessions whose authorization may no longer hold. They are due within `withinMs`, or earlier if an earlier mark is due first. */
  mark(sessions: readonly Session[], withinMs: number): void;
  /** Marks a new session. It is authorized when it has its first frame. */
  markNew(session: Session): void;
  isMarked(session: Session): boolean;
  /** Reports whether `authorizeSlice` has sessions to authorize. */
  isDue(): boolean;
  /** Authorizes one slice: first the sessions with withheld frames, then the other sessions that are due. */
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
  /** Returns the sessions with withheld frames, the longest waiting first. */
  readonly waiting: () => Iterable<Session>;
  /** Receives authorized sessions, immediately after their marks were removed. */
  readonly release: (sessions: readonly Session[]) => void;
  readonly close: (sessions: readonly Session[], closing: Closing) => void;
  /** Receives the expiration of the credentials of an authorized session. Returns the reason to close it if they have expired. */
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

/** Mark of a session. */
interface Mark {
  /** Number that distinguishes the marks of a session, so that a mark set during an authorization remains. */
  readonly number: number;
  /** Monotonic time by which the session is authorized again, also without frames. */
  readonly dueAt: number;
}

/** Creates the authorization of sessions. No session is marked at first. */
export function newReauthorization(parts: ReauthorizationParts): Reauthorization {
  const { store, monotonic, waiting } = parts;
  const authorizeSession = sessionAuthorizer(parts);
  /** Marked sessions, the longest marked first. */
  const marks = new Map<Session, Mark>();
  const pass = newPass(monotonic);
  let lastNumber = 0;
  /** Time at which the first session is due, or earlier. */
  let nextDueAt = Number.POSITIVE_INFINITY;

  function mark(session: Session, dueAt: number): void {
    const number = ++lastNumber;
    marks.set(session, { number, dueAt: Math.min(dueAt, marks.get(session)?.dueAt ?? Number.POSITIVE_INFINITY) });
    nextDueAt = Math.min(nextDueAt, dueAt);
  }

  /** Returns the sessions of the next slice. */
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

  /** Returns the outcomes of the first sessions of a slice, in its order. */
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

  /** Authorizes a slice and returns the outcomes. An error in one authorization closes only its session. Requirement EVAL-12. */
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
      // The step budget can end a slice early, and a change of identity can mark a session again.
      for (const session of slice) nextDueAt = Math.min(nextDueAt, marks.get(session)?.dueAt ?? Number.POSITIVE_INFINITY);
      parts.release(released);
      await nextTurn();
    },
    forget: (session) => void marks.delete(session),
  };
}

/**
 * Creates the measurement of passes over the due sessions. After a long pass, the next one waits as long as it took. So continuous changes
 * of identity occupy at most half of the thread.
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
 * Returns the function that authorizes a session by its Connect request and the current identity. It returns the reason to close the session.
 *
 * It verifies the signature again as of the time of the request, so that a deleted key or user fails.
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
