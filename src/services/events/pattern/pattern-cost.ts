import type { Pattern } from './compile.ts';

/** Characters of a pattern that count as one node. */
const CHARACTERS_PER_NODE = 16;

/**
 * Returns the cost of a compiled pattern: the nodes that it needs in memory, and its text. The time to compile it grows with both.
 *
 *     patternCost('{"source":["shop"]}', …) → 5
 */
export function patternCost(text: string, { branches }: Pattern): number {
  let nodes = branches.length;
  for (const branch of branches) for (const { tests } of branch) nodes += 1 + tests.length;
  return nodes + Math.ceil(text.length / CHARACTERS_PER_NODE);
}

/**
 * Most costs of the patterns of one bus: those of its rules and of its archives.
 *
 * Assumed: AWS has no such limit. It has 300 rules of 4,096 characters each by default, which cost 76,800 for their text.
 */
export const BUS_COST_MAX = 150_000;
