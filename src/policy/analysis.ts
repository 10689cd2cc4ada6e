/**
 * Types of the analyses of policies, and of their results. The policies are in a client's request or stored in an
 * account. All data is plain, so that an analysis can run in another thread (`run-analysis.ts`).
 */
import type { AccountId } from '#core/arn.ts';
import type { AskedAccess, CheckAnswer } from './analyse/checks.ts';
import type { GrantedActions } from './analyse/granted-actions.ts';
import type { AnalyzedResource } from './analyse/outside.ts';
import type { AskedAs } from './analyse/search.ts';
import type { TrimmedPolicy, UnusedPermissions } from './analyse/trimmed-policy.ts';
import type { PolicyTextProblem } from './compile.ts';
import type { PolicyType } from './decision.ts';
import type { EvaluationResult } from './simulate.ts';
import type { TrustCaller } from './trust.ts';
import type { Finding } from './validate/finding.ts';

/** Policy document with the ID and ARN that identify it in results. */
export interface NamedPolicy {
  readonly policyId: string;
  readonly policyArn?: string;
  readonly text: string;
}

/**
 * Simulation of `count` requests, beginning with the request at index `from`. There is one request for each pair of an
 * action and a resource. The pairs are ordered by action, then by resource.
 */
export interface SimulationAnalysis {
  readonly kind: 'simulation';
  readonly identity: readonly NamedPolicy[];
  readonly boundary: readonly NamedPolicy[];
  /** One list for each level of the organization. Absent if no service control policy applies. */
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

/** Validation of a policy. The result contains the findings from index `from` up to, but not including, index `to`. */
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

export interface PublicAccessAnalysis {
  readonly kind: 'public-access';
  readonly policy: NamedPolicy;
  readonly resource: AnalyzedResource;
}

export interface GrantedServicesAnalysis {
  readonly kind: 'granted-services';
  readonly documents: readonly string[];
}

export interface GrantedActionsAnalysis {
  readonly kind: 'granted-actions';
  readonly documents: readonly string[];
}

/** Removal of unused permissions from policies. */
export interface TrimmingAnalysis {
  readonly kind: 'trimming';
  readonly documents: readonly string[];
  readonly unused: UnusedPermissions;
}

export type Analysis =
  | SimulationAnalysis
  | ContextKeysAnalysis
  | ValidationAnalysis
  | NewAccessAnalysis
  | GrantedAccessAnalysis
  | PublicAccessAnalysis
  | GrantedServicesAnalysis
  | GrantedActionsAnalysis
  | TrimmingAnalysis;

/** Result for an invalid policy document. */
export interface InvalidPolicy {
  readonly invalid: { readonly policyId: string; readonly problem: PolicyTextProblem | undefined };
}

/** Result of each kind of analysis. */
export interface Outcomes {
  /**
   * `results` has fewer than `count` items if another result would exceed the step budget or `RESULT_ITEMS_MAX`. If the
   * first result exceeds a limit, the analysis throws `StepsExceeded`.
   */
  readonly simulation: { readonly results: readonly EvaluationResult[] } | InvalidPolicy;
  readonly 'context-keys': { readonly keys: readonly string[] } | InvalidPolicy;
  readonly validation: { readonly findings: readonly Finding[]; readonly total: number };
  readonly 'new-access': { readonly answer: CheckAnswer } | InvalidPolicy;
  readonly 'granted-access': { readonly answer: CheckAnswer } | InvalidPolicy;
  readonly 'public-access': { readonly answer: CheckAnswer } | InvalidPolicy;
  /** For each document, the services in which it allows an action. */
  readonly 'granted-services': { readonly services: readonly (readonly string[])[] };
  /** For each document, the services and actions that it allows. */
  readonly 'granted-actions': { readonly granted: readonly GrantedActions[] };
  /** For each document, the document without the unused permissions. */
  readonly trimming: { readonly trimmed: readonly TrimmedPolicy[] };
}

export type Outcome<Kind extends Analysis['kind'] = Analysis['kind']> = Outcomes[Kind];

/**
 * Maximum steps (units of work, see `steps.ts`) of one analysis. They take about half a second. They are enough to
 * simulate one request in the worst case: its policies fill every quota (`DECISION_CHARACTERS`), and their patterns are
 * slow to compare with a value of `SIMULATED_TEXT_MAX` characters.
 */
export const ANALYSIS_STEPS_MAX = 2 ** 28;

/** Maximum number of statements and keys in the results of one page of a simulation. A larger result takes too long to send. */
export const RESULT_ITEMS_MAX = 4_000;

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
