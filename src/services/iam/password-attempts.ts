import type { AttemptRule } from '#store/attempts.ts';

/**
 * Delay after wrong passwords of one user. The first 5 failures cause no delay. Then the delay starts at 1 second and doubles up to
 * 15 minutes. Assumed: the numbers.
 */
export const PASSWORD_RULE: AttemptRule = { free: 5, firstMs: 1_000, maxMs: 15 * 60_000 };
