/** Records that trails receive: reads each record once for several periods of trails, and selects the records of each period. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { positionAt } from '#store/engine/position.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { type DeliveringPeriod, type OrganizationPlace, organizationPlace, receives } from './delivering-trail.ts';
import type { Transact } from './holder.ts';

/** Limits of one step. */
const STEP = {
  /** Packs (rows with several records) that one transaction reads. */
  packs: 16,
  /** Total length of the records at which a step ends, in UTF-16 code units. */
  units: 2 ** 22,
  /** Accounts whose organizations one transaction reads. */
  accounts: 50,
} as const;

/** Records that a trail receives in a period, with the ID of its organization for an organization trail. */
export interface TrailRecords {
  readonly rows: readonly TrailRow[];
  readonly organizationId?: string | undefined;
}

/** Records of a step, by account. */
export interface RecordStep {
  /** Position from which the step reads. */
  readonly from: number;
  readonly byAccount: ReadonlyMap<AccountId, readonly TrailRow[]>;
  /** Position of the last record, and position from which the next step reads. */
  readonly position: number;
  readonly next: number;
  /** True if there are no further records before the start of the run. */
  readonly ended: boolean;
}

/**
 * Reads the next records of the periods that are behind all others. Reads at most up to the position of the next period, so that both
 * read together from then on.
 */
export async function readStep(transaction: Transact, ready: readonly { readonly at: number }[], startedAt: Instant): Promise<RecordStep> {
  const from = Math.min(...ready.map(({ at }) => at));
  const end = positionAt(startedAt);
  const upTo = Math.min(end, ...ready.flatMap(({ at }) => (at > from ? [at] : [])));
  const rows: TrailRow[] = [];
  let [position, units, isRead] = [from, 0, false];
  while (!isRead && units < STEP.units) {
    const after = position;
    const page = await transaction((tx) => tx.trail.since(after, STEP.packs, upTo));
    rows.push(...page.rows);
    units += lengthOf(page.rows);
    isRead = page.position === after;
    ({ position } = page);
  }
  return {
    from,
    byAccount: Map.groupBy(rows, ({ accountId }) => accountId),
    position,
    next: isRead ? Math.max(upTo, position) : position,
    ended: isRead && upTo === end,
  };
}

/** Reads the organizations of the accounts of records and trails into `places`. */
export async function addPlaces(
  transaction: Transact,
  places: Map<AccountId, OrganizationPlace | undefined>,
  { byAccount }: RecordStep,
  cohort: readonly { readonly own: DeliveringPeriod }[],
): Promise<void> {
  const accountIds = new Set([...byAccount.keys(), ...cohort.map(({ own }) => own.trail.accountId)]);
  const missing = [...accountIds].filter((accountId) => !places.has(accountId));
  for (let i = 0; i < missing.length; i += STEP.accounts) {
    const page = missing.slice(i, i + STEP.accounts);
    const found = await transaction(async (tx) => {
      const pairs: (readonly [AccountId, OrganizationPlace | undefined])[] = [];
      for (const accountId of page) pairs.push([accountId, await organizationPlace(tx, accountId)]);
      return pairs;
    });
    for (const [accountId, place] of found) places.set(accountId, place);
  }
}

/** Returns the records that a trail receives in a period: those of its account, or of all accounts of its organization. */
export function recordsFor(
  own: DeliveringPeriod,
  { byAccount }: RecordStep,
  places: ReadonlyMap<AccountId, OrganizationPlace | undefined>,
): TrailRecords {
  const { accountId } = own.trail;
  const organization = own.configuration.IsOrganizationTrail ? places.get(accountId) : undefined;
  if (organization?.managementAccountId !== accountId)
    return { rows: (byAccount.get(accountId) ?? []).filter((row) => receives(own, row)) };
  const isMember = (id: AccountId): boolean => places.get(id)?.organizationId === organization.organizationId;
  const rows = [...byAccount].flatMap(([id, ofAccount]) => (isMember(id) ? ofAccount.filter((row) => receives(own, row)) : []));
  return { rows, organizationId: organization.organizationId };
}

/** Returns the total length of records, in UTF-16 code units. */
export function lengthOf(rows: readonly TrailRow[]): number {
  let length = 0;
  for (const { document } of rows) length += document.length;
  return length;
}
