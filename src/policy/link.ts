import { actionName } from './actions.ts';
import type { SourcedPolicy } from './compile.ts';
import { type Contribution, contributionOf } from './contribution.ts';
import type { PolicyType, StatementRef } from './decision.ts';
import { always, type Predicate } from './match-resource.ts';
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

/** A statement that speaks of the action. */
export interface Candidate {
  readonly policyType: PolicyType;
  readonly source: SourcedPolicy;
  readonly statement: number;
}

/** One layer that must allow, for one action, and does not always. A layer without candidates never allows. */
export interface Gate {
  readonly policyType: PolicyType;
  /** Whose its tests are. */
  readonly allowOf: readonly Candidate[];
}

/**
 * Everything that can decide one action for one stack. What deciding reads is `tests` and the numbers, close together, because a
 * decision costs what its cache misses cost; the rest says what an answer means.
 */
export interface Program {
  /** The one test of a program that has but one, which most have: `tests[0]`. */
  readonly only: Predicate | undefined;
  readonly testCount: number;
  /** The denials' tests, in the order in which they are named, and after them those of each gate. */
  readonly tests: readonly Predicate[];
  readonly denyCount: number;
  readonly gateCount: number;
  /** One past the last test of each gate. */
  readonly gateEnds: readonly number[];
  readonly denyOf: readonly Candidate[];
  /** In the order in which an implicit denial is named; without those that always allow. */
  readonly gates: readonly Gate[];
  /** What allows in the layers that always do. */
  readonly alwaysBy: readonly Candidate[];
  /** Every context key that a condition or variable of these policies' statements about the action reads. */
  readonly keys: readonly string[];
}

/** Policies linked for deciding. Programs are made when an action is first asked about, and kept. */
export interface PolicyStack {
  readonly layers: PolicyLayers;
  /** By action number, as far as one was asked for. */
  readonly programs: (Program | undefined)[];
  /** Whether any condition or variable that can matter for the action reads a key that begins so (`aws:resourcetag/`, in lower case). */
  readonly readsKey: (action: string, prefix: string) => boolean;
}

/** Why a linked policy has this many levels: bounded, so that a decision's scratch is. */
const LEVELS_MAX = LAYERS_MAX - 8;

/** @throws Error where there are more levels of service control policies than can be */
export function checkLayers(layers: PolicyLayers): void {
  if ((layers.serviceControl?.length ?? 0) > LEVELS_MAX) throw new Error('There are too many levels of service control policies.');
}

/** The program of an action, linked where it is not yet. */
export function programOf(stack: PolicyStack, action: number): Program {
  const { programs } = stack;
  const known = action < programs.length ? programs[action] : undefined;
  return known ?? linkAndKeep(stack, action);
}

function linkAndKeep({ layers, programs }: PolicyStack, action: number): Program {
  const program = linkProgram(layers, actionName(action));
  while (programs.length <= action) programs.push(undefined);
  programs[action] = program;
  return program;
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
  const denies: Predicate[] = [];
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
  const tests = denies;
  const denyCount = denies.length;
  const gates: Gate[] = [];
  const gateEnds: number[] = [];
  const alwaysBy: Candidate[] = [];
  for (const { policyType, contributions, gate } of brought) {
    if (!gate) continue;
    const allows = contributions.flatMap((one) => one.allows);
    const allowOf = contributions.flatMap(({ source, allowOf: own }) => own.map((statement) => ({ policyType, source, statement })));
    const unconditional = allows.indexOf(always);
    if (unconditional >= 0) {
      alwaysBy.push(allowOf[unconditional] as Candidate);
      continue;
    }
    tests.push(...allows);
    gates.push({ policyType, allowOf });
    gateEnds.push(tests.length);
  }
  const only = tests.length === 1 ? tests[0] : undefined;
  const testCount = tests.length;
  return { only, testCount, tests: tests.slice(), denyCount, gateCount: gates.length, gateEnds, denyOf, gates, alwaysBy, keys: [...keys] };
}

/** A candidate as decisions name it. */
export function refOf({ policyType, source, statement }: Candidate): StatementRef {
  const { policyId, policyArn, policy } = source;
  const sid = policy.lowered.statements[statement]?.sid;
  return { policyType, policyId, ...(policyArn === undefined ? {} : { policyArn }), statement, ...(sid === undefined ? {} : { sid }) };
}
