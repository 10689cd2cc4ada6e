/** Operations that start and stop the logging of trails, and their status. */
import { type Instant, isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { CloudtrailApi } from '#model/generated/cloudtrail.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onTrail, trailOrNotFound, trailToChange } from './lookup.ts';
import { startPeriod } from './periods.ts';
import { trails } from './tables/trails.ts';

/** Returns a time as the old members of GetTrailStatus have it. Source: moto's tests: an empty string before the first time. */
const text = (at: Instant | undefined): string => (at === undefined ? '' : isoSeconds(at));

/**
 * Operations on logging. The record of StartLogging is the first that the trail delivers, and the record of StopLogging
 * the last (LOG-9). Both succeed if they change nothing.
 *
 * @throws CloudTrailARNInvalidException, InvalidTrailNameException, TrailNotFoundException, InvalidHomeRegionException,
 *   NotOrganizationMasterAccountException  see `trailToChange` and `trailOrNotFound`
 */
export const loggingOperations = {
  /** Starts the logging. @throws ConflictException  there were too many starts and changes, see `startPeriod` */
  StartLogging: {
    access: ({ Name }, caller) => onTrail(Name, caller),
    async handle(call, { Name }) {
      await startPeriod(call, await trailToChange(call, Name));
      return {};
    },
  },

  StopLogging: {
    access: ({ Name }, caller) => onTrail(Name, caller),
    async handle({ tx, now, requestId, ...call }, { Name }) {
      await tx.of(trails).stop(await trailToChange({ tx, ...call }, Name), now, requestId);
      return {};
    },
  },

  /**
   * Returns the status of a trail in the caller's region.
   * Source: cloudtrail 2013-11-01, GetTrailStatus. Assumed: the old members that end with `Succeeded` have the time of the last success.
   */
  GetTrailStatus: {
    access: ({ Name }, caller) => onTrail(Name, caller),
    async handle(call, { Name }) {
      const trail = await trailOrNotFound(call, Name, 'ARN');
      const delivery = await call.tx.of(trails).delivery(trail.trailId, call.region);
      return {
        IsLogging: trail.logging,
        ...omitUndefined({
          StartLoggingTime: trail.startedAt,
          StopLoggingTime: trail.stoppedAt,
          LatestDeliveryTime: delivery?.deliveredAt,
          LatestDeliveryError: delivery?.deliveryError,
          LatestNotificationTime: delivery?.notifiedAt,
          LatestNotificationError: delivery?.notificationError,
          LatestDigestDeliveryTime: delivery?.digestAt,
          LatestDigestDeliveryError: delivery?.digestError,
          LatestCloudWatchLogsDeliveryTime: delivery?.logsAt,
          LatestCloudWatchLogsDeliveryError: delivery?.logsError,
        }),
        LatestDeliveryAttemptTime: text(delivery?.attemptedAt),
        LatestDeliveryAttemptSucceeded: text(delivery?.deliveredAt),
        LatestNotificationAttemptTime: text(delivery?.notificationAttemptedAt),
        LatestNotificationAttemptSucceeded: text(delivery?.notifiedAt),
        TimeLoggingStarted: text(trail.startedAt),
        TimeLoggingStopped: text(trail.stoppedAt),
      };
    },
  },
} satisfies Partial<ServiceOperations<CloudtrailApi>>;
