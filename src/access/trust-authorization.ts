import type { Denial } from '#policy/decision.ts';
import { compilePolicy, linkStack, type TrustDecision } from '#policy/engine.ts';
import type { StepBudget } from '#policy/steps.ts';
import type { Decisions } from './decisions.ts';
import { type Denials, Denied, implicitDenial } from './denied.ts';
import type { Refusal, RefusalOfRequired } from './refusal.ts';
import type { RequestContext } from './request-context.ts';
import type { Stacks } from './stacks.ts';

/** Policies that replace the caller's identity policies if a trust policy grants the action directly. */
const EVERYTHING = [
  {
    policyId: 'the grant',
    policy: compilePolicy('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'),
  },
];

/**
 * Creates the function that decides `sts:AssumeRole` and related actions with the caller's policies and the role's trust policy. It returns
 * `undefined` if both together allow.
 *
 * - In the role's account, a trust policy that names the caller is sufficient. If it names the account, the caller's policies must also
 *   allow the action.
 * - Across accounts, both must allow the action.
 * - The trust policy reads all facts of the role. The caller's policies read the facts of another account's role only after the trust
 *   policy allows the caller. Otherwise the response could reveal them.
 * - If another account's role does not trust the caller, the response is the same as for an unknown role.
 *
 * Requirements STS-4, STS-5, EVAL-7, SLR-10.
 */
export function assumeDeciding(decisions: Decisions, stacks: Stacks, denials: Denials): RefusalOfRequired {
  return ({ context, stack, trust: trustPolicy, role }, meter) => {
    const { principal, resource, ownerVisibleToCaller } = context;
    const refusal = (denied: Denied, ownerVisible = ownerVisibleToCaller): Refusal => ({ denied, ownerVisible });
    if (principal.type === 'Root') {
      return refusal(new Denied('Roles may not be assumed by root accounts.', implicitDenial('trust', resource), [resource]));
    }
    const trust = trustPolicy && decisions.byTrust(trustPolicy, context, meter);
    const isTrusted = trust?.effect === 'Allow';
    const ownerVisible = isTrusted || ownerVisibleToCaller;
    const own = stack && decisions.byStack(stack, context, ownerVisible, meter);
    if (own?.kind === 'explicit') return refusal(denials.because(context, own), ownerVisible);

    const inAccount = role?.accountId === principal.accountId;
    const decision = inAccount ? trustDenial(trust, resource) : implicitDenial('trust', resource);
    // Unsigned request: the token identifies the caller, and only the trust policy is evaluated. policy-engine.md 57.
    if (stack === undefined) return isTrusted ? undefined : refusal(denials.withoutReason(context, decision));
    if (decision.kind === 'explicit') return refusal(denials.because(context, decision));
    if (own !== undefined) {
      const grantee = isTrusted && inAccount ? trust.grantee : 'account';
      const remaining = grantee === 'account' ? own : layersAfterGrant(context, grantee, own, meter);
      return remaining && refusal(denials.because(context, remaining), ownerVisible);
    }
    return isTrusted ? undefined : refusal(denials.withoutReason(context));
  };

  /**
   * Returns the part of a denial that still applies if a trust policy in the same account allows the caller.
   *
   * If the trust policy names the principal itself, only service control policies still apply. If it names the role of a session, the
   * boundary and the session policies also apply. The denial may not mention them, because the identity policies denied first.
   * Requirement EVAL-7.
   */
  function layersAfterGrant(
    context: RequestContext,
    grantee: 'principal' | 'role',
    own: Extract<Denial, { kind: 'implicit' }>,
    meter: StepBudget | undefined,
  ): Denial | undefined {
    if (own.missing === 'service-control') return own;
    if (grantee === 'principal') return undefined;
    const stack = linkStack({ ...stacks.layersOf(context.principal), identity: EVERYTHING });
    return decisions.byStack(stack, context, true, meter);
  }
}

/** Returns the denial by the trust policy of a role in the caller's account. */
function trustDenial(trust: TrustDecision | undefined, resource: string): Denial {
  return trust?.effect === 'Deny' && trust.kind === 'explicit'
    ? { effect: 'Deny', kind: 'explicit', by: trust.by, policyType: 'trust', resource }
    : implicitDenial('trust', resource);
}
