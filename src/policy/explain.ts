import { documentOf, type SourcedPolicy } from './compile.ts';
import type { Decision, PolicyType, StatementRef } from './decision.ts';
import type { StatementNode, TextsNode } from './document.ts';
import { type ConditionTrace, traceCondition, type ValueTrace, valueTrace } from './explain-condition.ts';
import { actionMatch, arnMatch, resolveText } from './explain-text.ts';
import type { PolicyLayers } from './link.ts';
import type { PolicyRequest } from './request.ts';

/**
 * The engine once more, written to be read: it follows the order of AWS's documentation, leaves nothing out and remembers
 * everything. It works on the policy as written and shares no code with `engine.ts`; `test/reference` demands that both agree.
 */

/** Action, NotAction, Resource or NotResource against the request. */
export interface ElementTrace {
  readonly element: string;
  /** Whether the element lets the statement apply. */
  readonly holds: boolean;
  readonly values: readonly ValueTrace[];
}

export interface StatementTrace {
  readonly ref: StatementRef;
  readonly effect: 'Allow' | 'Deny';
  readonly applies: boolean;
  /** Offsets of its braces in the policy's text: the first, and one past the last. */
  readonly start: number;
  readonly end: number;
  readonly action: ElementTrace;
  /** Looked at only where the action holds, as are the conditions. Absent as well where the statement has none. */
  readonly resource?: ElementTrace;
  readonly conditions: readonly ConditionTrace[];
}

export interface PolicyTrace {
  readonly policyId: string;
  readonly statements: readonly StatementTrace[];
}

/** The smallest changes that would let a layer allow: a statement that nearly does, with what fails in it, and a statement to add. */
export interface NearestMiss {
  readonly statement?: StatementRef;
  /** `Resource`, or `StringEquals aws:username`. */
  readonly failing: readonly string[];
  readonly grant: { readonly Effect: 'Allow'; readonly Action: string; readonly Resource: string };
}

export interface LayerTrace {
  readonly policyType: PolicyType;
  /** Of service control policies: from 0, the root. */
  readonly level?: number;
  readonly answer: 'allows' | 'denies' | 'silent';
  readonly policies: readonly PolicyTrace[];
  /** Present where the layer is silent. */
  readonly nearest?: NearestMiss;
}

export interface ResourceTrace {
  readonly resource: string;
  readonly decision: Decision;
  /** In the order in which they must allow. */
  readonly layers: readonly LayerTrace[];
}

export interface Explanation {
  readonly decision: Decision;
  readonly resources: readonly ResourceTrace[];
}

/**
 * Decides, and says of every statement of every layer why it applied or not.
 *
 * Source: IAM User Guide, "Policy evaluation logic" and "How AWS enforcement code logic evaluates requests".
 */
export function explain(layers: PolicyLayers, request: PolicyRequest): Explanation {
  const asked = request.resources.length === 0 ? ['*'] : request.resources;
  const resources = asked.map((resource) => explainResource(layers, request, resource));
  const decisions = resources.map(({ decision }) => decision);
  const explicit = decisions.find((decision) => decision.effect === 'Deny' && decision.kind === 'explicit');
  const implicit = decisions.find((decision) => decision.effect === 'Deny');
  const decision = explicit ??
    implicit ?? { effect: 'Allow', by: distinct(decisions.flatMap((one) => (one.effect === 'Allow' ? one.by : []))) };
  return { decision, resources };
}

function explainResource(layers: PolicyLayers, request: PolicyRequest, resource: string): ResourceTrace {
  const traced: LayerTrace[] = [];
  const layer = (policyType: PolicyType, policies: readonly SourcedPolicy[], level?: number): void => {
    traced.push(explainLayer(policyType, policies, request, resource, level));
  };
  // "Organizations SCPs": every level from the root to the account must allow.
  layers.serviceControl?.forEach((level, i) => {
    layer('service-control', level, i);
  });
  // "Identity-based policies". A root user needs none, but is held to what they deny.
  layer('identity', layers.identity);
  // "IAM permissions boundaries", where one is set.
  if (layers.boundary !== undefined && layers.boundary.length > 0) layer('boundary', layers.boundary);
  // "Session policies", where one was passed.
  if (layers.session !== undefined) layer('session', layers.session);
  return { resource, decision: decideTraced(traced, layers.root === true, resource), layers: traced };
}

const EXPLICIT_ORDER: readonly PolicyType[] = ['service-control', 'boundary', 'session', 'identity'];

