import { omitUndefined } from '#core/omit-undefined.ts';
import { type Cursor, invalidHere, isWordCharacter, readTest, skipSpace, take } from './cursor.ts';
import type { Field, FieldsPattern, ValueTest } from './pattern.ts';

/**
 * Parses a pattern for events whose fields are separated by spaces: `[ip, user, ..., status = 4* || status = 500, bytes > 1000]`.
 *
 * @throws PatternProblem  the syntax is wrong · `...` is repeated · two fields have one name, or a condition names another field
 * Assumed: the last two.
 */
export function parseFields(cursor: Cursor): FieldsPattern {
  take(cursor, '[');
  const first: Field[] = [];
  let last: Field[] | undefined;
  const names = new Set<string>();
  do {
    skipSpace(cursor);
    if (take(cursor, '...')) {
      if (last !== undefined) throw invalidHere(cursor);
      last = [];
      continue;
    }
    const from = cursor.at;
    const field = readField(cursor);
    if (field.name !== undefined && names.has(field.name)) throw invalidHere({ ...cursor, at: from });
    if (field.name !== undefined) names.add(field.name);
    (last ?? first).push(field);
  } while (take(cursor, ','));
  if (!take(cursor, ']')) throw invalidHere(cursor);
  skipSpace(cursor);
  if (cursor.at < cursor.text.length) throw invalidHere(cursor);
  return { kind: 'fields', first, ...omitUndefined({ last }) };
}

function readField(cursor: Cursor): Field {
  const name = readName(cursor);
  if (name === undefined) return { anyOf: [] };
  const test = readTest(cursor);
  if (test === undefined) return { name, anyOf: [] };
  const anyOf: ValueTest[][] = [[test]];
  for (;;) {
    const isAnd = take(cursor, '&&');
    if (!isAnd && !take(cursor, '||')) return { name, anyOf };
    skipSpace(cursor);
    const from = cursor.at;
    const next = readName(cursor) === name ? readTest(cursor) : undefined;
    if (next === undefined) throw invalidHere({ ...cursor, at: from });
    if (isAnd) anyOf.at(-1)?.push(next);
    else anyOf.push([next]);
  }
}

function readName(cursor: Cursor): string | undefined {
  skipSpace(cursor);
  const from = cursor.at;
  while (cursor.at < cursor.text.length && (isWordCharacter(cursor.text.charAt(cursor.at)) || cursor.text.charAt(cursor.at) === '-'))
    cursor.at++;
  return cursor.at === from ? undefined : cursor.text.slice(from, cursor.at);
}
