/** The operator's commands for disabled accounts of Amazon Chime. A restore is recorded in the trail of the AWS account that owns the account. */
import type { Store } from '#store/store.ts';
import { loadDisabledAccounts } from '../core/services.ts';
import { type AccountParts, operatorEvent } from './accounts.ts';

/** Dependencies of the commands. */
export interface ChimeAccountParts extends Pick<AccountParts, 'region' | 'now' | 'newId'> {
  readonly store: Store;
}

/** Disabled account of Amazon Chime, as `chime disabled-accounts` lists it. */
export interface ListedChimeAccount {
  readonly accountId: string;
  readonly chimeAccountId: string;
  readonly name: string;
  readonly disabledAt: number;
  readonly deletedAt: number;
}

/** Maximum number of accounts that the command lists. */
const LISTED_MAX = 100;

/** Returns the accounts that were disabled last. */
export async function listDisabledChimeAccounts({ store, now }: ChimeAccountParts): Promise<readonly ListedChimeAccount[]> {
  const { disabledAccounts } = await loadDisabledAccounts();
  return await store.transaction((tx) => disabledAccounts(tx, now(), LISTED_MAX));
}

/** Restores a disabled account. Returns the reason if the command is refused. */
export async function restoreChimeAccount(parts: ChimeAccountParts, chimeAccountId: string): Promise<string | undefined> {
  const { restoreAccount } = await loadDisabledAccounts();
  return await parts.store.transaction(async (tx) => {
    const restored = await restoreAccount(tx, chimeAccountId, parts.now());
    if (restored === 'absent') return `no account '${chimeAccountId.slice(0, 40)}' is disabled`;
    const disabledAt = new Date(restored.disabledAt).toISOString();
    await tx.trail.append(operatorEvent(parts, restored.accountId, 'RestoreChimeAccount', { chimeAccountId, disabledAt }));
    return undefined;
  });
}
