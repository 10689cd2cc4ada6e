/** Strings of a policy that can contain wildcards and variables, split into pieces. `glob.ts` matches them. */

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  /** `*`: any number of characters. */
  | { readonly kind: 'many' }
  /** `?`: exactly one character. */
  | { readonly kind: 'one' }
  /** `${key}` or `${key, 'fallback'}`. The key is in lower case. */
  | { readonly kind: 'variable'; readonly key: string; readonly fallback?: string };

export type ReadPattern = { readonly pieces: readonly Piece[] } | { readonly problem: string };

/**
 * Splits a string into pieces. Without `wildcards`, `*` and `?` are literal. Without `variables` (Version 2008-10-17), `${` is literal.
 *
 * Values and defaults of variables are always literal. They are not parsed again.
 *
 * Source: IAM User Guide, "IAM policy elements: Variables and tags" (`${*}`, `${?}`, `${$}`; defaults: comma, space, single quotes).
 * Assumed: spaces around the key are an error, as in the policy check UNSUPPORTED_SPACE_IN_VARIABLE. A key without a colon is an error.
 */
export function readPattern(text: string, wildcards: boolean, variables: boolean): ReadPattern {
  const pieces: Piece[] = [];
  let literal = '';
  const flush = (): void => {
    if (literal !== '') pieces.push({ kind: 'text', text: literal });
    literal = '';
  };
  for (let i = 0; i < text.length; ) {
    const char = text[i] as string;
    if (wildcards && (char === '*' || char === '?')) {
      flush();
      pieces.push({ kind: char === '*' ? 'many' : 'one' });
      i++;
    } else if (variables && char === '$' && text[i + 1] === '{') {
      const end = variableEnd(text, i + 2);
      if (end < 0) return { problem: "A policy variable has no closing '}'." };
      const inside = text.slice(i + 2, end);
      if (inside === '*' || inside === '?' || inside === '$') {
        literal += inside;
      } else {
        const variable = readVariable(inside);
        if (variable === undefined) return { problem: `Invalid policy variable '\${${inside}}'.` };
        flush();
        pieces.push(variable);
      }
      i = end + 1;
    } else {
      literal += char;
      i++;
    }
  }
  flush();
  return { pieces };
}

/** Returns the offset of the brace that closes a variable. Skips braces in a quoted default. */
function variableEnd(text: string, from: number): number {
  let quoted = false;
  for (let i = from; i < text.length; i++) {
    const char = text[i];
    if (char === "'") quoted = !quoted;
    else if (char === '}' && !quoted) return i;
  }
  return -1;
}

function readVariable(inside: string): Piece | undefined {
  const comma = inside.indexOf(',');
  const key = comma < 0 ? inside : inside.slice(0, comma);
  // The key of a tag can contain spaces, but not at its ends.
  if (key.trim() !== key || key.indexOf(':') < 1 || key.endsWith(':')) return undefined;
  if (key.includes('$') || key.includes('{') || key.includes("'")) return undefined;
  if (comma < 0) return { kind: 'variable', key: key.toLowerCase() };
  const fallback = inside.slice(comma + 1).trim();
  if (fallback.length < 2 || !fallback.startsWith("'") || !fallback.endsWith("'")) return undefined;
  const text = fallback.slice(1, -1);
  return text.includes("'") ? undefined : { kind: 'variable', key: key.toLowerCase(), fallback: text };
}

/**
 * Returns the literal string of pieces without wildcards and variables. Returns `undefined` if there is a wildcard or a
 * variable.
 */
export function plainText(pieces: readonly Piece[]): string | undefined {
  if (pieces.length === 0) return '';
  const [first] = pieces;
  return pieces.length === 1 && first?.kind === 'text' ? first.text : undefined;
}
