/** Progress of trails in their log groups, and the failures. */
import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { LoggingPeriod } from '#services/cloudtrail/tables/logging-periods.ts';
import { type TrailRecord, trails } from '#services/cloudtrail/tables/trails.ts';
import { positionAt } from '#store/engine/position.ts';
import type { Tx } from '#store/store.ts';
import { type DeliveringPeriod, isComplete, logsRetryId, periodId } from '../delivering-trail.ts';
import { deliveredFiles } from '../tables/delivered-files.ts';
import { retryTime } from '../trail-files.ts';

/**
 * Age at which records are omitted if their log group is not available. Source: CloudWatch Logs API reference, PutLogEvents: events older
 * than 14 days are rejected.
 */
const AGE_MAX_MS = 14 * DAY_MS;
/**
 * Time after the end of a period at which a log group that is not available receives no more records of the period. A stored period limits
 * further changes of the trail. Assumed: AWS documents no such limit. The records are in the log files.
 */
const ABANDON_AFTER_MS = HOUR_MS;

/** Position of a period after a write. */
export interface Written {
  readonly position: number;
  /** Time before which all records have been read. Absent if there are more records to read. */
  readonly readAt?: Instant | undefined;
  /** Regions of the written records. */
  readonly regions: readonly string[];
}

/** Reads a trail and a period again, because requests can have started, changed, stopped or deleted the trail. */
async function stored(
  tx: Tx,
  own: DeliveringPeriod,
): Promise<{ readonly trail: TrailRecord; readonly period: LoggingPeriod & { readonly logsPosition: number } } | undefined> {
  const trail = await tx.of(trails).byId(own.trail.trailId);
  const id = periodId(own.period);
  const period = trail?.periods.find((each) => periodId(each) === id);
  if (trail === undefined || period?.logsPosition === undefined) return undefined;
  return { trail, period: { ...period, logsPosition: period.logsPosition } };
}

/** Reports whether a period is still at a position. If not, another server has written in the meantime. */
export async function isAt(tx: Tx, own: DeliveringPeriod, position: number): Promise<boolean> {
  return (await stored(tx, own))?.period.logsPosition === position;
}

/**
 * Stores that records of a period are in its log group. Call it in the transaction that writes them, after `isAt`.
 *
 * Writes: the position of the period, which is removed if the period can receive no further records; the status in the home region and in the
 * regions of the records.
 */
export async function storeWritten(tx: Tx, own: DeliveringPeriod, { position, readAt, regions }: Written, now: Instant): Promise<void> {
  const found = await stored(tx, own);
  if (found === undefined) return;
  const { trail, period } = found;
  const isOver = readAt !== undefined && isComplete(period, readAt);
  await setPosition(tx, trail, period, isOver ? undefined : position);
  if (regions.length > 0 || isOver) await tx.of(deliveredFiles).endRetry(trail.trailId, logsRetryId(period));
  if (regions.length > 0) await setStatus(tx, trail, regions, { logsAt: now });
}

/** A failed write. */
export interface LogFailure {
  readonly code: string;
  readonly regions: readonly string[];
  readonly now: Instant;
  /** A random number from 0 to 1. */
  readonly fraction: number;
}

/**
 * Stores a failed write, and when the period is tried again. Returns 'abandoned' if the period is not tried again.
 *
 * Writes: the error in the status; the position, if records are older than 14 days.
 */
export async function storeLogFailure(
  tx: Tx,
  own: DeliveringPeriod,
  { code, regions, now, fraction }: LogFailure,
): Promise<'stored' | 'abandoned'> {
  const found = await stored(tx, own);
  if (found === undefined) return 'stored';
  const { trail, period } = found;
  const { trailId } = trail;
  const id = logsRetryId(period);
  await setStatus(tx, trail, regions, { logsError: code });
  if (period.stoppedAt !== undefined && now - period.stoppedAt >= ABANDON_AFTER_MS) {
    await setPosition(tx, trail, period, undefined);
    await tx.of(deliveredFiles).endRetry(trailId, id);
    return 'abandoned';
  }
  const oldest = positionAt(now - AGE_MAX_MS);
  if (oldest > period.logsPosition) await setPosition(tx, trail, period, oldest);
  const failures = ((await tx.of(deliveredFiles).retry(trailId, id))?.failures ?? 0) + 1;
  await tx.of(deliveredFiles).putRetry({ trailId, periodId: id, failures, retryAt: retryTime(failures, now, fraction) });
  return 'stored';
}

async function setPosition(tx: Tx, trail: TrailRecord, period: LoggingPeriod, position: number | undefined): Promise<void> {
  const { logsPosition: _, ...rest } = period;
  const changed = { ...rest, ...omitUndefined({ logsPosition: position }) };
  await tx.of(trails).setPeriods(
    trail,
    trail.periods.map((each) => (periodId(each) === periodId(period) ? changed : each)),
  );
}

async function setStatus(
  tx: Tx,
  { trailId, homeRegion }: TrailRecord,
  regions: readonly string[],
  result: { readonly logsAt: Instant } | { readonly logsError: string },
): Promise<void> {
  for (const region of new Set([homeRegion, ...regions])) {
    const { logsError: _, ...status } = (await tx.of(trails).delivery(trailId, region)) ?? { trailId, region };
    await tx.of(trails).putDelivery({ ...status, ...result });
  }
}

/** Lag of the stored position at which it is stored, even if the records since then belong to others. */
const LAG_MAX_MS = 60_000;

/** Reports whether the stored position of a period is far behind a position. */
export function isFarAhead(stored: number, position: number): boolean {
  return position - stored > positionAt(LAG_MAX_MS);
}
