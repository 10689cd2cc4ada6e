/** Pattern with wildcards: literal strings with any run of characters between two of them. */
export interface Wildcard {
  /** Literal strings between the wildcards. A pattern with n wildcards has n + 1. */
  readonly literals: readonly string[];
}

/** Problem of a wildcard pattern. `message` is the reason. */
export class WildcardProblem extends Error {}

/**
 * Parses a wildcard pattern: `a*b\*c` → the literals `a` and `b*c`.
 *
 * @throws WildcardProblem  two wildcards follow each other, or a backslash precedes neither `*` nor `\`
 *
 * Source: aws/event-ruler `337e8d9`, WildcardParser. Positions count UTF-8 bytes and start at 1.
 */
export function parseWildcard(text: string): Wildcard {
  const literals: string[] = [];
  let literal = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    const next = text.charAt(at + 1);
    if (character === '*') {
      if (next === '*') throw new WildcardProblem(`Consecutive wildcard characters at pos ${bytePosition(text, at)}`);
      literals.push(literal);
      literal = '';
    } else if (character === '\\') {
      if (next !== '*' && next !== '\\') throw new WildcardProblem(`Invalid escape character at pos ${bytePosition(text, at)}`);
      literal += next;
      at++;
    } else literal += character;
  }
  return { literals: [...literals, literal] };
}

function bytePosition(text: string, at: number): number {
  return Buffer.byteLength(text.slice(0, at)) + 1;
}

/**
 * Reports whether a value matches. The complexity limit of patterns bounds the work: at most ten comparisons for each
 * character of the value (`wildcard-complexity.ts`).
 */
export function matchesWildcard(value: string, { literals }: Wildcard): boolean {
  const first = literals[0] as string;
  if (literals.length === 1) return value === first;
  const last = literals.at(-1) as string;
  const end = value.length - last.length;
  if (end < first.length || !value.startsWith(first) || !value.endsWith(last)) return false;
  let at = first.length;
  for (let i = 1; i < literals.length - 1; i++) {
    const literal = literals[i] as string;
    const found = value.indexOf(literal, at);
    if (found < 0) return false;
    at = found + literal.length;
    if (at > end) return false;
  }
  return true;
}
