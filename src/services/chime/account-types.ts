/** Rules that depend on the type of an account. */
import type { AccountType, License } from '#model/generated/chime.ts';
import { AwsError } from './errors.ts';
import { badRequest } from './stored-accounts.ts';
import type { AccountRecord } from './tables/accounts.ts';

/** Account types whose users a directory or an OpenID provider manages: their licenses and suspensions are set there. */
const MANAGED: ReadonlySet<AccountType> = new Set(['EnterpriseDirectory', 'EnterpriseOIDC']);

export function isManaged({ accountType }: Pick<AccountRecord, 'accountType'>): boolean {
  return MANAGED.has(accountType);
}

/** Source: Chime API reference, UpdateUser, BatchSuspendUser. Assumed: the code and the message. */
export const MANAGED_MESSAGE = 'The users of this account are managed in its directory or by its OpenID provider.';

/** @throws ForbiddenException  a directory or an OpenID provider manages the users of the account */
export function requireUnmanaged(account: Pick<AccountRecord, 'accountType'>): void {
  if (isManaged(account)) throw new AwsError('ForbiddenException', MANAGED_MESSAGE);
}

/**
 * Returns whether users of an account can have a license. Source: Administration Guide, "Managing user permissions": ProTrial belongs to users
 * outside of accounts.
 */
export function supportsLicense({ document }: Pick<AccountRecord, 'document'>, license: License): boolean {
  return license !== 'ProTrial' && document.SupportedLicenses.includes(license);
}

/** @throws BadRequestException  users of the account cannot have the license. Assumed: the code. */
export function requireLicense(account: Pick<AccountRecord, 'document'>, license: License): void {
  if (!supportsLicense(account, license)) throw badRequest();
}

/**
 * Rooms and bots belong to Enterprise accounts. Source: Chime API reference, CreateRoom, CreateBot. Assumed: the code.
 *
 * @throws BadRequestException  the account is a Team account
 */
export function requireEnterprise(account: Pick<AccountRecord, 'accountType'>): void {
  if (!isEnterprise(account)) throw badRequest();
}

/** Reason for which an operation that AWS does not have refuses a Team account. */
export const IS_TEAM = 'The account is a Team account: verify a domain first.';

/** Reports whether an account is an Enterprise account. */
export function isEnterprise({ accountType }: Pick<AccountRecord, 'accountType'>): boolean {
  return accountType !== 'Team';
}
