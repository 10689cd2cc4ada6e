import { takeSteps } from '../steps.ts';
import type { ActionReference, AuthorizationReference } from './reference.ts';
import type { Place, PolicyView, StatementView } from './view.ts';
import { hasWildcard } from './wildcards.ts';

/**
 * How a statement applies to an action: by name, by a wildcard or by `NotAction`. `places` has the matching values of
 * `Action`, or the `NotAction` element.
 */
export interface Reach {
  readonly by: 'name' | 'wildcard' | 'notAction';
  readonly places: readonly Place[];
}

/** Returns how a statement applies to an action, or `undefined` if it does not apply. */
export function reachOf({ action, notAction }: StatementView, name: string): Reach | undefined {
  const lowerCase = name.toLowerCase();
  if (notAction !== undefined) {
    return notAction.items.some(({ matches }) => matches(lowerCase)) ? undefined : { by: 'notAction', places: [notAction] };
  }
  const places = action?.items.filter(({ matches }) => matches(lowerCase)) ?? [];
  if (places.length === 0) return undefined;
  return { by: places.some(({ value }) => !hasWildcard(value)) ? 'name' : 'wildcard', places };
}

const REACHED = new WeakMap<StatementView, readonly ActionReference[]>();

/**
 * Returns the actions that a statement's `Action` element matches. Considers only services whose actions are all in the
 * reference. Computes the result once for each statement.
 */
export function actionsReached(
  statement: StatementView,
  { reference, budget }: Pick<PolicyView, 'reference' | 'budget'>,
): readonly ActionReference[] {
  let reached = REACHED.get(statement);
  if (reached === undefined) REACHED.set(statement, (reached = findActions(statement, reference)));
  takeSteps(budget, reached.length);
  return reached;
}

function findActions(statement: StatementView, reference: AuthorizationReference): readonly ActionReference[] {
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

/**
 * Returns the longest string, or the first one if several are equally long. The message about redundant values contains
 * this string.
 *
 * Recorded: responses of ValidatePolicy to AWS managed policies, March 2026.
 */
export function longest(values: readonly string[]): string {
  return values.reduce((long, value) => (value.length > long.length ? value : long), '');
}

/**
 * Returns groups of redundant values, in the order of the list. A group consists of repeated values, values that a
 * wildcard covers, and the value with this wildcard.
 *
 * Recorded: responses of ValidatePolicy to AWS managed policies, March 2026.
 */
export function redundantGroups<T extends { readonly value: string }>(
  items: readonly T[],
  covers: (wider: string, narrower: string) => boolean,
): readonly (readonly T[])[] {
  // The work grows with the number of items times the number of wildcards. So the search uses at most 100 wildcards.
  // Policies rarely have more wildcards, and the finding is only a suggestion.
  const wildcards = items.filter(({ value }) => hasWildcard(value)).slice(0, 100);
  const first = new Map<string, T>();
  /** Parent of each value in a union-find forest. The value without a parent represents its group. */
  const parents = new Map<T, T>();
  const representative = (item: T): T => {
    let at = item;
    for (let next = parents.get(at); next !== undefined; next = parents.get(at)) at = next;
    return at;
  };
  const join = (wider: T, narrower: T): void => {
    const [left, right] = [representative(wider), representative(narrower)];
    if (left !== right) parents.set(right, left);
  };
  for (const item of items) {
    const repeated = first.get(item.value);
    if (repeated === undefined) first.set(item.value, item);
    else join(repeated, item);
    for (const wider of wildcards) {
      if (wider.value !== item.value && covers(wider.value, item.value)) join(wider, item);
    }
  }
  const groups = Map.groupBy(items, representative);
  return [...groups.values()].filter(({ length }) => length > 1);
}
