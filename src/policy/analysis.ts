/**
 * Analyses of policies from a client or an account. Input and output are plain data, so that an analysis can run in another thread. A step
 * budget limits the work of each analysis.
 */
import type { AccountId } from '#core/arn.ts';
import { type AskedAccess, type CheckAnswer, checkAccessNotGranted, checkNoNewAccess } from './analyse/checks.ts';
import { grantedServices } from './analyse/granted-services.ts';
import type { AskedAs } from './analyse/search.ts';
import { compileSteps, type PolicyTextProblem, tryCompilePolicy } from './compile.ts';
import type { CompiledPolicy, SourcedPolicy } from './compiled-policy.ts';
import type { PolicyType } from './decision.ts';
import type { PolicyLayers } from './link.ts';
import { contextKeysOf, type EvaluationResult, simulate } from './simulate.ts';
import { type StepBudget, StepsExceeded, takeSteps } from './steps.ts';
import type { TrustCaller } from './trust.ts';
import type { Finding } from './validate/finding.ts';
import type { AuthorizationReference } from './validate/reference.ts';
import { validatePolicy } from './validate/validate.ts';

/** Policy document with its name in results. */
export interface NamedPolicy {
  readonly policyId: string;
  readonly policyArn?: string;
  readonly text: string;
}

/** Simulation of pairs of action and resource, in the order of actions, then resources. Starts at the pair `from`. */
export interface SimulationAnalysis {
  readonly kind: 'simulation';
  readonly identity: readonly NamedPolicy[];
  readonly boundary: readonly NamedPolicy[];
  /** One list for each level. Absent if no service control policy applies. */
  readonly serviceControl?: readonly (readonly NamedPolicy[])[];
  readonly context: readonly (readonly [key: string, value: string | readonly string[]])[];
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly from: number;
  readonly count: number;
  readonly resourcePolicy?: { readonly policy: NamedPolicy; readonly caller: TrustCaller; readonly ownerId?: AccountId };
}

export interface ContextKeysAnalysis {
  readonly kind: 'context-keys';
  readonly policies: readonly NamedPolicy[];
}

/** Findings of a policy, from the index `from` to `to`, exclusive. */
export interface ValidationAnalysis {
  readonly kind: 'validation';
  readonly text: string;
  readonly policyType: PolicyType;
  readonly from: number;
  readonly to: number;
}

export interface NewAccessAnalysis {
  readonly kind: 'new-access';
  readonly existing: NamedPolicy;
  readonly updated: NamedPolicy;
  readonly askedAs: AskedAs;
}

export interface GrantedAccessAnalysis {
  readonly kind: 'granted-access';
  readonly policy: NamedPolicy;
  readonly access: AskedAccess;
  readonly askedAs: AskedAs;
}

export interface GrantedServicesAnalysis {
  readonly kind: 'granted-services';
  readonly documents: readonly string[];
}

export type Analysis =
  | SimulationAnalysis
  | ContextKeysAnalysis
  | ValidationAnalysis
  | NewAccessAnalysis
  | GrantedAccessAnalysis
  | GrantedServicesAnalysis;

/** Result for an invalid policy document. */
export interface InvalidPolicy {
  readonly invalid: { readonly policyId: string; readonly problem: PolicyTextProblem | undefined };
}

/** Result of each kind of analysis. */
export interface Outcomes {
  /** Fewer results than `count` if more would exceed the budget, but at least one if there is a pair. */
  readonly simulation: { readonly results: readonly EvaluationResult[] } | InvalidPolicy;
  readonly 'context-keys': { readonly keys: readonly string[] } | InvalidPolicy;
  readonly validation: { readonly findings: readonly Finding[]; readonly total: number };
  readonly 'new-access': { readonly answer: CheckAnswer } | InvalidPolicy;
  readonly 'granted-access': { readonly answer: CheckAnswer } | InvalidPolicy;
  /** In the order of the documents. */
  readonly 'granted-services': { readonly services: readonly (readonly string[])[] };
}

export type Outcome<Kind extends Analysis['kind'] = Analysis['kind']> = Outcomes[Kind];

/**
 * Steps of one analysis, about half a second. One simulated request stays within it if its policies fill every quota
 * (`DECISION_CHARACTERS`) and all of their patterns compare slowly with a value of `SIMULATED_TEXT_MAX` characters.
 */
export const ANALYSIS_STEPS_MAX = 2 ** 28;

/** Maximum number of statements and keys in the results of one page of a simulation. A larger result takes too long to send. */
export const RESULT_ITEMS_MAX = 4_000;

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
      case 'granted-services':
        return { services: analysis.documents.map((document) => grantedServices(document, reference.services, budget)) };
    }
  } catch (error) {
    if (error instanceof NotAPolicy) return { invalid: error.invalid };
    throw error;
  }
}

/** Exception that ends an analysis at the first invalid document. It never leaves this file. */
class NotAPolicy extends Error {
  readonly invalid: InvalidPolicy['invalid'];

  constructor(invalid: InvalidPolicy['invalid']) {
    super('not a policy');
    this.invalid = invalid;
  }
}

/** Compiler of the policies of one analysis, which counts the steps. */
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
      if (result === undefined) throw new Error('A simulation has one result for each pair.');
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

/** Number of characters in a name that count as one item. */
const CHARACTERS_OF_ITEM = 64;

/** Returns the cost of sending a result, in items. A name can be as long as a policy. */
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

/** Returns the number of characters in an analysis, as a measure of the cost to run it and to send it to another thread. */
export function sizeOf(analysis: Analysis): number {
  let size = 0;
  const add = (value: unknown): void => {
    if (typeof value === 'string') size += value.length + 1;
    else if (Array.isArray(value)) value.forEach(add);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(add);
  };
  add(analysis);
  return size;
}
