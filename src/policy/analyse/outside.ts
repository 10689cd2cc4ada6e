/**
 * Finds the principals outside of a zone of trust that a resource-based policy allows. The result is never too small: a
 * principal is absent only if a proof excludes every request of it. The search does no evaluation of example requests.
 */
import { compilePolicy, documentOf } from '../compile.ts';
import type { CompiledPolicy } from '../compiled-policy.ts';
import { type Glob, newGlob } from '../glob.ts';
import { matchesText } from '../glob-match.ts';
import type { ActionPattern, ArnPattern, ConditionTest, LoweredStatement } from '../lowered.ts';
import { type StepBudget, StepsExceeded, takeSteps } from '../steps.ts';
import { complementOf, contradict } from './condition-proof.ts';
import { knownResult, type Narrowed, narrowedBy } from './outside-conditions.ts';
import { deniesAll, isAnyone, type OutsidePrincipal, outsidePrincipals, type ZoneOfTrust } from './outside-principals.ts';
import { actionCovers, actionsMeet, arnCovers, arnsMeet, covers } from './proof.ts';

/** Resource with a resource-based policy, or type of such resources. */
export interface AnalyzedResource {
  /** Prefix of the actions of the resource: `s3`. Statements about other actions do not count. Absent if it is not known. */
  readonly service?: string;
  /** ARN patterns of the resource. Statements about other resources do not count. Absent in trust policies, and if they are not known. */
  readonly resources?: readonly string[];
}

/** Access of one principal outside of the zone, by one statement. */
export interface OutsideGrant extends Narrowed {
  /** Index of the statement, from 0. */
  readonly statement: number;
  readonly sid?: string;
  readonly principal: OutsidePrincipal;
  /** Patterns of actions as in the policy. If `negated`, all actions except these. */
  readonly actions: { readonly negated: boolean; readonly patterns: readonly string[] };
}

/**
 * Returns the principals outside of the zone that a policy allows: one result for each statement and principal.
 *
 * If the proofs need more steps than the budget has, the rest of the result ignores Deny statements and conditions.
 *
 * Assumed: a statement without a resource applies to the resource that has the policy. An example of CheckNoPublicAccess in
 * the model has such a statement.
 */
export function outsideGrants(
  policy: CompiledPolicy,
  { service, resources }: AnalyzedResource,
  zone: ZoneOfTrust,
  budget: StepBudget,
): readonly OutsideGrant[] {
  const { statements } = policy.lowered;
  const analyzed = resources && patternsOf(resources);
  const denials = once(() =>
    statements.filter(({ effect }) => effect === 'Deny').map((denial) => limitedDenial(denial, service, analyzed, budget)),
  );
  return statements.flatMap((statement, index) => {
    if (statement.effect !== 'Allow') return [];
    const named = { statement: index, ...(statement.sid === undefined || statement.sid === '' ? {} : { sid: statement.sid }) };
    const written = writtenActions(policy, index);
    const actions = once(() => analyzedActions(statement, service, budget));
    const own = once(() => analyzedResources(statement, analyzed, budget));
    return outsidePrincipals(statement, zone).flatMap((principal): OutsideGrant[] => {
      const parts = unlessExceeded(budget, () => remainingParts({ statement, denials, principal, zone, actions, resources: own, budget }));
      if (parts === 'exceeded')
        return [{ ...named, principal, actions: { negated: statement.actions.not, patterns: written }, ...unnarrowed(principal) }];
      if (parts.length === 0) return [];
      const remaining = new Set(parts.map(({ action }) => action));
      const kept = statement.actions.not ? written : written.filter((_, i) => remaining.has(i));
      return [{ ...named, principal, actions: { negated: statement.actions.not, patterns: kept }, ...common(parts) }];
    });
  });
}

/** Returns a function that computes a value at its first call that succeeds. The value is the same for all principals of a statement. */
function once<Value>(compute: () => Value): () => Value {
  let computed: { readonly value: Value } | undefined;
  return () => (computed ??= { value: compute() }).value;
}

