/** Retention of messages in the rooms and conversations of Chime accounts. Amazon Chime sets it, and Chime SDK messaging hides and deletes the messages. */
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { RetentionSettings } from '#model/generated/chime.ts';
import type { ResourceKey, ResourceKind } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { CHIME_REGION } from './chime-app-instance.ts';

/** Time between a change of the retention and the first deletion. Source: Administration Guide, "Managing chat retention": 30 days. */
export const RETENTION_GRACE_MS = 30 * DAY_MS;

/** Retention of a Chime account. */
export interface ChimeRetention {
  readonly RetentionSettings?: RetentionSettings;
  /** Time of the last change of `RetentionSettings`. */
  readonly retentionSetAt?: Instant;
}

/** Retentions of Chime accounts, as messaging reads them. The ID is that of the account. */
export const CHIME_RETENTION: ResourceKind<ChimeRetention> = { name: 'chime-retention' };

function keyOf(accountId: AccountId, chimeAccountId: string): ResourceKey {
  return { accountId, region: CHIME_REGION, parent: '', id: chimeAccountId };
}

/** Stores the retention of a Chime account for messaging. Without settings, it deletes the stored retention. */
export async function storeRetention(
  { tx, now }: { readonly tx: Tx; readonly now: Instant },
  { accountId, chimeAccountId }: { readonly accountId: AccountId; readonly chimeAccountId: string },
  { RetentionSettings: settings, retentionSetAt }: ChimeRetention,
): Promise<void> {
  const key = keyOf(accountId, chimeAccountId);
  if (settings === undefined || retentionSetAt === undefined) {
    await tx.resources.remove(CHIME_RETENTION, key);
    return;
  }
  const record = { ...key, createdAt: now, updatedAt: now, tags: [], document: { RetentionSettings: settings, retentionSetAt } };
  if ((await tx.resources.put(CHIME_RETENTION, record)) === 'absent') await tx.resources.add(CHIME_RETENTION, record);
}

/** Returns what the retention of a Chime account does to messages in its rooms or its conversations; undefined if messages are kept forever. */
export async function chimeRetentionTimes(
  tx: Tx,
  accountId: AccountId,
  chimeAccountId: string,
  group: keyof RetentionSettings,
  now: Instant,
): Promise<RetentionTimes | undefined> {
  const stored = await tx.resources.get(CHIME_RETENTION, keyOf(accountId, chimeAccountId));
  return stored && retentionTimes(stored.document, group, now);
}

/** Retention of conversations of an Enterprise account's members with others. Source: Administration Guide, "Managing chat retention": 90 days. */
const MIXED_DAYS = 90;

/** Returns what happens to messages of a conversation whose members are not all in one Enterprise account. No setting changes it. */
export function mixedRetentionTimes(now: Instant): RetentionTimes {
  const hiddenBefore = instant(now - MIXED_DAYS * DAY_MS);
  return { hiddenBefore, deletedBefore: hiddenBefore };
}

/** Messages that a retention hides, and messages that it deletes for good. */
export interface RetentionTimes {
  /** Messages before this time are hidden. */
  readonly hiddenBefore: Instant;
  /** Messages before this time are deleted for good. Undefined during the 30 days after a change, so that a longer period shows them again. */
  readonly deletedBefore: Instant | undefined;
}

/**
 * Returns what the retention of an account does to messages of rooms or of conversations at `now`; undefined if messages are kept forever.
 *
 *     30 days, set 10 days ago → { hiddenBefore: now - 30 days, deletedBefore: undefined }
 *     30 days, set 40 days ago → { hiddenBefore: now - 30 days, deletedBefore: now - 30 days }
 *
 * Source: Administration Guide, "Managing chat retention".
 */
export function retentionTimes(
  { RetentionSettings: settings, retentionSetAt }: ChimeRetention,
  group: keyof RetentionSettings,
  now: Instant,
): RetentionTimes | undefined {
  const days = settings?.[group]?.RetentionDays;
  if (days === undefined || retentionSetAt === undefined) return undefined;
  const hiddenBefore = instant(now - days * DAY_MS);
  return { hiddenBefore, deletedBefore: now < retentionSetAt + RETENTION_GRACE_MS ? undefined : hiddenBefore };
}
