import type { Contribution, SourcedPolicy } from './compiled-policy.ts';
import { contributionOf } from './contribution.ts';
import type { PolicyType, StatementRef } from './decision.ts';
import { answerNode, costOf, graphOf, type Node, sizeOf, type Test } from './graph.ts';
import { LAYERS_MAX } from './request.ts';

/** The policies in force for a principal, by what they do. */
export interface PolicyLayers {
  /** Inline, attached and of all groups; of a role session the role's. */
  readonly identity: readonly SourcedPolicy[];
  /** Absent or empty: none attached. */
  readonly boundary?: readonly SourcedPolicy[];
  /** Absent: none was passed. Empty: one was passed that allows nothing. */
  readonly session?: readonly SourcedPolicy[];
  /** One list for each level from the root down, each of which must allow. Absent: none applies. */
  readonly serviceControl?: readonly (readonly SourcedPolicy[])[];
  /** The identity layer always allows: the root user. */
  readonly root?: boolean;
}

/** Allowed. Above it: 1 + the number of the statement that denies. Below it: -1 - the number of the gate that does not allow. */
export const ALLOWED = 0;

/** A statement that speaks of the action. */
export interface Candidate {
  readonly policyType: PolicyType;
  readonly source: SourcedPolicy;
  readonly statement: number;
}

/** One layer that must allow, for one action, and does not always. A layer without candidates never allows. */
export interface Gate {
  readonly policyType: PolicyType;
  readonly allowOf: readonly Candidate[];
  /** Whether each of them allows: leads to 1. */
  readonly allows: readonly Node[];
}

/** Everything that can decide one action for one stack: the graph that decides, and what its answers mean. */
export interface Program {
  /** Leads to an answer as `decideRecord` gives it. */
  readonly root: Node;
  /** In the order in which they are named. */
  readonly denyOf: readonly Candidate[];
  /** In the order in which an implicit denial is named; without those that always allow. */
  readonly gates: readonly Gate[];
  /** What allows in the layers that always do. */
  readonly alwaysBy: readonly Candidate[];
  /** Every context key that a condition or variable of these policies' statements about the action reads, sorted. */
  readonly keys: readonly string[];
  /** Number of comparisons that one decision makes at most. */
  readonly size: number;
}

/** Why a linked policy has this many levels: bounded, so that a decision's scratch is. */
const LEVELS_MAX = LAYERS_MAX - 8;

/** @throws Error where there are more levels of service control policies than can be */
export function checkLayers(layers: PolicyLayers): void {
  if ((layers.serviceControl?.length ?? 0) > LEVELS_MAX) throw new Error('There are too many levels of service control policies.');
}

/** What one layer brings. A level of service control policies is a layer. */
interface Brought {
  readonly policyType: PolicyType;
  readonly contributions: readonly Contribution[];
  /** Whether the layer must allow. */
  readonly gate: boolean;
}

/** Steps in the chain of contributions: which layer the next ones belong to. */
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
 * The program of an action (in lower case). Stacks to which the same statements matter share one.
 *
 * Source: IAM User Guide, "Policy evaluation logic": an explicit deny in any policy wins, then every layer that is present must allow.
 * Assumed: where several layers fail, an explicit denial is named in the order service control, boundary, session, identity, and an
 * implicit one in the order service control, identity, boundary, session.
 */
export function linkProgram(layers: PolicyLayers, action: string): Program {
  const brought: Brought[] = [];
  const bring = (policyType: PolicyType, policies: readonly SourcedPolicy[], gate: boolean): void => {
    const contributions: Contribution[] = [];
    for (const source of policies) {
      const contribution = contributionOf(source, action);
      if (contribution !== undefined) contributions.push(contribution);
    }
    if (gate || contributions.length > 0) brought.push({ policyType, contributions, gate });
  };
  for (const level of layers.serviceControl ?? []) bring('service-control', level, true);
  bring('identity', layers.identity, layers.root !== true);
  if (layers.boundary !== undefined && layers.boundary.length > 0) bring('boundary', layers.boundary, true);
  if (layers.session !== undefined) bring('session', layers.session, true);

  const first = brought.find(({ contributions }) => contributions.length > 0)?.contributions[0];
  if (first === undefined) return makeProgram(brought);
  let step = nextOf(first);
  for (const { policyType, contributions, gate } of brought) {
    step = stepOf(step, gate ? MARKS[policyType].gate : MARKS[policyType].free);
    for (const contribution of contributions) step = stepOf(step, contribution);
  }
  let program = step.get(PROGRAM) as Program | undefined;
  if (program === undefined) {
    program = makeProgram(brought);
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

function makeProgram(brought: readonly Brought[]): Program {
  const denies: Test[] = [];
  const denyOf: Candidate[] = [];
  const keys = new Set<string>();
  for (const policyType of EXPLICIT_ORDER) {
    for (const { contributions } of brought.filter((layer) => layer.policyType === policyType)) {
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
  for (const { policyType, contributions, gate } of brought) {
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
    // Any of them will do: what costs least is asked first.
    gateTests.push({ any: contributions.flatMap(({ allows }) => allows).sort((a, b) => costOf(a) - costOf(b)) });
  }
  let root = answerNode(ALLOWED);
  for (let g = gates.length - 1; g >= 0; g--) root = graphOf(gateTests[g] as Test, root, answerNode(-1 - g));
  // Denials are named in their order, and asked in it.
  for (let i = denies.length - 1; i >= 0; i--) root = graphOf(denies[i] as Test, answerNode(1 + i), root);
  const size = [...denies, ...gateTests].reduce<number>((sum, test) => sum + sizeOf(test), 1);
  return { root, denyOf, gates, alwaysBy, keys: [...keys].sort(), size };
}

/** A candidate as decisions name it. */
export function refOf({ policyType, source, statement }: Candidate): StatementRef {
  const { policyId, policyArn, policy } = source;
  const sid = policy.lowered.statements[statement]?.sid;
  return { policyType, policyId, ...(policyArn === undefined ? {} : { policyArn }), statement, ...(sid === undefined ? {} : { sid }) };
}
