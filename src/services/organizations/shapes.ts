/**
 * Conversions from stored records to the types of the API.
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
import type { AccountCreationRecord, OrganizationRecord, ServiceControlPolicyRecord } from '#store/identity/organization-records.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Tx } from '#store/store.ts';
import { pathOf } from './lookup.ts';
import { accountArn, arnOf, organizationArn, policyArn } from './names.ts';

/**
 * Returns the email address of an account.
 *
 * Assumed: the address of an account that the operator created. Such an account has no email address, but some clients
 * require one, so the function returns an address in the reserved domain `invalid`.
 */
export function emailOf(account: { readonly accountId: string; readonly email?: string }): string {
  return account.email ?? `${account.accountId}@accounts.invalid`;
}

/** Converts an organization to the type of the API. */
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
    // Source: organizations 2016-11-28, CreateOrganization, which returns ENABLED even if the type is not enabled in
    // the root.
    AvailablePolicyTypes: featureSet === 'ALL' ? [{ Type: 'SERVICE_CONTROL_POLICY', Status: 'ENABLED' }] : [],
  };
}

/** Converts the root of an organization to the type of the API. */
export function toRoot(organization: OrganizationRecord): Root {
  const { rootId } = organization.root;
  return {
    Id: rootId,
    Arn: arnOf(organization, rootId),
    Name: 'Root',
    PolicyTypes: organization.serviceControl === 'enabled' ? [{ Type: 'SERVICE_CONTROL_POLICY', Status: 'ENABLED' }] : [],
  };
}

/** Converts an organizational unit to the type of the API. */
export async function toUnit(
  tx: Tx,
  organization: OrganizationRecord,
  unit: IdentitySummaries['organizational-unit'],
): Promise<OrganizationalUnit> {
  return {
    Id: unit.unitId,
    Arn: arnOf(organization, unit.unitId),
    Name: unit.name,
    Path: `${await pathOf(tx, organization, unit.parentId)}${unit.unitId}/`,
  };
}

/** Converts an account of an organization to the type of the API. */
export async function toAccount(
  tx: Tx,
  organization: OrganizationRecord,
  member: IdentitySummaries['organization-account'],
): Promise<Account> {
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

/** Converts an account creation request to the type of the API. */
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

/** Converts a policy to its form in lists. FullAWSAccess is marked as managed by AWS. */
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
