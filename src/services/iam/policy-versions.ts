/**
 * Versions of managed policies. A policy has up to five versions. Only the default version is in effect.
 */

import type { IamApi, PolicyVersion } from '#model/generated/iam.ts';
import type { PolicyRecord, PolicyVersionRecord } from '#store/identity/identity.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { ensureWellFormed, storedDocument } from './documents.ts';
import { AwsError } from './errors.ts';
import { managedPolicyToChange, managedPolicyToRead } from './managed-policies.ts';
import { nameKey } from './names.ts';
import { pageOf } from './page.ts';
import { QUOTAS, withinQuota } from './quotas.ts';
import { onPolicy } from './resources.ts';
import { encodeDocument } from './shapes.ts';

/** Operations on versions of managed policies. */
export const policyVersionOperations = {
  CreatePolicyVersion: {
    access: (input, caller) => onPolicy(caller, input.PolicyArn),
    async handle(call, input) {
      const policy = await managedPolicyToChange(call, 'iam:CreatePolicyVersion', input.PolicyArn);
      withinQuota('PolicySize', ensureWellFormed(input.PolicyDocument, 'managed'));
      if (policy.versions.length >= QUOTAS.VersionsPerPolicy) {
        throw new AwsError(
          'LimitExceededException',
          `A managed policy can have up to ${QUOTAS.VersionsPerPolicy} versions. Before you create a new version, you must delete an existing version.`,
        );
      }
      const version = { versionId: `v${policy.nextVersion}`, document: storedDocument(input.PolicyDocument), createdAt: call.now };
      const changed: PolicyRecord = {
        ...policy,
        versions: [...policy.versions, version],
        nextVersion: policy.nextVersion + 1,
        defaultVersionId: input.SetAsDefault === true ? version.versionId : policy.defaultVersionId,
        updatedAt: call.now,
      };
      await savePolicy(call, changed);
      return { PolicyVersion: toListedVersion(changed, version) };
    },
  },

  GetPolicyVersion: {
    access: (input, caller) => onPolicy(caller, input.PolicyArn),
    async handle(call, input) {
      const policy = await managedPolicyToRead(call, input.PolicyArn);
      return { PolicyVersion: toWholeVersion(policy, versionOf(policy, input.VersionId)) };
    },
  },

  DeletePolicyVersion: {
    access: (input, caller) => onPolicy(caller, input.PolicyArn),
    async handle(call, input) {
      const policy = await managedPolicyToChange(call, 'iam:DeletePolicyVersion', input.PolicyArn);
      const gone = versionOf(policy, input.VersionId);
      if (gone.versionId === policy.defaultVersionId) {
        throw new AwsError('DeleteConflictException', 'Cannot delete the default version of a policy.');
      }
      await savePolicy(call, { ...policy, versions: policy.versions.filter((version) => version !== gone), updatedAt: call.now });
      return {};
    },
  },

  SetDefaultPolicyVersion: {
    access: (input, caller) => onPolicy(caller, input.PolicyArn),
    async handle(call, input) {
      const policy = await managedPolicyToChange(call, 'iam:SetDefaultPolicyVersion', input.PolicyArn);
      await savePolicy(call, { ...policy, defaultVersionId: versionOf(policy, input.VersionId).versionId, updatedAt: call.now });
      return {};
    },
  },

  /** Lists the newest version first, like the real service. */
  ListPolicyVersions: {
    access: (input, caller) => onPolicy(caller, input.PolicyArn),
    async handle(call, input) {
      const policy = await managedPolicyToRead(call, input.PolicyArn);
      const page = pageOf(
        input,
        policy.versions.map((version) => ({ key: newestFirst(version.versionId), record: version })),
      );
      return { Versions: page.records.map((version) => toListedVersion(policy, version)), ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

/** Returns a key that sorts higher version numbers first. */
function newestFirst(versionId: string): string {
  return String(10 ** 12 - Number(versionId.slice(1)));
}

/** Returns the document of the default version. */
export function defaultDocument(policy: PolicyRecord): string {
  return versionOf(policy, policy.defaultVersionId).document;
}

/** Returns a version of a policy. @throws NoSuchEntityException  the version does not exist. Assumed: the message */
function versionOf(policy: PolicyRecord, versionId: string): PolicyVersionRecord {
  const version = policy.versions.find((one) => one.versionId === versionId);
  if (version === undefined) {
    throw new AwsError('NoSuchEntityException', `Policy ${policy.arn} version ${versionId} does not exist or is not attachable.`);
  }
  return version;
}

async function savePolicy(call: Call, policy: PolicyRecord): Promise<void> {
  await call.tx.identity.put(call.accountId, 'policy', nameKey(policy.policyName), policy);
}

function toListedVersion(policy: PolicyRecord, version: PolicyVersionRecord): PolicyVersion {
  return { VersionId: version.versionId, IsDefaultVersion: version.versionId === policy.defaultVersionId, CreateDate: version.createdAt };
}

/** Converts a version to its form in GetPolicyVersion, with the document. */
export function toWholeVersion(policy: PolicyRecord, version: PolicyVersionRecord): PolicyVersion {
  return { Document: encodeDocument(version.document), ...toListedVersion(policy, version) };
}