function decideTraced(layers: readonly LayerTrace[], root: boolean, resource: string): Decision {
  // "An explicit deny in any policy overrides any allow."
  for (const policyType of EXPLICIT_ORDER) {
    const denying = layers.find((layer) => layer.policyType === policyType && layer.answer === 'denies');
    const by = denying === undefined ? undefined : applying(denying, 'Deny')[0];
    if (by !== undefined) return { effect: 'Deny', kind: 'explicit', by, policyType, resource };
  }
  // "All requests are implicitly denied", unless every layer that is there allows.
  const needed = layers.filter(({ policyType }) => !(root && policyType === 'identity'));
  const silent = needed.find(({ answer }) => answer !== 'allows');
  if (silent !== undefined) return { effect: 'Deny', kind: 'implicit', missing: silent.policyType, resource };
  return { effect: 'Allow', by: distinct(needed.flatMap((layer) => applying(layer, 'Allow').slice(0, 1))) };
}

function applying({ policies }: Pick<LayerTrace, 'policies'>, effect: 'Allow' | 'Deny'): StatementRef[] {
  return policies.flatMap(({ statements }) => statements.flatMap((each) => (each.applies && each.effect === effect ? [each.ref] : [])));
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
  level?: number,
): LayerTrace {
  const action = request.action.toLowerCase();
  const traced = policies.map((source) => ({
    policyId: source.policyId,
    statements: documentOf(source.policy).statements.map((node) => explainStatement(policyType, source, node, request, action, resource)),
  }));
  const applies = (effect: 'Allow' | 'Deny'): boolean =>
    traced.some(({ statements }) => statements.some((one) => one.applies && one.effect === effect));
  const denies = applies('Deny');
  const allows = applies('Allow');
  return {
    policyType,
    ...(level === undefined ? {} : { level }),
    answer: denies ? 'denies' : allows ? 'allows' : 'silent',
    policies: traced,
    ...(denies || allows ? {} : { nearest: nearestMiss(traced, request.action, resource) }),
  };
}

function explainStatement(
  policyType: PolicyType,
  source: SourcedPolicy,
  node: StatementNode,
  request: PolicyRequest,
  action: string,
  resource: string,
): StatementTrace {
  const document = documentOf(source.policy);
  // "Variables were introduced in version 2012-10-17": before it, they are text.
  const variables = document.version?.value === '2012-10-17';
  const ref: StatementRef = {
    policyType,
    policyId: source.policyId,
    ...(source.policyArn === undefined ? {} : { policyArn: source.policyArn }),
    statement: node.index,
    ...(node.sid === undefined ? {} : { sid: node.sid.value }),
  };
  const effect = node.effect?.value === 'Allow' ? 'Allow' : 'Deny';
  const { start, end } = node.node;

  const element = traceElement(node.action ?? node.notAction, node.action === undefined, (value) => ({
    value,
    matched: actionMatch(value, action),
  }));
  if (!element.holds) return { ref, effect, applies: false, start, end, action: element, conditions: [] };

  const written = node.resource ?? node.notResource;
  const traced =
    written === undefined
      ? undefined
      : traceElement(written, node.resource === undefined, (value) => traceResource(value, resource, request, variables));
  const conditions: ConditionTrace[] = [];
  for (const { operator, tests } of node.condition?.blocks ?? []) {
    for (const { key, values } of tests) {
      conditions.push(traceCondition(operator.value, key.value, values, request.context, variables));
    }
  }
  // Nobody but the holder of these policies is meant by them: with a Principal, a statement gives nothing.
  const misplaced = effect === 'Allow' && (node.principal !== undefined || node.notPrincipal !== undefined);
  // "All conditions must be met": operators and keys are joined by AND.
  const applies = !misplaced && traced?.holds !== false && conditions.every(({ holds }) => holds);
  return { ref, effect, applies, start, end, action: element, ...(traced === undefined ? {} : { resource: traced }), conditions };
}

function traceElement(node: TextsNode | undefined, negated: boolean, trace: (value: string) => ValueTrace): ElementTrace {
  if (node === undefined) throw new Error('A compiled statement has an Action.');
  const values = node.values.map(({ value }) => trace(value));
  return { element: node.key.value, holds: values.some(({ matched }) => matched) !== negated, values };
}

/** Source: IAM User Guide, "Resource"; a short ARN ends in `*`. */
function traceResource(value: string, resource: string, { context }: PolicyRequest, variables: boolean): ValueTrace {
  if (value === '*') return { value, matched: true };
  const special = value.includes('*') || value.includes('?') || (variables && value.includes('${')) || value.split(':').length < 6;
  if (!special) return { value, matched: value === resource };
  const resolved = resolveText(value, context, true, variables);
  const signs = 'plain' in resolved ? [...value] : 'signs' in resolved ? resolved.signs : undefined;
  return valueTrace(value, resolved, signs !== undefined && arnMatch(signs, resource, true));
}

/** Of the Allow statements with the action, the one in which least fails; the first of several. */
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
