/** Phases of a deletion of old trail records. Each call does one step (`trail-retention.ts`). */
import type { LeaseClock } from '#access/lease-parts.ts';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS, MINUTE_MS } from '#core/duration.ts';
import { type Instant, instant, isoSeconds } from '#core/instant.ts';
import { positionAt, timeOf } from '#store/engine/position.ts';
import { forgetIdentityBefore } from '#store/identity/identity-history.ts';
import type { Store, Tx } from '#store/store.ts';
import { type DecisionsPlace, decidedRecords, decisionsAfter, placeBefore, type StoredDecisions } from '#store/trail/trail-decisions.ts';
import type { RecordFacts } from '#store/trail/trail-heads.ts';
import { trailPolicies } from '#store/trail/trail-policy.ts';
import { type IndexRun, type PackFacts, type PackPlace, type TrailRetention, trailRetention } from '#store/trail/trail-retention.ts';
import { trailSessions } from '#store/trail/trail-session.ts';
import { serviceEventRow } from '#trail/service-event.ts';
import type { Log } from '../log.ts';

/** Limits of one step. A step ends at the first limit, and takes a few milliseconds. */
export const STEP = {
  /** Packs that it reads, and the number of them that one statement reads. */
  packs: 16,
  packsAtOnce: 8,
  /** Length of the facts of these packs, and of the deleted documents, in UTF-16 code units. */
  factUnits: 2 ** 17,
  documentUnits: 2 ** 19,
  /** Packs that it rewrites because some of their records stay. */
  rewritten: 8,
  /** Accounts of the packs that it reads. One more pack can exceed this limit. */
  accounts: 64,
  runs: 16,
  blocks: 256,
  holds: 32,
  /** Sessions and policies, or former versions of identity records. */
  forgotten: 256,
  events: 32,
} as const;

/**
 * Longest time from a record to a later one that was decided with an earlier version of identity, in milliseconds: the lease of a server
 * (two seconds), the delay of a record, and the difference of the clocks of two servers.
 * Assumed: a minute is longer than their sum.
 */
const VERSION_LAG_MS = MINUTE_MS;

/**
 * Returns, for each of the accounts, the position up to which all started trails have delivered the records of the
 * account, this position included. Runs in the transaction that deletes, so that a trail that starts at the same time
 * loses no record.
 */
export type DeliveredPositions = (tx: Tx, accountIds: readonly AccountId[]) => Promise<(accountId: AccountId) => number>;

/** Positions without any trail: everything counts as delivered. */
export const NO_TRAILS: DeliveredPositions = async () => () => Number.MAX_SAFE_INTEGER;

export interface RetentionParts {
  readonly store: Store;
  readonly region: string;
  /** Retention of accounts without one of their own, in days. */
  readonly defaultDays: number;
  readonly clock: LeaseClock;
  readonly newId: () => string;
  readonly delivered: DeliveredPositions;
  readonly report: Log;
}

/** Scan that searches packs for records past their retention. */
export interface Scan {
  /** `default` for the retention of the settings, `held` for packs that waited for a trail, otherwise the days. */
  readonly name: string;
  /** Position before which the scan ends. */
  readonly before: number;
}

/** Place up to which the last scan of this name has read, and its retention in days. */
interface Done extends PackPlace {
  readonly days: number;
}

/** A run, from its first step to its last. The phases follow each other in the order of `phase`. */
export interface RetentionRun {
  /** Start of the run, which determines the age of records in all of its steps. */
  readonly startedAt: Instant;
  readonly phase: 'holds' | 'packs' | 'index' | 'sessions' | 'identity' | 'events';
  /** Last account whose held records were checked. */
  readonly holdsAfter: string;
  /** Scans that have not ended. */
  readonly scans: readonly Scan[];
  /** Position before which all scans end. */
  readonly before: number;
  /** Position of the run of the index that was checked last. */
  readonly indexAfter: number;
  /** Deleted run of the index whose blocks are being deleted. */
  readonly dropped?: Pick<IndexRun, 'level' | 'lastPosition'>;
  /** Place up to which the oldest packs were read for the lowest version of identity, and the lowest one so far. */
  readonly identity?: { readonly after: DecisionsPlace; readonly version?: number };
}

