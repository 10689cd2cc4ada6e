import type { Denial } from '#policy/decision.ts';
import { compilePolicy, linkStack } from '#policy/engine.ts';
import type { StepBudget } from '#policy/steps.ts';
import type { Decisions } from './decisions.ts';
import type { RequestContext } from './request-context.ts';
import type { Stacks } from './stacks.ts';

/** Policies that replace the caller's identity policies if the policy of a resource grants the action directly. */
const EVERYTHING = [
  {
    policyId: 'the grant',
    policy: compilePolicy('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'),
  },
];

/**
 * Returns the part of a denial that still applies if the policy of a resource in the same account allows the caller.
 * `own` is the denial by the caller's policies.
 */
export type LayersAfterGrant = (
  context: RequestContext,
  grantee: 'principal' | 'role',
  own: Extract<Denial, { kind: 'implicit' }>,
  meter: StepBudget | undefined,
) => Denial | undefined;

/**
 * Creates the function that decides what a grant by a trust policy or resource-based policy leaves to other policies.
 *
 * If the policy names the principal itself, only service control policies still apply. If it names the role of a
 * session, the boundary and the session policies also apply. `own` reports only one of the policy types that do not
 * allow the action. So the other policies are evaluated again, with identity policies that allow everything.
 * Requirement EVAL-7.
 */
export function grantLayers(decisions: Decisions, stacks: Stacks): LayersAfterGrant {
  return (context, grantee, own, meter) => {
    if (own.missing === 'service-control') return own;
    if (grantee === 'principal') return undefined;
    const stack = linkStack({ ...stacks.layersOf(context.principal), identity: EVERYTHING });
    return decisions.byStack(stack, context, true, meter);
  };
}
