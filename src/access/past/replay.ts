import { AwsError } from '#core/aws-error.ts';
import type { Principal } from '#core/principal.ts';
import type { DecisionContext, PermissionContext } from '#store/trail/decision-context.ts';
import { type Denials, Denied, NO_POLICY } from '../denied.ts';
import type { Required } from '../required-reading.ts';
import { refuseBySessionKind } from '../session-kind.ts';
import { decidingParts } from './deciding-parts.ts';
import type { PastIdentity } from './past-identity.ts';
import { FactNotKept, type KeptPolicy, NO_TX, type ProposedFacts, requestOf } from './past-request.ts';

/** Denial of every request. A replay only counts denials, and an error with its stack would take longer than a decision. */
const DENIED = new Denied('', NO_POLICY, []);
const WITHOUT_TEXT: Denials = { because: () => DENIED, withoutReason: () => DENIED, generic: () => DENIED };

/** Reason for a permission whose facts the server did not read, because an earlier permission was denied. */
const NOT_REACHED = 'an earlier permission was denied then, so the facts of a later one were not read';

/**
 * Decides requests of the past with one identity. Synchronous for most requests, so that a window of many requests is fast. `proposed` has the
 * facts that a proposal changes.
 */
export type ReplayDecision = (context: DecisionContext, principal: Principal, proposed?: ProposedFacts) => boolean | Promise<boolean>;

/** Decisions of the past that are repeated. */
export interface ReplayDecisions {
  /** Returns whether the request is allowed. */
  readonly decide: ReplayDecision;
  /** Returns which of the permissions of `context.denied` are allowed. */
  readonly allowedOfDenied: (
    context: DecisionContext,
    principal: Principal,
    proposed?: ProposedFacts,
  ) => Promise<readonly PermissionContext[]>;
}

/**
 * Creates the functions that decide requests of the past again, as `authorizing` decides with the same functions.
 *
 * @throws FactNotKept  the decision needs a fact that is not stored
 */
export function replayDecisions(identity: PastIdentity, kept: KeptPolicy): ReplayDecisions {
  const { callerOf, read, setResourceOf, refusalOf } = decidingParts(identity, WITHOUT_TEXT);

  async function allowedOfDenied(
    context: DecisionContext,
    principal: Principal,
    proposed?: ProposedFacts,
  ): Promise<readonly PermissionContext[]> {
    const denied = context.denied ?? [];
    const request = requestOf(context, principal, kept, proposed, denied);
    const caller = callerOf(principal);
    const allowed: PermissionContext[] = [];
    for (const [i, asked] of request.asked.entries())
      if (isAllowed(await read(request, asked, caller, NO_TX))) allowed.push(denied[i] as PermissionContext);
    return allowed;
  }

  const decide: ReplayDecision = (context, principal, proposed) => {
    const request = requestOf(context, principal, kept, proposed);
    const [operation] = request.asked;
    if (operation !== undefined && isRefusedKind(principal, operation.action)) return false;
    const caller = callerOf(principal);

    /** Decides the permissions from an index. Continues in a promise if a permission reads facts. */
    const decideFrom = (index: number): boolean | Promise<boolean> => {
      for (let i = index; i < request.asked.length; i++) {
        const asked = request.asked[i] as (typeof request.asked)[number];
        if (asked.always) continue;
        if (context.permissions[i]?.undecided) throw new FactNotKept(NOT_REACHED);
        const reading = read(request, asked, caller, NO_TX);
        if (reading instanceof Promise) return reading.then((required) => isAllowed(required) && decideFrom(i + 1));
        if (!isAllowed(reading)) return false;
      }
      return true;
    };
    return decideFrom(0);
  };
  return { decide, allowedOfDenied };

  function isAllowed(required: Required): boolean {
    for (let i = 0; i < required.resources.length; i++) {
      setResourceOf(required, i);
      if (refusalOf(required, undefined) !== undefined) return false;
    }
    return true;
  }
}

function isRefusedKind(principal: Principal, action: string): boolean {
  try {
    refuseBySessionKind(principal, action);
    return false;
  } catch (error) {
    if (error instanceof AwsError) return true;
    throw error;
  }
}
