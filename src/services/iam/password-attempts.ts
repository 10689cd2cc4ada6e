import type { AttemptRule } from '#store/attempts.ts';

/** Wait after wrong passwords of one user: none after the first five, then from a second, doubling, to a quarter of an hour. Assumed: the numbers. */
export const PASSWORD_RULE: AttemptRule = { free: 5, firstMs: 1_000, maxMs: 15 * 60_000 };
