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

/** Source: organizations 2016-11-28, ConstraintViolationException, WAIT_PERIOD_ACTIVE: four days. Invited accounts do not wait. */
const WAIT_PERIOD_MS = 4 * 24 * 60 * 60_000;

/**
 * Removes an account from its organization. Its policies no longer bind the account from the next request on.
 *
 * An account that an organization created must be able to stand alone first. AWS collects contact data and a payment method for that.
 * Here the operator decides: `belfry account make-standalone`.
 *
 * Source: Organizations API reference, LeaveOrganization and RemoveAccountFromOrganization. Message of the missing prerequisites: as AWS
 * answers callers of RemoveAccountFromOrganization.
 * Assumed: the message of the waiting period, and that this reason comes first; the reason of the missing prerequisites is the payment method.
 * @throws AwsError MasterCannotLeaveOrganizationException the management account
 * @throws AwsError ConstraintViolationException           a closed account: outside the organization it would be open again; an account
 *                                                         that the organization created and the operator has not made standalone
 */
export async function leave(call: Call, organization: OrganizationRecord, account: OrganizationAccountRecord): Promise<void> {
  const { memberId } = account;
  if (memberId === organization.accountId) throw refusal('MasterCannotLeaveOrganizationException');
  if (account.status === 'SUSPENDED') {
    throw constraintViolation('ACCOUNT_CANNOT_LEAVE_ORGANIZATION', 'A closed account cannot leave its organization.');
  }
  if (account.joinedMethod === 'CREATED') await requireStandalone(call, account);
  await call.tx.identity.remove(organization.accountId, 'organization-account', memberId);
  await call.tx.identity.remove(memberId, 'organization-member', ORGANIZATION_KEY);
}

async function requireStandalone(call: Call, { memberId, joinedAt }: OrganizationAccountRecord): Promise<void> {
  if ((await call.tx.identity.get(memberId, 'account', memberId))?.standalone) return;
  if (call.now < joinedAt + WAIT_PERIOD_MS) {
    throw constraintViolation(
      'WAIT_PERIOD_ACTIVE',
      'After you create an AWS account, you must wait until at least four days after the account was created.',
    );
  }
  throw constraintViolation(
    'MEMBER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED',
    'The member account is missing one or more of the prerequisites required to operate as a standalone account. To add what is missing, ' +
      'sign-in to the member account using the AWS Organizations console, then select to leave the organization. You will then be prompted ' +
      'to enter any missing information.',
  );
}
