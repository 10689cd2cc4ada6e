import { codesMatch, readPattern, toCodes } from '../pattern.ts';
import type { ActionReference, AuthorizationReference } from './reference.ts';
import type { StatementView } from './view.ts';

/** Compiles a pattern with wildcards to a function that reports whether the pattern matches a whole string. Ignores policy variables. */
export function globOf(pattern: string): (text: string) => boolean {
  const read = readPattern(pattern, true, false);
  const codes = toCodes('problem' in read ? [] : read.pieces);
  return (text) => codesMatch(codes, 0, codes.length, text, 0, text.length);
}

/**
 * Reports whether every string that `narrower` matches also matches `wider`.
 *
 * `true` is always correct. `false` may be wrong for patterns with both kinds of wildcard.
 */
export function globCovers(wider: string, narrower: string): boolean {
  if (wider === narrower) return true;
  // A `?` in the wider pattern could match a `*` in the narrower one, which matches more than one character.
  if (wider.includes('?') && narrower.includes('*')) return false;
  return globOf(wider)(narrower);
}

/** Reports whether a string contains `*` or `?`. */
export function hasWildcard(text: string): boolean {
  return text.includes('*') || text.includes('?');
}

/** Returns how a statement applies to an action: by name, by a wildcard or by `NotAction`. Returns `undefined` if it does not apply. */
export function reachOf(statement: StatementView, action: string): 'name' | 'wildcard' | 'notAction' | undefined {
  if (statement.notAction !== undefined)
    return statement.notAction.items.some(({ matches }) => matches(action.toLowerCase())) ? undefined : 'notAction';
  const reaching = statement.action?.items.filter(({ matches }) => matches(action.toLowerCase())) ?? [];
  if (reaching.length === 0) return undefined;
  return reaching.some(({ value }) => !hasWildcard(value)) ? 'name' : 'wildcard';
}

/**
 * Returns the actions to which an `Action` element applies, each once.
 *
 * Omits actions of services of which the reference knows only the name, and the actions of a lone `*`.
 */
export function actionsReached(statement: StatementView, reference: AuthorizationReference): readonly ActionReference[] {
  const reached = new Set<ActionReference>();
  for (const { value, matches } of statement.action?.items ?? []) {
    const colon = value.indexOf(':');
    if (colon < 0) continue;
    const name = value.slice(colon + 1);
    if (!hasWildcard(name)) {
      const action = reference.actionOf(value.slice(0, colon), name);
      if (action !== undefined) reached.add(action);
      continue;
    }
    for (const action of reference.actionsOf(value.slice(0, colon)) ?? []) {
      if (matches(`${action.prefix}:${action.name}`.toLowerCase())) reached.add(action);
    }
  }
  return [...reached];
}

/** Returns the items of a list that another item makes redundant: repetitions, and items that a wildcard covers. */
export function redundantIn<T extends { readonly value: string }>(
  items: readonly T[],
  covers: (wider: string, narrower: string) => boolean,
): readonly T[] {
  // The work is items times wildcards. The limit bounds it: policies rarely have more wildcards, and the finding is only a suggestion.
  const wildcards = items.filter(({ value }) => hasWildcard(value)).slice(0, 100);
  const seen = new Set<string>();
  return items.filter((item) => {
    if (seen.has(item.value)) return true;
    seen.add(item.value);
    return wildcards.some((wider) => wider !== item && wider.value !== item.value && covers(wider.value, item.value));
  });
}