function unlessExceeded<Value>(budget: StepBudget, prove: () => Value): Value | 'exceeded' {
  if (budget.stepsLeft <= 0) return 'exceeded';
  try {
    return prove();
  } catch (error) {
    if (error instanceof StepsExceeded) return 'exceeded';
    throw error;
  }
}

function unnarrowed(principal: OutsidePrincipal): Narrowed {
  return { condition: {}, isPublic: isAnyone(principal) };
}

function patternsOf(resources: readonly string[]): readonly ArnPattern[] {
  const { lowered } = compilePolicy(JSON.stringify({ Statement: { Effect: 'Allow', Action: '*', Resource: resources } }));
  return lowered.statements[0]?.resources?.patterns ?? [];
}

function writtenActions(policy: CompiledPolicy, index: number): readonly string[] {
  const node = documentOf(policy).statements[index];
  return (node?.action ?? node?.notAction)?.values.map(({ value }) => value) ?? [];
}

/** Returns the keys that are common to all parts of a statement. */
function common(parts: readonly Narrowed[]): Narrowed {
  const [first, ...others] = parts;
  const condition = Object.entries(first?.condition ?? {}).filter(([key, value]) =>
    others.every((other) => other.condition[key] === value),
  );
  return { condition: Object.fromEntries(condition), isPublic: parts.some(({ isPublic }) => isPublic) };
}

interface Analyzed {
  readonly statement: LoweredStatement;
  readonly denials: () => readonly LoweredStatement[];
  readonly principal: OutsidePrincipal;
  readonly zone: ZoneOfTrust;
  /** Actions and resources of the statement, limited to the analyzed resource. */
  readonly actions: () => readonly AnalyzedAction[];
  readonly resources: () => readonly AnalyzedResources[];
  readonly budget: StepBudget;
}

/** Access that remains for one action and one resource of a statement. `action` is the index of the action pattern. */
interface Part extends Narrowed {
  readonly action: number;
}

/** Returns the parts of a statement (one action and one resource each) for which no proof excludes the principal. */
function remainingParts({ statement, denials, principal, zone, actions, resources, budget }: Analyzed): readonly Part[] {
  const applicable = denials()
    .filter((denial) => {
      takeSteps(budget, 2 + (denial.principals?.entries.length ?? 0));
      return deniesAll(denial, principal, zone);
    })
    .flatMap((denial) => withoutKnown(denial, principal, budget));
  const { conditions } = statement;
  const unlessDenied = once(() => narrowedBy(conditions, principal, zone, budget));
  if (applicable.length === 0) {
    takeSteps(budget, 4 + actions().length);
    const narrowed = resources().length === 0 ? undefined : unlessDenied();
    return narrowed === undefined ? [] : actions().map(({ action }) => ({ action, ...narrowed }));
  }
  return actions().flatMap(({ action, forms }) =>
    resources().flatMap((sets): Part[] => {
      takeSteps(budget, 16);
      const variants = forms.flatMap((form) =>
        sets.map((set) => ({ ...statement, actions: form, ...(set === undefined ? {} : { resources: set }) })),
      );
      if (applicable.some((denial) => variants.some((part) => covers(denial, part, 'identity', budget)))) return [];
      const left = applicable.flatMap((denial) => complement(denial, variants, budget));
      const all = [...conditions, ...left];
      if (left.length > 0 && contradict(all, all, budget)) return [];
      const narrowed = left.length === 0 ? unlessDenied() : narrowedBy(all, principal, zone, budget);
      return narrowed === undefined ? [] : [{ action, ...narrowed }];
    }),
  );
}

/** Removes the tests of a Deny that hold for every caller that the principal names. Removes the Deny if a test never holds. */
function withoutKnown(denial: LoweredStatement, principal: OutsidePrincipal, budget: StepBudget): readonly LoweredStatement[] {
  const results = denial.conditions.map((test) => knownResult(test, principal, budget));
  return results.includes(false) ? [] : [{ ...denial, conditions: denial.conditions.filter((_, i) => results[i] === undefined) }];
}

