import { actionName } from './actions.ts';
import { type SourcedPolicy, statementHasAction, statementPredicate } from './compile.ts';
import type { PolicyType, StatementRef } from './decision.ts';
import type { LoweredStatement } from './lowered.ts';
import { always, never, type Predicate } from './match-resource.ts';
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

/** One layer that must allow, for one action. A layer without candidates never allows. */
export interface Gate {
  readonly policyType: PolicyType;
  readonly allows: readonly Predicate[];
  readonly allowOf: readonly Candidate[];
}

/** Everything that can decide one action for one stack. */
export interface Program {
  /** In the order in which an explicit denial is named. */
  readonly denies: readonly Predicate[];
  readonly denyOf: readonly Candidate[];
  /** In the order in which an implicit denial is named; without those that always allow. */
  readonly gates: readonly Gate[];
  /** What allows in the layers that always do. */
  readonly alwaysBy: readonly Candidate[];
  /** Every context key that a condition or variable of these statements reads. */
  readonly keys: readonly string[];
}

/** Policies linked for deciding. Programs are made when an action is first asked about, and kept. */
export interface PolicyStack {
  readonly layers: PolicyLayers;
  /** By action number, in blocks of 32. */
  readonly programs: (Program | undefined)[][];
  /** Whether any condition or variable that can matter for the action reads a key that begins so (`aws:resourcetag/`, in lower case). */
  readonly readsKey: (action: string, prefix: string) => boolean;
}

const EXPLICIT_ORDER: readonly PolicyType[] = ['service-control', 'boundary', 'session', 'identity'];

/** Why a linked policy has this many levels: bounded, so that a decision's scratch is. */
const LEVELS_MAX = LAYERS_MAX - 8;

/** @throws Error where there are more levels of service control policies than can be */
export function checkLayers(layers: PolicyLayers): void {
  if ((layers.serviceControl?.length ?? 0) > LEVELS_MAX) throw new Error('There are too many levels of service control policies.');
}

/** The program of an action, linked where it is not yet. */
export function programOf(stack: PolicyStack, action: number): Program {
  const block = stack.programs[action >> 5];
  const known = block === undefined ? undefined : block[action & 31];
  return known ?? linkAndKeep(stack, action);
}

function linkAndKeep(stack: PolicyStack, action: number): Program {
  const program = linkProgram(stack.layers, actionName(action));
  const { programs } = stack;
  while (programs.length <= action >> 5) programs.push([]);
  const block = programs[action >> 5] as (Program | undefined)[];
  while (block.length <= (action & 31)) block.push(undefined);
  block[action & 31] = program;
  return program;
}

/**
 * Gathers what can decide one action (in lower case).
 *
 * Source: IAM User Guide, "Policy evaluation logic": an explicit deny in any policy wins, then every layer that is present must allow.
 * Assumed: where several layers fail, an explicit denial is named in the order service control, boundary, session, identity, and an
 * implicit one in the order service control, identity, boundary, session.
 */
export function linkProgram(layers: PolicyLayers, action: string): Program {
  const denies: Predicate[] = [];
  const denyOf: Candidate[] = [];
  const keys = new Set<string>();
  for (const policyType of EXPLICIT_ORDER) {
    for (const source of policiesOf(layers, policyType)) {
      collect(source, policyType, 'Deny', action, denies, denyOf, keys);
    }
  }

  const gates: Gate[] = [];
  const alwaysBy: Candidate[] = [];
  const gate = (policyType: PolicyType, policies: readonly SourcedPolicy[]): void => {
    const allows: Predicate[] = [];
    const allowOf: Candidate[] = [];
    const read = new Set<string>();
    for (const source of policies) collect(source, policyType, 'Allow', action, allows, allowOf, read);
    const unconditional = allows.indexOf(always);
    if (unconditional >= 0) {
      alwaysBy.push(allowOf[unconditional] as Candidate);
      return;
    }
    for (const key of read) keys.add(key);
    gates.push({ policyType, allows, allowOf });
  };
  for (const level of layers.serviceControl ?? []) gate('service-control', level);
  if (layers.root !== true) gate('identity', layers.identity);
  if (layers.boundary !== undefined && layers.boundary.length > 0) gate('boundary', layers.boundary);
  if (layers.session !== undefined) gate('session', layers.session);
  return { denies, denyOf, gates, alwaysBy, keys: [...keys] };
}

function policiesOf(layers: PolicyLayers, policyType: PolicyType): readonly SourcedPolicy[] {
  switch (policyType) {
    case 'service-control':
      return layers.serviceControl?.flat() ?? [];
    case 'boundary':
      return layers.boundary ?? [];
    case 'session':
      return layers.session ?? [];
    case 'identity':
      return layers.identity;
    case 'resource':
    case 'trust':
      return [];
  }
}

/** A statement with a principal does not belong here; it never allows, and its denial asks for nobody in particular. */
function collect(
  source: SourcedPolicy,
  policyType: PolicyType,
  effect: 'Allow' | 'Deny',
  action: string,
  predicates: Predicate[],
  candidates: Candidate[],
  keys: Set<string>,
): void {
  const { statements } = source.policy.lowered;
  for (let i = 0; i < statements.length; i++) {
    const statement = statements[i] as LoweredStatement;
    if (statement.effect !== effect || (effect === 'Allow' && statement.principals !== undefined)) continue;
    if (!statementHasAction(statement, action)) continue;
    const predicate = statementPredicate(source.policy, i, true);
    if (predicate === never) continue;
    predicates.push(predicate);
    candidates.push({ policyType, source, statement: i });
    keysOf(statement, keys);
  }
}

/** Adds every context key that a statement's conditions and variables name. */
export function keysOf(statement: LoweredStatement, into: Set<string>): void {
  for (const test of statement.conditions) {
    into.add(test.key);
    for (const pieces of test.values) for (const piece of pieces) if (piece.kind === 'variable') into.add(piece.key);
  }
  for (const pattern of statement.resources?.patterns ?? []) {
    if (pattern.kind === 'everything') continue;
    for (const pieces of pattern.segments) for (const piece of pieces) if (piece.kind === 'variable') into.add(piece.key);
  }
}

/** A candidate as decisions name it. */
export function refOf({ policyType, source, statement }: Candidate): StatementRef {
  const { policyId, policyArn, policy } = source;
  const sid = policy.lowered.statements[statement]?.sid;
  return { policyType, policyId, ...(policyArn === undefined ? {} : { policyArn }), statement, ...(sid === undefined ? {} : { sid }) };
}
