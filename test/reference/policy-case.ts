import type { ConditionContext } from '#core/condition-context.ts';
import type { Decision } from '#policy/decision.ts';
import {
  compilePolicy,
  decide,
  denialOf,
  type FactSource,
  linkStack,
  newRequestRecord,
  type PolicyLayers,
  type PolicyRequest,
  type PolicyStack,
  programFor,
  SLOT_KEYS,
  type SourcedPolicy,
  setFacts,
  truthsOf,
} from '#policy/engine.ts';
import { explain } from '#policy/explain.ts';
import { toMoment } from '#policy/values.ts';

/** Policy document as parsed JSON. It may be invalid. */
export type PolicyJson = Readonly<Record<string, unknown>>;

/** Policies of a case, by policy type. `serviceControl` has one list for each level of the organization. */
export interface CasePolicies {
  readonly identity: readonly PolicyJson[];
  readonly boundary?: readonly PolicyJson[];
  readonly session?: readonly PolicyJson[];
  readonly serviceControl?: readonly (readonly PolicyJson[])[];
  readonly root?: boolean;
}

/** Request of a case. */
export interface CaseRequest {
  readonly action: string;
  readonly resources: readonly string[];
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** Policy decision with its input. `test/cases/policy/` contains cases as JSON. */
export interface PolicyCase {
  readonly title: string;
  readonly source: string;
  readonly policies: CasePolicies;
  readonly request: CaseRequest;
  readonly expect: Expected;
}

/** Expected decision. `by` contains statements: `identity-0/1` is the second statement of the first identity policy. */
export interface Expected {
  readonly effect: 'Allow' | 'Deny';
  readonly kind?: 'explicit' | 'implicit';
  /** For an explicit denial, the type of the denying policy. For an implicit denial, the type without an Allow. */
  readonly policyType?: string;
  readonly by?: readonly string[];
}

/** Compiles the policies of a case. */
export function toLayers(policies: CasePolicies): PolicyLayers {
  const sourced = (type: string, documents: readonly PolicyJson[]): SourcedPolicy[] =>
    documents.map((document, i) => ({ policyId: `${type}-${i}`, policy: compilePolicy(JSON.stringify(document)) }));
  return {
    identity: sourced('identity', policies.identity),
    ...(policies.boundary === undefined ? {} : { boundary: sourced('boundary', policies.boundary) }),
    ...(policies.session === undefined ? {} : { session: sourced('session', policies.session) }),
    ...(policies.serviceControl === undefined
      ? {}
      : { serviceControl: policies.serviceControl.map((level, i) => sourced(`service-control-${i}`, level)) }),
    ...(policies.root === undefined ? {} : { root: policies.root }),
  };
}

/** Converts the request of a case to the engine's request, with lower-case context keys. */
export function toRequest({ action, resources, context }: CaseRequest): PolicyRequest {
  const entries: ConditionContext = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  return { action, resources, context: entries };
}

/** Decides a case with the fast path, which is the code that decides the requests to a server. */
export function decideCase(policies: CasePolicies, request: CaseRequest): Decision {
  return decide(linkStack(toLayers(policies)), toRequest(request));
}

/** Converts a decision to the format of the expected decision in a case. */
export function toExpected(decision: Decision): Expected {
  if (decision.effect === 'Allow')
    return { effect: 'Allow', by: decision.by.map(({ policyId, statement }) => `${policyId}/${statement}`).sort() };
  if (decision.kind === 'implicit') return { effect: 'Deny', kind: 'implicit', policyType: decision.missing };
  const { policyType, by } = decision;
  return { effect: 'Deny', kind: 'explicit', policyType, by: [`${by.policyId}/${by.statement}`] };
}

const RECORD = newRequestRecord();

/**
 * Returns the condition context in the form that a server passes to the engine. Some values are numbers. The engine
 * reads common global keys by an index (slot) instead of their name.
 */
export function toFacts(context: ConditionContext): FactSource {
  const slots = SLOT_KEYS.map((key) => context.get(key));
  const time = context.get('aws:currenttime');
  return {
    truths: truthsOf((key) => context.get(key)),
    moment: typeof time === 'string' ? toMoment(time) : Number.NaN,
    value: (slot, key) => (slot >= 0 ? slots[slot] : context.get(key)),
  };
}

/** Returns the effect for each resource, decided with the form of context that a server passes. */
function factEffects(stack: PolicyStack, { action, resources, context }: PolicyRequest): string[] {
  setFacts(RECORD, toFacts(context));
  const program = programFor(stack, action);
  return resources.map((resource) => denialOf(program, RECORD, resource)?.kind ?? 'Allow');
}

/**
 * Returns the difference between the decision of the fast path and of `explain`, or `undefined` if the decisions agree.
 */
export function disagreement(layers: PolicyLayers, request: PolicyRequest): string | undefined {
  const stack = linkStack(layers);
  const fast = decide(stack, request);
  const explained = explain(layers, request);
  const byFacts = factEffects(stack, request);
  const traced = explained.resources.map(({ decision }) => (decision.effect === 'Allow' ? 'Allow' : decision.kind));
  if (request.resources.length > 0 && byFacts.join() !== traced.join()) return `facts ${byFacts.join()}, explained ${traced.join()}`;
  const slow = explained.decision;
  if (fast.effect === 'Deny' || slow.effect === 'Deny') {
    const [a, b] = [JSON.stringify(fast), JSON.stringify(slow)];
    return a === b ? undefined : `fast ${a}, explained ${b}`;
  }
  // The engine may report any of the statements that allow a request, but the reported statement must apply.
  const applying = explained.resources.flatMap(({ layers: explainedLayers }) =>
    explainedLayers.flatMap(({ policies }) =>
      policies.flatMap(({ statements }) => statements.filter((each) => each.applies && each.effect === 'Allow')),
    ),
  );
  const unexplained = fast.by.find(
    (ref) =>
      !applying.some((each) => each.ref.policyId === ref.policyId && each.ref.statement === ref.statement && each.ref.sid === ref.sid),
  );
  if (unexplained !== undefined) return `fast is allowed by ${JSON.stringify(unexplained)}, which does not apply`;
  const types = (refs: readonly { readonly policyType: string }[]): string =>
    [...new Set(refs.map(({ policyType }) => policyType))].sort().join();
  return types(fast.by) === types(slow.by) ? undefined : `fast is allowed by ${types(fast.by)}, explained by ${types(slow.by)}`;
}
