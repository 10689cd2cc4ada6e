/** Configuration rules about the policies of users, groups and roles, about customer managed policies, and about the trust of roles. */
import type { IdentityRecords, PolicyRecord } from '#store/identity/identity.ts';
import type { ConfigurationRule, Evidence, RuleReading, RuleResult } from '../../kit/configuration-rule.ts';
import { allowsEverything, publicActions } from '../../kit/open-statements.ts';
import { evidence, policyEvidence, type RuleResource, ruleResult } from '../../kit/rule-results.ts';
import { inParts } from '../../kit/survey.ts';
import { membershipKey } from '../reverse-index.ts';
import { encodeDocument } from '../shapes.ts';
import { shownTrustPolicy } from '../trust.ts';
import { recordsOf, summariesOf, userResource } from './read-principals.ts';

type HolderKind = 'user' | 'group' | 'role';

/** Maximum number of policies of one result that have an evidence. */
const SHOWN_POLICIES = 10;

/** Source: AWS Config Developer Guide, "iam-policy-no-statements-with-admin-access". Policies of AWS are not evaluated. */
const MANAGED_ADMIN: ConfigurationRule = {
  name: 'iam-policy-no-statements-with-admin-access',
  description: 'No customer managed policy allows every action on every resource.',
  parameters: {},
  requirements: ['COMP-6'],
  async evaluate(reading) {
    const results: RuleResult[] = [];
    for await (const part of recordsOf(reading, 'policy')) results.push(...part.map(({ record }) => managedResult(reading, record)));
    return results;
  },
};

function managedResult(
  reading: RuleReading,
  { arn: PolicyArn, policyName, policyId, versions, defaultVersionId: VersionId }: PolicyRecord,
): RuleResult {
  const text = versions.find(({ versionId }) => versionId === VersionId)?.document ?? '';
  const isOpen = allowsEverything(text);
  const annotation = `The default version ${VersionId} of policy '${policyName}' ${isOpen ? 'allows' : 'does not allow'} every action on every resource.`;
  const call = { action: 'iam:GetPolicyVersion', input: { PolicyArn, VersionId }, member: 'PolicyVersion.Document' };
  return ruleResult({ type: 'AWS::IAM::Policy', id: policyId }, !isOpen, annotation, [iamEvidence(reading, call, text)]);
}

/** A user, group or role with its inline policies. */
interface Holder {
  readonly resource: RuleResource;
  readonly kind: HolderKind;
  readonly name: string;
  readonly inlinePolicies: Readonly<Record<string, string>>;
}

function holderOf(record: IdentityRecords[HolderKind]): Holder {
  const { inlinePolicies } = record;
  if ('userName' in record) return { resource: userResource(record), kind: 'user', name: record.userName, inlinePolicies };
  if ('groupName' in record)
    return { resource: { type: 'AWS::IAM::Group', id: record.groupId }, kind: 'group', name: record.groupName, inlinePolicies };
  return { resource: { type: 'AWS::IAM::Role', id: record.roleId }, kind: 'role', name: record.roleName, inlinePolicies };
}

/** Has no managed rule in AWS Config. Users, groups and roles without inline policies have no result. */
const INLINE_ADMIN: ConfigurationRule = {
  name: 'iam-inline-policy-no-statements-with-admin-access',
  description: 'No inline policy of a user, group or role allows every action on every resource.',
  parameters: {},
  requirements: ['COMP-6'],
  async evaluate(reading) {
    const results: RuleResult[] = [];
    for (const kind of ['user', 'group', 'role'] as const) {
      for await (const part of recordsOf(reading, kind)) {
        results.push(...part.flatMap(({ record }) => inlineResult(reading, holderOf(record)) ?? []));
      }
    }
    return results;
  },
};

function inlineResult(reading: RuleReading, { resource, kind, name, inlinePolicies }: Holder): RuleResult | undefined {
  const policies = Object.entries(inlinePolicies);
  if (policies.length === 0) return undefined;
  const open = policies.filter(([, text]) => allowsEverything(text));
  const names = open.map(([policyName]) => `'${policyName}'`).join(', ');
  const annotation =
    open.length === 0
      ? `No inline policy of ${kind} '${name}' allows every action on every resource.`
      : `Inline policies of ${kind} '${name}' allow every action on every resource: ${names}`;
  const shown = (open.length === 0 ? policies : open).slice(0, SHOWN_POLICIES);
  return ruleResult(
    resource,
    open.length === 0,
    annotation,
    shown.map(([PolicyName, text]) => inlineEvidence(reading, kind, name, PolicyName, text)),
  );
}

