/** Random numbers that a seed determines. */
export interface Random {
  /** Returns a number that is at least 0 and less than 1. */
  next(): number;
  chance(probability: number): boolean;
  between(low: number, high: number): number;
  /** Returns an integer that is at least 0 and less than `limit`. */
  integer(limit: number): number;
  /** Returns an element of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
  /** Returns the value of a random row. The probability of a row is proportional to its weight. */
  weighted<T>(rows: readonly (readonly [weight: number, value: T])[]): T;
  bytes(count: number): Uint8Array;
}

/** Returns a seeded generator of numbers that are at least 0 and less than 1. Source: mulberry32, in the public domain. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Creates the random numbers of one purpose.
 *
 * Each purpose has its own sequence of numbers, so more calls for one purpose do not change the numbers of another purpose.
 *
 * Source: FNV-1a mixes seed and purpose.
 */
export function randomOf(seed: number, purpose: string): Random {
  let mixed = 0x811c9dc5;
  for (const character of `${seed} ${purpose}`) mixed = Math.imul(mixed ^ (character.codePointAt(0) as number), 0x01000193) >>> 0;
  const next = generator(mixed);
  const integer = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    between: (low, high) => low + next() * (high - low),
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new Error('cannot pick from an empty list');
      return list[integer(list.length)] as T;
    },
    weighted<T>(rows: readonly (readonly [weight: number, value: T])[]): T {
      let left = next() * rows.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, value] of rows) if ((left -= weight) < 0) return value;
      throw new Error('cannot pick from an empty table');
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => integer(256)),
  };
}
