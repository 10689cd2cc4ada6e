/**
 * Delivery of trail records to the log groups of trails. Runs on the server that sends outgoing messages, some seconds after the records.
 *
 * Invariant (written with progress): the records of a step and the position of the period commit together. So a crash loses no record and
 * repeats none. A trail that fails delays only itself.
 */
import type { DecideRole } from '#access/service-role.ts';
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { type TrailRecord, trails } from '#services/cloudtrail/tables/trails.ts';
import type { Work } from '#services/kit/events.ts';
import type { Tx } from '#store/store.ts';
import { type DeliveringPeriod, deliveringPeriod, isComplete, logsRetryId, type OrganizationPlace, periodId } from '../delivering-trail.ts';
import { type Transact, TurnLost } from '../holder.ts';
import type { Source } from '../outgoing/sources.ts';
import { addPlaces, type RecordStep, readStep, recordsFor, type TrailRecords } from '../received-records.ts';
import { deliveredFiles } from '../tables/delivered-files.ts';
import { LogGroupError, writeRecords } from './own-log-groups.ts';
import { isAt, isFarAhead, storeLogFailure, storeWritten } from './progress.ts';

export interface TrailLogGroupParts {
  readonly now: () => Instant;
  /** Returns milliseconds on a monotonic clock. */
  readonly monotonic: () => number;
  /** Returns unpredictable bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly workIn: (tx: Tx) => Work;
  readonly decideRole: DecideRole;
  readonly report: (line: string) => void;
}

/** Interval between two passes. */
const EVERY_MS = 1_000;
/** Trails that one transaction reads. */
const TRAILS = 50;

/** Progress of a period in a pass. */
interface Progress {
  readonly own: DeliveringPeriod;
  /** Position that is stored for the period. */
  stored: number;
  /** Position of the last record that was read for the period. */
  delivered: number;
  /** Position from which the next step reads. It can be after `delivered`, but no record is between the two. */
  at: number;
  state: 'ready' | 'ended' | 'failed';
}

/** One pass over all records that exist at its start. */
interface Pass {
  readonly startedAt: Instant;
  readonly all: readonly Progress[];
  readonly places: Map<AccountId, OrganizationPlace | undefined>;
}

const keyOf = ({ own }: Progress): string => `${own.trail.trailId} ${periodId(own.period)}`;

/** Creates the source of these log events. One step reads each record once for all trails. */
export function trailLogGroups(parts: TrailLogGroupParts): Source {
  const { now, monotonic, workIn, decideRole } = parts;
  let nextAt = 0;
  let pass: Pass | undefined;
  /** Positions up to which records were read for periods, without records to write since the stored position. */
  let cursors: ReadonlyMap<string, number> = new Map();

  async function begin(transaction: Transact): Promise<Pass> {
    const startedAt = now();
    const all = await duePeriods(transaction, startedAt);
    for (const progress of all) progress.at = progress.delivered = Math.max(progress.stored, cursors.get(keyOf(progress)) ?? 0);
    return { startedAt, all, places: new Map() };
  }

  async function run(transaction: Transact, { startedAt, all, places }: Pass): Promise<'more' | 'done'> {
    const ready = all.filter(({ state }) => state === 'ready');
    if (ready.length === 0) {
      for (const progress of all) await end(transaction, progress, startedAt);
      cursors = new Map(all.map((progress) => [keyOf(progress), progress.delivered]));
      return 'done';
    }
    const step = await readStep(transaction, ready, startedAt);
    const cohort = ready.filter(({ at }) => at === step.from);
    if (cohort.some(({ own }) => own.configuration.IsOrganizationTrail)) await addPlaces(transaction, places, step, cohort);
    for (const progress of cohort) await advance(transaction, progress, step, recordsFor(progress.own, step, places));
    return 'more';
  }

  async function advance(transaction: Transact, progress: Progress, step: RecordStep, records: TrailRecords): Promise<void> {
    progress.at = step.next;
    if (records.rows.length > 0 && !(await write(transaction, progress, records, { position: step.position }))) return;
    progress.delivered = step.position;
    if (step.ended) progress.state = 'ended';
  }

  /** Stores the end of a period, and a position far behind the records that were read. */
  async function end(transaction: Transact, progress: Progress, startedAt: Instant): Promise<void> {
    const { own, stored, delivered, state } = progress;
    if (state !== 'ended' || (!isComplete(own.period, startedAt) && !isFarAhead(stored, delivered))) return;
    await write(transaction, progress, { rows: [] }, { position: delivered, readAt: startedAt });
  }

  /** Writes records and stores the position, in one transaction. Returns false if this failed. */
  async function write(
    transaction: Transact,
    progress: Progress,
    records: TrailRecords,
    place: { readonly position: number; readonly readAt?: Instant },
  ): Promise<boolean> {
    const { own, stored: from } = progress;
    const regions = [...new Set(records.rows.map(({ region }) => region))];
    try {
      const isWritten = await transaction(async (tx) => {
        if (!(await isAt(tx, own, from))) return false;
        if (records.rows.length > 0) await writeRecords(workIn(tx), decideRole, own, records);
        await storeWritten(tx, own, { regions, ...place }, now());
        return true;
      });
      if (isWritten) progress.stored = place.position;
      else progress.state = 'failed';
      return isWritten;
    } catch (error) {
      if (!(error instanceof LogGroupError)) throw error;
      progress.state = 'failed';
      await failed(transaction, own, regions, error);
      return false;
    }
  }

  async function failed(transaction: Transact, own: DeliveringPeriod, regions: readonly string[], { code }: LogGroupError): Promise<void> {
    const [byte = 0] = parts.random(1);
    const outcome = await transaction((tx) => storeLogFailure(tx, own, { code, regions, now: now(), fraction: byte / 256 }));
    const target = `records of trail '${own.arn}' to '${own.configuration.CloudWatchLogsLogGroupArn}'`;
    parts.report(outcome === 'abandoned' ? `abandoned the delivery of ${target}: ${code}` : `could not deliver ${target}: ${code}`);
  }

  return {
    name: 'log groups of trails',
    async step(transaction) {
      if (pass === undefined && monotonic() < nextAt) return 'done';
      try {
        pass ??= await begin(transaction);
        const result = await run(transaction, pass);
        if (result === 'more') return 'more';
        pass = undefined;
        nextAt = monotonic() + EVERY_MS;
        return 'done';
      } catch (error) {
        pass = undefined;
        // Another server can have written in the meantime.
        if (error instanceof TurnLost) cursors = new Map();
        throw error;
      }
    },
  };
}

/** Reads the periods with undelivered records that do not wait after a failure. */
async function duePeriods(transaction: Transact, startedAt: Instant): Promise<readonly Progress[]> {
  const due: Progress[] = [];
  for (let after = ''; ; ) {
    const last = after;
    const page = await transaction(async (tx) => {
      const found = await tx.of(trails).logsPending(last, TRAILS);
      const ofPage: Progress[] = [];
      for (const trail of found) ofPage.push(...(await dueOfTrail(tx, trail, startedAt)));
      return { found, ofPage };
    });
    due.push(...page.ofPage);
    if (page.found.length < TRAILS) return due;
    after = page.found.at(-1)?.trailId as string;
  }
}

async function dueOfTrail(tx: Tx, trail: TrailRecord, startedAt: Instant): Promise<readonly Progress[]> {
  const { trailId } = trail;
  const due: Progress[] = [];
  for (const period of trail.periods) {
    const { logsPosition: at } = period;
    if (at === undefined) continue;
    const retry = await tx.of(deliveredFiles).retry(trailId, logsRetryId(period));
    if (retry !== undefined && retry.retryAt > startedAt) continue;
    const own = deliveringPeriod(trail, period, await tx.of(trails).selectorsOf(trailId, period));
    due.push({ own, stored: at, delivered: at, at, state: 'ready' });
  }
  return due;
}
