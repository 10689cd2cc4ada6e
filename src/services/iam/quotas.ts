/**
 * Quotas of IAM, and the error for an exceeded quota.
 *
 * Source: IAM User Guide, "IAM and AWS STS quotas". Error messages use the quota names of GetAccountSummary.
 * Requirement: §2.4.
 */
import { AwsError } from './errors.ts';

// biome-ignore format: a table
/** Quotas by the names of GetAccountSummary. Sizes of policies are in characters without white space. */
export const QUOTAS = {
  UsersPerAccount:         5000,
  GroupsPerAccount:        300,
  RolesPerAccount:         1000,
  PoliciesPerAccount:      1500,
  AccessKeysPerUser:       2,
  GroupsPerUser:           10,
  PoliciesPerUser:         10,
  PoliciesPerGroup:        10,
  PoliciesPerRole:         10,
  PolicySize:              6144,
  UserPolicySize:          2048,
  GroupPolicySize:         5120,
  RolePolicySize:          10_240,
  ACLSizePerRole:          2048,
  VersionsPerPolicy:       5,
  TagsPerResource:         50,
  MFADevicesPerUser:       8,
  /** On AWS, the quota of MFA devices equals the quota of users. Assumed: the name of the quota in the message. */
  MFADevicesPerAccount:    5000,
  SAMLProvidersPerAccount: 100,
  OIDCProvidersPerAccount: 100,
  ClientIDsPerProvider:    100,
} as const;
/** Name of a quota. */
export type Quota = keyof typeof QUOTAS;

/**
 * Checks a quota. `wanted` is the number of resources, or the size of the policy, after the operation.
 *
 * @throws LimitExceededException  `wanted` exceeds the quota
 */
export function withinQuota(quota: Quota, wanted: number): void {
  if (wanted > QUOTAS[quota]) throw new AwsError('LimitExceededException', `Cannot exceed quota for ${quota}: ${QUOTAS[quota]}`);
}
