/** Facts about the credentials of a user or of the root user: the password, MFA devices and access keys, and their last uses. */
import { type Arn, arn } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AccessKeyRecord, AccountRecord } from '#store/identity/identity.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Tx } from '#store/store.ts';
import { rootAccessKeys } from './access-keys.ts';

type Reads = Pick<Tx, 'identity' | 'lastUses'>;

export interface AccessKeyFacts {
  readonly accessKeyId: string;
  readonly active: boolean;
  readonly createdAt: Instant;
  readonly lastUse?: { readonly at: Instant; readonly region: string; readonly service: string };
}

export interface CredentialFacts {
  /** Name of the user. Absent for the root user. */
  readonly userName?: string;
  readonly arn: Arn;
  readonly createdAt: Instant;
  /** Absent if the user has no password. The root user has none that this server knows. */
  readonly password?: { readonly changedAt: Instant; readonly lastUsedAt?: Instant; readonly nextRotationAt?: Instant };
  readonly mfaActive: boolean;
  readonly accessKeys: readonly AccessKeyFacts[];
}

/** Returns the facts about the root user of an account. */
export async function rootCredentials(tx: Reads, account: AccountRecord): Promise<CredentialFacts> {
  return {
    arn: arn('iam', '', account.accountId, 'root'),
    createdAt: account.createdAt,
    mfaActive: (account.mfaSerialNumbers ?? []).length > 0,
    accessKeys: await keyFacts(tx, account, await rootAccessKeys(tx, account.accountId)),
  };
}

/** Returns the facts about a user. */
export async function userCredentials(tx: Reads, account: AccountRecord, user: IdentitySummaries['user']): Promise<CredentialFacts> {
  const keys: AccessKeyRecord[] = [];
  for (const id of user.accessKeyIds) {
    const key = await tx.identity.get(account.accountId, 'access-key', id);
    if (key !== undefined) keys.push(key);
  }
  return omitUndefined({
    userName: user.userName,
    arn: user.arn,
    createdAt: user.createdAt,
    password: passwordFacts(account, user),
    mfaActive: (user.mfaSerialNumbers ?? []).length > 0,
    accessKeys: await keyFacts(tx, account, keys),
  });
}

function passwordFacts(account: AccountRecord, { loginProfile, passwordLastUsedAt }: IdentitySummaries['user']) {
  if (loginProfile === undefined) return undefined;
  const days = account.passwordPolicy?.maxAgeDays;
  const nextRotationAt = days === undefined ? undefined : instant(loginProfile.changedAt + days * DAY_MS);
  return omitUndefined({ changedAt: loginProfile.changedAt, lastUsedAt: passwordLastUsedAt, nextRotationAt });
}

async function keyFacts(tx: Reads, { accountId }: AccountRecord, keys: readonly AccessKeyRecord[]): Promise<readonly AccessKeyFacts[]> {
  const facts: AccessKeyFacts[] = [];
  for (const { accessKeyId, status, createdAt } of keys) {
    const [use] = await tx.lastUses.of(accountId, accessKeyId);
    const lastUse = use && { at: use.at, region: use.region, service: use.service };
    facts.push(omitUndefined({ accessKeyId, active: status === 'Active', createdAt, lastUse }));
  }
  return facts;
}
