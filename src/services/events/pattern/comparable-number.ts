/**
 * Returns the double that a number of a JSON document equals. Returns `undefined` if there is none.
 *
 *     '3.0e2' → 300        '0.1' → 0.1        '-0.0' → 0        '1e309' → undefined        '9007199254740993' → undefined
 *
 * A number equals a double if it equals the shortest decimal number that reads as the double.
 *
 * Source: aws/event-ruler `337e8d9`, ComparableNumber.
 */
export function comparableNumber(text: string): number | undefined {
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  const shortest = String(value);
  return shortest === text || decimal(shortest) === decimal(text) ? value + 0 : undefined;
}

/** Returns one notation for all notations of a decimal number: `-12.50e1` → `-125e0`. */
function decimal(text: string): string {
  const negative = text.startsWith('-');
  const mark = text.search(/e/i);
  const mantissa = text.slice(negative ? 1 : 0, mark < 0 ? undefined : mark);
  const point = mantissa.indexOf('.');
  const digits = mantissa.replace('.', '').replace(/^0+/, '');
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  if (end === 0) return '0';
  const fraction = point < 0 ? 0 : mantissa.length - point - 1;
  const exponent = (mark < 0 ? 0 : Number(text.slice(mark + 1))) - fraction + (digits.length - end);
  return `${negative ? '-' : ''}${digits.slice(0, end)}e${exponent}`;
}