export type DonePlaces = Readonly<Record<string, Done>>;

const START: PackPlace = { position: -1, eventId: '' };

interface Advanced {
  /** Absent if the run has ended. */
  readonly run?: RetentionRun;
  readonly done: DonePlaces;
  /** Packs that someone altered in the database. They stay, and no earlier step found them. */
  readonly altered?: readonly PackPlace[];
}

/** Runs one step of the run's phase. */
export async function advance(tx: Tx, run: RetentionRun, done: DonePlaces, parts: RetentionParts): Promise<Advanced> {
  switch (run.phase) {
    case 'holds':
      return await checkHolds(tx, run, done, parts.delivered);
    case 'packs':
      return await deleteExpired(tx, run, done, parts);
    case 'index':
      return { run: await deleteIndexRuns(tx.of(trailRetention), run), done };
    case 'sessions':
      return { run: await forgetSessions(tx, run), done };
    case 'identity':
      return { run: await forgetIdentity(tx, run), done };
    case 'events':
      return (await recordDeletions(tx, parts)) === 'more' ? { run, done } : { done };
  }
}

/** Plans a scan of the packs whose records were held for a trail that has delivered them since. */
async function checkHolds(tx: Tx, run: RetentionRun, done: DonePlaces, delivered: DeliveredPositions): Promise<Advanced> {
  const repository = tx.of(trailRetention);
  const holds = await repository.holds(run.holdsAfter, STEP.holds);
  const deliveredOf = await delivered(
    tx,
    holds.map(({ accountId }) => accountId),
  );
  let from: number | undefined;
  for (const { accountId, position } of holds) {
    if (deliveredOf(accountId) < position) continue;
    await repository.release(accountId);
    from = Math.min(from ?? position, position);
  }
  const next: RetentionRun = { ...run, holdsAfter: holds.at(-1)?.accountId ?? '', phase: holds.length < STEP.holds ? 'packs' : 'holds' };
  if (from === undefined) return { run: next, done };
  const { held } = done;
  const place = { days: 0, position: Math.min(held?.position ?? from, from) - 1, eventId: '' };
  const scans = run.scans.some(({ name }) => name === 'held') ? run.scans : [...run.scans, { name: 'held', before: run.before }];
  return { run: { ...next, scans }, done: { ...done, held: place } };
}

/** Records of one account in a pack. */
interface AccountRecords {
  readonly accountId: AccountId;
  count: number;
  oldest: Instant;
  newest: Instant;
}

