/** UTF-16 unit of the digit 0. */
export const ZERO = 0x30;
const NINE = 0x39;

/** Reports whether a UTF-16 unit is a decimal digit. */
export function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** Returns the value of a hexadecimal digit, or -1 for another UTF-16 unit. */
export function hexDigit(code: number): number {
  if (isDigit(code)) return code - ZERO;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
