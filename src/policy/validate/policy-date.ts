const W3C_DATE = /^[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?)?)?$/i;
const EPOCH_SECONDS = /^-?[0-9]{1,16}(\.[0-9]{1,9})?$/;

/**
 * Whether a text is a date a policy can compare with: a W3C profile of ISO 8601, or seconds since the epoch.
 *
 * Source: IAM User Guide, "Date condition operators".
 * Assumed: forms only IAM's lenient parser takes (`01T`, a month of `2016-12-13t2:00`) are refused, because a date that
 * is read in two ways is a hole; the tables of moto show IAM storing a few of them.
 */
export function isPolicyDate(text: string): boolean {
  if (EPOCH_SECONDS.test(text)) return true;
  if (!W3C_DATE.test(text)) return false;
  const month = text.slice(5, 7);
  const day = text.slice(8, 10);
  const hour = text.slice(11, 13);
  const minute = text.slice(14, 16);
  return inRange(month, 1, 12) && inRange(day, 1, 31) && inRange(hour, 0, 23) && inRange(minute, 0, 59);
}

/** An absent part is in every range. */
function inRange(digits: string, from: number, to: number): boolean {
  if (digits === '') return true;
  const number = Number(digits);
  return number >= from && number <= to;
}
