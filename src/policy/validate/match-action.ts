import { takeSteps } from '../steps.ts';
import type { ActionReference, AuthorizationReference } from './reference.ts';
import type { PolicyView, StatementView } from './view.ts';
import { hasWildcard } from './wildcards.ts';

/** Returns how a statement applies to an action: by name, by a wildcard or by `NotAction`. Returns `undefined` if it does not apply. */
export function reachOf(statement: StatementView, action: string): 'name' | 'wildcard' | 'notAction' | undefined {
  if (statement.notAction !== undefined)
    return statement.notAction.items.some(({ matches }) => matches(action.toLowerCase())) ? undefined : 'notAction';
  const reaching = statement.action?.items.filter(({ matches }) => matches(action.toLowerCase())) ?? [];
  if (reaching.length === 0) return undefined;
  return reaching.some(({ value }) => !hasWildcard(value)) ? 'name' : 'wildcard';
}

const REACHED = new WeakMap<StatementView, readonly ActionReference[]>();

/** The actions of fully known services that an `Action` element reaches. Computed once for each statement. */
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
