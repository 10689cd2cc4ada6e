import { authorizationMessage, type MessageFacts } from '#policy/authorization-message.ts';
import { type StepBudget, StepsExceeded } from '#policy/steps.ts';
import type { Denied } from './denied.ts';
import type { Required } from './required-reading.ts';

/** Denial of one resource. */
export interface Refusal {
  readonly denied: Denied;
  /** Whether the caller's policies could read the owner's facts. */
  readonly ownerVisible: boolean;
}

/** Function that decides a required action on the current resource of its context. Returns `undefined` if the action is allowed. */
export type RefusalOfRequired = (required: Required, meter: StepBudget | undefined) => Refusal | undefined;

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
