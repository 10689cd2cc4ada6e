import { takeSteps } from '../steps.ts';
import { isService } from './known-services.ts';
import { actionsReached, longest, redundantGroups } from './match-action.ts';
import { nearest } from './nearest.ts';
import { conditionKeysOf, keysOfAction } from './reference.ts';
import { EVERY, type Hit, type Rule } from './rule.ts';
import type { Item, PolicyView, StatementView } from './view.ts';
import { globCovers, hasWildcard } from './wildcards.ts';

/** Rules about the values of Action and NotAction. */
// biome-ignore format: a table
export const ACTION_RULES: readonly Rule[] = [
  { code: 'INVALID_SERVICE_IN_ACTION',            policyTypes: EVERY,     find: unknownServices },
  { code: 'INVALID_ACTION',                       policyTypes: EVERY,     find: unknownActions },
  { code: 'WILDCARD_IN_SERVICE_NAME',             policyTypes: EVERY,     find: wildcardServices },
  { code: 'REDUNDANT_ACTION',                     policyTypes: EVERY,     find: redundantActions },
  { code: 'UNSUPPORTED_ACTION_IN_POLICY',         policyTypes: ['trust'], find: notForTrust },
  { code: 'UNSUPPORTED_ACTION_FOR_CONDITION_KEY', policyTypes: EVERY,     find: unsupportedForKey },
  { code: 'MISSING_ACTION_FOR_CONDITION_KEY',     policyTypes: EVERY,     find: noActionForKey },
];

function actionItems({ action, notAction }: StatementView): readonly Item[] {
  return (action ?? notAction)?.items ?? [];
}

/** Splits `chime:CreateMeeting`. Returns `undefined` for `*`. A value without a colon is a prefix with an empty name. */
function partsOf(value: string): { readonly prefix: string; readonly name: string } | undefined {
  if (value === '*') return undefined;
  const colon = value.indexOf(':');
  return colon < 0 ? { prefix: value, name: '' } : { prefix: value.slice(0, colon), name: value.slice(colon + 1) };
}

function* unknownServices({ statements, reference, budget }: PolicyView): Iterable<Hit> {
  for (const item of statements.flatMap(actionItems)) {
    const parts = partsOf(item.value);
    if (parts === undefined || hasWildcard(parts.prefix) || isService(reference, parts.prefix.toLowerCase())) continue;
    const near = nearest(parts.prefix, reference.services, budget);
    yield { at: item, parts: [parts.prefix, near === undefined ? '' : ` Did you mean ${near}?`] };
  }
}

function* unknownActions({ statements, reference, budget }: PolicyView): Iterable<Hit> {
  for (const item of statements.flatMap(actionItems)) {
    const parts = partsOf(item.value);
    if (parts === undefined || hasWildcard(parts.prefix)) continue;
    const { prefix, name } = parts;
    const known = reference.actionsOf(prefix);
    if (known === undefined) {
      // The reference has the prefix of this service, but not its actions. So a name can be valid, but an empty name is
      // always invalid.
      if (name === '' && isService(reference, prefix.toLowerCase())) yield { at: item, parts: [item.value, ''] };
      continue;
    }
    if (hasWildcard(name)) {
      if (!known.some((action) => item.matches(`${action.prefix}:${action.name}`.toLowerCase())))
        yield { at: item, parts: [item.value, ''] };
      continue;
    }
    if (reference.actionOf(prefix, name) !== undefined) continue;
    const near = nearest(
      name,
      known.map((action) => action.name),
      budget,
    );
    yield { at: item, parts: [item.value, near === undefined ? '' : ` Did you mean ${prefix.toLowerCase()}:${near}?`] };
  }
}

function* wildcardServices({ statements }: PolicyView): Iterable<Hit> {
  for (const item of statements.flatMap(actionItems)) {
    const parts = partsOf(item.value);
    if (parts !== undefined && hasWildcard(parts.prefix)) yield { at: item };
  }
  for (const item of statements.flatMap(({ resource, notResource }) => (resource ?? notResource)?.items ?? [])) {
    const service = item.value.split(':', 3)[2] ?? '';
    if (hasWildcard(service)) yield { at: item };
  }
}