/** Deletes the expired records of the next packs of the first scan. Packs that someone altered stay whole (Decision 0051). */
async function deleteExpired(tx: Tx, run: RetentionRun, done: DonePlaces, parts: RetentionParts): Promise<Advanced> {
  const [scan, ...others] = run.scans;
  if (scan === undefined) return { run: { ...run, phase: 'index' }, done };
  const repository = tx.of(trailRetention);
  const used = { packs: 0, factUnits: 0, documentUnits: 0, rewritten: 0 };
  const deletions = new Map<AccountId, AccountRecords>();
  const accounts = new Set<AccountId>();
  const altered: PackPlace[] = [];
  let place: PackPlace = done[scan.name] ?? START;
  let ended = false;

  const isFull = (): boolean =>
    used.packs >= STEP.packs ||
    used.factUnits >= STEP.factUnits ||
    used.documentUnits >= STEP.documentUnits ||
    used.rewritten >= STEP.rewritten ||
    accounts.size >= STEP.accounts;

  while (!ended && !isFull()) {
    const packs = await repository.packs(place, scan.before, STEP.packsAtOnce);
    ended = packs.length < STEP.packsAtOnce;
    const expiry = await expiryOf(tx, packs, run.startedAt, parts);
    for (const pack of packs) {
      const { records } = pack;
      const expired: AccountRecords[] = [];
      for (const own of byAccount(records ?? [])) {
        accounts.add(own.accountId);
        const outcome = expiry(pack, own);
        if (outcome === 'held') await repository.hold(own.accountId, pack.position);
        if (outcome === 'expired') expired.push(own);
      }
      const deleted = new Set(expired.map(({ accountId }) => accountId));
      let outcome: Awaited<ReturnType<TrailRetention['deleteRecords']>> | undefined;
      if (records === undefined) outcome = 'altered';
      // The end of a writer belongs to no account. Its hash stays.
      else if (expired.length > 0 || records.length === 0)
        outcome = await repository.deleteRecords(pack, (index) => deleted.has((records[index] as RecordFacts).accountId));
      if (outcome === 'altered' && (await repository.keepAltered(pack, run.startedAt)) === 'added') altered.push(pack);
      if (outcome === 'rewritten') used.rewritten++;
      if (outcome === 'deleted' || outcome === 'rewritten') {
        used.documentUnits += (records ?? []).reduce((sum, { length }) => sum + length, 0);
        for (const own of expired) deletions.set(own.accountId, joined(deletions.get(own.accountId), own));
      }
      used.packs++;
      used.factUnits += pack.length;
      place = pack;
      if (isFull()) {
        ended &&= pack === packs.at(-1);
        break;
      }
    }
  }
  for (const { accountId, count, oldest, newest } of deletions.values())
    await repository.addDeletion({ accountId, records: count, oldest, newest });
  const { [scan.name]: last, ...rest } = done;
  const days = last?.days ?? (scan.name === 'default' ? parts.defaultDays : Number(scan.name));
  const now = { days, position: place.position, eventId: place.eventId };
  return {
    run: ended ? { ...run, scans: others } : run,
    done: ended && scan.name === 'held' ? rest : { ...rest, [scan.name]: now },
    altered,
  };
}

/**
 * Returns the function that decides about the records of an account in a pack: `expired`, `held` if they are expired but
 * a trail has not delivered them yet, or `kept`.
 *
 * The records of an account in a pack expire together, when the newest of them expires. They are at most some minutes
 * apart. So a page token of a look-up, which counts records inside a pack, stays valid.
 */
async function expiryOf(tx: Tx, packs: readonly PackFacts[], startedAt: Instant, { defaultDays, delivered }: RetentionParts) {
  const accountIds = [...new Set(packs.flatMap(({ records = [] }) => records.map(({ accountId }) => accountId)))];
  const days = await tx.of(trailRetention).daysOf(accountIds);
  const deliveredOf = await delivered(tx, accountIds);
  return ({ position }: PackFacts, { accountId, newest }: AccountRecords): 'expired' | 'held' | 'kept' => {
    if (newest >= startedAt - (days.get(accountId) ?? defaultDays) * DAY_MS) return 'kept';
    return position <= deliveredOf(accountId) ? 'expired' : 'held';
  };
}

function byAccount(records: readonly RecordFacts[]): Iterable<AccountRecords> {
  const accounts = new Map<AccountId, AccountRecords>();
  for (const { accountId, at } of records)
    accounts.set(accountId, joined(accounts.get(accountId), { accountId, count: 1, oldest: at, newest: at }));
  return accounts.values();
}

function joined(first: AccountRecords | undefined, second: AccountRecords): AccountRecords {
  if (first === undefined) return second;
  return {
    accountId: first.accountId,
    count: first.count + second.count,
    oldest: instant(Math.min(first.oldest, second.oldest)),
    newest: instant(Math.max(first.newest, second.newest)),
  };
}

/**
 * Deletes the next run of the index that has no packs anymore. A run of which some packs remain stays, and look-ups
 * skip its absent packs.
 */
