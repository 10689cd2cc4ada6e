/** Configuration rules about organizations. */
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import type { OrganizationRecord } from '#store/identity/organization-records.ts';
import type { ConfigurationRule, Evidence, RuleReading } from '../kit/configuration-rule.ts';
import { evidence, ruleResult } from '../kit/rule-results.ts';
import { inParts } from '../kit/survey.ts';
import { organizationOf, policyIdsOf } from './lookup.ts';

/** Number of units or accounts that one transaction reads. */
const TARGETS = 200;

type Kind = 'organizational-unit' | 'organization-account';

/**
 * Service control policies. The rule has no managed rule in AWS Config. It is about the organization, so only its management account has a
 * result.
 */
const POLICIES: ConfigurationRule = {
  name: 'organizations-service-control-policy-attached',
  description: 'A service control policy other than FullAWSAccess limits a part of the organization.',
  parameters: {},
  requirements: ['COMP-6'],
  async evaluate(reading) {
    const { store, accountId } = reading;
    const organization = await store.transaction((tx) => organizationOf(tx, accountId));
    if (organization?.accountId !== accountId) return [];
    const limited = await limitedTarget(reading, organization);
    const resource = { type: 'AWS::Organizations::Organization', id: organization.organizationId };
    if (limited === undefined) {
      const annotation = 'No service control policy other than FullAWSAccess is attached.';
      return [ruleResult(resource, false, annotation, missingEvidence(organization))];
    }
    const [TargetId, policyId] = limited;
    const annotation = `Service control policy ${policyId} is attached to ${TargetId}.`;
    const input = { TargetId, Filter: 'SERVICE_CONTROL_POLICY' };
    const member = `Policies[?Id=='${policyId}'].Id | [0]`;
    return [ruleResult(resource, true, annotation, [evidence('organizations:ListPoliciesForTarget', input, member, policyId)])];
  },
};

type Limited = readonly [targetId: string, policyId: string];

/**
 * Returns the first target with a policy other than FullAWSAccess: the root, then units, then accounts. Service control policies do not
 * limit the management account.
 */
async function limitedTarget(reading: RuleReading, organization: OrganizationRecord): Promise<Limited | undefined> {
  if (organization.serviceControl === 'disabled') return undefined;
  const own = (ids: readonly string[]): string | undefined => ids.find((id) => id !== FULL_AWS_ACCESS.policyId);
  const ofRoot = own(organization.root.attachedPolicyIds);
  if (ofRoot !== undefined) return [organization.root.rootId, ofRoot];
  for (const kind of ['organizational-unit', 'organization-account'] as const) {
    for await (const part of targets(reading, kind)) {
      for (const [id, target] of part) {
        if (id === organization.accountId) continue;
        const policyId = own(policyIdsOf(organization, target));
        if (policyId !== undefined) return [id, policyId];
      }
    }
  }
  return undefined;
}

function targets({ store, accountId }: RuleReading, kind: Kind) {
  return inParts(store, '', async (tx, after) => {
    const read = await tx.identity.summaries(accountId, kind, { after, limit: TARGETS });
    const next = read[TARGETS - 1]?.key;
    return { items: read.map(({ key, record }) => [key, record] as const), ...(next !== undefined && { next }) };
  });
}

/** Returns the calls that show that the root has no policy. An auditor repeats the second one for each unit and account. */
function missingEvidence({ root, serviceControl }: OrganizationRecord): readonly Evidence[] {
  const input = { TargetId: root.rootId, Filter: 'SERVICE_CONTROL_POLICY' };
  const status = serviceControl === 'enabled' ? 'ENABLED' : undefined;
  return [
    evidence('organizations:ListRoots', {}, 'Roots[0].PolicyTypes[0].Status', status),
    evidence('organizations:ListPoliciesForTarget', input, 'length(Policies[?AwsManaged==`false`])', 0),
  ];
}

export const ORGANIZATIONS_RULES: readonly ConfigurationRule[] = [POLICIES];
