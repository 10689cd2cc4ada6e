/** Age of credentials: passwords, MFA devices and access keys, with the facts of the credential report. Requirement COMP-1. */
import type { AccountId } from '#core/arn.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { daysSince, isOld } from '#services/iam/credential-age.ts';
import { type CredentialFacts, rootCredentials, userCredentials } from '#services/iam/credential-facts.ts';
import { lastUses } from '#store/identity/last-use.ts';
import { identity } from '#store/identity/repository.ts';
import type { Sql } from '#store/sql.ts';
import { described, excerpt, excerptOf, flag, list, type Of, object, optional, text, time, whole } from '../shape.ts';
import type { ReportFolder } from './report-folder.ts';
import { topItems } from './top-items.ts';

/** Credentials of one user or root user. */
export const CREDENTIALS_OF = object({
  accountId: text,
  arn: text,
  createdAt: time,
  mfaActive: flag,
  password: optional(object({ changedAt: time, ageDays: whole, lastUsedAt: optional(time), nextRotationAt: optional(time) })),
  accessKeys: list(
    object({
      accessKeyId: text,
      active: flag,
      createdAt: time,
      ageDays: whole,
      lastUsedAt: optional(time),
      lastUsedService: optional(text),
      lastUsedRegion: optional(text),
    }),
  ),
});
export type CredentialsOf = Of<typeof CREDENTIALS_OF>;

export const CREDENTIALS = object({
  users: described(whole, 'Users and root users.'),
  withPassword: whole,
  withPasswordWithoutMfa: whole,
  activeKeys: whole,
  activeKeysOlderThan90Days: described(whole, 'Keys that are old in the sense of the rule access-keys-rotated.'),
  activeKeysNeverUsed: whole,
  oldest: described(excerpt(CREDENTIALS_OF), 'Users with the oldest password or active access key first. The file has all users.'),
});
export type Credentials = Of<typeof CREDENTIALS>;

/** Maximum number of users in the report. */
export const CREDENTIALS_MAX = 200;
/** Number of users that one statement reads. */
const PAGE = 200;

/** Writes the file about credentials, and returns the section of the report. */
export async function credentialsSection(
  sql: Sql,
  accountIds: readonly AccountId[],
  now: Instant,
  folder: ReportFolder,
): Promise<Credentials> {
  const reads = { identity: identity(sql), lastUses: lastUses(sql) };
  const file = folder.lines('credentials.jsonl');
  const oldest = topItems<CredentialsOf>(CREDENTIALS_MAX, (a, b) => ageOf(b) - ageOf(a));
  const counts = {
    users: 0,
    withPassword: 0,
    withPasswordWithoutMfa: 0,
    activeKeys: 0,
    activeKeysOlderThan90Days: 0,
    activeKeysNeverUsed: 0,
  };

  function add(accountId: AccountId, facts: CredentialFacts): void {
    const item = toItem(accountId, facts, now);
    file.add(item);
    oldest.add(item);
    counts.users++;
    if (item.password !== undefined) counts.withPassword++;
    if (item.password !== undefined && !item.mfaActive) counts.withPasswordWithoutMfa++;
    for (const { active, createdAt, lastUse } of facts.accessKeys) {
      if (!active) continue;
      counts.activeKeys++;
      if (isOld(createdAt, now)) counts.activeKeysOlderThan90Days++;
      if (lastUse === undefined) counts.activeKeysNeverUsed++;
    }
  }

  for (const accountId of accountIds) {
    const account = await reads.identity.get(accountId, 'account', accountId);
    if (account === undefined) continue;
    add(accountId, await rootCredentials(reads, account));
    for (let after: string | undefined = ''; after !== undefined; ) {
      const users: Awaited<ReturnType<typeof reads.identity.summaries<'user'>>> = await reads.identity.summaries(accountId, 'user', {
        after,
        limit: PAGE,
      });
      for (const { record } of users) add(accountId, await userCredentials(reads, account, record));
      after = users.length === PAGE ? users.at(-1)?.key : undefined;
    }
  }
  file.close();
  return { ...counts, oldest: excerptOf(oldest.items(), oldest.total(), file) };
}

function toItem(accountId: AccountId, { arn, createdAt, mfaActive, password, accessKeys }: CredentialFacts, now: Instant): CredentialsOf {
  const timeOf = (at: Instant | undefined) => (at === undefined ? undefined : isoSeconds(at));
  return {
    accountId,
    arn,
    createdAt: isoSeconds(createdAt),
    mfaActive,
    ...(password !== undefined && {
      password: {
        changedAt: isoSeconds(password.changedAt),
        ageDays: daysSince(password.changedAt, now),
        ...omitUndefined({ lastUsedAt: timeOf(password.lastUsedAt), nextRotationAt: timeOf(password.nextRotationAt) }),
      },
    }),
    accessKeys: accessKeys.map(({ accessKeyId, active, createdAt: at, lastUse }) => ({
      accessKeyId,
      active,
      createdAt: isoSeconds(at),
      ageDays: daysSince(at, now),
      ...omitUndefined({ lastUsedAt: timeOf(lastUse?.at), lastUsedService: lastUse?.service, lastUsedRegion: lastUse?.region }),
    })),
  };
}

/** Returns the age of the oldest password or active key, or -1 without both. */
function ageOf({ password, accessKeys }: CredentialsOf): number {
  return Math.max(-1, password?.ageDays ?? -1, ...accessKeys.filter(({ active }) => active).map(({ ageDays }) => ageDays));
}
