/** The operator's commands for the retention of the trail. Each change is recorded in the trail of its account. */
import { type AccountId, NO_ACCOUNT } from '#core/arn.ts';
import type { Store } from '#store/store.ts';
import { RETENTION_DAYS, trailRetention } from '#store/trail/trail-retention.ts';
import { DIFFERENT_DAYS_MAX, scanAgain } from '../core/trail-retention.ts';
import { type AccountParts, operatorEvent } from './accounts.ts';

/** Dependencies of the commands for the retention. */
export interface RetentionCommandParts extends Pick<AccountParts, 'region' | 'now' | 'newId'> {
  readonly store: Store;
  /** Retention of accounts without one of their own, in days. */
  readonly eventHistoryDays: number;
}

/** Retention of all accounts: the days of the settings, and the accounts with a retention of their own. */
export interface RetentionList {
  readonly defaultDays: number;
  readonly accounts: readonly { readonly accountId: string; readonly days: number }[];
}

/** Number of accounts that one transaction reads. */
const AT_ONCE = 500;

/** Lists the accounts with a retention of their own, in the order of their IDs. */
export async function listRetention({ store, eventHistoryDays }: RetentionCommandParts): Promise<RetentionList> {
  const accounts: { readonly accountId: AccountId; readonly days: number }[] = [];
  for (;;) {
    const after = accounts.at(-1)?.accountId ?? '';
    const page = await store.transaction((tx) => tx.of(trailRetention).page(after, AT_ONCE));
    accounts.push(...page);
    if (page.length < AT_ONCE) return { defaultDays: eventHistoryDays, accounts };
  }
}

/**
 * Sets the retention of an account. `days` is `undefined` for the retention of the settings. The account `NO_ACCOUNT`
 * has the records that name no account. Returns the reason if the command is refused.
 */
export async function setRetention(
  parts: RetentionCommandParts,
  accountId: AccountId,
  days: number | undefined,
): Promise<string | undefined> {
  const { min, max } = RETENTION_DAYS;
  if (days !== undefined && !(Number.isInteger(days) && days >= min && days <= max))
    return `the retention is '${days}' days; it must be a whole number from ${min} to ${max}`;
  return await parts.store.transaction(async (tx) => {
    if (accountId !== NO_ACCOUNT && (await tx.identity.get(accountId, 'account', accountId)) === undefined)
      return `account '${accountId.slice(0, 20)}' does not exist`;
    const retention = tx.of(trailRetention);
    const before = (await retention.daysOf([accountId])).get(accountId);
    if (days === before) return undefined;
    if (days === undefined) await retention.unset(accountId);
    else await retention.set(accountId, days);
    const different = await retention.differentDays(DIFFERENT_DAYS_MAX + 1);
    if (different.length > DIFFERENT_DAYS_MAX) {
      const others = different.filter((each) => each !== days);
      throw new Error(`accounts can have at most ${DIFFERENT_DAYS_MAX} different retentions; use one of ${others.join(', ')} days`);
    }
    await scanAgain(tx, days ?? 'default');
    const { eventHistoryDays } = parts;
    const details = { retentionDays: days ?? eventHistoryDays, previousRetentionDays: before ?? eventHistoryDays };
    await tx.trail.append(operatorEvent(parts, accountId, 'SetEventHistoryRetention', details));
    return undefined;
  });
}
