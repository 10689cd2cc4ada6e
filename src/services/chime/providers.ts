/** Accounts whose users a directory or an OpenID provider manages. */
import type { AccountType } from '#model/generated/chime.ts';
import type { Tx } from '#store/store.ts';
import type { Work } from '../kit/events.ts';
import { CHIME_DIRECTORY, directoriesOf } from './directory-kind.ts';
import { endCredentialsOfAccount } from './end-credentials.ts';
import { CHIME_OPENID_CONFIG, openIdKey } from './openid-kind.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { apiKeys } from './tables/api-keys.ts';
import { directorySyncs } from './tables/directory-syncs.ts';
import { licensedGroups } from './tables/licensed-groups.ts';
import { removeProvisioned } from './tables/scim.ts';

/** Gives an account a provider. Sessions that another provider or a password began are invalid from then on (`signInOf`). */
export async function setProvider(
  { tx, newId }: Pick<Work, 'tx' | 'newId'>,
  account: AccountRecord,
  accountType: AccountType,
): Promise<AccountRecord> {
  const managed: AccountRecord = { ...account, accountType, document: { ...account.document, providerId: newId() } };
  await tx.of(accounts).put(managed);
  await endCredentialsOfAccount(tx, account.chimeAccountId);
  return managed;
}

/** Deletes everything that the provider of an account has: its configuration, keys, groups and reports. Returns the account without a provider. */
export async function withoutProvider({ tx }: Pick<Work, 'tx'>, account: AccountRecord): Promise<AccountRecord> {
  const { chimeAccountId } = account;
  await endCredentialsOfAccount(tx, chimeAccountId);
  const { providerId: _provider, directoryId, ...document } = account.document;
  if (directoryId !== undefined) await disconnect(tx, account, directoryId);
  await tx.of(directorySyncs).remove(chimeAccountId);
  await tx.resources.remove(CHIME_OPENID_CONFIG, openIdKey(account));
  await tx.of(apiKeys).removeOf(chimeAccountId);
  await tx.of(licensedGroups).removeOf(chimeAccountId);
  await removeProvisioned(tx.sql, chimeAccountId);
  return { ...account, accountType: 'EnterpriseLWA', document };
}

/** Notes that no account uses a directory. */
async function disconnect(tx: Tx, { accountId }: AccountRecord, id: string): Promise<void> {
  const directory = await tx.resources.get(CHIME_DIRECTORY, { ...directoriesOf(accountId), id });
  if (directory === undefined) return;
  const { AccountId: _account, ...document } = directory.document;
  await tx.resources.put(CHIME_DIRECTORY, { ...directory, document });
}
