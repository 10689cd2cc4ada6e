import { AwsError } from '#core/aws-error.ts';
import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { type CronSchedule, nextCronTime, parseCron } from './cron.ts';

/** Schedule of a rule: a fixed interval, or times of the calendar in UTC. */
export type Schedule = RateSchedule | CronSchedule;

/** Schedule with a fixed interval. */
export interface RateSchedule {
  readonly kind: 'rate';
  readonly milliseconds: number;
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['minute', 60_000],
  ['hour', HOUR_MS],
  ['day', DAY_MS],
]);
/** Maximum number of digits of an interval. Assumed: with more, the next time would be after all years of a schedule. */
const RATE = /^rate\(([0-9]{1,8}) (minute|hour|day)(s?)\)$/;
const CRON = /^cron\(([^()]*)\)$/;

/**
 * Parses a schedule expression: `rate(5 minutes)` or `cron(0/15 8-17 ? * MON-FRI *)`.
 *
 * The unit of a rate is singular for the value 1 only. A rate of 0 is not valid.
 *
 * @throws ValidationException  the expression is not valid
 *
 * Source: EventBridge User Guide, "Setting a schedule pattern for scheduled rules (legacy)"; LocalStack, snapshots of its
 * tests on AWS. Assumed: `rate` and `cron` are lower-case, and one space separates value and unit.
 */
export function parseSchedule(text: string): Schedule {
  const rate = RATE.exec(text);
  if (rate !== null) {
    const [, value, unit, plural] = rate;
    const count = Number(value);
    if (count > 0 && (plural === '') === (count === 1))
      return { kind: 'rate', milliseconds: count * (UNITS.get(unit as string) as number) };
  }
  const fields = CRON.exec(text)?.[1];
  const cron = fields === undefined ? undefined : parseCron(fields);
  // `wire` formats the code as ValidationException.
  if (cron === undefined) throw new AwsError('ValidationError', 'Parameter ScheduleExpression is not valid.');
  return cron;
}

/**
 * Returns the next time of a schedule after a time, or `undefined` if there is none until the end of 2199.
 *
 * The interval of a rate begins at `after`: pass the time at which the rule was enabled, or the last time of the schedule.
 */
export function nextTime(schedule: Schedule, after: Instant): Instant | undefined {
  return schedule.kind === 'rate' ? instant(after + schedule.milliseconds) : nextCronTime(schedule, after);
}
