import { newAccessKeyId } from '#core/access-key-id.ts';
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { uniqueId } from '#core/base32.ts';
import type { Instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type { Store, Tx } from '#store/store.ts';

const ADMINISTRATOR_ACCESS = 'arn:aws:iam::aws:policy/AdministratorAccess' as Arn;
/**
 * Key under which the table `meta` stores the ID of the first account. The event history of this account receives the
 * operator's changes to the server.
 */
export const OPERATOR_ACCOUNT = 'operator-account';
/**
 * Key under which the table `meta` stores the fingerprint of the operator key. The operator key encrypts the secrets of
 * the database.
 */
export const FINGERPRINT = 'operator-key';

/** An administrator that was just created, with its secret access key, which is shown only once. */
export interface NewAdministrator {
  readonly accountId: AccountId;
  readonly userName: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Files of a first start in the data folder. */
export interface FirstStartFiles {
  /**
   * Reports whether the server may create the first account of an empty database. Before it resolves to true, waits
   * until every listener is open.
   */
  mayCreateAccount(): boolean | Promise<boolean>;
  /** Writes `aws/config` and `aws/credentials` (mode 0600), durably. */
  writeProfile(administrator: NewAdministrator): void;
  /** Ends the first start. From then on, an empty database means that the data was lost. */
  end(): void;
}

export interface FirstStartParts {
  readonly store: Store;
  readonly vault: Vault;
  readonly files: FirstStartFiles;
  readonly random: Random;
  readonly now: Instant;
}

/**
 * Creates the first account of an empty store: its root user, the administrator `admin` with `AdministratorAccess`, and
 * one access key. Returns undefined if the store has an account.
 *
 * Writes the profile before it commits the account. So a crash between these two steps leaves a profile without an
 * account, and never an account whose secret is lost.
 * @throws Error  the database has no account, and this is not its first start: the account of an earlier start is lost
 */
export async function firstStart({ store, vault, files, random, now }: FirstStartParts): Promise<NewAdministrator | undefined> {
  const exists = await store.transaction((tx) => tx.meta.get(OPERATOR_ACCOUNT));
  if (exists !== undefined) return undefined;
  if (!(await files.mayCreateAccount())) {
    throw new Error('the database has no account, although it was used before; restore the database from a backup');
  }
  const administrator = newAdministrator(newAccountId(random), 'admin', random);
  files.writeProfile(administrator);
  return await store.transaction(async (tx) => {
    // Two servers may start at the same time on one database. The first commit creates the account.
    if ((await tx.meta.get(OPERATOR_ACCOUNT)) !== undefined) return undefined;
    await tx.meta.put(OPERATOR_ACCOUNT, administrator.accountId);
    await makeAccount(tx, { vault, random, now }, administrator, 'Belfry');
    return administrator;
  });
}

/** Returns unpredictable bytes. */
export type Random = (bytes: number) => Uint8Array;

/** Creates an access key for a new administrator. Writes nothing to the store. */
export function newAdministrator(accountId: AccountId, userName: string, random: Random): NewAdministrator {
  return {
    accountId,
    userName,
    accessKeyId: newAccessKeyId('AKIA', accountId, random),
    secretAccessKey: Buffer.from(random(30)).toString('base64'),
  };
}

const ACCOUNT_ID_MIN = 100_000_000_000;
const ACCOUNT_ID_MAX = 999_999_999_999;

/** Returns a random account ID: twelve digits, of which the first is not 0. */
export function newAccountId(random: Random): AccountId {
  // 40 bits cover all account IDs. A number outside the range of account IDs is discarded.
  for (;;) {
    const id = Buffer.from(random(5)).readUIntBE(0, 5);
    if (id >= ACCOUNT_ID_MIN && id <= ACCOUNT_ID_MAX) return String(id) as AccountId;
  }
}

/** Dependencies of the functions that create an account or an administrator. */
export interface Creation {
  readonly vault: Vault;
  readonly random: Random;
  readonly now: Instant;
}

/** Writes an account with its administrator into a transaction. */
export async function makeAccount(tx: Tx, creation: Creation, administrator: NewAdministrator, name: string): Promise<void> {
  const { accountId } = administrator;
  await tx.identity.put(accountId, 'account', accountId, { accountId, name, createdAt: creation.now });
  await makeAdministrator(tx, creation, administrator);
}

/** Writes a user with `AdministratorAccess` and one access key into a transaction. */
export async function makeAdministrator(tx: Tx, { vault, random, now }: Creation, administrator: NewAdministrator): Promise<void> {
  const { accountId, userName, accessKeyId, secretAccessKey } = administrator;
  const key = userName.toLowerCase();
  const userId = uniqueId('AIDA', random);
  await tx.identity.put(accountId, 'user', key, {
    accountId,
    arn: arn('iam', '', accountId, `user/${userName}`),
    path: '/',
    createdAt: now,
    userName,
    userId,
    tags: [],
    groupIds: [],
    accessKeyIds: [accessKeyId],
    attachedPolicyArns: [ADMINISTRATOR_ACCESS],
    inlinePolicies: {},
  });
  await tx.identity.put(accountId, 'unique-id', userId, { accountId, kind: 'user', key });
  await tx.identity.put(accountId, 'attachment', `${ADMINISTRATOR_ACCESS} user/${key}`, { accountId });
  await tx.identity.put(accountId, 'access-key', accessKeyId, {
    accountId,
    accessKeyId,
    userName,
    sealedSecret: vault.seal(secretAccessKey, accessKeyId),
    status: 'Active',
    createdAt: now,
  });
}
