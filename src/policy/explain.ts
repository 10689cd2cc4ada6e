import type { SourcedPolicy } from './compiled-policy.ts';
import type { Decision, PolicyType, StatementRef } from './decision.ts';
import { EXPLANATION_STEPS } from './decision-steps.ts';
import { anyMatched, type ConditionTrace, resolvedIn, traceCondition, valueTrace } from './explain-condition.ts';
import {
  type PreparedAction,
  type PreparedElement,
  type PreparedStatement,
  type PreparedText,
  preparedOf,
  type ValueTrace,
} from './explain-prepare.ts';
import { arnMatch, newPattern, wildcardMatch } from './explain-text.ts';
import type { PolicyLayers } from './link.ts';
import type { LoweredStatement } from './lowered.ts';
import type { PolicyRequest } from './request.ts';
import { type StepBudget, takeSteps } from './steps.ts';
import { appliesToCaller, type TrustCaller } from './trust.ts';

/**
 * Second implementation of the engine, for explanations. It follows the order of AWS's documentation, evaluates every statement and records
 * the results. It reads the policy documents and shares no code with `engine.ts`. `test/reference` checks that both implementations agree.
 */

/** Result of Action, NotAction, Resource or NotResource for a request. */
export interface ElementTrace {
  readonly element: string;
  /** Whether the element matches the request. */
  readonly holds: boolean;
  readonly values: readonly ValueTrace[];
}

export interface StatementTrace {
  readonly ref: StatementRef;
  readonly effect: 'Allow' | 'Deny';
  readonly applies: boolean;
  /** Offsets of the statement in the document, including its braces. `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  readonly action: ElementTrace;
  /** Absent if the action does not match, or if the statement has neither Resource nor NotResource. */
  readonly resource?: ElementTrace;
  /** Empty if the action does not match. */
  readonly conditions: readonly ConditionTrace[];
}

/** Statement of a trust policy or resource-based policy. `applies` also depends on the principal. */
export interface PrincipalStatementTrace extends StatementTrace {
  /** Whether Principal or NotPrincipal applies to the caller. */
  readonly principal: boolean;
}

export interface PolicyTrace {
  readonly policyId: string;
  readonly statements: readonly StatementTrace[];
}

/**
 * Two ways to make a layer (the policies of one type) allow the request: change the failing parts of the statement that
 * nearly allows, or add the statement `grant`.
 */
export interface NearestMiss {
  readonly statement?: StatementRef;
  /** Failing parts: `Resource`, or a condition such as `StringEquals aws:username`. */
  readonly failing: readonly string[];
  readonly grant: { readonly Effect: 'Allow'; readonly Action: string; readonly Resource: string };
}

export interface LayerTrace {
  readonly policyType: PolicyType;
  /** Level of service control policies, from 0 for the root. */
  readonly level?: number;
  readonly answer: 'allows' | 'denies' | 'silent';
  readonly policies: readonly PolicyTrace[];
  /** Present if the layer neither allows nor denies. */
  readonly nearest?: NearestMiss;
}

export interface ResourceTrace {
  readonly resource: string;
  readonly decision: Decision;
  /** Layers, in the order in which they are evaluated. */
  readonly layers: readonly LayerTrace[];
}

export interface Explanation {
  readonly decision: Decision;
  readonly resources: readonly ResourceTrace[];
}

/**
 * Decides a request. Explains for every statement of every layer why the statement applies or does not apply.
 *
 * @throws StepsExceeded  the budget has too few steps left
 * Source: IAM User Guide, "Policy evaluation logic" and "How AWS enforcement code logic evaluates requests".
 */
export function explain(layers: PolicyLayers, request: PolicyRequest, budget: StepBudget = { stepsLeft: EXPLANATION_STEPS }): Explanation {
  const asked = request.resources.length === 0 ? ['*'] : request.resources;
  const resources = asked.map((resource) => explainResource(layers, request, resource, budget));
  const decisions = resources.map(({ decision }) => decision);
  const explicit = decisions.find((decision) => decision.effect === 'Deny' && decision.kind === 'explicit');
  const implicit = decisions.find((decision) => decision.effect === 'Deny');
  const decision = explicit ??
    implicit ?? { effect: 'Allow', by: distinct(decisions.flatMap((one) => (one.effect === 'Allow' ? one.by : []))) };
  return { decision, resources };
}

/**
 * Explains for every statement of a trust policy or resource-based policy why it applies or does not apply to a request for one resource.
 *
 * @throws StepsExceeded  the budget has too few steps left
 */
