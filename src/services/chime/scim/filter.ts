import { ScimError } from './scim-error.ts';

/** Most characters of a filter. */
const FILTER_MAX = 1_024;
/** An attribute, `eq` and a text of JSON. */
const EQUALITY = /^ *([A-Za-z][A-Za-z0-9.]{0,63}) +[eE][qQ] +("(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*") *$/;

/** Comparison of an attribute, whose name is in lower case. */
export interface Equality {
  readonly attribute: string;
  readonly value: string;
}

/**
 * Parses a filter. Only comparisons with `eq` are supported, because providers look up a user or a group by its name.
 *
 *     equalityOf('userName eq "ada@example.com"') → { attribute: 'username', value: 'ada@example.com' }
 *
 * The expression is linear: each character matches one alternative.
 * Source: RFC 7644, section 3.4.2.2.
 * @throws ScimError  invalidFilter
 */
export function equalityOf(filter: string): Equality {
  const [, attribute, text] = filter.length > FILTER_MAX ? [] : (EQUALITY.exec(filter) ?? []);
  if (attribute === undefined || text === undefined) throw invalidFilter();
  const value = JSON.parse(text) as string;
  if (!value.isWellFormed() || value.includes('\0')) throw invalidFilter();
  return { attribute: attribute.toLowerCase(), value };
}

export function invalidFilter(): ScimError {
  return new ScimError(400, 'invalidFilter', 'Only a filter with eq on a supported attribute is possible.');
}
