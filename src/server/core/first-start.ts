import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { newAccessKeyId } from '#core/access-key-id.ts';
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { uniqueId } from '#core/base32.ts';
import type { Instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type { Store, Tx } from '#store/store.ts';
import { writeDurably } from '../durable-file.ts';
import { endpointOf, type Settings } from '../settings.ts';

const ADMINISTRATOR_ACCESS = 'arn:aws:iam::aws:policy/AdministratorAccess' as Arn;
/** What the store remembers of the first account: whose history holds what nobody can be made out for. */
export const OPERATOR_ACCOUNT = 'operator-account';
/** Name in `meta` of the text that identifies the operator key with which a database is sealed. */
export const FINGERPRINT = 'operator-key';

/** An administrator that was just made, with the one secret that is ever shown. */
export interface NewAdministrator {
  readonly accountId: AccountId;
  readonly userName: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * On a store without accounts, makes the first: its root user, the administrator `admin` with `AdministratorAccess`, one access key.
 * Undefined where there is an account already.
 *
 * @throws Error the database has no account, and `mayCreate` is false: the account of an earlier start is lost
 *
 * Writes: `aws/config` and `aws/credentials` in the data folder (mode 0600), durably and before the account is committed,
 * so that a crash between the two leaves a profile without an account, never an account nobody can enter.
 */
export async function firstStart(
  store: Store,
  vault: Vault,
  settings: Settings,
  mayCreate: boolean,
  now: Instant,
): Promise<NewAdministrator | undefined> {
  const exists = await store.transaction((tx) => tx.meta.get(OPERATOR_ACCOUNT));
  if (exists !== undefined) return undefined;
  if (!mayCreate) throw new Error('the database has no account, and this is not its first start; restore it from a backup');
  const administrator = newAdministrator(newAccountId(), 'admin');
  writeProfile(settings, administrator);
  return await store.transaction(async (tx) => {
    // Two servers may start at once on one database: the first to commit has made it.
    if ((await tx.meta.get(OPERATOR_ACCOUNT)) !== undefined) return undefined;
    await tx.meta.put(OPERATOR_ACCOUNT, administrator.accountId);
    await makeAccount(tx, vault, administrator, 'Belfry', now);
    return administrator;
  });
}

/** Who is to administer an account, with a new access key. */
export function newAdministrator(accountId: AccountId, userName: string): NewAdministrator {
  return {
    accountId,
    userName,
    accessKeyId: newAccessKeyId('AKIA', accountId, randomBytes),
    secretAccessKey: randomBytes(30).toString('base64'),
  };
}

/** Twelve digits, not beginning with 0. */
export function newAccountId(): AccountId {
  return String(randomInt(100_000_000_000, 1_000_000_000_000 - 1)) as AccountId;
}

/** Writes an account with its administrator into a transaction. */
export async function makeAccount(tx: Tx, vault: Vault, administrator: NewAdministrator, name: string, now: Instant): Promise<void> {
  const { accountId, userName, accessKeyId, secretAccessKey } = administrator;
  await tx.identity.put(accountId, 'account', accountId, { accountId, name, createdAt: now });
  await makeAdministrator(tx, vault, { accountId, userName, accessKeyId, secretAccessKey }, now);
}

/** Writes a user with `AdministratorAccess` and one access key. */
export async function makeAdministrator(tx: Tx, vault: Vault, administrator: NewAdministrator, now: Instant): Promise<void> {
  const { accountId, userName, accessKeyId, secretAccessKey } = administrator;
  const key = userName.toLowerCase();
  const userId = uniqueId('AIDA', randomBytes);
  await tx.identity.put(accountId, 'user', key, {
    accountId,
    arn: arn('iam', '', accountId, `user/${userName}`),
    path: '/',
    createdAt: now,
    userName,
    userId,
    tags: [],
    groupNames: [],
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

/** The profile `belfry` for `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`. */
function writeProfile(settings: Settings, { accessKeyId, secretAccessKey }: NewAdministrator): void {
  const folder = join(settings.dataFolder, 'aws');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [scheme, address] = settings.http === 'off' ? (['https', settings.https] as const) : (['http', settings.http] as const);
  const endpoint = address === 'off' || address.port === 0 ? '' : `endpoint_url = ${endpointOf(scheme, address)}\n`;
  // A configured certificate is of another CA, and then the local one is never made.
  const local = settings.http === 'off' && settings.tlsCertificateFile === undefined;
  const trust = local ? `ca_bundle = ${join(settings.dataFolder, 'tls', 'ca.pem')}\n` : '';
  writeDurably(join(folder, 'config'), `[profile belfry]\nregion = ${settings.region}\noutput = json\n${endpoint}${trust}`);
  writeDurably(join(folder, 'credentials'), `[belfry]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
}
