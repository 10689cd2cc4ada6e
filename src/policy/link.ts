import type { Contribution, SourcedPolicy } from './compiled-policy.ts';
import { contributionOf } from './contribution.ts';
import type { PolicyType, StatementRef } from './decision.ts';
import { answerNode, costOf, graphOf, type Node, sizeOf, type Test } from './graph.ts';
import { LAYERS_MAX } from './request.ts';

/** Policies of a principal, by policy type. */
export interface PolicyLayers {
  /** Inline and attached policies, including those of all groups. For a role session, the policies of the role. */
  readonly identity: readonly SourcedPolicy[];
  /** Permissions boundary. Absent or empty if the principal has none. */
  readonly boundary?: readonly SourcedPolicy[];
  /** Session policies. Absent if none was passed. An empty list allows nothing. */
  readonly session?: readonly SourcedPolicy[];
  /** One list for each level from the root down. Each level must allow. Absent if no service control policy applies. */
  readonly serviceControl?: readonly (readonly SourcedPolicy[])[];
  /** Whether the principal is the root user, whose identity layer always allows. */
  readonly root?: boolean;
}

/**
 * Answer of a decision graph for an allowed request. For an explicit denial, the answer is `1 + index in denyOf`.
 * For an implicit denial, the answer is `-1 - index in gates`.
 */
export const ALLOWED = 0;

/** Statement that applies to the action. */
export interface Candidate {
  readonly policyType: PolicyType;
  readonly source: SourcedPolicy;
  readonly statement: number;
  /** Cached result of `refOf`. */
  ref?: StatementRef;
}

/**
 * Layer (policies of one type) that must allow an action, and whose result depends on the request.
 * A layer without candidates never allows.
 */
export interface Gate {
  readonly policyType: PolicyType;
  readonly allowOf: readonly Candidate[];
  /** Graph of each candidate. It ends at 1 if the statement allows. */
  readonly allows: readonly Node[];
}

/** Decision graph of one action for one policy stack, and the meaning of its answers. */
export interface Program {
  /** Graph that ends at `ALLOWED`, or at a number that identifies the denial. */
  readonly root: Node;
  /** Statements that can deny. If several of them deny a request, the decision names the first in this list. */
  readonly denyOf: readonly Candidate[];
  /** Layers that must allow, except those that always allow. If several do not allow, the decision names the first. */
  readonly gates: readonly Gate[];
  /** The allowing statements of the layers that always allow. */
  readonly alwaysBy: readonly Candidate[];
  /** Context keys that the conditions and variables of the statements for this action read, sorted. */
  readonly keys: readonly string[];
  /** Maximum number of comparisons of one decision. */
  readonly size: number;
}

/** Maximum number of levels of service control policies. It bounds the memory of a decision. */
const LEVELS_MAX = LAYERS_MAX - 8;

/** Checks the number of levels. @throws Error  there are more than `LEVELS_MAX` levels of service control policies */
export function checkLayers(layers: PolicyLayers): void {
  if ((layers.serviceControl?.length ?? 0) > LEVELS_MAX) throw new Error('There are too many levels of service control policies.');
}

/** Policies of one layer, reduced to the statements that apply to the action. Each SCP level is a layer. */
interface LinkedLayer {
  readonly policyType: PolicyType;
  readonly contributions: readonly Contribution[];
  /** Whether the layer must allow the action. */
  readonly gate: boolean;
}

/**
 * Markers in the path to a shared program (`Contribution.next`). In this path, a marker precedes the contributions of
 * each layer. It says the policy type of the layer, and whether the layer must allow (`gate`) or need not allow
 * (`free`).
 */
// biome-ignore format: a table
const MARKS: Readonly<Record<PolicyType, { readonly gate: object; readonly free: object }>> = {
  'service-control': { gate: {}, free: {} },
  resource:          { gate: {}, free: {} },
  trust:             { gate: {}, free: {} },
  boundary:          { gate: {}, free: {} },
  session:           { gate: {}, free: {} },
  identity:          { gate: {}, free: {} },
};
const PROGRAM = {};

/**
 * Returns the program (decision graph) of a lower-case action. Stacks for which the same statements apply share one
 * program.
 *
 * Source: IAM User Guide, "Policy evaluation logic": an explicit deny in any policy wins, then every layer that is
 * present must allow.
 * Assumed: if several layers deny, the decision names the first of them. For explicit denials, the order is service
 * control, boundary, session, identity. For implicit denials, the order is service control, identity, boundary,
 * session.
 */
