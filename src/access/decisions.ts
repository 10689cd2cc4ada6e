import type { ConditionContext } from '#core/condition-context.ts';
import type { Principal } from '#core/principal.ts';
import type { Denial } from '#policy/decision.ts';
import {
  type CompiledPolicy,
  decideTrust,
  denialOf,
  newRequestRecord,
  type PolicyStack,
  programFor,
  setContext,
  type TrustDecision,
  trustCallerOf,
} from '#policy/engine.ts';
import type { StepBudget } from '#policy/steps.ts';

/** Decisions of one thread. Each is synchronous, so they share one request record of the engine. */
export interface Decisions {
  /**
   * Returns the denial by the caller's policies, or `undefined` if they allow the action.
   *
   * @throws StepsExceeded  the budget has too few steps left
   */
  byStack(stack: PolicyStack, action: string, resource: string, context: ConditionContext, meter?: StepBudget): Denial | undefined;
  /** Decides with a role's trust policy. @throws StepsExceeded  as `byStack` */
  byTrust(
    trust: CompiledPolicy,
    principal: Principal,
    action: string,
    resource: string,
    context: ConditionContext,
    meter?: StepBudget,
  ): TrustDecision;
}

/** Creates the decisions. A decision without a budget of its caller has `decisionSteps`. */
export function newDecisions(decisionSteps: number): Decisions {
  const record = newRequestRecord();
  return {
    byStack(stack, action, resource, context, meter) {
      setContext(record, context);
      return denialOf(programFor(stack, action), record, resource, meter ?? { stepsLeft: decisionSteps });
    },
    byTrust(trust, principal, action, resource, context, meter) {
      const request = { action, resources: [resource], context };
      return decideTrust(trust, trustCallerOf(principal), request, 'trust', meter ?? { stepsLeft: decisionSteps });
    },
  };
}
