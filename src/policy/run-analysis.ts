/** Runs analyses of policies, each with a step budget. A thread loads this file when it runs its first analysis. */
import { checkAccessNotGranted, checkNoNewAccess, checkNoPublicAccess } from './analyse/checks.ts';
import { grantedActions } from './analyse/granted-actions.ts';
import { grantedServices } from './analyse/granted-services.ts';
import { trimmedPolicy } from './analyse/trimmed-policy.ts';
import {
  type Analysis,
  type InvalidPolicy,
  type NamedPolicy,
  type Outcome,
  RESULT_ITEMS_MAX,
  type SimulationAnalysis,
} from './analysis.ts';
import { compileSteps, tryCompilePolicy } from './compile.ts';
import type { CompiledPolicy, SourcedPolicy } from './compiled-policy.ts';
import type { PolicyLayers } from './link.ts';
import { contextKeysOf, type EvaluationResult, simulate } from './simulate.ts';
import { type StepBudget, StepsExceeded, takeSteps } from './steps.ts';
import type { AuthorizationReference } from './validate/reference.ts';
import { validatePolicy } from './validate/validate.ts';

/** Maximum number of context keys in one response. */
const KEYS_MAX = 20_000;

/**
 * Runs an analysis. With `partial`, a simulation that exceeds the budget returns the results so far, if there is at least one.
 *
 * @throws StepsExceeded  the analysis exceeds its budget
 */
export function runAnalysis<Kind extends Analysis['kind']>(
  analysis: Extract<Analysis, { readonly kind: Kind }>,
  reference: AuthorizationReference,
  budget: StepBudget,
  partial: boolean,
): Outcome<Kind> {
  return run(analysis, reference, budget, partial) as Outcome<Kind>;
}

function run(analysis: Analysis, reference: AuthorizationReference, budget: StepBudget, partial: boolean): Outcome {
  const compiled = new Compiling(budget);
  try {
    switch (analysis.kind) {
      case 'simulation':
        return { results: runSimulation(analysis, compiled, budget, partial) };
      case 'context-keys':
        return { keys: keysOf(compiled.all(analysis.policies), budget) };
      case 'validation': {
        const findings = validatePolicy(analysis.text, analysis.policyType, reference, budget);
        return { findings: findings.slice(analysis.from, analysis.to), total: findings.length };
      }
      case 'new-access': {
        const { existing, updated, askedAs } = analysis;
        return { answer: checkNoNewAccess(compiled.one(existing), compiled.one(updated), askedAs, reference, budget) };
      }
      case 'granted-access': {
        const { policy, access, askedAs } = analysis;
        return { answer: checkAccessNotGranted(compiled.one(policy), access, askedAs, reference, budget) };
      }
      case 'public-access':
        return { answer: checkNoPublicAccess(compiled.one(analysis.policy), analysis.resource, budget) };
      case 'granted-services':
        return { services: analysis.documents.map((document) => grantedServices(document, reference.services, budget)) };
      case 'granted-actions':
        return { granted: analysis.documents.map((document) => resultOf(grantedActions(document, reference, budget))) };
      case 'trimming':
        return { trimmed: analysis.documents.map((document) => trimmedPolicy(document, analysis.unused, reference, budget)) };
    }
  } catch (error) {
    if (error instanceof NotAPolicy) return { invalid: error.invalid };
    throw error;
  }
}

/** Returns the result of work that can run in turns, without a pause between the turns. */
function resultOf<Result>(work: Generator<void, Result, void>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** Exception that ends an analysis at the first invalid document. `runAnalysis` catches it. */
class NotAPolicy extends Error {
  readonly invalid: InvalidPolicy['invalid'];

  constructor(invalid: InvalidPolicy['invalid']) {
    super('not a policy');
    this.invalid = invalid;
  }
}

/** Compiles the policies of one analysis, and takes the steps for this from the budget. */
class Compiling {
  readonly #budget: StepBudget;

  constructor(budget: StepBudget) {
    this.#budget = budget;
  }

  one({ policyId, text }: NamedPolicy): CompiledPolicy {
    takeSteps(this.#budget, compileSteps(text));
    const compiled = tryCompilePolicy(text);
    if ('policy' in compiled) return compiled.policy;
    throw new NotAPolicy({ policyId, problem: compiled.problems[0] });
  }

  all(policies: readonly NamedPolicy[]): SourcedPolicy[] {
    return policies.map((named) => ({
      policyId: named.policyId,
      ...(named.policyArn === undefined ? {} : { policyArn: named.policyArn as NonNullable<SourcedPolicy['policyArn']> }),
      policy: this.one(named),
    }));
  }
}

function runSimulation(analysis: SimulationAnalysis, compiled: Compiling, budget: StepBudget, partial: boolean): EvaluationResult[] {
  const { actions, resources, from, count } = analysis;
  const boundary = compiled.all(analysis.boundary);
  const layers: PolicyLayers = {
    identity: compiled.all(analysis.identity),
    ...(boundary.length === 0 ? {} : { boundary }),
    ...(analysis.serviceControl === undefined ? {} : { serviceControl: analysis.serviceControl.map((level) => compiled.all(level)) }),
  };
  const context = new Map(analysis.context);
  const resourcePolicy = analysis.resourcePolicy;
  const [source] = resourcePolicy === undefined ? [] : compiled.all([resourcePolicy.policy]);
  const results: EvaluationResult[] = [];
  let items = 0;
  for (let i = from; i < from + count; i++) {
    const action = actions[Math.floor(i / resources.length)] as string;
    const resource = resources[i % resources.length] as string;
    const policyType = action.toLowerCase().startsWith('sts:assume') ? ('trust' as const) : ('resource' as const);
    try {
      const ofResource = resourcePolicy && source && { resourcePolicy: { ...resourcePolicy, source, policyType } };
      const [result] = simulate({ layers, actions: [action], resources: [resource], context, budget, ...ofResource });
      if (result === undefined) throw new Error('The simulation did not return a result for a pair of action and resource.');
      items += itemsOf(result);
      if (items > RESULT_ITEMS_MAX) throw new StepsExceeded();
      results.push(result);
    } catch (error) {
      if (error instanceof StepsExceeded && partial && results.length > 0) break;
      throw error;
    }
  }
  return results;
}

/** Number of characters of a key's name that cost as much as one statement or key. */
const CHARACTERS_OF_ITEM = 64;

/**
 * Returns the cost of sending a result, in items (statements and keys). A long name costs several items, because a name
 * can be as long as a policy.
 */
function itemsOf({ MatchedStatements, MissingContextValues }: EvaluationResult): number {
  return MissingContextValues.reduce((sum, name) => sum + 1 + name.length / CHARACTERS_OF_ITEM, 1 + MatchedStatements.length);
}

function keysOf(policies: readonly SourcedPolicy[], budget: StepBudget): string[] {
  const keys = new Map<string, string>();
  for (const { policy } of policies) {
    for (const key of contextKeysOf(policy, budget)) if (!keys.has(key.toLowerCase())) keys.set(key.toLowerCase(), key);
    if (keys.size > KEYS_MAX) throw new StepsExceeded();
  }
  return [...keys.values()].sort();
}