export function linkProgram(layers: PolicyLayers, action: string): Program {
  const linked: LinkedLayer[] = [];
  const addLayer = (policyType: PolicyType, policies: readonly SourcedPolicy[], gate: boolean): void => {
    const contributions: Contribution[] = [];
    for (const source of policies) {
      const contribution = contributionOf(source, action);
      if (contribution !== undefined) contributions.push(contribution);
    }
    if (gate || contributions.length > 0) linked.push({ policyType, contributions, gate });
  };
  for (const level of layers.serviceControl ?? []) addLayer('service-control', level, true);
  addLayer('identity', layers.identity, layers.root !== true);
  if (layers.boundary !== undefined && layers.boundary.length > 0) addLayer('boundary', layers.boundary, true);
  if (layers.session !== undefined) addLayer('session', layers.session, true);

  const first = linked.find(({ contributions }) => contributions.length > 0)?.contributions[0];
  if (first === undefined) return makeProgram(linked);
  let step = nextOf(first);
  for (const { policyType, contributions, gate } of linked) {
    step = stepOf(step, gate ? MARKS[policyType].gate : MARKS[policyType].free);
    for (const contribution of contributions) step = stepOf(step, contribution);
  }
  let program = step.get(PROGRAM) as Program | undefined;
  if (program === undefined) {
    program = makeProgram(linked);
    step.set(PROGRAM, program);
  }
  return program;
}

function nextOf(contribution: Contribution): WeakMap<object, unknown> {
  contribution.next ??= new WeakMap();
  return contribution.next;
}

function stepOf(from: WeakMap<object, unknown>, by: object): WeakMap<object, unknown> {
  let step = from.get(by) as WeakMap<object, unknown> | undefined;
  if (step === undefined) {
    step = new WeakMap();
    from.set(by, step);
  }
  return step;
}

const EXPLICIT_ORDER: readonly PolicyType[] = ['service-control', 'boundary', 'session', 'identity'];

function makeProgram(linked: readonly LinkedLayer[]): Program {
  const denies: Test[] = [];
  const denyOf: Candidate[] = [];
  const keys = new Set<string>();
  for (const policyType of EXPLICIT_ORDER) {
    for (const { contributions } of linked.filter((layer) => layer.policyType === policyType)) {
      for (const { source, denies: own, denyOf: statements, keys: read } of contributions) {
        for (const key of read) keys.add(key);
        denies.push(...own);
        denyOf.push(...statements.map((statement) => ({ policyType, source, statement })));
      }
    }
  }
  const gates: Gate[] = [];
  const alwaysBy: Candidate[] = [];
  const gateTests: Test[] = [];
  for (const { policyType, contributions, gate } of linked) {
    if (!gate) continue;
    const unconditional = contributions.find(({ alwaysAt }) => alwaysAt >= 0);
    if (unconditional !== undefined) {
      const { source, allowOf, alwaysAt } = unconditional;
      alwaysBy.push({ policyType, source, statement: allowOf[alwaysAt] as number });
      continue;
    }
    gates.push({
      policyType,
      allowOf: contributions.flatMap(({ source, allowOf }) => allowOf.map((statement) => ({ policyType, source, statement }))),
      allows: contributions.flatMap(({ allowRoots }) => allowRoots),
    });
    // One Allow is sufficient, so the cheapest test comes first.
    gateTests.push({ any: contributions.flatMap(({ allows }) => allows).sort((a, b) => costOf(a) - costOf(b)) });
  }
  let root = answerNode(ALLOWED);
  for (let g = gates.length - 1; g >= 0; g--) root = graphOf(gateTests[g] as Test, root, answerNode(-1 - g));
  // Explicit denials are evaluated in the order of `denyOf`, so that the graph ends at the first statement that denies.
  for (let i = denies.length - 1; i >= 0; i--) root = graphOf(denies[i] as Test, answerNode(1 + i), root);
  const size = [...denies, ...gateTests].reduce<number>((sum, test) => sum + sizeOf(test), 1);
  return { root, denyOf, gates, alwaysBy, keys: [...keys].sort(), size };
}

/** Returns the reference to a statement for a decision. */
export function refOf(candidate: Candidate): StatementRef {
  candidate.ref ??= makeRef(candidate);
  return candidate.ref;
}

function makeRef({ policyType, source, statement }: Candidate): StatementRef {
  const { policyId, policyArn, policy } = source;
  const sid = policy.lowered.statements[statement]?.sid;
  return { policyType, policyId, ...(policyArn !== undefined && { policyArn }), statement, ...(sid !== undefined && { sid }) };
}
