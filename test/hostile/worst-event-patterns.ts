/** Event patterns within the limits of AWS that need much work, and the event of maximum size for which they need it. */

/** Number of rules of a bus. Source: EventBridge quotas, 300 rules by default. */
export const RULES = 300;
/** Size of `Detail`. The event around it stays below 1 MiB. */
const DETAIL_BYTES = 1_040_000;

const wildcards = (i: number, count: number): object[] => Array.from({ length: count }, (_, n) => ({ wildcard: `*a*b${i}-${n}` }));

// biome-ignore format: a table
export const WORST_PATTERNS: readonly (readonly [title: string, pattern: (i: number) => object, detail: () => object])[] = [
  ['wildcards for one long value',      (i) => ({ detail: { text: wildcards(i, 3) } }), () => ({ text: 'a'.repeat(DETAIL_BYTES) })],
  ['wildcards for many short values',   (i) => ({ detail: { text: wildcards(i, 3) } }), () => ({ text: Array.from({ length: 100_000 }, () => 'aaaaaaa') })],
  ['prefixes without case',             (i) => ({ detail: { text: Array.from({ length: 40 }, (_, n) => ({ prefix: { 'equals-ignore-case': `${'a'.repeat(30)}${i}-${n}` } })) } }),
    () => ({ text: Array.from({ length: 25_000 }, () => 'A'.repeat(36)) })],
  ['anything but many values',          (i) => ({ detail: { text: [{ 'anything-but': Array.from({ length: 200 }, (_, n) => `a${i}-${n}`) }] } }),
    () => ({ text: Array.from({ length: 200_000 }, () => `a`) })],
  ['conditions on elements of arrays',  (i) => ({ detail: { list: { a: [{ numeric: ['>', i] }], b: [{ numeric: ['<', -i] }], c: [{ exists: false }] } } }),
    () => ({ list: Array.from({ length: 20_000 }, (_, n) => ({ a: n, b: n })) })],
  ['alternatives of fields',            (i) => ({ $or: Array.from({ length: 20 }, (_, n) => ({ detail: { list: { a: [i * 20 + n], b: [{ prefix: `x${n}` }] } } })) }),
    () => ({ list: Array.from({ length: 20_000 }, (_, n) => ({ a: n, b: 'x' })) })],
];

/** Returns the patterns of a bus with one kind of rules, as JSON. */
export function patternsOf(pattern: (i: number) => object): readonly string[] {
  return Array.from({ length: RULES }, (_, i) => JSON.stringify(pattern(i)));
}
