/** Lists of values in SQL: `member IN ($2, $3, …)`. The length is constant, so that each statement is prepared only once. */

/** Maximum number of values in a list. */
export const IN_LIST_MAX = 50;

/** Returns the parameters of a list. `first` is the number of the first one. */
export function inListFrom(first: number): string {
  return Array.from({ length: IN_LIST_MAX }, (_, i) => `$${first + i}`).join(', ');
}

/** Returns the values of a list. The last value is repeated, and `''` stands for an empty list. @throws Error  too many values */
export function inList(values: readonly string[]): readonly string[] {
  if (values.length > IN_LIST_MAX) throw new Error(`${values.length} values for ${IN_LIST_MAX} parameters`);
  return Array.from({ length: IN_LIST_MAX }, (_, i) => values[i] ?? values.at(-1) ?? '');
}
