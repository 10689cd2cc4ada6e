/** Accounts that DeleteAccount disabled. The operator lists and restores them, as AWS Support does. */
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';

/** Time for which a deleted account can be restored. Source: Chime API reference, DeleteAccount: 90 days. */
export const DISABLED_MS = 90 * DAY_MS;

/** Disabled account. */
export interface DisabledAccount {
  /** AWS account that owns the Chime account. */
  readonly accountId: AccountId;
  readonly chimeAccountId: string;
  readonly name: string;
  readonly disabledAt: Instant;
  /** Time from which the sweep deletes the account. */
  readonly deletedAt: Instant;
}

/** Returns the accounts that were disabled last, at most `limit`, newest first. */
export async function disabledAccounts(tx: Tx, now: Instant, limit: number): Promise<readonly DisabledAccount[]> {
  const found = await tx.of(accounts).listDisabled(instant(now - DISABLED_MS), limit);
  return found.map(toDisabled);
}

/**
 * Restores a disabled account. Its invitations are valid again, and its users are as DeleteAccount left them: suspended users of a Team account are
 * invited again, and those of an Enterprise account register again when the account has its domain again. Returns `absent` if no account
 * with this ID is disabled, or if 90 days have passed.
 *
 * Source: Chime API reference, DeleteAccount: AWS Support restores the account. Assumed: nothing else of the account changes.
 */
export async function restoreAccount(tx: Tx, chimeAccountId: string, now: Instant): Promise<DisabledAccount | 'absent'> {
  const account = await tx.of(accounts).find(chimeAccountId);
  if (account?.disabledAt === undefined || account.disabledAt <= now - DISABLED_MS) return 'absent';
  const { disabledAt: _disabledAt, ...restored } = account;
  await tx.of(accounts).put(restored);
  return toDisabled(account);
}

function toDisabled({ accountId, chimeAccountId, name, disabledAt = instant(0) }: AccountRecord): DisabledAccount {
  return { accountId, chimeAccountId, name, disabledAt, deletedAt: instant(disabledAt + DISABLED_MS) };
}
