/**
 * How an account comes into an organization and goes out of it.
 */
import type { AccountId } from '#core/arn.ts';
import type { TagRecord } from '#store/identity.ts';
import { ORGANIZATION_KEY, type OrganizationAccountRecord, type OrganizationRecord } from '#store/organization-records.ts';
import type { Call } from '../operation.ts';
import { QUOTAS } from './quotas.ts';
import { constraintViolation, refusal } from './refusals.ts';
import { attachedFirst } from './units.ts';

/** Whether there is room for one account more. */
export async function hasRoom(call: Call, organization: OrganizationRecord): Promise<boolean> {
  return (await call.tx.identity.count(organization.accountId, 'organization-account')) < QUOTAS.accounts;
}

/** Puts an account that is in no organization under the root. */
export async function join(
  call: Call,
  organization: OrganizationRecord,
  memberId: AccountId,
  joinedMethod: OrganizationAccountRecord['joinedMethod'],
  tags: readonly TagRecord[],
): Promise<void> {
  const managementAccountId = organization.accountId;
  await call.tx.identity.put(memberId, 'organization-member', ORGANIZATION_KEY, { accountId: memberId, managementAccountId });
  await call.tx.identity.put(managementAccountId, 'organization-account', memberId, {
    accountId: managementAccountId,
    memberId,
    parentId: organization.root.rootId,
    joinedAt: call.now,
    joinedMethod,
    status: 'ACTIVE',
    attachedPolicyIds: attachedFirst(organization),
    tags,
  });
}

/**
 * Takes an account out; nothing of the organization binds it from the next request on.
 *
 * @throws AwsError MasterCannotLeaveOrganizationException the management account
 * @throws AwsError ConstraintViolationException           a closed account: out of the organization it would be open again
 */
export async function leave(call: Call, organization: OrganizationRecord, account: OrganizationAccountRecord): Promise<void> {
  const { memberId } = account;
  if (memberId === organization.accountId) throw refusal('MasterCannotLeaveOrganizationException');
  if (account.status === 'SUSPENDED') {
    throw constraintViolation('ACCOUNT_CANNOT_LEAVE_ORGANIZATION', 'A closed account cannot leave its organization.');
  }
  await call.tx.identity.remove(organization.accountId, 'organization-account', memberId);
  await call.tx.identity.remove(memberId, 'organization-member', ORGANIZATION_KEY);
}
