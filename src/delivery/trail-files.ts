/** Writes the log files of a period of a trail for some records, and stores that they are delivered. */
import type { LeaseClock } from '#access/lease-parts.ts';
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { type TrailRecord, type Trails, trails } from '#services/cloudtrail/tables/trails.ts';
import type { Tx } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { abandonPeriod, isAbandoned } from './abandoned-periods.ts';
import { type DeliveringPeriod, isComplete, periodId } from './delivering-trail.ts';
import { filesOf, LOG_FILE_HEADERS, logFileContent, logFileKey } from './log-file.ts';
import { addNotifications } from './notifications.ts';
import type { TrailRecords } from './received-records.ts';
import { type DeliveredFile, deliveredFiles } from './tables/delivered-files.ts';
import { type LogTarget, TargetError } from './targets/log-target.ts';

export interface FileParts {
  readonly clock: LeaseClock;
  /** Returns unpredictable bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly target: LogTarget;
}

/** Longest time for which the delivery waits for one object. */
export const PUT_MS = 60_000;

/**
 * Writes the files of a period, one after the other: one for each account and region, or several if they are large.
 *
 * @throws TargetError  the target refused a file, or did not respond in time. Earlier files may exist
 */
export async function putFiles(
  { trail, configuration, arn }: DeliveringPeriod,
  { rows, organizationId }: TrailRecords,
  { clock, random, target }: FileParts,
): Promise<readonly DeliveredFile[]> {
  const { S3BucketName: bucket, S3KeyPrefix: prefix } = configuration;
  const files: DeliveredFile[] = [];
  for (const group of Map.groupBy(rows, ({ accountId, region }) => `${accountId} ${region}`).values()) {
    const { accountId, region } = group[0] as TrailRow;
    for (const part of filesOf(group)) {
      const { body, hash, oldest, newest } = await logFileContent(part);
      const key = logFileKey({ prefix, organizationId, accountId, region, now: clock.wall() }, random);
      await inTime(clock, target.put({ bucket, key, body, ...LOG_FILE_HEADERS, trailArn: arn, trailAccountId: trail.accountId }));
      files.push({ trailArn: arn, accountId, region, key, bucket, hash, oldest, newest, deliveredAt: clock.wall() });
    }
  }
  return files;
}

/** Rejects if a write does not end in time. The write itself may still end later. */
export function inTime(clock: LeaseClock, writing: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(PUT_MS, () => reject(new TargetError(undefined, 'the target did not respond in time')));
    writing.then(resolve, reject).finally(cancel);
  });
}

/** Place up to which a period is delivered. */
export interface Delivered {
  /** Position before the delivery. */
  readonly from: number;
  readonly position: number;
  /** Time before which all records have been read. Absent if there are more records to read. */
  readonly readAt?: Instant | undefined;
}

/**
 * Stores that files of a period are delivered. Returns 'lost', and changes nothing, if another server has delivered in the meantime.
 *
 * Writes: the position of the period, or its end; the status of the trail in each region; the files that wait for their digest; the
 * notifications of the files. Files in a former bucket do not end the error of the present bucket. A period whose records are not yet in its
 * log group does not end.
 */
