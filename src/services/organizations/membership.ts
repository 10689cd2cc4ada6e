/**
 * Joining and leaving an organization.
 */
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { ORGANIZATION_KEY, type OrganizationAccountRecord, type OrganizationRecord } from '#store/identity/organization-records.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Call } from '../kit/operation.ts';
import type { OrganizationChanged } from '../kit/organization-changed.ts';
import { newTarget } from './lookup.ts';
import { QUOTAS } from './quotas.ts';
import { constraintViolation, refusal } from './refusals.ts';

/** Reports whether an organization can have one more account. */
export async function hasRoom(call: Call, organization: OrganizationRecord): Promise<boolean> {
  return (await call.tx.identity.count(organization.accountId, 'organization-account')) < QUOTAS.accounts;
}

/** Adds an account to an organization, directly under the root. The account must not be in an organization yet. */
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
  await emitChanged(call, organization);
}

/**
 * Time that a created account must wait before it can leave: 4 days. Invited accounts do not wait.
 * Source: organizations 2016-11-28, ConstraintViolationException, WAIT_PERIOD_ACTIVE.
 */
const WAIT_PERIOD_MS = 4 * DAY_MS;

/**
 * Removes an account from its organization. From the next request on, the policies of the organization do not apply to
 * the account.
 *
 * An account that the organization created must become standalone (able to exist without an organization) before it can
 * leave. In AWS, a standalone account needs contact data and a payment method. In Belfry, the operator runs
 * `belfry account make-standalone`.
 *
 * @throws MasterCannotLeaveOrganizationException  the account is the management account
 * @throws ConstraintViolationException            the account is closed. Leaving would reopen it
 * @throws ConstraintViolationException            the account is a delegated administrator of CloudTrail
 * @throws ConstraintViolationException            the organization created the account, and the operator has not made it standalone
 *
 * Source: Organizations API reference, LeaveOrganization and RemoveAccountFromOrganization. The message about missing
 * prerequisites is the message that AWS returns for RemoveAccountFromOrganization.
 * Assumed: (1) the message about the waiting period; (2) the waiting period is checked before the prerequisites;
 * (3) the message about delegated administrators, and the order; (4) the `Reason` for missing prerequisites is the one for a missing payment method.
 */
export async function leave(call: Call, organization: OrganizationRecord, account: OrganizationAccountRecord): Promise<void> {
  const { memberId } = account;
  if (memberId === organization.accountId) throw refusal('MasterCannotLeaveOrganizationException');
  if (account.status === 'SUSPENDED') {
    throw constraintViolation('ACCOUNT_CANNOT_LEAVE_ORGANIZATION', 'A closed account cannot leave its organization.');
  }
  if (organization.trailAdministrators?.[memberId] !== undefined) {
    throw constraintViolation(
      'CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG',
      'You attempted to remove an account that is registered as a delegated administrator. Deregister it first.',
    );
  }
  if (account.joinedMethod === 'CREATED') await requireStandalone(call, account);
  await call.tx.identity.remove(organization.accountId, 'organization-account', memberId);
  await call.tx.identity.remove(memberId, 'organization-member', ORGANIZATION_KEY);
  await emitChanged(call, organization);
}

/** Emits the event of an organization whose accounts or whose trusted access changed. */
export async function emitChanged({ emit }: Call, { accountId }: Pick<OrganizationRecord, 'accountId'>): Promise<void> {
  await emit<OrganizationChanged>({ type: 'OrganizationChanged', managementAccountId: accountId });
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