export function explainPrincipalPolicy(
  policyType: 'trust' | 'resource',
  source: SourcedPolicy,
  caller: TrustCaller,
  { request, resource }: { readonly request: PolicyRequest; readonly resource: string },
  budget: StepBudget,
): readonly PrincipalStatementTrace[] {
  const action = askedAction(request.action);
  return preparedOf(source, budget).map((statement) => {
    const traced = explainStatement(policyType, source, statement, request, action, resource, budget);
    const principal = appliesToCaller(source.policy.lowered.statements[statement.index] as LoweredStatement, caller, policyType);
    const isEmptyGrant = policyType === 'resource' && statement.effect === 'Allow' && statement.resource === undefined;
    return { ...traced, principal, applies: traced.applies && principal && !isEmptyGrant };
  });
}

function explainResource(layers: PolicyLayers, request: PolicyRequest, resource: string, budget: StepBudget): ResourceTrace {
  const traced: LayerTrace[] = [];
  const layer = (policyType: PolicyType, policies: readonly SourcedPolicy[], level?: number): void => {
    traced.push(explainLayer(policyType, policies, request, resource, budget, level));
  };
  // Source: "Organizations SCPs". Every level from the root to the account must allow.
  layers.serviceControl?.forEach((level, i) => {
    layer('service-control', level, i);
  });
  // Source: "Identity-based policies". A root user does not need an Allow, but a Deny applies to the root user.
  layer('identity', layers.identity);
  // Source: "IAM permissions boundaries". The layer exists only if the principal has a boundary.
  if (layers.boundary !== undefined && layers.boundary.length > 0) layer('boundary', layers.boundary);
  // Source: "Session policies". The layer exists only if the session has session policies.
  if (layers.session !== undefined) layer('session', layers.session);
  return { resource, decision: decideTraced(traced, layers.root === true, resource), layers: traced };
}

const EXPLICIT_ORDER: readonly PolicyType[] = ['service-control', 'boundary', 'session', 'identity'];

function decideTraced(layers: readonly LayerTrace[], root: boolean, resource: string): Decision {
  // "An explicit deny in any policy overrides any allow."
  for (const policyType of EXPLICIT_ORDER) {
    const denying = layers.find((layer) => layer.policyType === policyType && layer.answer === 'denies');
    const by = denying === undefined ? undefined : firstApplying(denying.policies, 'Deny');
    if (by !== undefined) return { effect: 'Deny', kind: 'explicit', by, policyType, resource };
  }
  // "All requests are implicitly denied", unless every present layer allows.
  const needed = layers.filter(({ policyType }) => !(root && policyType === 'identity'));
  const silent = needed.find(({ answer }) => answer !== 'allows');
  if (silent !== undefined) return { effect: 'Deny', kind: 'implicit', missing: silent.policyType, resource };
  return { effect: 'Allow', by: distinct(needed.flatMap((layer) => firstApplying(layer.policies, 'Allow') ?? [])) };
}

function firstApplying(policies: readonly PolicyTrace[], effect: 'Allow' | 'Deny'): StatementRef | undefined {
  for (const { statements } of policies) {
    for (const each of statements) if (each.applies && each.effect === effect) return each.ref;
  }
  return undefined;
}

function distinct(refs: readonly StatementRef[]): StatementRef[] {
  const same = (a: StatementRef, b: StatementRef): boolean =>
    a.policyType === b.policyType && a.policyId === b.policyId && a.statement === b.statement;
  return refs.filter((ref, i) => refs.findIndex((other) => same(ref, other)) === i);
}

function explainLayer(
  policyType: PolicyType,
  policies: readonly SourcedPolicy[],
  request: PolicyRequest,
  resource: string,
  budget: StepBudget,
  level?: number,
): LayerTrace {
  const action = askedAction(request.action);
  const traced = policies.map((source) => ({
    policyId: source.policyId,
    statements: preparedOf(source, budget).map((statement) =>
      explainStatement(policyType, source, statement, request, action, resource, budget),
    ),
  }));
  const denies = firstApplying(traced, 'Deny') !== undefined;
  const allows = firstApplying(traced, 'Allow') !== undefined;
  const answer = denies ? 'denies' : allows ? 'allows' : 'silent';
  const trace: LayerTrace =
    level === undefined ? { policyType, answer, policies: traced } : { policyType, level, answer, policies: traced };
  return denies || allows ? trace : { ...trace, nearest: nearestMiss(traced, request.action, resource) };
}

function explainStatement(
  policyType: PolicyType,
  source: SourcedPolicy,
  statement: PreparedStatement,
  request: PolicyRequest,
  asked: AskedAction,
  resource: string,
  budget: StepBudget,
): StatementTrace {
  takeSteps(budget, STEPS_OF_STATEMENT + statement.action.values.length * STEPS_OF_VALUE);
  const { effect, start, end } = statement;
  const ref = refTo(policyType, source, statement);
  const action = traceElement(statement.action, (value) => (actionMatch(value, asked, budget) ? value.matched : value.unmatched));
  if (!action.holds) return { ref, effect, applies: false, start, end, action, conditions: NO_CONDITIONS };

  const conditions = statement.conditions.map((condition) => traceCondition(condition, request.context, budget));
  // "All conditions must be met": operators and keys are joined by AND.
  const met = !statement.misplaced && conditions.every(({ holds }) => holds);
  if (statement.resource === undefined) return { ref, effect, applies: met, start, end, action, conditions };
  const shortArns = policyType !== 'trust' && policyType !== 'resource';
  const traced = traceElement(statement.resource, (value) => traceResource(value, resource, shortArns, request, budget));
  return { ref, effect, applies: met && traced.holds, start, end, action, resource: traced, conditions };
}

