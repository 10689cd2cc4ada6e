/**
 * Accounts that an organization makes: real ones of this server, with one role that the management account may assume.
 */
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import type { RoleRecord } from '#store/identity.ts';
import type { AccountCreationRecord } from '#store/organization-records.ts';
import { ID_PREFIXES, iamArn, nameKey, uniqueId } from '../iam/names.ts';
import type { Call, ServiceOperations } from '../operation.ts';
import { managedOrganization } from './found.ts';
import { hasRoom, join } from './membership.ts';
import { newAccountId, newCreationId } from './names.ts';
import { pageOfStored } from './page.ts';
import { constraintViolation, refusal } from './refusals.ts';
import { andTagged, onOrganization, requestTags } from './resources.ts';
import { toCreateAccountStatus } from './shapes.ts';
import { mergedTags } from './tag-rules.ts';

const ADMINISTRATOR_ACCESS = 'arn:aws:iam::aws:policy/AdministratorAccess' as Arn;
const DEFAULT_ROLE_NAME = 'OrganizationAccountAccessRole';

export const accountCreationOperations = {
  /**
   * The answer already says how it went: here nothing has to be waited for. What is wrong with the address is told by the status alone.
   *
   * Assumed: `IamUserAccessToBilling` changes nothing, as there is no billing.
   */
  CreateAccount: {
    access: (input) => andTagged(onOrganization('organizations:CreateAccount', requestTags(input.Tags)), input.Tags),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const tags = mergedTags([], input.Tags);
      if (!(await hasRoom(call, organization))) {
        throw constraintViolation('ACCOUNT_NUMBER_LIMIT_EXCEEDED', 'You have exceeded the number of accounts allowed in an organization.');
      }
      const accountId = newAccountId(call.random);
      const isNew = (await call.tx.meta.add(emailKey(input.Email), accountId)) === 'added';
      if (isNew) {
        await makeAccount(call, accountId, input.AccountName, input.Email, input.RoleName ?? DEFAULT_ROLE_NAME);
        await join(call, organization, accountId, 'CREATED', tags);
      }
      const creation: AccountCreationRecord = {
        accountId: call.accountId,
        requestId: newCreationId(call.random),
        accountName: input.AccountName,
        requestedAt: call.now,
        outcome: isNew ? { state: 'SUCCEEDED', accountId } : { state: 'FAILED', reason: 'EMAIL_ALREADY_EXISTS' },
      };
      await forgetOld(call);
      await call.tx.identity.put(call.accountId, 'account-creation', creation.requestId, creation);
      return { CreateAccountStatus: toCreateAccountStatus(creation) };
    },
  },

  DescribeCreateAccountStatus: {
    access: () => onOrganization('organizations:DescribeCreateAccountStatus'),
    async handle(call, input) {
      await managedOrganization(call);
      const creation = await call.tx.identity.get(call.accountId, 'account-creation', input.CreateAccountRequestId);
      if (creation === undefined) throw refusal('CreateAccountStatusNotFoundException');
      return { CreateAccountStatus: toCreateAccountStatus(creation) };
    },
  },

  ListCreateAccountStatus: {
    access: () => onOrganization('organizations:ListCreateAccountStatus'),
    async handle(call, input) {
      await managedOrganization(call);
      const states = input.States ?? [];
      const page = await pageOfStored(
        input,
        (options) => call.tx.identity.list(call.accountId, 'account-creation', options),
        (creation) => states.length === 0 || states.includes(creation.outcome.state),
      );
      return { CreateAccountStatuses: page.records.map(toCreateAccountStatus), ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<OrganizationsApi>>;

/** Source: organizations 2016-11-28, ListCreateAccountStatus. Assumed: 90 days, as of the console. */
const CREATIONS_KEPT_MS = 90 * 24 * 60 * 60_000;

/** Takes out what is no longer shown, so that requests that fail do not pile up. */
async function forgetOld(call: Call): Promise<void> {
  for (const { key, record } of await call.tx.identity.list(call.accountId, 'account-creation')) {
    if (call.now >= record.requestedAt + CREATIONS_KEPT_MS) await call.tx.identity.remove(call.accountId, 'account-creation', key);
  }
}

/** Under what name the store remembers whose an address is: each is that of one account. */
export function emailKey(email: string): string {
  return `account-email ${email.toLowerCase()}`;
}

/**
 * Writes an account with the role by which the management account enters it.
 *
 * Source: AWS Organizations User Guide, "Accessing member accounts": the role, its trust and its policy.
 */
async function makeAccount(call: Call, accountId: AccountId, name: string, email: string, roleName: string): Promise<void> {
  const { identity } = call.tx;
  const outcome = await identity.add(accountId, 'account', accountId, { accountId, name, email, createdAt: call.now });
  // One in 10^11 an account: the client tries again.
  if (outcome === 'exists') throw new AwsError('ServiceException', 'The identifier of the account is taken. Try again.');
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
