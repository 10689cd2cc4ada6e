/** Time ranges and periods of requests for points. */
import { DAY_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';

/** Lengths of periods below a minute, in seconds. Source: cloudwatch 2010-08-01, MetricStat, Period. */
const SHORT_PERIODS: readonly number[] = [1, 5, 10, 20, 30];

/** Reports whether a length is one of periods: 1, 5, 10, 20, 30 or a multiple of 60 seconds. */
export function isPeriod(seconds: number): boolean {
  return seconds > 0 && (seconds % 60 === 0 || SHORT_PERIODS.includes(seconds));
}

/**
 * Returns the beginning of the first period. Rounds down to a minute, to 5 minutes from 15 days on, and to an hour from 63 days on. With a
 * period below a minute, rounds down to this period.
 *
 * Source: cloudwatch 2010-08-01, GetMetricStatistics, StartTime.
 */
export function roundedStart(start: Instant, period: number, now: Instant): number {
  const age = now - start;
  const seconds = period < 60 ? period : age < 15 * DAY_MS ? 60 : age < 63 * DAY_MS ? 300 : 3_600;
  return Math.floor(start / (seconds * 1_000)) * seconds * 1_000;
}