export async function storeDelivered(
  tx: Tx,
  own: DeliveringPeriod,
  { from, position, readAt }: Delivered,
  files: readonly DeliveredFile[],
  newId: () => string,
): Promise<'stored' | 'lost'> {
  const { configuration } = own;
  const { trailId } = own.trail;
  const id = periodId(own.period);
  const repository = tx.of(trails);
  // Reads the trail again, because requests can have started, changed, stopped or deleted it.
  const trail = await repository.byId(trailId);
  const period = trail?.periods.find((each) => periodId(each) === id);
  if (trail === undefined || period?.deliveredPosition !== from) return 'lost';
  const isOver = readAt !== undefined && isComplete(period, readAt) && period.logsPosition === undefined;
  if (files.length === 0 && position === from && !isOver) return 'stored';
  const isPresent = configuration.S3BucketName === trail.configuration.S3BucketName;
  for (const { region, deliveredAt } of lastOfRegions(files)) {
    const { deliveryError, ...status } = (await repository.delivery(trailId, region)) ?? { trailId, region };
    const error = isPresent ? undefined : deliveryError;
    await repository.putDelivery({ ...status, deliveredAt, attemptedAt: deliveredAt, ...omitUndefined({ deliveryError: error }) });
  }
  if (files.length > 0 && isPresent) await endError(repository, trail);
  await addNotifications(tx, own, files, newId);
  if (configuration.LogFileValidationEnabled) for (const file of files) await tx.of(deliveredFiles).add(file);
  if (files.length > 0 || isOver) await tx.of(deliveredFiles).endRetry(trailId, id);
  const after = isOver ? [] : [{ ...period, deliveredPosition: position }];
  await repository.setPeriods(
    trail,
    trail.periods.flatMap((each) => (each === period ? after : [each])),
  );
  return 'stored';
}

/** Removes the error of the home region, which each failure sets. */
async function endError(repository: Trails, { trailId, homeRegion }: TrailRecord): Promise<void> {
  const status = await repository.delivery(trailId, homeRegion);
  if (status?.deliveryError === undefined) return;
  const { deliveryError: _, ...kept } = status;
  await repository.putDelivery(kept);
}

function lastOfRegions(files: readonly DeliveredFile[]): Iterable<DeliveredFile> {
  return new Map(files.map((file) => [file.region, file])).values();
}

/** Time from the first failure to the next attempt, and the longest such time. The time doubles with each failure. */
const RETRY = { firstMs: 30_000, maxMs: HOUR_MS, exponentMax: 10 } as const;

/** A failed delivery. */
export interface Failure {
  /** Error code of the target. */
  readonly code: string | undefined;
  /** Regions of the records. */
  readonly regions: readonly string[];
  readonly now: Instant;
  /** A random number from 0 to 1. */
  readonly fraction: number;
  /** A UUID. */
  readonly eventId: string;
}

/**
 * Stores a failed delivery, and when the period is tried again: after a time that doubles with each failure, and of which half is random.
 * Returns 'abandoned' if the period is not tried again (`ABANDON`).
 *
 * Writes: the error in the status of the trail's home region and of the regions of the records, if the trail still has this bucket; see also
 * `abandonPeriod`.
 */
export async function storeFailure(
  tx: Tx,
  own: DeliveringPeriod,
  { code, regions, now, fraction, eventId }: Failure,
): Promise<'stored' | 'abandoned'> {
  const { trailId, homeRegion } = own.trail;
  const id = periodId(own.period);
  const repository = tx.of(trails);
  const trail = await repository.byId(trailId);
  const period = trail?.periods.find((each) => periodId(each) === id);
  if (trail === undefined || period === undefined) return 'stored';
  const isPresent = own.configuration.S3BucketName === trail.configuration.S3BucketName;
  for (const region of new Set(isPresent ? [homeRegion, ...regions] : [])) {
    const { deliveryError: _, ...status } = (await repository.delivery(trailId, region)) ?? { trailId, region };
    await repository.putDelivery({ ...status, attemptedAt: now, ...(code !== undefined && { deliveryError: code }) });
  }
  const failures = ((await tx.of(deliveredFiles).retry(trailId, id))?.failures ?? 0) + 1;
  if (isAbandoned(period, failures, now)) {
    await abandonPeriod(tx, trail, own, { now, eventId, errorCode: code });
    return 'abandoned';
  }
  await tx.of(deliveredFiles).putRetry({ trailId, periodId: id, failures, retryAt: retryTime(failures, now, fraction) });
  return 'stored';
}

/** Returns the time of the next attempt after a number of failures. `fraction` is a random number from 0 to 1. */
export function retryTime(failures: number, now: Instant, fraction: number): Instant {
  const waitMs = Math.min(RETRY.maxMs, RETRY.firstMs * 2 ** Math.min(failures - 1, RETRY.exponentMax));
  return instant(Math.round(now + waitMs * (0.5 + fraction / 2)));
}
