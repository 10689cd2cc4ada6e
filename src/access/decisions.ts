import type { Denial } from '#policy/decision.ts';
import {
  type CompiledPolicy,
  decideTrustOf,
  denialOf,
  newRequestRecord,
  type PolicyStack,
  programFor,
  setFacts,
  type TrustDecision,
  trustCallerOf,
} from '#policy/engine.ts';
import type { StepBudget } from '#policy/steps.ts';
import { type RequestContext, setOwnerVisible } from './request-context.ts';

/** Functions of one thread that decide actions. They are synchronous, so they share one request record of the engine. */
export interface Decisions {
  /**
   * Returns the denial by the caller's policies, or `undefined` if they allow the action.
   *
   * `ownerVisible`: whether the policies may read the facts of the resource's owner. `meter`: step budget that several decisions share.
   * Without it, each decision has its own budget.
   *
   * @throws StepsExceeded  the budget has too few steps left
   */
  byStack(stack: PolicyStack, context: RequestContext, ownerVisible: boolean, meter: StepBudget | undefined): Denial | undefined;
  /** Decides with the trust policy of the resource, which is a role. @throws StepsExceeded  as `byStack` */
  byTrust(trust: CompiledPolicy, context: RequestContext, meter: StepBudget | undefined): TrustDecision;
}

/** Creates the functions. Without a `meter`, a decision has a budget of `decisionSteps`. */
export function newDecisions(decisionSteps: number): Decisions {
  const record = newRequestRecord();
  const ownBudget: StepBudget = { stepsLeft: decisionSteps };

  /** Sets the facts of a decision, and returns its budget. */
  function begin(context: RequestContext, ownerVisible: boolean, meter: StepBudget | undefined): StepBudget {
    setOwnerVisible(context, ownerVisible);
    setFacts(record, context);
    if (meter !== undefined) return meter;
    ownBudget.stepsLeft = decisionSteps;
    return ownBudget;
  }

  return {
    byStack(stack, context, ownerVisible, meter) {
      const budget = begin(context, ownerVisible, meter);
      return denialOf(programFor(stack, context.action), record, context.resource, budget);
    },
    byTrust(trust, context, meter) {
      const budget = begin(context, true, meter);
      const { action, resource, principal } = context;
      return decideTrustOf(record, trust, trustCallerOf(principal), action, [resource], 'trust', budget);
    },
  };
}
