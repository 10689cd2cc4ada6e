import type { ConditionContext } from '#core/condition-context.ts';
import type { Denial } from '#policy/decision.ts';
import { compilePolicy, linkStack, type TrustDecision } from '#policy/engine.ts';
import type { StepBudget } from '#policy/steps.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Decisions } from './decisions.ts';
import { type Attempt, Denied, deniedBecause, deniedWithoutReason, implicitDenial } from './denied.ts';
import type { Refusal, VisibleFacts } from './refusal.ts';
import type { Stacks } from './stacks.ts';
import type { DecidingPolicies } from './tag-facts.ts';

/** Attempt to assume a role. */
export interface AssumeAttempt extends Attempt {
  readonly policies: DecidingPolicies;
  /** Role of the trust policy. Absent if it does not exist. */
  readonly role: RoleRecord | undefined;
  readonly facts: VisibleFacts;
  readonly meter: StepBudget | undefined;
}

/** Replacement of the identity policies if a trust policy grants the action directly. */
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
export function assumeDeciding(decisions: Decisions, stacks: Stacks): (attempt: AssumeAttempt) => Refusal | undefined {
  return (attempt) => {
    const { principal, action, resource, policies, role, facts, meter } = attempt;
    if (principal.type === 'Root') {
      return { denied: new Denied('Roles may not be assumed by root accounts.', implicitDenial('trust', resource), [resource]) };
    }
    const trust = policies.trust && decisions.byTrust(policies.trust, principal, action, resource, facts.whole, meter);
    const context = trust?.effect === 'Allow' ? facts.whole : facts.known;
    const own = policies.stack && decisions.byStack(policies.stack, action, resource, context, meter);
    if (own?.kind === 'explicit') return { denied: deniedBecause(attempt, own), context };

    const inAccount = role?.accountId === principal.accountId;
    const decision = inAccount ? trustDenial(trust, resource) : implicitDenial('trust', resource);
    if (policies.stack === undefined) {
      // Unsigned request: the token identifies the caller, and only the trust policy is evaluated. policy-engine.md 57.
      return trust?.effect === 'Allow' ? undefined : { denied: deniedWithoutReason(attempt, decision) };
    }
    if (decision.kind === 'explicit') return { denied: deniedBecause(attempt, decision) };
    if (own !== undefined) {
      const grantee = trust?.effect === 'Allow' && inAccount ? trust.grantee : 'account';
      const remaining = grantee === 'account' ? own : layersAfterGrant(attempt, grantee, own, context);
      return remaining && { denied: deniedBecause(attempt, remaining), context };
    }
    return trust?.effect === 'Allow' ? undefined : { denied: deniedWithoutReason(attempt) };
  };

  /**
   * Returns the part of a denial that still applies if a trust policy in the same account allows the caller.
   *
   * If the trust policy names the principal itself, only service control policies still apply. If it names the role of a session, the
   * boundary and the session policies also apply. The denial may not mention them, because the identity policies denied first.
   * Requirement EVAL-7.
   */
  function layersAfterGrant(
    { principal, action, resource, meter }: AssumeAttempt,
    grantee: 'principal' | 'role',
    own: Extract<Denial, { kind: 'implicit' }>,
    context: ConditionContext,
  ): Denial | undefined {
    if (own.missing === 'service-control') return own;
    if (grantee === 'principal') return undefined;
    const stack = linkStack({ ...stacks.layersOf(principal), identity: EVERYTHING });
    return decisions.byStack(stack, action, resource, context, meter);
  }
}

/** Returns the denial by the trust policy of a role in the caller's account. */
function trustDenial(trust: TrustDecision | undefined, resource: string): Denial {
  return trust?.effect === 'Deny' && trust.kind === 'explicit'
    ? { effect: 'Deny', kind: 'explicit', by: trust.by, policyType: 'trust', resource }
    : implicitDenial('trust', resource);
}
