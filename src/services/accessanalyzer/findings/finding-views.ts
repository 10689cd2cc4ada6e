/** Findings as responses show them. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { FindingDetails, FindingSource, FindingSummary, FindingSummaryV2 } from '#model/generated/accessanalyzer.ts';
import type { FindingRecord } from '../tables/findings.ts';
import type { ExternalAccess, FoundAccess } from '../tables/found-access.ts';

/** Returns the members of a finding that all responses have. */
function commonMembers(finding: FindingRecord) {
  const { id, resource, resourceType, ownerAccount: resourceOwnerAccount, status, createdAt, analyzedAt, updatedAt } = finding;
  return { id, resource, resourceType, resourceOwnerAccount, status, createdAt, analyzedAt, updatedAt };
}

/** Converts a finding to its form in ListFindingsV2. */
export function toSummaryV2(finding: FindingRecord): FindingSummaryV2 {
  return { ...commonMembers(finding), findingType: finding.findingType };
}

/** Converts a finding of external access to its form in ListFindings and GetFinding. */
export function toExternalFinding(finding: FindingRecord): FindingSummary {
  return { ...commonMembers(finding), ...externalMembers(finding.details[0] as ExternalAccess, finding) };
}

/**
 * Returns the members about external access.
 *
 * Source: accessanalyzer 2019-11-01, FindingSource: only findings of buckets have sources. This server has no resource control policies.
 */
function externalMembers(
  { principal, action, condition, isPublic }: ExternalAccess,
  { resourceType }: Pick<FindingRecord, 'resourceType'>,
) {
  const sources: readonly FindingSource[] | undefined = resourceType === 'AWS::S3::Bucket' ? [{ type: 'POLICY' }] : undefined;
  return {
    principal,
    action,
    condition,
    isPublic,
    resourceControlPolicyRestriction: 'NOT_APPLICABLE' as const,
    ...omitUndefined({ sources }),
  };
}

/** Converts the details of a finding to their form in GetFindingV2. */
export function toDetails(found: FoundAccess, finding: FindingRecord): FindingDetails {
  switch (found.findingType) {
    case 'ExternalAccess':
      return { externalAccessDetails: externalMembers(found, finding) };
    case 'UnusedIAMRole':
      return { unusedIamRoleDetails: omitUndefined({ lastAccessed: found.lastAccessed }) };
    case 'UnusedIAMUserPassword':
      return { unusedIamUserPasswordDetails: omitUndefined({ lastAccessed: found.lastAccessed }) };
    case 'UnusedIAMUserAccessKey':
      return { unusedIamUserAccessKeyDetails: { accessKeyId: found.accessKeyId, ...omitUndefined({ lastAccessed: found.lastAccessed }) } };
    case 'UnusedPermission': {
      const { serviceNamespace, lastAccessed, actions } = found;
      return { unusedPermissionDetails: { serviceNamespace, ...omitUndefined({ lastAccessed, actions }) } };
    }
  }
}
