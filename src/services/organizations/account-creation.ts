/**
 * Accounts that an organization creates. They are full accounts of this server, with one role that the management account can assume.
 */

import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { uniqueId } from '#core/base32.ts';
import { DAY_MS } from '#core/duration.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { AccountCreationRecord } from '#store/identity/organization-records.ts';
import { ID_PREFIXES, iamArn, nameKey } from '../iam/names.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { sampleOf } from './expired.ts';
import { managedOrganization } from './lookup.ts';
import { hasRoom, join } from './membership.ts';
import { newAccountId, newCreationId } from './names.ts';
import { pageOfStored } from './page.ts';
import { constraintViolation, refusal } from './refusals.ts';
import { onOrganization, requestTags, withTagging } from './resources.ts';
import { toCreateAccountStatus } from './shapes.ts';
import { mergedTags } from './tag-rules.ts';

const ADMINISTRATOR_ACCESS = 'arn:aws:iam::aws:policy/AdministratorAccess' as Arn;
const DEFAULT_ROLE_NAME = 'OrganizationAccountAccessRole';

/** Operations on account creation requests. */
export const accountCreationOperations = {
  /**
   * Creates an account before the operation returns, so the response already contains the final status. If the email
   * address is in use, the operation succeeds, and the status is FAILED with the reason EMAIL_ALREADY_EXISTS.
   *
   * Assumed: `IamUserAccessToBilling` has no effect, because there is no billing.
   */
  CreateAccount: {
    access: (input) => withTagging(onOrganization(requestTags(input.Tags)), input.Tags),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const tags = mergedTags([], input.Tags);
      if (!(await hasRoom(call, organization))) {
        throw constraintViolation('ACCOUNT_NUMBER_LIMIT_EXCEEDED', 'You have exceeded the number of accounts allowed in an organization.');
      }
      const accountId = newAccountId(call.random);
      const isNew = (await call.tx.meta.add(emailKey(input.Email), accountId)) === 'added';
      if (isNew) {
        await createAccount(call, accountId, input.AccountName, input.Email, input.RoleName ?? DEFAULT_ROLE_NAME);
        await join(call, organization, accountId, 'CREATED', tags);
      }
      const creation: AccountCreationRecord = {
        accountId: call.accountId,
        requestId: newCreationId(call.random),
        accountName: input.AccountName,
        requestedAt: call.now,
        outcome: isNew ? { state: 'SUCCEEDED', accountId } : { state: 'FAILED', reason: 'EMAIL_ALREADY_EXISTS' },
      };
      await deleteExpiredCreations(call);
      await call.tx.identity.put(call.accountId, 'account-creation', creation.requestId, creation);
      return { CreateAccountStatus: toCreateAccountStatus(creation) };
    },
  },

  DescribeCreateAccountStatus: {
    async handle(call, input) {
      await managedOrganization(call);
      const creation = await call.tx.identity.get(call.accountId, 'account-creation', input.CreateAccountRequestId);
      if (creation === undefined) throw refusal('CreateAccountStatusNotFoundException');
      return { CreateAccountStatus: toCreateAccountStatus(creation) };
    },
  },

  ListCreateAccountStatus: {
    async handle(call, input) {
      await managedOrganization(call);
      const states = input.States ?? [];
      const page = await pageOfStored(
        call.tx.identity,
        input,
        (after, limit) => call.tx.identity.list(call.accountId, 'account-creation', omitUndefined({ after, limit })),
        (creation) => states.length === 0 || states.includes(creation.outcome.state),
      );
      return { CreateAccountStatuses: page.records.map(toCreateAccountStatus), ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<OrganizationsApi>>;

/**
 * Retention of account creation requests.
 *
 * Source: organizations 2016-11-28, ListCreateAccountStatus. Assumed: 90 days, as in the console of Organizations.
 */
const CREATION_RETENTION_MS = 90 * DAY_MS;

/**
 * Reads a random sample of the account creation requests, and deletes the requests that are past their retention.
 * Without this deletion, failed requests could fill the store.
 */
async function deleteExpiredCreations(call: Call): Promise<void> {
  for (const { key, record } of await sampleOf(call, 'account-creation', newCreationId(call.random))) {
    if (call.now >= record.requestedAt + CREATION_RETENTION_MS) await call.tx.identity.remove(call.accountId, 'account-creation', key);
  }
}

/** Returns the key of the global record that maps an email address to its account. Each address belongs to one account. */
export function emailKey(email: string): string {
  return `account-email ${email.toLowerCase()}`;
}

/**
 * Creates an account, and a role in the new account. The management account assumes this role to access the new
 * account.
 *
 * Source: AWS Organizations User Guide, "Accessing member accounts": the role, its trust policy and its permissions policy.
 */
async function createAccount(call: Call, accountId: AccountId, name: string, email: string, roleName: string): Promise<void> {
  const { identity } = call.tx;
  const outcome = await identity.add(accountId, 'account', accountId, { accountId, name, email, createdAt: call.now });
  // A random ID is in use with a probability of about 1 in 10^12 per existing account. The client can retry.
  if (outcome === 'exists') throw new AwsError('ServiceException', 'The new account ID is in use. Try again.');
  const key = nameKey(roleName);
  const role: RoleRecord = {
    accountId,
    arn: iamArn(accountId, 'role', '/', roleName),
    path: '/',
    createdAt: call.now,
    roleName,
    roleId: uniqueId(ID_PREFIXES.role, call.random),
    trustPolicy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: arn('iam', '', call.accountId, 'root') }, Action: 'sts:AssumeRole' }],
    }),
    maxSessionSeconds: 3600,
    tags: [],
    attachedPolicyArns: [ADMINISTRATOR_ACCESS],
    inlinePolicies: {},
  };
  await identity.put(accountId, 'role', key, role);
  await identity.put(accountId, 'unique-id', role.roleId, { accountId, kind: 'role', key });
  await identity.put(accountId, 'attachment', `${ADMINISTRATOR_ACCESS} role/${key}`, { accountId });
}
