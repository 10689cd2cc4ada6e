/** Numbers and times as CloudWatch formats them in reasons, notifications and events. */

/**
 * Formats a number as `21.0`, `0.048` or `1.0E7`: the format of `Double.toString` in Java.
 *
 * Recorded: `20000.0`, `624630.0`, `84.93923823723915`. Assumed: the exponent of very large and very small numbers.
 */
export function formatDouble(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-3)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

declare global {
  interface JSON {
    /** Returns a value that `JSON.stringify` writes as `text`. The types of TypeScript do not have this function yet. */
    rawJSON(text: string): unknown;
  }
}

/** Returns a number that `JSON.stringify` formats like `formatDouble`. */
export function doubleInJson(value: number): unknown {
  return JSON.rawJSON(formatDouble(value));
}

/** Formats milliseconds as `2026-11-28T10:00:00.000+0000`. Recorded: StateReasonData and notifications. */
export function formatTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '+0000');
}

/** Formats the time of a point in a reason, as `28/11/26 10:00:00`. */
export function formatPointTime(at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().split('T');
  const [year = '', month = '', day = ''] = date.split('-');
  return `${day}/${month}/${year.slice(2)} ${time.slice(0, 8)}`;
}

/** Formats the time in the reason of a composite alarm, as `Friday 22 July, 2022 15:57:45 UTC`. */
export function formatLongTime(at: number): string {
  // Created on use, because it loads the data of a locale, and most servers have no composite alarm.
  const longDate = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: '2-digit', month: 'long', year: 'numeric', timeZone: 'UTC' });
  const parts = Object.fromEntries(longDate.formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts['weekday']} ${parts['day']} ${parts['month']}, ${parts['year']} ${new Date(at).toISOString().slice(11, 19)} UTC`;
}