/** Returns the tests that hold for every request that a Deny with one condition does not deny. */
function complement(denial: LoweredStatement, variants: readonly LoweredStatement[], budget: StepBudget): readonly ConditionTest[] {
  const [test, ...others] = denial.conditions;
  if (test === undefined || others.length > 0) return [];
  const opposite = complementOf(test);
  if (opposite === undefined) return [];
  return variants.some((part) => covers({ ...denial, conditions: [] }, part, 'identity', budget)) ? opposite : [];
}

/**
 * Returns a Deny whose NotAction and NotResource have only the patterns that can match the analyzed actions and resources. The
 * others exempt none of them.
 */
function limitedDenial(
  denial: LoweredStatement,
  service: string | undefined,
  analyzed: readonly ArnPattern[] | undefined,
  budget: StepBudget,
): LoweredStatement {
  const { actions, resources } = denial;
  takeSteps(budget, 2 + (actions.not ? actions.patterns.length : 0) + (resources?.not === true ? resources.patterns.length : 0));
  const all = service === undefined ? undefined : actionOf(service, MANY);
  const exempt = actions.not && all !== undefined ? actions.patterns.filter((each) => actionsMeet(each, all, budget)) : actions.patterns;
  if (resources?.not !== true || analyzed === undefined) return { ...denial, actions: { ...actions, patterns: exempt } };
  const patterns = resources.patterns.filter((each) => analyzed.some((own) => arnsMeet(each, own, budget)));
  return { ...denial, actions: { ...actions, patterns: exempt }, resources: { not: true, patterns } };
}

const MANY: Glob = newGlob([{ kind: 'many' }]);

function actionOf(service: string, name: Glob): ActionPattern {
  return { everything: false, service: newGlob([{ kind: 'text', text: service }]), name };
}

/** One action of a statement. Each form includes all actions of the service that it matches. The last form can include more. */
interface AnalyzedAction {
  readonly action: number;
  readonly forms: readonly LoweredStatement['actions'][];
}

/** Returns the actions of a statement, limited to a service. */
function analyzedActions({ actions }: LoweredStatement, service: string | undefined, budget: StepBudget): readonly AnalyzedAction[] {
  if (actions.not) {
    if (service === undefined) return [{ action: 0, forms: [actions] }];
    const all = actionOf(service, MANY);
    if (actions.patterns.some((pattern) => actionCovers(pattern, all, budget))) return [];
    return [{ action: 0, forms: [actions, { not: false, patterns: [all] }] }];
  }
  return actions.patterns.flatMap((pattern, action): AnalyzedAction[] => {
    takeSteps(budget, 4);
    if (service === undefined) return [{ action, forms: [{ not: false, patterns: [pattern] }] }];
    if (!pattern.everything && !matchesText(pattern.service, service, 0, service.length, budget)) return [];
    return [{ action, forms: [{ not: false, patterns: [actionOf(service, pattern.everything ? MANY : pattern.name)] }] }];
  });
}

/**
 * Resources of a statement, in one or more forms. Each form includes all analyzed resources that the statement matches. A form of
 * `undefined` means all resources.
 */
type AnalyzedResources = readonly LoweredStatement['resources'][];

/** Returns the resources of a statement, limited to the analyzed resource. */
function analyzedResources(
  { resources }: LoweredStatement,
  analyzed: readonly ArnPattern[] | undefined,
  budget: StepBudget,
): readonly AnalyzedResources[] {
  const only = (pattern: ArnPattern) => ({ not: false, patterns: [pattern] });
  if (analyzed === undefined)
    return resources === undefined || resources.not ? [[resources]] : resources.patterns.map((each) => [only(each)]);
  if (resources === undefined) return analyzed.map((own) => [only(own)]);
  const { not, patterns } = resources;
  return analyzed.flatMap((own): readonly AnalyzedResources[] => {
    if (patterns.some((pattern) => arnCovers(pattern, own, budget))) return not ? [] : [[only(own)]];
    if (not) return [[only(own), resources]];
    return patterns.filter((pattern) => arnsMeet(pattern, own, budget)).map((each) => [only(each)]);
  });
}
