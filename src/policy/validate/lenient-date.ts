/** Dates that IAM stores although they are not in its documented format. */

const DATE = /^(-?[0-9]{1,9})(?:-([0-9]{1,2}))?(?:-([0-9]{1,2}))?$/;
const TIME = /^([0-9]{1,2})(?::([0-9]{1,2})(?::([0-9]{1,2})(?:\.[0-9]{1,9})?(?:z|\+([0-9]{2})(?::([0-9]{2}))?)?)?)?$/;
const SECONDS = /^[0-9]{1,19}$/;
const SECONDS_MAX = 2n ** 63n - 1n;

/**
 * Reports whether IAM's parser accepts a date in a policy. A date is seconds since 1970 up to 63 bits, or a year with optional month, day
 * and time. The separator before the time is `t` or `T`. The fields need no leading zeros, and a year may be negative.
 *
 * The engine compares only the dates that `toMoment` parses. Other dates never match.
 *
 * Source: moto, tests/test_iam/test_iam_policies.py, recorded from IAM: it stores `01T`, `2016-12-13t2:00:00.593194+23` and `-292275054`,
 * and rejects `234-13`, a time zone of one digit, a fraction of ten digits, and seconds beyond 63 bits.
 */
export function isLenientDate(text: string): boolean {
  const lower = text.toLowerCase();
  if (!lower.includes('t') && !lower.includes('-')) return SECONDS.test(lower) && BigInt(lower) <= SECONDS_MAX;
  const at = lower.indexOf('t');
  const date = DATE.exec(at < 0 ? lower : lower.slice(0, at));
  const time = at < 0 || at === lower.length - 1 ? [] : TIME.exec(lower.slice(at + 1));
  if (date === null || time === null) return false;
  const [, year, month, day] = date;
  const [, hour, minute, second, zoneHour, zoneMinute] = time;
  return (
    within(year, -292_275_054, 292_278_993) &&
    within(month, 1, 12) &&
    within(day, 1, 31) &&
    within(hour, 0, 23) &&
    within(minute, 0, 59) &&
    within(second, 0, 59) &&
    within(zoneHour, 0, 23) &&
    within(zoneMinute, 0, 59)
  );
}

/** Reports whether a field of a date is absent or in its range. */
function within(field: string | undefined, min: number, max: number): boolean {
  return field === undefined || (Number(field) >= min && Number(field) <= max);
}
