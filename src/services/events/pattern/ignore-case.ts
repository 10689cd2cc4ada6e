/**
 * Lower and upper forms of each character of a string.
 *
 * A form can be longer than the character: the upper form of `ß` is `SS`, so `straße` matches `STRASSE`, but not
 * `Strasse`. The two forms of a character start and end differently, so a value matches in at most one way.
 *
 * Source: aws/event-ruler `337e8d9`, EqualsIgnoreCaseParser.
 */
export interface CaseForms {
  readonly lower: readonly string[];
  readonly upper: readonly string[];
  /** Length of a value that consists of the forms, if all forms of a character have the same length. */
  readonly length: number | undefined;
}

/** Returns the forms of each UTF-16 code unit of a string. */
export function caseForms(text: string): CaseForms {
  const units = text.split('');
  const lower = units.map((unit) => unit.toLowerCase());
  const upper = units.map((unit) => unit.toUpperCase());
  const equal = lower.every((form, i) => form.length === upper[i]?.length);
  return { lower, upper, length: equal ? lower.join('').length : undefined };
}

/** Reports whether a value consists of one form of each character. */
export function equalsIgnoringCase(value: string, forms: CaseForms): boolean {
  // Values often differ at the end only, so the comparison starts there.
  if (forms.length !== undefined) return forms.length === value.length && endsIgnoringCase(value, forms);
  return formsEnd(value, forms) === value.length;
}

/** Reports whether a value starts with one form of each character. */
export function startsIgnoringCase(value: string, forms: CaseForms): boolean {
  return formsEnd(value, forms) >= 0;
}

/** Reports whether a value ends with one form of each character. */
export function endsIgnoringCase(value: string, { lower, upper }: CaseForms): boolean {
  let end = value.length;
  for (let i = lower.length - 1; i >= 0; i--) {
    const form = value.endsWith(lower[i] as string, end) ? lower[i] : upper[i];
    if (!value.endsWith(form as string, end)) return false;
    end -= (form as string).length;
  }
  return true;
}

/** Returns the index after the forms at the start of a value, or -1. */
function formsEnd(value: string, { lower, upper }: CaseForms): number {
  let at = 0;
  for (let i = 0; i < lower.length; i++) {
    const form = value.startsWith(lower[i] as string, at) ? lower[i] : upper[i];
    if (!value.startsWith(form as string, at)) return -1;
    at += (form as string).length;
  }
  return at;
}