async function deleteIndexRuns(repository: TrailRetention, run: RetentionRun): Promise<RetentionRun> {
  const { dropped, ...kept } = run;
  if (dropped !== undefined) return (await repository.deleteBlocks(dropped, STEP.blocks)) === 'more' ? run : kept;
  const indexRuns = await repository.indexRuns(run.indexAfter, run.before, STEP.runs);
  for (const each of indexRuns) {
    if (await repository.hasPack(each)) continue;
    await repository.deleteRun(each);
    return { ...run, indexAfter: each.lastPosition, dropped: { level: each.level, lastPosition: each.lastPosition } };
  }
  return {
    ...run,
    indexAfter: indexRuns.at(-1)?.lastPosition ?? run.indexAfter,
    phase: indexRuns.length < STEP.runs ? 'sessions' : 'index',
  };
}

/** Deletes stored sessions and resource-based policies that no remaining record names. */
async function forgetSessions(tx: Tx, run: RetentionRun): Promise<RetentionRun> {
  const position = await tx.of(trailRetention).oldestPosition();
  const oldest = position === undefined ? run.startedAt : timeOf(position);
  const sessions = await tx.of(trailSessions).forgetBefore(oldest, STEP.forgotten);
  const policies = await tx.of(trailPolicies).forgetBefore(oldest, STEP.forgotten);
  return Math.max(sessions, policies) < STEP.forgotten ? { ...run, phase: 'identity' } : run;
}

/**
 * Deletes former versions of identity records that no remaining record refers to. The lowest version is that of one of the oldest packs, because
 * a server decides with a version that is at most some seconds old. So it is found among the packs of `VERSION_LAG_MS`, a few in each step.
 * If these packs are older than decision contexts, or someone altered one of them that has not expired, nothing is deleted.
 */
async function forgetIdentity(tx: Tx, run: RetentionRun): Promise<RetentionRun> {
  const { identity, ...kept } = run;
  const ended: RetentionRun = { ...kept, phase: 'events' };
  const oldest = await tx.of(trailRetention).oldestPosition();
  if (oldest === undefined) return ended;
  const { after, version } = identity ?? { after: placeBefore(oldest) };
  const { packs, place } = await decisionsAfter(tx.sql, after, oldest + positionAt(VERSION_LAG_MS), STEP.packs);
  const [first, last] = [packs[0]?.position ?? 0, packs.at(-1)?.position ?? 0];
  const altered = await tx.of(trailRetention).alteredBetween(first, last);
  const lowest = lowestVersion(
    packs.filter(({ position }) => !altered.has(position)),
    version,
  );
  if (lowest === 'unreadable') return ended;
  if (place !== undefined) return { ...run, identity: { after: place, ...(lowest !== undefined && { version: lowest }) } };
  if (lowest === undefined) return ended;
  const forgotten = await forgetIdentityBefore(tx, lowest, STEP.forgotten);
  return forgotten < STEP.forgotten ? ended : { ...run, identity: { after, version: lowest } };
}

/** Returns the lowest version of identity with which records of packs were decided, or `known` if it is lower. */
function lowestVersion(packs: readonly StoredDecisions[], known: number | undefined): number | undefined | 'unreadable' {
  let lowest = known;
  try {
    for (const pack of packs) {
      for (const context of decidedRecords(pack).contexts) {
        if (context === undefined || 'omittedBytes' in context) continue;
        lowest = Math.min(lowest ?? context.identityVersion, context.identityVersion);
      }
    }
  } catch {
    return 'unreadable';
  }
  return lowest;
}

/** Records deletions in the trail: one service event in the event history of each account. */
async function recordDeletions(tx: Tx, { region, clock, newId }: RetentionParts): Promise<'more' | 'done'> {
  const deletions = await tx.of(trailRetention).takeDeletions(STEP.events);
  for (const { accountId, records, oldest, newest } of deletions) {
    await tx.trail.append(
      serviceEventRow({
        accountId,
        region,
        now: clock.wall(),
        eventId: newId(),
        eventName: 'DeleteExpiredEvents',
        eventSource: 'cloudtrail.amazonaws.com',
        invokedBy: 'cloudtrail.amazonaws.com',
        details: { accountId, deletedEvents: records, oldestEventTime: isoSeconds(oldest), newestEventTime: isoSeconds(newest) },
      }),
    );
  }
  return deletions.length < STEP.events ? 'done' : 'more';
}
