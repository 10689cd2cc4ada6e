import { parseArn } from '#core/arn.ts';
import type { Denial, StatementRef } from '#policy/decision.ts';
import {
  allowingStatement,
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

/**
 * Functions that decide whether policies allow an action. They are synchronous, so all decisions of a thread can reuse
 * one mutable object that describes the request to the policy engine.
 */
export interface Decisions {
  /**
   * Returns the denial by the caller's policies, or `undefined` if they allow the action.
   *
   * `ownerVisible` says whether the policies may read the facts about the resource's owner. `meter` is a step budget
   * that several decisions share. Without `meter`, each decision has its own budget.
   *
   * @throws StepsExceeded  the budget has too few steps left
   */
  byStack(stack: PolicyStack, context: RequestContext, ownerVisible: boolean, meter: StepBudget | undefined): Denial | undefined;
  /**
   * Returns the identity statement that allowed the action, for the trail. Call it directly after `byStack` allowed the
   * action. Returns `undefined` if the statement cannot be found cheaply.
   */
  allowedBy(stack: PolicyStack, context: RequestContext): StatementRef | undefined;
  /**
   * Decides with the trust policy of the resource, which is a role.
   *
   * @throws StepsExceeded  the budget has too few steps left
   */
  byTrust(trust: CompiledPolicy, context: RequestContext, meter: StepBudget | undefined): TrustDecision;
  /**
   * Decides with the resource-based policy of the current resource. `hasBoundary`: whether the caller has a permissions
   * boundary.
   *
   * @throws StepsExceeded  the budget has too few steps left
   */
  byResourcePolicy(policy: CompiledPolicy, context: RequestContext, hasBoundary: boolean, meter: StepBudget | undefined): TrustDecision;
}

/** Creates the functions that decide. Without a `meter`, a decision has a budget of `decisionSteps`. */
export function newDecisions(decisionSteps: number): Decisions {
  const record = newRequestRecord();
  const ownBudget: StepBudget = { stepsLeft: decisionSteps };

  /** Sets the facts for a decision, and returns the step budget of the decision. */
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
    allowedBy: (stack, context) => allowingStatement(programFor(stack, context.action), record),
    byTrust(trust, context, meter) {
      const budget = begin(context, true, meter);
      const { action, resource, principal } = context;
      return decideTrustOf(record, trust, trustCallerOf(principal), action, [resource], 'trust', budget);
    },
    byResourcePolicy(policy, context, hasBoundary, meter) {
      const budget = begin(context, true, meter);
      const { action, resource, principal } = context;
      const caller = { ...trustCallerOf(principal), hasBoundary };
      return decideTrustOf(record, policy, caller, action, [resource], 'resource', budget, resourcePolicyId(resource));
    },
  };
}

/**
 * Returns the name of a resource-based policy in decisions: `bucket/NAME` for the policy of a bucket or its objects,
 * otherwise the ARN of the resource.
 */
export function resourcePolicyId(resource: string): string {
  const parts = parseArn(resource);
  return parts?.service === 's3' ? `bucket/${parts.resource.split('/', 1)[0]}` : resource;
}