/** Cost of a statement, in steps, including the memory of its trace. Its values cost additional steps. */
const STEPS_OF_STATEMENT = 32;

/** Cost of comparing one resource, segment by segment, in steps. */
const STEPS_OF_RESOURCE = 128;

/** Cost of a value, including the memory of its trace, in steps. */
const STEPS_OF_VALUE = 4;

const NO_CONDITIONS: readonly ConditionTrace[] = [];

/**
 * Returns the reference to a statement. The code has one branch for each combination of absent fields. An object spread
 * would be slow, and an explanation creates many references.
 */
function refTo(policyType: PolicyType, { policyId, policyArn }: SourcedPolicy, { index: statement, sid }: PreparedStatement): StatementRef {
  if (policyArn === undefined) {
    return sid === undefined ? { policyType, policyId, statement } : { policyType, policyId, statement, sid };
  }
  return sid === undefined ? { policyType, policyId, policyArn, statement } : { policyType, policyId, policyArn, statement, sid };
}

function traceElement<Value>({ element, negated, values }: PreparedElement<Value>, trace: (value: Value) => ValueTrace): ElementTrace {
  const traced = values.map(trace);
  return { element, holds: anyMatched(traced) !== negated, values: traced };
}

/** Action in lower case. `colon` is the offset of its colon, or -1 if there is no colon. */
interface AskedAction {
  readonly whole: string;
  readonly colon: number;
}

function askedAction(action: string): AskedAction {
  const whole = action.toLowerCase();
  return { whole, colon: whole.indexOf(':') };
}

/** Reports whether an Action value matches. Source: IAM User Guide, "Action": prefix and name compare case-insensitively. */
function actionMatch(
  { everything, whole: wanted, head, service, name }: PreparedAction,
  { whole, colon }: AskedAction,
  budget: StepBudget,
): boolean {
  if (everything) return true;
  // A literal name and a name with a wildcard only at its end are compared directly.
  if (wanted !== undefined) return whole === wanted;
  if (colon < 0 || name === undefined) return false;
  if (head !== undefined) return whole.startsWith(head);
  return wildcardMatch(service, whole.slice(0, colon), budget) && wildcardMatch(name, whole.slice(colon + 1), budget);
}

/**
 * Returns the trace of a Resource value. With `shortArns`, missing segments at the end of an ARN pattern match everything. In a trust policy
 * or resource-based policy, an ARN pattern with missing segments matches nothing.
 *
 * Source: IAM User Guide, "Resource": missing segments of an ARN are treated as `*`.
 */
function traceResource(
  value: PreparedText,
  resource: string,
  shortArns: boolean,
  { context }: PolicyRequest,
  budget: StepBudget,
): ValueTrace {
  takeSteps(budget, STEPS_OF_RESOURCE + ('plain' in (value.constant ?? {}) ? value.value.length : 0));
  if (value.value === '*') return value.matched;
  const resolved = resolvedIn(value, context, budget);
  const pattern = 'plain' in resolved ? newPattern(resolved.plain.split('')) : 'pattern' in resolved ? resolved.pattern : undefined;
  return valueTrace(value, resolved, pattern !== undefined && arnMatch(pattern, resource, shortArns, budget));
}

/**
 * Finds the Allow statements whose action matches, and returns the one with the fewest failing parts. If several
 * statements have equally few failing parts, returns the first of them.
 */
function nearestMiss(policies: readonly PolicyTrace[], action: string, resource: string): NearestMiss {
  let nearest: { readonly ref: StatementRef; readonly failing: readonly string[] } | undefined;
  for (const { statements } of policies) {
    for (const { effect, ref, action: element, resource: traced, conditions } of statements) {
      if (effect !== 'Allow' || !element.holds) continue;
      const failing = [
        ...(traced === undefined || traced.holds ? [] : [traced.element]),
        ...conditions.flatMap(({ holds, operator, key }) => (holds ? [] : [`${operator} ${key}`])),
      ];
      if (nearest === undefined || failing.length < nearest.failing.length) nearest = { ref, failing };
    }
  }
  const grant = { Effect: 'Allow', Action: action, Resource: resource } as const;
  return nearest === undefined ? { failing: ['Action'], grant } : { statement: nearest.ref, failing: nearest.failing, grant };
}
