import type { Denial } from '#policy/decision.ts';
import type { TrustDecision } from '#policy/engine.ts';
import type { Decisions } from './decisions.ts';
import { type Denials, Denied, implicitDenial } from './denied.ts';
import { grantLayers } from './grant-layers.ts';
import type { Refusal, RefusalOfRequired } from './refusal.ts';
import { setAllowedBy } from './request-context.ts';
import type { Stacks } from './stacks.ts';

/**
 * Creates the function that decides `sts:AssumeRole` and related actions with the caller's policies and the role's
 * trust policy. The function returns `undefined` if the action is allowed.
 *
 * - If the role is in the caller's account, a trust policy that names the caller is sufficient. If the trust policy
 *   names only the account, the caller's policies must also allow the action.
 * - If the role is in another account, the trust policy and the caller's policies must allow the action.
 * - The trust policy may read all facts about the role. The caller's policies may read the facts about another
 *   account's role only if the trust policy allows the caller. Otherwise the response could reveal these facts.
 * - If another account's role does not trust the caller, the response is the same as for an unknown role.
 *
 * Requirements STS-4, STS-5, EVAL-7, SLR-10.
 */
export function assumeDeciding(decisions: Decisions, stacks: Stacks, denials: Denials): RefusalOfRequired {
  const layersAfterGrant = grantLayers(decisions, stacks);
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
    if (stack === undefined) {
      if (!isTrusted) return refusal(denials.withoutReason(context, decision));
      setAllowedBy(context, trust.by);
      return undefined;
    }
    if (decision.kind === 'explicit') return refusal(denials.because(context, decision));
    if (own !== undefined) {
      const grantee = isTrusted && inAccount ? trust.grantee : 'account';
      const remaining = grantee === 'account' ? own : layersAfterGrant(context, grantee, own, meter);
      if (remaining !== undefined) return refusal(denials.because(context, remaining), ownerVisible);
      setAllowedBy(context, trust?.by);
      return undefined;
    }
    if (!isTrusted) return refusal(denials.withoutReason(context));
    setAllowedBy(context, trust.by);
    return undefined;
  };
}

/** Returns the denial by the trust policy of a role in the caller's account. */
function trustDenial(trust: TrustDecision | undefined, resource: string): Denial {
  return trust?.effect === 'Deny' && trust.kind === 'explicit'
    ? { effect: 'Deny', kind: 'explicit', by: trust.by, policyType: 'trust', resource }
    : implicitDenial('trust', resource);
}
