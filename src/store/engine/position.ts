import { type Instant, instant } from '#core/instant.ts';

/**
 * Number of positions per millisecond. A position is a number that orders the trail records. Positions remain exact
 * numbers (below 2^53) until the year 2248. If a millisecond has more records than positions, the remaining records use
 * positions of the next millisecond.
 */
const PER_MILLISECOND = 1024;

/** Returns the first position of a millisecond. */
export function positionAt(milliseconds: number): number {
  return milliseconds * PER_MILLISECOND;
}

/** Returns the millisecond of a position. */
export function timeOf(position: number): Instant {
  return instant(Math.floor(position / PER_MILLISECOND));
}

/** Generator of the positions that order the trail. Positions increase even if the system's clock goes back. */
export interface Positions {
  /**
   * Returns a position that is larger than all earlier ones, and at least the first position of the current
   * millisecond.
   */
  next(): number;
}

/**
 * Positions that one server uses: the numbers that have the remainder `server` after division by `of`. Two servers with
 * different remainders never use the same position.
 */
export interface Share {
  readonly server: number;
  readonly of: number;
}

/**
 * Creates the generator of positions. `last` returns the largest stored position, and is called at the first use. New
 * positions are larger than that position.
 */
export function positions(now: () => number, last: () => number, { server, of }: Share = { server: 0, of: 1 }): Positions {
  let step: number | undefined;
  const next = (): number => {
    step = Math.max((step ?? Math.floor(last() / of)) + 1, positionAt(now()) / of);
    return step * of + server;
  };
  return { next };
}
