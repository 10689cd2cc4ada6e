/** Directories that sign in people. */
import { HOUR_MS } from '#core/duration.ts';
import { isMailAddress } from '#core/mail-address.ts';
import type { Vault } from '#core/vault.ts';
import type { Tx } from '#store/store.ts';
import type { DirectorySettings } from '../kit/directories.ts';
import { CHIME_DIRECTORY, directoriesOf, settingsOf } from './directory-kind.ts';
import type { ProviderOfAccount } from './openid-sign-in.ts';
import { accounts } from './tables/accounts.ts';
import { domains } from './tables/domains.ts';
import { domainOf } from './texts.ts';

/**
 * Lifetime of a session that a directory began: 1 hour. Assumed. The synchronization (`directory-sync.ts`) ends sessions earlier. While it cannot
 * read the directory, this is the longest time for which a person who was disabled there stays signed in.
 */
export const DIRECTORY_SESSION_MS = HOUR_MS;

export { entryOfAddress } from './directory-people.ts';

/** Directory of an account. */
export interface DirectoryOfAccount extends ProviderOfAccount {
  readonly settings: DirectorySettings;
}

/**
 * Returns the directory that signs in the people of a domain. `email` is in lower case.
 *
 * Returns undefined for a text that is not an address of a mailbox. A directory ignores spaces and some other characters when it compares an
 * address, so each of many texts would be the address of one person, with its own count of failed attempts. Source: RFC 4518, section 2.
 */
export async function directoryFor(tx: Tx, vault: Pick<Vault, 'open'>, email: string): Promise<DirectoryOfAccount | undefined> {
  if (!isMailAddress(email)) return undefined;
  const claim = await tx.of(domains).owner(domainOf(email));
  const account = claim === undefined ? undefined : await tx.of(accounts).get(claim.accountId, claim.chimeAccountId);
  if (account?.accountType !== 'EnterpriseDirectory' || account.disabledAt !== undefined) return undefined;
  const { accountId, chimeAccountId, document } = account;
  const { providerId, directoryId: id } = document;
  if (providerId === undefined || id === undefined) return undefined;
  const directory = await tx.resources.get(CHIME_DIRECTORY, { ...directoriesOf(accountId), id });
  return directory === undefined ? undefined : { accountId, chimeAccountId, providerId, settings: settingsOf(vault, directory) };
}