function inlineEvidence(reading: RuleReading, kind: HolderKind, name: string, PolicyName: string, text: string): Evidence {
  const holder = { user: 'User', group: 'Group', role: 'Role' }[kind];
  const call = { action: `iam:Get${holder}Policy`, input: { [`${holder}Name`]: name, PolicyName }, member: 'PolicyDocument' };
  return iamEvidence(reading, call, text);
}

/** Returns a call of IAM that shows a policy. IAM returns policies percent-encoded. */
function iamEvidence(reading: RuleReading, call: Parameters<typeof policyEvidence>[1], text: string): Evidence {
  return policyEvidence(reading, call, text, encodeDocument(text));
}

/** Source: AWS Config Developer Guide, "iam-user-no-policies-check". */
const USER_POLICIES: ConfigurationRule = {
  name: 'iam-user-no-policies-check',
  description: 'No user has policies of its own. Users get permissions from groups and roles.',
  parameters: {},
  requirements: ['COMP-6'],
  async evaluate(reading) {
    const results: RuleResult[] = [];
    for await (const part of recordsOf(reading, 'user')) {
      for (const { record } of part) {
        const UserName = record.userName;
        const [inline, attached] = [Object.keys(record.inlinePolicies).length, record.attachedPolicyArns.length];
        const annotation = `User '${UserName}' has ${inline} inline and ${attached} attached policies of its own.`;
        results.push(
          ruleResult(userResource(record), inline + attached === 0, annotation, [
            evidence('iam:ListUserPolicies', { UserName }, 'length(PolicyNames)', inline),
            evidence('iam:ListAttachedUserPolicies', { UserName }, 'length(AttachedPolicies)', attached),
          ]),
        );
      }
    }
    return results;
  },
};

/** Source: AWS Config Developer Guide, "iam-group-has-users-check". */
const GROUP_USERS: ConfigurationRule = {
  name: 'iam-group-has-users-check',
  description: 'Every group has a user.',
  parameters: {},
  requirements: ['COMP-6'],
  async evaluate(reading) {
    const results: RuleResult[] = [];
    const groups = summariesOf(reading, 'group', (tx, { accountId, groupId }) =>
      tx.identity.list(accountId, 'membership', { prefix: membershipKey(groupId, ''), limit: 1 }),
    );
    for await (const part of groups) {
      for (const [{ groupId, groupName: GroupName }, [member]] of part) {
        const hasUser = member !== undefined;
        const annotation = `Group '${GroupName}' has ${hasUser ? 'users' : 'no users'}.`;
        const shown = [evidence('iam:GetGroup', { GroupName }, 'length(Users[:1])', hasUser ? 1 : 0)];
        results.push(ruleResult({ type: 'AWS::IAM::Group', id: groupId }, hasUser, annotation, shown));
      }
    }
    return results;
  },
};

/** Number of roles that one transaction reads. It looks for the ARNs of the principals of each. */
const ROLES = 16;

/** Has no managed rule in AWS Config. `publicActions` says which trust policies are public. */
const PUBLIC_TRUST: ConfigurationRule = {
  name: 'iam-role-trust-not-public',
  description: 'No role trusts everyone.',
  parameters: {},
  requirements: ['COMP-6'],
  async evaluate(reading: RuleReading) {
    const { store, accountId } = reading;
    const results: RuleResult[] = [];
    const roles = inParts(store, '', async (tx, after) => {
      const read = await tx.identity.list(accountId, 'role', { after, limit: ROLES });
      const items: (readonly [IdentityRecords['role'], string])[] = [];
      for (const { record } of read) items.push([record, await shownTrustPolicy(tx, record)]);
      const next = read[ROLES - 1]?.key;
      return { items, ...(next !== undefined && { next }) };
    });
    for await (const part of roles) {
      for (const [{ roleId, roleName: RoleName, trustPolicy }, shown] of part) {
        const isPublic = publicActions(trustPolicy).length > 0;
        const annotation = `Role '${RoleName}' ${isPublic ? 'trusts everyone' : 'trusts only named principals'}.`;
        const call = { action: 'iam:GetRole', input: { RoleName }, member: 'Role.AssumeRolePolicyDocument' };
        const proof = [iamEvidence(reading, call, shown)];
        results.push(ruleResult({ type: 'AWS::IAM::Role', id: roleId }, !isPublic, annotation, proof));
      }
    }
    return results;
  },
};

export const POLICY_RULES: readonly ConfigurationRule[] = [MANAGED_ADMIN, INLINE_ADMIN, USER_POLICIES, GROUP_USERS, PUBLIC_TRUST];
