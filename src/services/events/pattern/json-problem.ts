/**
 * Invalid JSON, or JSON that does not have the expected structure. `message` is the reason without a location.
 *
 * `consumed` is the number of characters that had been read. `lined` is the number of those whose line breaks count.
 */
export class JsonProblem extends Error {
  readonly consumed: number;
  readonly lined: number;

  constructor(reason: string, consumed: number, lined = consumed) {
    super(reason);
    this.name = 'JsonProblem';
    this.consumed = consumed;
    this.lined = lined;
  }
}

/** Values that may start at a place, as Jackson lists them. */
export const VALID_TOKENS = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/** Describes an unexpected character: `'x' (code 120)`. Source: Jackson 2.15, ParserMinimalBase. */
export function characterText(unit: number): string {
  if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) return `(CTRL-CHAR, code ${unit})`;
  const code = unit > 255 ? `${unit} / 0x${unit.toString(16)}` : `${unit}`;
  return `'${String.fromCharCode(unit)}' (code ${code})`;
}

/** Returns the problem of a character that cannot be at its place. */
export function unexpectedCharacter(unit: number, expected: string, consumed: number): JsonProblem {
  return new JsonProblem(`Unexpected character (${characterText(unit)}): ${expected}`, consumed);
}

const IDENTIFIER_START = /[\p{L}\p{Nl}\p{Sc}\p{Pc}]/u;
const IDENTIFIER_PART = /[\p{L}\p{Nl}\p{Sc}\p{Pc}\p{Nd}\p{Mn}\p{Mc}\p{Cf}\u0000-\u0008\u000e-\u001b\u007f-\u009f]/u;

/** Reports whether a UTF-16 code unit can start a Java identifier. Jackson splits invalid input into such identifiers. */
export function startsIdentifier(unit: number): boolean {
  return IDENTIFIER_START.test(String.fromCharCode(unit));
}

/** Reports whether a UTF-16 code unit can continue a Java identifier. */
export function continuesIdentifier(unit: number): boolean {
  return IDENTIFIER_PART.test(String.fromCharCode(unit));
}
