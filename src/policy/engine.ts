import type { Decision, StatementRef } from './decision.ts';
import { walk } from './graph.ts';
import { ALLOWED, type Candidate, type Gate, type Program, refOf } from './link.ts';
import { newRequestRecord, type PolicyRequest, type RequestRecord, setContext, setResource } from './request.ts';
import { type PolicyStack, programFor, rootOf } from './stack.ts';

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
export { fillRecord, fillResource } from './facts.ts';
export { ALLOWED, type PolicyLayers } from './link.ts';
export { newRequestRecord, type PolicyRequest, type RequestRecord, setContext, setResource } from './request.ts';
export { linkStack, type PolicyStack, programFor, sharedStack } from './stack.ts';
export { decideTrust, type TrustCaller, type TrustDecision, trustCallerOf, trustReadsKey } from './trust.ts';

/**
 * Whether the record's action may be done to the record's one resource: `ALLOWED`, or a number that says what denies. Allocates nothing.
 * The action's number is not -1.
 */
export function decideRecord(stack: PolicyStack, record: RequestRecord): number {
  return walk(rootOf(stack, record.action), record);
}

/** Scratch of `decide`, which is synchronous and sets all that it reads. */
const RECORD = newRequestRecord();

/** Whether the action may be done to every one of the resources. An explicit denial of any is named before an implicit one of another. */
export function decide(stack: PolicyStack, request: PolicyRequest): Decision {
  const program = programFor(stack, request.action);
  setContext(RECORD, request.context);
  const decision = decideProgram(program, RECORD, request.resources);
  setContext(RECORD, undefined);
  return decision;
}

/** As `decide`, with a program and a record at hand; the record's resource is overwritten. No resources are decided as `*`. */
export function decideProgram(program: Program, record: RequestRecord, resources: readonly string[]): Decision {
  let implicit: Decision | undefined;
  const by: StatementRef[] = [];
  for (const resource of resources.length === 0 ? ['*'] : resources) {
    setResource(record, resource);
    const code = walk(program.root, record);
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
function addAllowing({ gates, alwaysBy }: Program, record: RequestRecord, by: StatementRef[]): void {
  const add = (candidate: Candidate): void => {
    const { policyType, source, statement } = candidate;
    const known = by.some((ref) => ref.policyType === policyType && ref.policyId === source.policyId && ref.statement === statement);
    if (!known) by.push(refOf(candidate));
  };
  for (const candidate of alwaysBy) add(candidate);
  for (const { allowOf, allows } of gates) add(allowOf[allows.findIndex((root) => walk(root, record) === 1)] as Candidate);
}
