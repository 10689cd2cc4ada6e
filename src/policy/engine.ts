import type { Decision, Denial, StatementRef } from './decision.ts';
import { type Node, walk } from './graph.ts';
import { ALLOWED, type Candidate, type Gate, type Program, refOf } from './link.ts';
import { beginDecision, newRequestRecord, type PolicyRequest, type RequestRecord, setContext, setResource } from './request.ts';
import { type PolicyStack, programFor } from './stack.ts';
import { type StepBudget, takeSteps } from './steps.ts';

/** Interface of the policy engine for authorization. Code in other folders decides requests through this file. */
export { compilePolicy, isPolicyTextError, type PolicyTextError, tryCompilePolicy } from './compile.ts';
export type { CompiledPolicy, SourcedPolicy } from './compiled-policy.ts';
export { DECISION_STEPS } from './decision-steps.ts';
export { type DenialFacts, type DenialWording, denialText } from './denial.ts';
export { type ContextValue, type FactSource, TRUTH_KEYS, truthsOf } from './facts.ts';
export { SLOT_KEYS, slotOf } from './keys.ts';
export type { PolicyLayers } from './link.ts';
export { newRequestRecord, type PolicyRequest, type RequestRecord, setContext, setFacts } from './request.ts';
export { linkStack, type PolicyStack, programFor, sharedStack } from './stack.ts';
export { decideTrust, decideTrustOf, type TrustCaller, type TrustDecision, trustCallerOf, trustReadsKey } from './trust.ts';

/**
 * Request record that all calls of `decide` share. This is safe, because `decide` is synchronous and sets all facts
 * that it reads.
 */
const RECORD = newRequestRecord();

/**
 * Decides an action on all of the resources. An explicit denial of one resource has precedence over an implicit denial
 * of another resource.
 *
 * `budget` applies to all resources together. Without a budget, each resource may take `DECISION_STEPS` steps.
 *
 * @throws StepsExceeded  the budget has too few steps left
 */
export function decide(stack: PolicyStack, request: PolicyRequest, budget?: StepBudget): Decision {
  const program = programFor(stack, request.action);
  setContext(RECORD, request.context);
  const decision = decideProgram(program, RECORD, request.resources, budget);
  setContext(RECORD, undefined);
  return decision;
}

/**
 * Decides an action on all of the resources, with an existing program (decision graph of the action) and request
 * record. Overwrites the record's resource. An empty list of resources means `*`.
 */
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
 * Returns the denial of a request for one resource, or `undefined` if the request is allowed. Overwrites the record's
 * resource. Without `budget`, the decision may take `DECISION_STEPS` steps.
 *
 * @throws StepsExceeded  the budget has too few steps left
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

/**
 * Largest program (decision graph of an action) for which `allowingStatement` searches. The search evaluates the
 * statements again, so the limit bounds its time to about a microsecond.
 */
const SEARCHED_SIZE_MAX = 256;

/**
 * Returns the first identity statement that allows the request of the last call of `denialOf` with this program and record.
 * Call it only if that call allowed the request. Returns `undefined` for the root user, and if the program is too large.
 */
export function allowingStatement({ gates, alwaysBy, size }: Program, record: RequestRecord): StatementRef | undefined {
  for (const candidate of alwaysBy) if (candidate.policyType === 'identity') return refOf(candidate);
  if (size > SEARCHED_SIZE_MAX) return undefined;
  for (const { policyType, allows, allowOf } of gates) {
    if (policyType !== 'identity') continue;
    for (let i = 0; i < allows.length; i++) if (walk(allows[i] as Node, record) === 1) return refOf(allowOf[i] as Candidate);
  }
  return undefined;
}

/** Adds one allowing statement to `by` for each policy layer that must allow the request. Omits duplicates. */
function addAllowing({ gates, alwaysBy }: Program, record: RequestRecord, by: StatementRef[]): void {
  const add = (candidate: Candidate): void => {
    const { policyType, source, statement } = candidate;
    const known = by.some((ref) => ref.policyType === policyType && ref.policyId === source.policyId && ref.statement === statement);
    if (!known) by.push(refOf(candidate));
  };
  for (const candidate of alwaysBy) add(candidate);
  for (const { allowOf, allows } of gates) add(allowOf[allows.findIndex((root) => walk(root, record) === 1)] as Candidate);
}
