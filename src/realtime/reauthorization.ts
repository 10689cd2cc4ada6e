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
import type { Session, Sessions } from './sessions.ts';

/** Maximum sessions that one transaction authorizes. Every other caller waits for it. */
const SLICE_SESSIONS = 100;

/**
 * Steps after which a transaction authorizes no further session, about 10 ms. One decision may take more: at most
 * `DECISION_STEPS`, which no valid set of policies reaches.
 */
export const SLICE_STEPS = 2 ** 22;

/** Authorization of sessions by the current identity: which sessions need it, and when. Requirements AUTHN-3, EVAL-10. */
export interface Reauthorization {
  /** Marks a session whose authorization may no longer hold. */
  mark(session: Session): void;
  /** Sets the deadline of the marked sessions, unless it is earlier already. */
  scheduleWithin(milliseconds: number): void;
  /** Reports whether the deadline of the marked sessions has passed. */
  isDue(): boolean;
  /** Authorizes the marked ones of some sessions. Resolves when none of them is marked. */
  authorize(some: Iterable<Session>): Promise<void>;
  /** Authorizes one slice of all marked sessions. Returns whether marked sessions remain. */
  authorizeSlice(): Promise<boolean>;
  /** Removes the mark of a closed session. */
  forget(session: Session): void;
}

export interface ReauthorizationParts {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  readonly guide2021: boolean;
  readonly now: () => Instant;
  /** Returns milliseconds on a monotonic clock. */
  readonly monotonic: () => number;
  readonly close: (session: Session, closing: Closing) => void;
  /** Receives the expiration of the credentials of an authorized session. Returns the reason to close it if they have expired. */
  readonly expires: (session: Session, expiresAt: Instant) => Closing | undefined;
  readonly report: (line: string) => void;
}

/** Creates the authorization of sessions. No session is marked at first. */
export function newReauthorization(parts: ReauthorizationParts): Reauthorization {
  const { store, sessions, monotonic, close } = parts;
  const authorizeSession = sessionAuthorizer(parts);
  const marked = new Set<Session>();
  /** Deadline of the marked sessions. */
  let dueAt: number | undefined;

  function isMarked(session: Session): boolean {
    return marked.has(session);
  }

  /**
   * Authorizes the first of some sessions, as many as fit into one slice. Then other callers run.
   * If a session cannot be authorized because of an error, only that session is closed. Requirement EVAL-12.
   */
  async function authorizeFirst(all: readonly Session[]): Promise<void> {
    const slice = all.slice(0, SLICE_SESSIONS);
    let closings: readonly (Closing | undefined)[];
    try {
      closings = await store.transaction((tx) => authorizeIn(tx, slice));
    } catch (error) {
      await nextTurn();
      if (slice.length > 1) {
        for (const session of slice) await authorizeFirst([session]);
        return;
      }
      parts.report(`a messaging session was closed because its authorization failed: ${(error as Error).message}`);
      closings = [CLOSINGS.failed];
    }
    for (const [i, closing] of closings.entries()) if (closing !== undefined) close(slice[i] as Session, closing);
    await nextTurn();
  }

  /** Returns the results of the first sessions of a slice, in its order. */
  async function authorizeIn(tx: Tx, slice: readonly Session[]): Promise<readonly (Closing | undefined)[]> {
    const closings: (Closing | undefined)[] = [];
    const meter: StepBudget = { stepsLeft: SLICE_STEPS + DECISION_STEPS };
    for (const session of slice) {
      // A change of identity from here on marks the session again.
      marked.delete(session);
      closings.push(await authorizeSession(tx, session, meter));
      if (meter.stepsLeft < DECISION_STEPS) break;
    }
    return closings;
  }

  return {
    mark: (session) => void marked.add(session),
    scheduleWithin(milliseconds) {
      dueAt = Math.min(dueAt ?? Number.POSITIVE_INFINITY, monotonic() + milliseconds);
    },
    isDue: () => dueAt !== undefined && monotonic() >= dueAt,
    async authorize(some) {
      const all = [...some];
      for (let rest = all.filter(isMarked); rest.length > 0; rest = all.filter(isMarked)) await authorizeFirst(rest);
    },
    async authorizeSlice() {
      const all = sessions.all().filter(isMarked);
      if (all.length > 0) await authorizeFirst(all);
      if (marked.size > 0) return true;
      dueAt = undefined;
      return false;
    },
    forget: (session) => void marked.delete(session),
  };
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
