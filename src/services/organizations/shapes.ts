/**
 * Records as clients see them.
 */
import type {
  Account,
  CreateAccountStatus,
  Organization,
  OrganizationalUnit,
  PolicySummary,
  Root,
} from '#model/generated/organizations.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import type {
  AccountCreationRecord,
  OrganizationAccountRecord,
  OrganizationalUnitRecord,
  OrganizationRecord,
  ServiceControlPolicyRecord,
} from '#store/organization-records.ts';
import type { Tx } from '#store/store.ts';
import { pathOf } from './found.ts';
import { accountArn, arnOf, organizationArn, policyArn } from './names.ts';

/** Assumed: an account made at the machine has no address; clients that need one find one of a domain that never is. */
export function emailOf(account: { readonly accountId: string; readonly email?: string }): string {
  return account.email ?? `${account.accountId}@accounts.invalid`;
}

export async function toOrganization(tx: Tx, organization: OrganizationRecord): Promise<Organization> {
  const { accountId, organizationId, featureSet } = organization;
  const management = (await tx.identity.get(accountId, 'account', accountId)) ?? { accountId };
  return {
    Id: organizationId,
    Arn: organizationArn(organization),
    FeatureSet: featureSet,
    MasterAccountArn: accountArn(organization, accountId),
    MasterAccountId: accountId,
    MasterAccountEmail: emailOf(management),
    // Source: organizations 2016-11-28, CreateOrganization, which answers so whatever the root has enabled.
    AvailablePolicyTypes: featureSet === 'ALL' ? [{ Type: 'SERVICE_CONTROL_POLICY', Status: 'ENABLED' }] : [],
  };
}

export function toRoot(organization: OrganizationRecord): Root {
  const { rootId } = organization.root;
  return {
    Id: rootId,
    Arn: arnOf(organization, rootId),
    Name: 'Root',
    PolicyTypes: organization.serviceControl === 'enabled' ? [{ Type: 'SERVICE_CONTROL_POLICY', Status: 'ENABLED' }] : [],
  };
}

export async function toUnit(tx: Tx, organization: OrganizationRecord, unit: OrganizationalUnitRecord): Promise<OrganizationalUnit> {
  return {
    Id: unit.unitId,
    Arn: arnOf(organization, unit.unitId),
    Name: unit.name,
    Path: `${await pathOf(tx, organization, unit.parentId)}${unit.unitId}/`,
  };
}

export async function toAccount(tx: Tx, organization: OrganizationRecord, member: OrganizationAccountRecord): Promise<Account> {
  const { memberId, status } = member;
  const account = await tx.identity.get(memberId, 'account', memberId);
  return {
    Id: memberId,
    Arn: accountArn(organization, memberId),
    Email: emailOf(account ?? { accountId: memberId }),
    Name: account?.name ?? memberId,
    Status: status,
    State: status,
    Paths: [`${await pathOf(tx, organization, member.parentId)}${memberId}/`],
    JoinedMethod: member.joinedMethod,
    JoinedTimestamp: member.joinedAt,
  };
}

export function toCreateAccountStatus(creation: AccountCreationRecord): CreateAccountStatus {
  const { outcome } = creation;
  return {
    Id: creation.requestId,
    AccountName: creation.accountName,
    State: outcome.state,
    RequestedTimestamp: creation.requestedAt,
    CompletedTimestamp: creation.requestedAt,
    ...(outcome.state === 'SUCCEEDED' ? { AccountId: outcome.accountId } : { FailureReason: outcome.reason }),
  };
}

/** A policy as lists have it; FullAWSAccess is AWS's own. */
export function toPolicySummary(
  organization: OrganizationRecord,
  policy: Pick<ServiceControlPolicyRecord, 'policyId' | 'name' | 'description'>,
): PolicySummary {
  return {
    Id: policy.policyId,
    Arn: policyArn(organization, policy.policyId),
    Name: policy.name,
    Description: policy.description,
    Type: 'SERVICE_CONTROL_POLICY',
    AwsManaged: policy.policyId === FULL_AWS_ACCESS.policyId,
  };
}
