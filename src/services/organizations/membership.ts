/**
 * Joining and leaving an organization.
 */
import type { AccountId } from '#core/arn.ts';
import { ORGANIZATION_KEY, type OrganizationAccountRecord, type OrganizationRecord } from '#store/identity/organization-records.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Call } from '../kit/operation.ts';
import { newTarget } from './lookup.ts';
import { QUOTAS } from './quotas.ts';
import { constraintViolation, refusal } from './refusals.ts';

/** Reports whether an organization can have one more account. */
export async function hasRoom(call: Call, organization: OrganizationRecord): Promise<boolean> {
  return (await call.tx.identity.count(organization.accountId, 'organization-account')) < QUOTAS.accounts;
}

/** Adds an account, which must not be in an organization, under the root. */
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
    ...newTarget(organization),
    tags,
  });
}

/**
 * Time that a created account must wait before it can leave: 4 days. Invited accounts do not wait.
 * Source: organizations 2016-11-28, ConstraintViolationException, WAIT_PERIOD_ACTIVE.
 */
const WAIT_PERIOD_MS = 4 * 24 * 60 * 60_000;

/**
 * Removes an account from its organization. The policies of the organization stop applying to the account with the next request.
 *
 * An account that the organization created must first be standalone. AWS requires contact data and a payment method for that.
 * In Belfry, the operator runs `belfry account make-standalone` instead.
 *
 * @throws MasterCannotLeaveOrganizationException  it is the management account
 * @throws ConstraintViolationException            the account is closed, because outside the organization it would be open again
 * @throws ConstraintViolationException            the organization created the account, and the operator has not made it standalone
 *
 * Source: Organizations API reference, LeaveOrganization and RemoveAccountFromOrganization. Message of the missing prerequisites: as AWS
 * returns it for RemoveAccountFromOrganization.
 * Assumed: the message of the waiting period, and that this reason takes precedence. The reason of the missing prerequisites is the payment
 * method.
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
