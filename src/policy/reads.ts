import type { LoweredStatement } from './lowered.ts';

/** Adds the context keys that the conditions and variables of a statement read. */
export function addKeysOf(statement: LoweredStatement, into: Set<string>): void {
  for (const test of statement.conditions) {
    into.add(test.key);
    for (const pieces of test.values) for (const piece of pieces) if (piece.kind === 'variable') into.add(piece.key);
  }
  for (const pattern of statement.resources?.patterns ?? []) {
    if (pattern.kind === 'everything') continue;
    for (const pieces of pattern.segments) for (const piece of pieces) if (piece.kind === 'variable') into.add(piece.key);
  }
}
