import { actionIdOf } from './actions.ts';
import type { Decision, StatementRef } from './decision.ts';
import {
  type Candidate,
  checkLayers,
  type Gate,
  linkProgram,
  type PolicyLayers,
  type PolicyStack,
  type Program,
  programOf,
  refOf,
} from './link.ts';
import type { Predicate } from './match-resource.ts';
import { newRequestRecord, type PolicyRequest, type RequestRecord } from './request.ts';

/** The engine's door for the path of a request: what stands behind it is reached through this file alone. */
export {
  type CompiledPolicy,
  compilePolicy,
  isPolicyTextError,
  type PolicyTextError,
  type SourcedPolicy,
  tryCompilePolicy,
} from './compile.ts';
export { type DenialFacts, denialText } from './denial.ts';
export type { PolicyLayers, PolicyStack } from './link.ts';
export { newRequestRecord, type PolicyRequest, type RequestRecord } from './request.ts';
export { decideTrust, type TrustCaller, type TrustDecision, trustCallerOf } from './trust.ts';

/** Allowed. Above it: 1 + the number of the statement that denies. Below it: -1 - the number of the gate that does not allow. */
export const ALLOWED = 0;

/** Makes a stack of a principal's policies. Nothing is linked before it is asked for, so this costs next to nothing. */
export function linkStack(layers: PolicyLayers): PolicyStack {
  checkLayers(layers);
  return { layers, programs: [], readsKey };
}

function readsKey(this: PolicyStack, action: string, prefix: string): boolean {
  const { keys } = programFor(this, action);
  for (let i = 0; i < keys.length; i++) if ((keys[i] as string).startsWith(prefix)) return true;
  return false;
}

/** The program of an action by its name; one that has no number is linked for this once. */
export function programFor(stack: PolicyStack, action: string): Program {
  const id = actionIdOf(action);
  return id < 0 ? linkProgram(stack.layers, action.toLowerCase()) : programOf(stack, id);
}

/**
 * Whether the record's action may be done to the record's one resource: `ALLOWED`, or a number that says what denies. Allocates nothing.
 * The action's number is not -1.
 */
export function decideRecord(stack: PolicyStack, record: RequestRecord): number {
  return runProgram(programOf(stack, record.action), record);
}

/** See `decideRecord`. */
export function runProgram(program: Program, record: RequestRecord): number {
  const { testCount, denyCount, gateCount } = program;
  // Most programs have one gate and no test or one: they are decided from the program alone.
  if (gateCount === 1 && testCount <= 1) {
    if (testCount === 0) return -1;
    if (!(program.only as Predicate)(record)) return -1;
    record.scratch.hits[0] = 0;
    return denyCount;
  }
  const { tests } = program;
  let i = 0;
  for (; i < denyCount; i++) {
    if ((tests[i] as Predicate)(record)) return 1 + i;
  }
  // One gate is by far the commonest: its tests are all the rest.
  if (gateCount === 1) {
    for (; i < tests.length; i++) {
      if ((tests[i] as Predicate)(record)) {
        record.scratch.hits[0] = i - denyCount;
        return ALLOWED;
      }
    }
    return -1;
  }
  const { gateEnds } = program;
  for (let g = 0; g < gateCount; g++) {
    const first = i;
    const end = gateEnds[g] as number;
    while (i < end && !(tests[i] as Predicate)(record)) i++;
    if (i === end) return -1 - g;
    record.scratch.hits[g] = i - first;
    i = end;
  }
  return ALLOWED;
}

/** Scratch of `decide`, which is synchronous and fills all that it reads. Its slots stay empty: every key is sought in the context. */
const RECORD = newRequestRecord();

/** Whether the action may be done to every one of the resources. An explicit denial of any is named before an implicit one of another. */
export function decide(stack: PolicyStack, request: PolicyRequest): Decision {
  const program = programFor(stack, request.action);
  RECORD.context = request.context;
  const decision = decideProgram(program, RECORD, request.resources);
  RECORD.context = undefined;
  return decision;
}

/** As `decide`, with a program and a record at hand; the record's resource is overwritten. No resources are decided as `*`. */
export function decideProgram(program: Program, record: RequestRecord, resources: readonly string[]): Decision {
  let implicit: Decision | undefined;
  const by: StatementRef[] = [];
  for (const resource of resources.length === 0 ? ['*'] : resources) {
    record.resource = resource;
    const code = runProgram(program, record);
    if (code > ALLOWED) {
      const candidate = program.denyOf[code - 1] as Candidate;
      return { effect: 'Deny', kind: 'explicit', by: refOf(candidate), policyType: candidate.policyType, resource };
    }
    if (code < ALLOWED) {
      implicit ??= { effect: 'Deny', kind: 'implicit', missing: (program.gates[-1 - code] as Gate).policyType, resource };
    } else if (implicit === undefined) {
      addAllowing(program, record, by);
    }
  }
  return implicit ?? { effect: 'Allow', by };
}

/** Adds the statement of each layer that allowed, once. */
function addAllowing({ gates, alwaysBy }: Program, { scratch }: RequestRecord, by: StatementRef[]): void {
  const add = (candidate: Candidate): void => {
    const { policyType, source, statement } = candidate;
    const known = by.some((ref) => ref.policyType === policyType && ref.policyId === source.policyId && ref.statement === statement);
    if (!known) by.push(refOf(candidate));
  };
  for (const candidate of alwaysBy) add(candidate);
  for (let g = 0; g < gates.length; g++) add((gates[g] as Gate).allowOf[scratch.hits[g] as number] as Candidate);
}
