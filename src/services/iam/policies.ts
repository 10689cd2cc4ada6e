/**
 * Managed policies: customer managed policies, and read access to AWS managed policies.
 */

import { uniqueId } from '#core/base32.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi, Policy } from '#model/generated/iam.ts';
import type { PolicyRecord } from '#store/identity/identity.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { concat, fromList, type Keyed, type Read } from '../kit/page.ts';
import { ensureWellFormed, storedDocument } from './documents.ts';
import { entitySummary, type HolderSummary } from './entities.ts';
import { AwsError } from './errors.ts';
import {
  awsPolicies,
  isServiceRolePolicy,
  managedPolicyToChange,
  managedPolicyToRead,
  type PolicyUse,
  policyUse,
} from './managed-policies.ts';
import { ID_PREFIXES, iamArn, nameKey } from './names.ts';
import { pageOfStored } from './page.ts';
import { withinQuota } from './quotas.ts';
import { onAccount, onCreated, onPolicy } from './resources.ts';
import { attachmentKey, readAttachmentKey } from './reverse-index.ts';
import { toTags } from './shapes.ts';
import { newTags } from './tag-rules.ts';

/** Operations on managed policies. */
export const policyOperations = {
  CreatePolicy: {
    access: (input, caller) =>
      onCreated('iam:TagPolicy', iamArn(caller.accountId, 'policy', input.Path ?? '/', input.PolicyName), input.Tags, {
        called: `policy ${input.PolicyName}`,
      }),
    async handle(call, input) {
      const tags = newTags(input.Tags);
      withinQuota('PolicySize', ensureWellFormed(input.PolicyDocument, 'managed'));
      const policy = newPolicy(call, input, tags);
      withinQuota('PoliciesPerAccount', (await call.tx.identity.count(call.accountId, 'policy')) + 1);
      if ((await call.tx.identity.add(call.accountId, 'policy', nameKey(input.PolicyName), policy)) === 'exists') {
        throw new AwsError(
          'EntityAlreadyExistsException',
          `A policy called ${input.PolicyName} already exists. Duplicate names are not allowed.`,
        );
      }
      const shown = toListedPolicy(policy, { attachmentCount: 0, boundaryCount: 0 });
      return { Policy: tags.length === 0 ? shown : { ...shown, Tags: toTags(tags) } };
    },
  },

  GetPolicy: {
    access: (input, caller) => onPolicy(caller, input.PolicyArn),
    async handle(call, input) {
      const policy = await managedPolicyToRead(call, input.PolicyArn);
      const shown = toListedPolicy(policy, await policyUse(call, policy.arn));
      return { Policy: omitUndefined({ ...shown, Description: policy.description, Tags: toTags(policy.tags) }) };
    },
  },

  DeletePolicy: {
    access: (input, caller) => onPolicy(caller, input.PolicyArn),
    async handle(call, input) {
      const policy = await managedPolicyToChange(call, 'iam:DeletePolicy', input.PolicyArn);
      const use = await policyUse(call, policy.arn);
      if (use.attachmentCount + use.boundaryCount > 0) {
        throw new AwsError('DeleteConflictException', 'Cannot delete a policy attached to entities.');
      }
      if (policy.versions.length > 1) {
        throw new AwsError(
          'DeleteConflictException',
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        );
      }
      await call.tx.identity.remove(call.accountId, 'policy', nameKey(policy.policyName));
      return {};
    },
  },

  ListPolicies: {
    access: (input) => ({ ...onAccount(), called: `policy path ${input.PathPrefix ?? '/'}` }),
    async handle(call, input) {
      const scope = input.Scope ?? 'All';
      const sections: { name: string; read: Read<PolicySummary> }[] = [];
      if (scope !== 'Local') sections.push({ name: 'aws/', read: fromList(awsPolicies(call)) });
      if (scope !== 'AWS') sections.push({ name: 'own/', read: ownPolicies(call) });
      const uses = new Map<string, PolicyUse>();
      const page = await pageOfStored(call.tx.identity, input, concat(sections), async (policy) => {
        if (!policy.path.startsWith(input.PathPrefix ?? '/')) return false;
        const use = await policyUse(call, policy.arn);
        uses.set(policy.arn, use);
        if (input.PolicyUsageFilter === 'PermissionsBoundary' && use.boundaryCount === 0) return false;
        if (input.PolicyUsageFilter === 'PermissionsPolicy' && use.attachmentCount === 0) return false;
        return input.OnlyAttached !== true || use.attachmentCount + use.boundaryCount > 0;
      });
      return { Policies: page.records.map((policy) => toListedPolicy(policy, uses.get(policy.arn) as PolicyUse)), ...page.rest };
    },
  },

  ListEntitiesForPolicy: {
    access: (input, caller) => onPolicy(caller, input.PolicyArn),
    async handle(call, input) {
      const policy = await managedPolicyToRead(call, input.PolicyArn);
      const summaries = new Map<Holder, HolderSummary>();
      const page = await pageOfStored(call.tx.identity, input, holdersOf(call, policy.arn, input.PolicyUsageFilter), async (holder) => {
        if (input.EntityFilter !== undefined && input.EntityFilter.toLowerCase() !== holder.kind) return false;
        if (holder.repeated) return false;
        const summary = await entitySummary(call, holder.kind, holder.key);
        summaries.set(holder, summary);
        return summary.path.startsWith(input.PathPrefix ?? '/');
      });
      const groups = [];
      const users = [];
      const roles = [];
      for (const holder of page.records) {
        const record = summaries.get(holder) as HolderSummary;
        if ('groupId' in record) groups.push({ GroupName: record.groupName, GroupId: record.groupId });
        else if ('userId' in record) users.push({ UserName: record.userName, UserId: record.userId });
        else roles.push({ RoleName: record.roleName, RoleId: record.roleId });
      }
      return { PolicyGroups: groups, PolicyUsers: users, PolicyRoles: roles, ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

function newPolicy(call: Call, input: IamApi['CreatePolicy']['input'], tags: PolicyRecord['tags']): PolicyRecord {
  const path = input.Path ?? '/';
  return omitUndefined({
    accountId: call.accountId,
    arn: iamArn(call.accountId, 'policy', path, input.PolicyName),
    path,
    createdAt: call.now,
    updatedAt: call.now,
    policyName: input.PolicyName,
    policyId: uniqueId(ID_PREFIXES.policy, call.random),
    description: input.Description,
    defaultVersionId: 'v1',
    nextVersion: 2,
    versions: [{ versionId: 'v1', document: storedDocument(input.PolicyDocument), createdAt: call.now }],
    tags,
  });
}

type PolicySummary = IdentitySummaries['policy'];

/** Returns a reader of the account's own managed policies, without their documents. */
function ownPolicies(call: Call): Read<PolicySummary> {
  return (after, limit) => call.tx.identity.summaries(call.accountId, 'policy', omitUndefined({ after, limit }));
}

/** Converts a policy to its form in lists. Source: IAM API reference, ListPolicies: without Description and Tags. */
export function toListedPolicy(policy: PolicySummary, use: PolicyUse): Policy {
  return {
    PolicyName: policy.policyName,
    PolicyId: policy.policyId,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: use.attachmentCount,
    PermissionsBoundaryUsageCount: use.boundaryCount,
    IsAttachable: !isServiceRolePolicy(policy),
    CreateDate: policy.createdAt,
    UpdateDate: policy.updatedAt,
  };
}

interface Holder {
  readonly kind: 'user' | 'group' | 'role';
  readonly key: string;
  /**
   * True if the response omits this entry, in one of two cases. (1) The entry does not match PolicyUsageFilter. (2) The
   * entry is a permissions boundary, and the same policy is also attached to the entity. In case (2), the
   * entry of the attachment already lists the entity.
   */
  readonly repeated: boolean;
}

function holdersOf(call: Call, policyArn: string, usage: IamApi['ListEntitiesForPolicy']['input']['PolicyUsageFilter']): Read<Holder> {
  return async (after, limit) => {
    const prefix = `${policyArn} `;
    const from = after === undefined ? undefined : prefix + after;
    const entries = await call.tx.identity.list(call.accountId, 'attachment', omitUndefined({ prefix, after: from, limit }));
    const holders: Keyed<Holder>[] = [];
    for (const { key: indexKey } of entries) {
      const { kind, key, use } = readAttachmentKey(policyArn, indexKey);
      const wanted = usage === undefined || (usage === 'PermissionsBoundary') === (use === 'boundary');
      const attached = attachmentKey(policyArn, kind, key);
      const alsoAttached =
        use === 'boundary' && usage === undefined && (await call.tx.identity.get(call.accountId, 'attachment', attached)) !== undefined;
      holders.push({ key: indexKey.slice(prefix.length), record: { kind, key, repeated: !wanted || alsoAttached } });
    }
    return holders;
  };
}
