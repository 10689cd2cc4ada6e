import { isIP } from 'node:net';
import { inRange, toRange } from '#policy/values.ts';

/** Reports whether an IP address is in one of the ranges. Invalid ranges contain no address. */
export function inAnyRange(address: string, ranges: readonly string[]): boolean {
  const family = isIP(address);
  const words = family === 0 ? undefined : toRange(address)?.words;
  if (words === undefined) return false;
  const bytes = Uint32Array.of(family, ...words);
  return ranges.some((text) => {
    const range = toRange(text);
    return range !== undefined && inRange(bytes, range);
  });
}
