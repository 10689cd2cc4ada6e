/** Removes unused permissions from policies. */
import { compileSteps, documentOf, tryCompilePolicy } from '../compile.ts';
import { inCurrentVersion } from '../current-version.ts';
import type { StatementNode, TextNode, TextsNode } from '../document.ts';
import { matchesText } from '../glob-match.ts';
import type { ActionPattern, LoweredStatement } from '../lowered.ts';
import { type StepBudget, takeSteps } from '../steps.ts';
import type { ActionNames } from './granted-actions.ts';

/** Permissions that a policy must not allow any more, and actions that it must continue to allow. */
export interface UnusedPermissions {
  /** Prefixes of services of which no action was used. */
  readonly services: readonly string[];
  /** Names of unused actions, by the prefix of their service. */
  readonly actions: Readonly<Record<string, readonly string[]>>;
  /** Used actions: `chime:GetMeeting`. They can be newer than the reference. */
  readonly used: readonly string[];
}

/**
 * Policy without unused permissions.
 *
 * - `unchanged`: the policy allows no unused action.
 * - `empty`: the policy allows no used action, and denies nothing.
 * - `not-action`: a statement has NotAction. A list of actions cannot replace it, because services add actions.
 * - `invalid`: the document is not a policy.
 */
export type TrimmedPolicy =
  | { readonly kind: 'unchanged' | 'empty' | 'not-action' | 'invalid' }
  | { readonly kind: 'trimmed'; readonly document: string };

/**
 * Removes unused actions from the Allow statements of a policy. A pattern that matches an unused action is replaced by the other actions that it
 * matches. The rest of the document stays as it is, character by character: the Deny statements, resources and conditions. Only a policy in an
 * earlier version of the language is written in the current one, because a managed policy must have it.
 *
 * The result allows each used action for the same requests as before. It allows nothing that the policy did not allow.
 *
 * @throws StepsExceeded  the analysis exceeds its budget
 */
export function trimmedPolicy(text: string, unused: UnusedPermissions, reference: ActionNames, budget: StepBudget): TrimmedPolicy {
  takeSteps(budget, compileSteps(text));
  const compiled = tryCompilePolicy(text);
  if (!('policy' in compiled)) return { kind: 'invalid' };
  const { statements: lowered } = compiled.policy.lowered;
  if (lowered.some(({ actions }) => actions.not)) return { kind: 'not-action' };
  const { root, statements } = documentOf(compiled.policy);
  const trim = actionTrimming(unused, reference, budget);
  const kept: string[] = [];
  let isChanged = false;
  for (const statement of statements) {
    const { start, end } = statement.node;
    const whole = text.slice(start, end);
    const replaced = replacedActions(statement, lowered[statement.index] as LoweredStatement, trim);
    if (replaced === undefined) {
      kept.push(whole);
      continue;
    }
    isChanged = true;
    if (replaced.length === 0) continue;
    const { node } = statement.action as TextsNode;
    kept.push(`${text.slice(start, node.start)}${JSON.stringify(replaced)}${text.slice(node.end, end)}`);
  }
  if (!isChanged) return { kind: 'unchanged' };
  if (kept.length === 0) return { kind: 'empty' };
  const list = root.members.find(({ name }) => name.value === 'Statement');
  if (list === undefined) return { kind: 'invalid' };
  const { start, end } = list.value;
  return { kind: 'trimmed', document: inCurrentVersion(`${text.slice(0, start)}[${kept.join(',')}]${text.slice(end)}`) };
}

/** Returns the actions in place of one pattern. Undefined if the pattern matches no unused action. */
type TrimPattern = (pattern: ActionPattern, written: TextNode) => readonly string[] | undefined;

/** Returns the actions of a statement without the unused ones. Undefined if the statement stays as it is. */
function replacedActions({ action }: StatementNode, { effect, actions }: LoweredStatement, trim: TrimPattern): string[] | undefined {
  if (effect === 'Deny' || action === undefined) return undefined;
  const trimmed = action.values.map((written, i) => trim(actions.patterns[i] as ActionPattern, written));
  if (trimmed.every((each) => each === undefined)) return undefined;
  return [...new Set(trimmed.flatMap((each, i) => each ?? [(action.values[i] as TextNode).value]))];
}

/** Creates the function that replaces the patterns of a policy. */
function actionTrimming(unused: UnusedPermissions, reference: ActionNames, budget: StepBudget): TrimPattern {
  const unusedServices = new Set(unused.services);
  const unusedNames = new Map(Object.entries(unused.actions).map(([prefix, names]) => [prefix, namesByKey(names)]));
  const usedNames = new Map<string, string[]>();
  for (const action of unused.used) {
    const colon = action.indexOf(':');
    const prefix = action.slice(0, colon);
    usedNames.set(prefix, [...(usedNames.get(prefix) ?? []), action.slice(colon + 1)]);
  }
  const known = new Map<string, ReadonlyMap<string, string>>();
  const prefixes = [...new Set([...reference.services, ...usedNames.keys()])];
  const matches = (glob: ActionPattern['name'], text: string): boolean => matchesText(glob, text, 0, text.length, budget);

  /** Returns the actions of a service in place of a pattern. Undefined if the pattern matches no unused action of it. */
  function ofService(prefix: string, pattern: ActionPattern): readonly string[] | undefined {
    if (unusedServices.has(prefix)) return [];
    const names = unusedNames.get(prefix);
    const isMatch = (name: string): boolean => pattern.everything || matches(pattern.name, name.toLowerCase());
    if (names === undefined || ![...names.values()].some(isMatch)) return undefined;
    return [...knownNames(prefix)].filter(([key, name]) => !names.has(key) && isMatch(name)).map(([, name]) => `${prefix}:${name}`);
  }

  function knownNames(prefix: string): ReadonlyMap<string, string> {
    let names = known.get(prefix);
    if (names === undefined) {
      names = namesByKey([...(reference.actionsOf(prefix) ?? []).map(({ name }) => name), ...(usedNames.get(prefix) ?? [])]);
      known.set(prefix, names);
    }
    return names;
  }

  return (pattern, { value }) => {
    const matched = prefixes.filter((prefix) => pattern.everything || matches(pattern.service, prefix));
    const replaced = matched.map((prefix) => ({ prefix, actions: ofService(prefix, pattern) }));
    if (replaced.every(({ actions }) => actions === undefined)) return undefined;
    const name = pattern.everything ? '*' : value.slice(value.indexOf(':') + 1);
    return replaced.flatMap(({ prefix, actions }) => actions ?? [`${prefix}:${name}`]);
  };
}

/** Returns names by their lower-case form, because policies compare actions without case. */
function namesByKey(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [name.toLowerCase(), name]));
}
