import type { Instant } from '#core/instant.ts';

const AMZ_DATE = /^[0-9]{8}T[0-9]{6}Z$/;

/** `20261122T022500Z` as a moment; undefined where the text is none, or names a day the calendar has not. */
export function parseAmzDate(text: string): Instant | undefined {
  if (text.length !== 16 || !AMZ_DATE.test(text)) return undefined;
  const part = (from: number, to: number) => Number(text.slice(from, to));
  const moment = Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(9, 11), part(11, 13), part(13, 15)) as Instant;
  // Date.UTC carries over: 30 February would become 2 March. Whoever carries over does not read back the same.
  return amzDate(moment) === text ? moment : undefined;
}

/** A moment as `20261122T022500Z`. */
export function amzDate(moment: Instant): string {
  const iso = new Date(moment).toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
}
