/** Periods of trails whose records cannot be delivered: when the delivery ends without them, and the record of it. */
import { DAY_MS } from '#core/duration.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { SERVICES } from '#model/services.ts';
import type { LoggingPeriod } from '#services/cloudtrail/tables/logging-periods.ts';
import { type TrailRecord, trails } from '#services/cloudtrail/tables/trails.ts';
import { positionAt, timeOf } from '#store/engine/position.ts';
import type { Tx } from '#store/store.ts';
import { LATEST_MS } from '#store/trail/trail-search.ts';
import { serviceEventRow } from '#trail/service-event.ts';
import { type DeliveringPeriod, logsRetryId, periodId } from './delivering-trail.ts';
import { deliveredFiles } from './tables/delivered-files.ts';

/**
 * Time after the end of a period, and number of failures without a success, after which the delivery abandons the period. Both must be
 * reached, so that a server that was off for this time still tries. The period of a trail that is logging with these settings is never abandoned.
 * Assumed: AWS documents no such limit.
 */
export const ABANDON = { afterMs: 7 * DAY_MS, failures: 24 } as const;

/** Reports whether the delivery abandons a period after a failure. `failures` includes this one. */
export function isAbandoned({ stoppedAt }: LoggingPeriod, failures: number, now: Instant): boolean {
  return stoppedAt !== undefined && now - stoppedAt >= ABANDON.afterMs && failures >= ABANDON.failures;
}

/**
 * Ends a period without the delivery of its remaining records. Retention no longer keeps them for this period. They stay in the event
 * history, except data events.
 *
 * Writes: the periods of the trail, which is removed if it is deleted and has no others; the service event `AbandonTrailDelivery` in the
 * account of the trail.
 */
export async function abandonPeriod(
  tx: Tx,
  trail: TrailRecord,
  { period, configuration, arn }: DeliveringPeriod,
  facts: { readonly now: Instant; readonly eventId: string; readonly errorCode: string | undefined },
): Promise<void> {
  const id = periodId(period);
  const current = trail.periods.find((each) => periodId(each) === id);
  if (current?.stoppedAt === undefined) return;
  const { startedAt, changedAt = startedAt, stoppedAt, deliveredPosition } = current;
  const { eventSource } = SERVICES.cloudtrail;
  await tx.of(deliveredFiles).endRetry(trail.trailId, id);
  await tx.of(deliveredFiles).endRetry(trail.trailId, logsRetryId(period));
  await tx.of(trails).setPeriods(
    trail,
    trail.periods.filter((each) => each !== current),
  );
  await tx.trail.append(
    serviceEventRow({
      accountId: trail.accountId,
      region: trail.homeRegion,
      now: facts.now,
      eventId: facts.eventId,
      eventName: 'AbandonTrailDelivery',
      eventSource,
      invokedBy: eventSource,
      resources: [arn],
      details: omitUndefined({
        trailARN: arn,
        s3BucketName: configuration.S3BucketName,
        s3KeyPrefix: configuration.S3KeyPrefix,
        // The first position is delivered. The records of the period have at most the last position.
        afterPosition: deliveredPosition,
        lastPosition: positionAt(stoppedAt + LATEST_MS),
        startTime: isoSeconds(timeOf(Math.max(positionAt(changedAt), deliveredPosition))),
        endTime: isoSeconds(stoppedAt),
        errorCode: facts.errorCode,
      }),
    }),
  );
}
