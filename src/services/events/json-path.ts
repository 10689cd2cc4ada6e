/** Paths in events, as InputPath and InputPathsMap use them. */

/** Steps of a path: names of members and indexes of elements. */
export type JsonPath = readonly (string | number)[];

/**
 * Parses a path in dot notation. Returns `undefined` if it is invalid. Takes one step for each character.
 *
 *     parseJsonPath('$.detail.items[0]') → ['detail', 'items', 0]
 *
 * Source: cdk-preflight, rule `pf-events-input-path-jsonpath`, measured on AWS in September 2026: a path begins with `$`, numeric indexes
 * and a bare `$` are valid, quoted names in brackets are not.
 * Assumed: wildcards, filters and `..` are invalid too.
 */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (!text.startsWith('$')) return undefined;
  const steps: (string | number)[] = [];
  for (let i = 1; i < text.length; ) {
    const end = endOfStep(text, i + 1);
    if (text[i] === '.') {
      const name = text.slice(i + 1, end);
      if (name === '' || name.includes('*') || name.includes(']')) return undefined;
      steps.push(name);
      i = end;
    } else if (text[i] === '[') {
      const close = text.indexOf(']', i);
      const index = close < 0 ? '' : text.slice(i + 1, close);
      if (!/^\d{1,9}$/.test(index)) return undefined;
      steps.push(Number(index));
      i = close + 1;
    } else return undefined;
  }
  return steps;
}

function endOfStep(text: string, from: number): number {
  let i = from;
  while (i < text.length && text[i] !== '.' && text[i] !== '[') i++;
  return i;
}

/** Returns the value at a path, or `undefined` if there is none. */
export function valueAt(root: unknown, path: JsonPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) !== (typeof step === 'number')) return undefined;
    if (!Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[step];
  }
  return value;
}
