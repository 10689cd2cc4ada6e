/** Statements on several phone numbers at once. */

/** Most phone numbers of one request. Source: service authorization reference, BatchDeletePhoneNumber. Assumed: the other operations. */
export const NUMBERS_MAX = 50;

/** Returns the parameters of a statement on `NUMBERS_MAX` numbers: `$2, $3, …`. */
export function numberParameters(from: number): string {
  return Array.from({ length: NUMBERS_MAX }, (_, i) => `$${from + i}`).join(', ');
}

/** Returns values for `numberParameters`. The last number is repeated, and `''` stands for an empty list. */
export function paddedNumbers(numbers: readonly string[]): readonly string[] {
  if (numbers.length > NUMBERS_MAX) throw new Error(`${numbers.length} numbers for ${NUMBERS_MAX} parameters`);
  return Array.from({ length: NUMBERS_MAX }, (_, i) => numbers[i] ?? numbers.at(-1) ?? '');
}