function* redundantActions({ statements, budget }: PolicyView): Iterable<Hit> {
  for (const statement of statements) {
    const groups = redundantGroups(
      actionItems(statement).map((item) => ({ ...item, value: item.value.toLowerCase(), written: item.value })),
      (wider, narrower) => wider === '*' || (narrower.includes(':') && globCovers(wider, narrower, budget)),
    );
    for (const items of groups) {
      yield { at: items, parts: [String(items.length), longest(items.map(({ written }) => written))] };
    }
  }
}

function* notForTrust({ statements }: PolicyView): Iterable<Hit> {
  for (const item of statements.flatMap(actionItems)) {
    const parts = partsOf(item.value);
    if (parts !== undefined && parts.prefix.toLowerCase() === 'sts') continue;
    yield { at: item, parts: [item.value, 'AWS::IAM::AssumeRolePolicyDocument'] };
  }
}

/**
 * Returns the prefix of the service whose actions support a condition key. Returns `undefined` if the reference does
 * not have the actions of this service, or if no action or resource type of the service has the key. The keys of
 * identity providers, such as `cognito-identity.amazonaws.com:aud`, belong to STS.
 */
function servicePrefix(key: string, view: PolicyView): string | undefined {
  const written = key.slice(0, Math.max(key.indexOf(':'), 0)).toLowerCase();
  const prefix = written === 'saml' || written.includes('.') ? 'sts' : written;
  if (prefix === '' || prefix === 'aws' || view.reference.actionsOf(prefix) === undefined) return undefined;
  const known = view.reference.conditionKey(key);
  // Some condition keys of a service describe its principals. The reference lists these keys without an action.
  return known !== undefined && conditionKeysOf(view.reference, prefix).has(known.key) ? prefix : undefined;
}

function* unsupportedForKey(view: PolicyView): Iterable<Hit> {
  for (const statement of view.statements) {
    const named = (statement.action?.items ?? []).filter(({ value }) => !hasWildcard(value));
    for (const test of statement.tests) {
      if (servicePrefix(test.key, view) === undefined || test.known === undefined) continue;
      const { key } = test.known;
      takeSteps(view.budget, named.length * 4);
      const supports = ({ value }: Item): boolean | undefined => {
        const [prefix = '', name = ''] = value.split(':');
        const action = view.reference.actionOf(prefix, name);
        return action && keysOfAction(view.reference, action).has(key);
      };
      const unsupported = named.filter((item) => supports(item) === false);
      // If no action supports the key, the finding is MISSING_ACTION_FOR_CONDITION_KEY.
      if (unsupported.length === 0 || !reachesKey(statement, key, view)) continue;
      yield { at: [...unsupported, test], parts: [unsupported.map(({ value }) => value).join(', '), test.key] };
    }
  }
}

function* noActionForKey(view: PolicyView): Iterable<Hit> {
  for (const statement of view.statements) {
    if (statement.action === undefined || statement.action.items.length === 0) continue;
    for (const test of statement.tests) {
      const prefix = servicePrefix(test.key, view);
      if (prefix === undefined || test.known === undefined || reachesKey(statement, test.known.key, view)) continue;
      const { key } = test.known;
      const example = view.reference.actionsOf(prefix)?.find((action) => keysOfAction(view.reference, action).has(key));
      if (example === undefined) continue;
      const action = `${prefix}:${example.name}`;
      yield { at: test, parts: [action, test.key, action] };
    }
  }
}

function reachesKey(statement: StatementView, key: string, view: PolicyView): boolean {
  if (statement.action?.items.some(({ value }) => value === '*')) return true;
  return actionsReached(statement, view).some((action) => keysOfAction(view.reference, action).has(key));
}
