/** Functions that find stored accounts and users, and convert them to the shapes of the model. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Account, User } from '#model/generated/chime.ts';
import type { Call } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { type UserRecord, users } from './tables/users.ts';

export { BAD_REQUEST, badRequest, CONFLICT, conflict, LIMIT_EXCEEDED, limitExceeded } from '../chime-kit/request-errors.ts';

/** Members of a call that identify what the caller's AWS account owns. */
export type Finder = Pick<Call, 'tx' | 'accountId'>;

/**
 * Returns an account of the caller's AWS account.
 *
 * Assumed: (1) the message, in the form that the AWS provider of Terraform, issue 34218, shows for a Voice Connector. (2) A deleted account
 * is not found, although its row remains for 90 days.
 * @throws NotFoundException  the account does not exist, was deleted, or belongs to another AWS account
 */
export async function accountOrNotFound({ tx, accountId }: Finder, id: string): Promise<AccountRecord> {
  const account = await tx.of(accounts).get(accountId, id);
  if (account === undefined || account.disabledAt !== undefined) throw notFound('Account', id);
  return account;
}

/** Returns a user in the list of an account. @throws NotFoundException  the account or the user does not exist */
export async function userOrNotFound(
  call: Finder,
  { AccountId, UserId }: { readonly AccountId: string; readonly UserId: string },
): Promise<{ readonly account: AccountRecord; readonly user: UserRecord }> {
  const account = await accountOrNotFound(call, AccountId);
  const user = await call.tx.of(users).get(account.chimeAccountId, UserId);
  if (user === undefined) throw notFound('User', UserId);
  return { account, user };
}

/** Returns the error for an unknown ID. */
export function notFound(title: string, id: string): AwsError {
  return new AwsError('NotFoundException', notFoundMessage(title, id));
}

export function notFoundMessage(title: string, id: string): string {
  return `Could not find ${title} with Id '${id}'`;
}

/** Returns an account in the shape of the model. */
export function toAccount({ accountId, chimeAccountId, name, accountType, createdAt, disabledAt, document }: AccountRecord): Account {
  return omitUndefined({
    AwsAccountId: accountId,
    AccountId: chimeAccountId,
    Name: name,
    AccountType: accountType,
    CreatedTimestamp: createdAt,
    DefaultLicense: document.DefaultLicense,
    SupportedLicenses: document.SupportedLicenses,
    AccountStatus: disabledAt === undefined ? ('Active' as const) : ('Suspended' as const),
    SigninDelegateGroups: document.SigninDelegateGroups,
  });
}

/** Returns a user in the shape of the model. */
export function toUser({ document, ...user }: UserRecord): User {
  return omitUndefined({
    UserId: user.userId,
    AccountId: user.chimeAccountId,
    PrimaryEmail: document.PrimaryEmail,
    PrimaryProvisionedNumber: document.PrimaryProvisionedNumber,
    DisplayName: document.DisplayName,
    LicenseType: user.licenseType,
    UserType: user.userType,
    UserRegistrationStatus: user.registrationStatus,
    UserInvitationStatus: user.invitationStatus,
    RegisteredOn: user.registeredAt,
    InvitedOn: user.invitedAt,
    AlexaForBusinessMetadata: document.AlexaForBusinessMetadata ?? { IsAlexaForBusinessEnabled: false },
    PersonalPIN: user.personalPin,
  });
}

/** Returns a user as lists show it: without the PIN. Source: Chime API reference, ListUsers, the recorded response. */
export function toListedUser(user: UserRecord): User {
  const { PersonalPIN: _pin, ...listed } = toUser(user);
  return listed;
}
