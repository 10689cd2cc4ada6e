import type { ConditionContext } from '#core/condition-context.ts';
import { authorizationMessage, type MessageFacts } from '#policy/authorization-message.ts';
import { StepsExceeded } from '#policy/steps.ts';
import type { Denied } from './denied.ts';

/**
 * Condition contexts of one resource. `whole` has every fact. The caller's policies read `known`. For a resource of another account, it
 * lacks the owner's facts. Exception: resources of the caller's organization, whose owner is its management account.
 */
export interface VisibleFacts {
  readonly whole: ConditionContext;
  readonly known: ConditionContext;
}

/** Denial, with the context in which the caller's policies were evaluated. Default: `VisibleFacts.known`. */
export interface Refusal {
  readonly denied: Denied;
  readonly context?: ConditionContext;
}

/**
 * Maximum steps of the explanation of one denial, which take a few milliseconds. The explanation runs in the transaction and blocks other
 * callers. The limit is sufficient for 30,000 characters of policies, and for more if earlier denials have already parsed them.
 */
const EXPLAINED_STEPS_MAX = 1_000_000;

/** Explains a denial. Returns `undefined` if the policies are too long to be explained within `EXPLAINED_STEPS_MAX`. */
export function explanationOf(facts: Omit<MessageFacts, 'budget'>): string | undefined {
  try {
    return authorizationMessage({ ...facts, budget: { stepsLeft: EXPLAINED_STEPS_MAX } });
  } catch (error) {
    if (error instanceof StepsExceeded) return undefined;
    throw error;
  }
}
