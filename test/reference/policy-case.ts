import type { ConditionContext } from '#core/condition-context.ts';
import { actionIdOf } from '#policy/actions.ts';
import type { Decision } from '#policy/decision.ts';
import {
  ALLOWED,
  compilePolicy,
  decide,
  decideRecord,
  fillRecord,
  fillResource,
  linkStack,
  newRequestRecord,
  type PolicyLayers,
  type PolicyRequest,
  type PolicyStack,
  type SourcedPolicy,
} from '#policy/engine.ts';
import { explain } from '#policy/explain.ts';

/** A policy document as JSON would have it; whatever is wrong with it is the engine's to say. */
export type PolicyJson = Readonly<Record<string, unknown>>;

/** The policies of a case, by policy type; serviceControl has one list a level. */
export interface CasePolicies {
  readonly identity: readonly PolicyJson[];
  readonly boundary?: readonly PolicyJson[];
  readonly session?: readonly PolicyJson[];
  readonly serviceControl?: readonly (readonly PolicyJson[])[];
  readonly root?: boolean;
}

export interface CaseRequest {
  readonly action: string;
  readonly resources: readonly string[];
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** One policy decision written down. `test/cases/policy/` holds them as JSON. */
export interface PolicyCase {
  readonly title: string;
  readonly source: string;
  readonly policies: CasePolicies;
  readonly request: CaseRequest;
  readonly expect: Expected;
}

/** `by` names statements: `identity-0/1` is the second statement of the first identity policy. */
export interface Expected {
  readonly effect: 'Allow' | 'Deny';
  readonly kind?: 'explicit' | 'implicit';
  /** Of an explicit denial the denying type, of an implicit one the one that does not allow. */
  readonly policyType?: string;
  readonly by?: readonly string[];
}

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

export function toRequest({ action, resources, context }: CaseRequest): PolicyRequest {
  const entries: ConditionContext = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  return { action, resources, context: entries };
}

/** The answer of the fast path. */
export function decideCase(policies: CasePolicies, request: CaseRequest): Decision {
  return decide(linkStack(toLayers(policies)), toRequest(request));
}

export function toExpected(decision: Decision): Expected {
  if (decision.effect === 'Allow')
    return { effect: 'Allow', by: decision.by.map(({ policyId, statement }) => `${policyId}/${statement}`).sort() };
  if (decision.kind === 'implicit') return { effect: 'Deny', kind: 'implicit', policyType: decision.missing };
  const { policyType, by } = decision;
  return { effect: 'Deny', kind: 'explicit', policyType, by: [`${by.policyId}/${by.statement}`] };
}

const RECORD = newRequestRecord();

/** What a filled record is answered about each resource, which is asked by number where `decide` compares texts. */
function recordEffects(stack: PolicyStack, { action, resources, context }: PolicyRequest): string[] {
  fillRecord(RECORD, context);
  RECORD.action = actionIdOf(action);
  return resources.map((resource) => {
    fillResource(RECORD, resource);
    const answer = decideRecord(stack, RECORD);
    return answer === ALLOWED ? 'Allow' : answer > ALLOWED ? 'explicit' : 'implicit';
  });
}

/** What the fast path and the explanation disagree about; undefined where they agree. */
export function disagreement(layers: PolicyLayers, request: PolicyRequest): string | undefined {
  const stack = linkStack(layers);
  const fast = decide(stack, request);
  const explained = explain(layers, request);
  const records = recordEffects(stack, request);
  const traced = explained.resources.map(({ decision }) => (decision.effect === 'Allow' ? 'Allow' : decision.kind));
  if (request.resources.length > 0 && records.join() !== traced.join()) return `record ${records.join()}, explained ${traced.join()}`;
  const slow = explained.decision;
  if (fast.effect === 'Deny' || slow.effect === 'Deny') {
    const [a, b] = [JSON.stringify(fast), JSON.stringify(slow)];
    return a === b ? undefined : `fast ${a}, explained ${b}`;
  }
  // Which of several statements of a layer allowed is the engine's choice; that it does apply is not.
  const applying = explained.resources.flatMap(({ layers: looked }) =>
    looked.flatMap(({ policies }) =>
      policies.flatMap(({ statements }) => statements.filter((each) => each.applies && each.effect === 'Allow')),
    ),
  );
  const stranger = fast.by.find(
    (ref) =>
      !applying.some((each) => each.ref.policyId === ref.policyId && each.ref.statement === ref.statement && each.ref.sid === ref.sid),
  );
  if (stranger !== undefined) return `fast is allowed by ${JSON.stringify(stranger)}, which does not apply`;
  const types = (refs: readonly { readonly policyType: string }[]): string =>
    [...new Set(refs.map(({ policyType }) => policyType))].sort().join();
  return types(fast.by) === types(slow.by) ? undefined : `fast is allowed by ${types(fast.by)}, explained by ${types(slow.by)}`;
}
