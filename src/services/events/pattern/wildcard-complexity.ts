import type { Wildcard } from './wildcard.ts';

/**
 * Highest accepted complexity of the wildcard patterns of a field.
 *
 * Recorded: 7 is accepted and 11 refused (`test/cases/recorded/event-patterns.json`). Assumed: the limit between them.
 */
const COMPLEXITY_MAX = 10;

/**
 * Maximum number of prefixes in all explored sets of active prefixes. Assumed: a field that needs more is too complex.
 * A pattern with one wildcard needs fewer than ten for each character.
 */
const EXPLORED_MAX = 50_000;

/** Character of a pattern. A wildcard is -1. */
type Unit = number;
const ANY: Unit = -1;
const QUOTE: Unit = 0x22;
/** Stands for all characters that no pattern contains. */
const OTHER: Unit = -2;

/**
 * Reports whether the wildcard patterns of a field are too complex.
 *
 * The complexity is the largest number of prefixes of the patterns that one string can match at the same time:
 * `*:*:*` has 4, because `::` matches the prefixes `*`, `*:`, `*:*` and `*:*:`.
 *
 * Source: aws/event-ruler `337e8d9`, MachineComplexityEvaluator, which counts the quotes around a string as characters.
 * Assumed: the patterns of `anything-but` count too.
 */
export function isTooComplex(wildcards: readonly Wildcard[]): boolean {
  const patterns = wildcards.map(unitsOf);
  const alphabet = [...new Set(patterns.flat()), OTHER].filter((unit) => unit !== ANY);
  const seen = new Set<string>();
  let explored = 0;
  const waiting: (readonly Prefix[])[] = [
    withWildcards(
      patterns,
      patterns.map((_, pattern) => ({ pattern, length: 0 })),
    ),
  ];
  for (let active = waiting.pop(); active !== undefined; active = waiting.pop()) {
    if (active.filter(({ length }) => length > 0).length > COMPLEXITY_MAX) return true;
    for (const unit of reachable(patterns, active, alphabet)) {
      const next = withWildcards(patterns, advance(patterns, active, unit));
      const name = next.map(({ pattern, length }) => `${pattern}:${length}`).join(' ');
      explored += next.length;
      if (explored > EXPLORED_MAX) return true;
      if (next.length === 0 || seen.has(name)) continue;
      seen.add(name);
      waiting.push(next);
    }
  }
  return false;
}

interface Prefix {
  readonly pattern: number;
  readonly length: number;
}

function unitsOf({ literals }: Wildcard): readonly Unit[] {
  const units = literals.flatMap((literal, i) => [
    ...(i > 0 ? [ANY] : []),
    ...literal.split('').map((character) => character.charCodeAt(0)),
  ]);
  return [QUOTE, ...units, QUOTE];
}

/** Returns the characters that continue a prefix, and one that continues only wildcards. */
function reachable(patterns: readonly (readonly Unit[])[], active: readonly Prefix[], alphabet: readonly Unit[]): ReadonlySet<Unit> {
  const units = new Set<Unit>();
  for (const { pattern, length } of active) {
    const unit = patterns[pattern]?.[length];
    if (unit !== undefined && unit !== ANY) units.add(unit);
  }
  const other = alphabet.find((unit) => !units.has(unit));
  if (other !== undefined) units.add(other);
  return units;
}

/** Returns the prefixes that are active after another character. */
function advance(patterns: readonly (readonly Unit[])[], active: readonly Prefix[], unit: Unit): readonly Prefix[] {
  return active.flatMap(({ pattern, length }) => {
    const units = patterns[pattern] as readonly Unit[];
    const stays = length > 0 && units[length - 1] === ANY ? [{ pattern, length }] : [];
    return units[length] === unit ? [...stays, { pattern, length: length + 1 }] : stays;
  });
}

/** Adds the prefixes that end with a wildcard, which also matches an empty run. */
function withWildcards(patterns: readonly (readonly Unit[])[], prefixes: readonly Prefix[]): readonly Prefix[] {
  const all = new Map<string, Prefix>();
  for (const { pattern, length } of prefixes) {
    all.set(`${pattern}:${length}`, { pattern, length });
    if (patterns[pattern]?.[length] === ANY) all.set(`${pattern}:${length + 1}`, { pattern, length: length + 1 });
  }
  return [...all.values()].sort((a, b) => a.pattern - b.pattern || a.length - b.length);
}
