import type { Instant } from '#core/instant.ts';

const AMZ_DATE = /^[0-9]{8}T[0-9]{6}Z$/;

const ZERO = '0'.charCodeAt(0);

const DAYS: readonly number[] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Parses `20261122T022500Z`. Returns `undefined` for another format, a nonexistent date or time, and years before 1000. */
export function parseAmzDate(text: string): Instant | undefined {
  if (text.length !== 16 || !AMZ_DATE.test(text)) return undefined;
  const two = (at: number) => 10 * text.charCodeAt(at) + text.charCodeAt(at + 1) - 11 * ZERO;
  const [year, month, day, hour, minute, second] = [100 * two(0) + two(2), two(4), two(6), two(9), two(11), two(13)];
  if (day < 1 || day > (DAYS[month - 1] ?? 0) || hour > 23 || minute > 59 || second > 59) return undefined;
  if (month === 2 && day === 29 && !(year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))) return undefined;
  // For years below 100, Date.UTC returns a year of the 20th century. The limit of 1000 excludes these years.
  return year < 1000 ? undefined : (Date.UTC(year, month - 1, day, hour, minute, second) as Instant);
}

/** Formats an instant as `20261122T022500Z`. Drops fractions of a second. */
export function amzDate(moment: Instant): string {
  const iso = new Date(moment).toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
}
