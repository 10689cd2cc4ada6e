/** How far trails have delivered the records of accounts, for the retention of records. */
import type { AccountId } from '#core/arn.ts';
import { completePosition } from '#services/cloudtrail/tables/logging-periods.ts';
import { trails } from '#services/cloudtrail/tables/trails.ts';
import type { Tx } from '#store/store.ts';
import { configurationOf, organizationPlace } from './delivering-trail.ts';

/**
 * Returns, for each of the accounts, the position up to which all pending trails have delivered the records of the account, this position
 * included. The trails of an organization count for each of its accounts, in the periods in which they were trails of the organization.
 * Without a trail, everything counts as delivered.
 */
export async function deliveredPositions(tx: Tx, accountIds: readonly AccountId[]): Promise<(accountId: AccountId) => number> {
  const managers = new Map<AccountId, AccountId>();
  for (const accountId of accountIds) {
    const place = await organizationPlace(tx, accountId);
    if (place !== undefined && place.managementAccountId !== accountId) managers.set(accountId, place.managementAccountId);
  }
  const positions = new Map<AccountId, number>();
  const ofOrganizations = new Map<AccountId, number>();
  const lower = (all: Map<AccountId, number>, accountId: AccountId, position: number): void => {
    all.set(accountId, Math.min(all.get(accountId) ?? Number.MAX_SAFE_INTEGER, position));
  };
  for (const trail of await tx.of(trails).pendingOf([...new Set([...accountIds, ...managers.values()])])) {
    for (const period of trail.periods) {
      const position = completePosition(period);
      lower(positions, trail.accountId, position);
      if (configurationOf(trail, period).IsOrganizationTrail) lower(ofOrganizations, trail.accountId, position);
    }
  }
  return (accountId) => {
    const manager = managers.get(accountId);
    const own = positions.get(accountId) ?? Number.MAX_SAFE_INTEGER;
    return Math.min(own, (manager && ofOrganizations.get(manager)) ?? Number.MAX_SAFE_INTEGER);
  };
}
