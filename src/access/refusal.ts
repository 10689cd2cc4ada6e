import { authorizationMessage, type MessageFacts } from '#policy/authorization-message.ts';
import { type StepBudget, StepsExceeded } from '#policy/steps.ts';
import type { Denied } from './denied.ts';
import type { Required } from './required-reading.ts';

/** Denial of a required action on one resource. */
export interface Refusal {
  readonly denied: Denied;
  /** Whether the caller's policies could read the facts about the resource's owner. */
  readonly ownerVisible: boolean;
  /** True if the denial must not be explained to the caller, because its reason belongs to another account. */
  readonly unexplained?: true;
}

/** Function that decides a required action on the current resource of its context. Returns `undefined` if the action is allowed. */
export type RefusalOfRequired = (required: Required, meter: StepBudget | undefined) => Refusal | undefined;

/**
 * Maximum number of steps to explain one denial. They take a few milliseconds, during which the transaction blocks
 * other callers. The limit is sufficient for policies of 30,000 characters. It is sufficient for longer policies if
 * explanations of earlier denials have already parsed the policies.
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
