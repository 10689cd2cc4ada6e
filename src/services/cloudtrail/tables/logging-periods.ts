/** Periods in which a trail logged with the same settings. `trails.ts` stores them. */
import type { Instant } from '#core/instant.ts';
import type { Trail } from '#model/generated/cloudtrail.ts';

/** Configuration of a trail, with the members of the model. */
export interface TrailConfiguration
  extends Pick<
      Trail,
      'S3KeyPrefix' | 'RecursiveLogging' | 'SnsTopicName' | 'SnsTopicARN' | 'CloudWatchLogsLogGroupArn' | 'CloudWatchLogsRoleArn'
    >,
    Readonly<
      Required<
        Pick<
          Trail,
          'S3BucketName' | 'IncludeGlobalServiceEvents' | 'IsMultiRegionTrail' | 'LogFileValidationEnabled' | 'IsOrganizationTrail'
        >
      >
    > {}

/**
 * A time in which a trail logged with the same settings. The first record is that of StartLogging, or the one after a change of
 * the settings. The last record is that of the change, of StopLogging or of DeleteTrail. A period without an end is open:
 * the trail is logging.
 */
export interface LoggingPeriod {
  /** Time and request ID of StartLogging. */
  readonly startedAt: Instant;
  readonly startRequestId: string;
  /** Time and request ID of the change that began the period. Absent if StartLogging began it. */
  readonly changedAt?: Instant;
  readonly changeRequestId?: string;
  /** Time and request ID of the end. */
  readonly stoppedAt?: Instant;
  readonly stopRequestId?: string;
  /** Position in the record up to which the records of the period are delivered, this position included. */
  readonly deliveredPosition: number;
  /**
   * Position up to which the records of the period are in the log group of the trail, this position included. Absent if the trail has no
   * log group in the period, or if all its records are there.
   */
  readonly logsPosition?: number;
  /** Settings of the period, if the trail has other settings now. */
  readonly former?: FormerSettings;
}

/** Settings of earlier periods. The selectors are in `CLOUDTRAIL_FORMER_SELECTORS`. */
export interface FormerSettings {
  readonly configuration: TrailConfiguration;
  readonly selectorsId: string;
}

/** Returns the position up to which the records of a period are delivered to all its targets. */
export function completePosition({ deliveredPosition, logsPosition = deliveredPosition }: LoggingPeriod): number {
  return Math.min(deliveredPosition, logsPosition);
}

/** Returns the positions of a period that begins. */
export function positionsAt(
  position: number,
  { CloudWatchLogsLogGroupArn }: TrailConfiguration,
): Pick<LoggingPeriod, 'deliveredPosition' | 'logsPosition'> {
  return { deliveredPosition: position, ...(CloudWatchLogsLogGroupArn !== undefined && { logsPosition: position }) };
}

/** Reports whether a period has no end yet. */
export function isOpen(period: LoggingPeriod | undefined): boolean {
  return period !== undefined && period.stopRequestId === undefined;
}

/** Returns periods with an end of the last one, if it is open. */
export function closed(periods: readonly LoggingPeriod[], stoppedAt: Instant, stopRequestId: string): readonly LoggingPeriod[] {
  return periods.map((period) => (isOpen(period) ? { ...period, stoppedAt, stopRequestId } : period));
}

/** Returns the IDs of the selectors that periods refer to. */
export function selectorIds(periods: readonly LoggingPeriod[]): ReadonlySet<string> {
  return new Set(periods.flatMap(({ former }) => former?.selectorsId ?? []));
}
