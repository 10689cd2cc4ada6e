/** Largest sets of policies that the quotas allow for one principal. The tests choose the content of each policy. */
import { compilePolicy, type PolicyLayers, type SourcedPolicy } from '#policy/engine.ts';
import { POLICY_QUOTAS } from '#policy/validate/policy-size.ts';
import { QUOTAS } from '#services/iam/quotas.ts';
import { QUOTAS as ORGANIZATION_QUOTAS } from '#services/organizations/quotas.ts';

/** Maximum number of managed policies of one session. Source: STS API Reference, AssumeRole, PolicyArns. */
const SESSION_POLICY_ARNS = 10;

function times(count: number, name: string, text: string): SourcedPolicy[] {
  return Array.from({ length: count }, (_, i) => ({ policyId: `${name}-${i}`, policy: compilePolicy(text) }));
}

/** Returns the policies of a user with ten managed policies, which is the quota. */
export function tenPolicies(policyOf: (characters: number) => string): PolicyLayers {
  return { identity: times(QUOTAS.PoliciesPerUser, 'managed', policyOf(QUOTAS.PolicySize)) };
}

/**
 * Returns the policies of a user that uses every quota. The user has session policies, and its account is at the
 * maximum depth of an organization. `policyOf` returns a policy of at most the passed number of characters.
 */
export function everyPolicy(policyOf: (characters: number) => string): PolicyLayers {
  const managed = policyOf(QUOTAS.PolicySize);
  const serviceControl = policyOf(POLICY_QUOTAS.serviceControl.characters);
  const levels = ORGANIZATION_QUOTAS.unitDepth + 2;
  return {
    identity: [
      ...times(QUOTAS.PoliciesPerUser, 'user', managed),
      ...times(1, 'user-inline', policyOf(QUOTAS.UserPolicySize)),
      ...Array.from({ length: QUOTAS.GroupsPerUser }, (_, i) => [
        ...times(QUOTAS.PoliciesPerGroup, `group-${i}`, managed),
        ...times(1, `group-${i}-inline`, policyOf(QUOTAS.GroupPolicySize)),
      ]).flat(),
    ],
    boundary: times(1, 'boundary', managed),
    session: [...times(SESSION_POLICY_ARNS, 'session', managed), ...times(1, 'session-inline', policyOf(POLICY_QUOTAS.session.characters))],
    serviceControl: Array.from({ length: levels }, (_, i) => times(ORGANIZATION_QUOTAS.policiesPerTarget, `scp-${i}`, serviceControl)),
  };
}
