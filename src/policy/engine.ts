import type { Decision, Denial, StatementRef } from './decision.ts';
import { walk } from './graph.ts';
import { ALLOWED, type Candidate, type Gate, type Program, refOf } from './link.ts';
import { beginDecision, newRequestRecord, type PolicyRequest, type RequestRecord, setContext, setResource } from './request.ts';
import { type PolicyStack, programFor, rootOf } from './stack.ts';
import { type StepBudget, takeSteps } from './steps.ts';

/** Interface of the policy engine for authorization. Other parts import only this file to decide a request. */
export { compilePolicy, isPolicyTextError, type PolicyTextError, tryCompilePolicy } from './compile.ts';
export type { CompiledPolicy, SourcedPolicy } from './compiled-policy.ts';
export { DECISION_STEPS } from './decision-steps.ts';
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
  beginDecision(record);
  return walk(rootOf(stack, record.action), record);
}

/** Scratch of `decide`, which is synchronous and sets all that it reads. */
const RECORD = newRequestRecord();

/**
 * Whether the action may be done to every one of the resources. An explicit denial of any is named before an implicit one of another.
 *
 * @param budget steps for all of the resources; without it, each has `DECISION_STEPS`
 * @throws StepsExceeded  the budget has fewer steps left than the decision needs
 */
export function decide(stack: PolicyStack, request: PolicyRequest, budget?: StepBudget): Decision {
  const program = programFor(stack, request.action);
  setContext(RECORD, request.context);
  const decision = decideProgram(program, RECORD, request.resources, budget);
  setContext(RECORD, undefined);
  return decision;
}

/** As `decide`, with an existing program and record. Overwrites the record's resource. No resources are decided as `*`. */
export function decideProgram(program: Program, record: RequestRecord, resources: readonly string[], budget?: StepBudget): Decision {
  let implicit: Decision | undefined;
  const by: StatementRef[] = [];
  for (const resource of resources.length === 0 ? ['*'] : resources) {
    const denial = denialOf(program, record, resource, budget);
    if (denial?.kind === 'explicit') return denial;
    if (denial !== undefined) implicit ??= denial;
    else if (implicit === undefined) addAllowing(program, record, by);
  }
  return implicit ?? { effect: 'Allow', by };
}

/**
 * Returns the denial of one resource, or undefined if it is allowed. Overwrites the record's resource.
 *
 * @throws StepsExceeded  the budget, or that of one decision (`DECISION_STEPS`), has fewer steps left than the decision needs
 */
export function denialOf(program: Program, record: RequestRecord, resource: string, budget?: StepBudget): Denial | undefined {
  takeSteps(beginDecision(record, budget), program.size);
  setResource(record, resource);
  const code = walk(program.root, record);
  if (code === ALLOWED) return undefined;
  if (code < ALLOWED) return { effect: 'Deny', kind: 'implicit', missing: (program.gates[-1 - code] as Gate).policyType, resource };
  const candidate = program.denyOf[code - 1] as Candidate;
  return { effect: 'Deny', kind: 'explicit', by: refOf(candidate), policyType: candidate.policyType, resource };
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
