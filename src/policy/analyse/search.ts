import type { CompiledPolicy } from '../compiled-policy.ts';
import { decideProgram } from '../engine.ts';
import { linkProgram } from '../link.ts';
import type { LoweredStatement } from '../lowered.ts';
import { newRequestRecord, type PolicyRequest, type RequestRecord, setContext } from '../request.ts';
import { type StepBudget, takeSteps } from '../steps.ts';
import { decideTrust, type TrustCaller } from '../trust.ts';
import { actionsToTry, callersToTry, contextOf, dimensionsFor, resourcesToTry, type Universe } from './universe.ts';

/** Example request that shows a result of the analysis. It has all data that the engine needs to decide it again. */
export interface Witness extends PolicyRequest {
  /** Caller of the request. Absent if the analyzed policy is an identity policy. */
  readonly caller?: TrustCaller;
}

/**
 * Type of the analyzed policy. `identity`: attached to a principal. `resource`: attached to a resource, and with
 * principals.
 */
export type AskedAs = 'identity' | 'resource';

/** Reports whether a policy allows a request by itself. A resource policy never allows a request without a caller. */
export function policyAllows(policy: CompiledPolicy, askedAs: AskedAs, witness: Witness, steps?: StepBudget): boolean {
  if (askedAs === 'resource')
    return witness.caller !== undefined && decideTrust(policy, witness.caller, witness, 'trust', steps).effect === 'Allow';
  const record = newRequestRecord();
  setContext(record, witness.context);
  return identityAllows(policy, witness.action, record, witness.resources, steps);
}

/**
 * Decides a request with an identity policy. Does not cache the decision graph of the action. Otherwise the invented
 * action names of an analysis would fill the engine's table of actions (`actions.ts`).
 */
function identityAllows(
  policy: CompiledPolicy,
  action: string,
  record: RequestRecord,
  resources: readonly string[],
  steps: StepBudget | undefined,
): boolean {
  const program = linkProgram({ identity: [{ policyId: '', policy }] }, action.toLowerCase());
  return decideProgram(program, record, resources, steps).effect === 'Allow';
}

/**
 * Search for a request that the policy `allowing` allows. The policy `other` must also allow the request (`both`), or
 * must not allow it (`onlyFirst`).
 */
export interface Search {
  readonly allowing: CompiledPolicy;
  readonly other: CompiledPolicy;
  readonly wanted: 'onlyFirst' | 'both';
  readonly askedAs: AskedAs;
  readonly otherAskedAs: AskedAs;
  readonly universe: Universe;
  /**
   * Number of comparisons (of a request with a statement or a key) that are left. All searches of one analysis share
   * this budget.
   */
  readonly budget: { left: number };
}

/**
 * Cost of preparing the search for one action: this number of comparisons for each statement. The preparation builds
 * the decision graphs of both policies, and finds resources and context values to try.
 */
const OVERHEAD = 20;

/** Cost of one comparison, in steps. Matching patterns costs additional steps. */
const STEPS_OF_COMPARISON = 16;

/** Maximum number of requests to try for one action of one statement. */
const TRIES_PER_ACTION = 6000;

/**
 * Returns requests that a statement allows and that satisfy the search. Returns at most one request for each class of
 * actions (actions to which the same statements apply).
 *
 * The engine has decided each request. An empty result proves nothing. The proof that a statement allows nothing new is
 * `grantsNothingNew`.
 */
export function witnessesOf(statement: LoweredStatement, search: Search): readonly Witness[] {
  const found: Witness[] = [];
  for (const action of actionsToTry(statement, search.universe)) {
    if (search.budget.left <= 0) break;
    const witness = witnessOf(action, statement, search);
    if (witness !== undefined) found.push(witness);
  }
  return found;
}

function witnessOf(action: string, statement: LoweredStatement, search: Search): Witness | undefined {
  const { universe, askedAs, budget } = search;
  budget.left -= OVERHEAD * universe.statements.length;
  takeSteps(universe.steps, OVERHEAD * universe.statements.length * STEPS_OF_COMPARISON + (universe.textLength >> 2));
  const asks = decider(action, search);
  const dimensions = dimensionsFor(action, statement, universe);
  if (dimensions.some(({ choices }) => choices.length === 0)) return undefined;
  const resources = resourcesToTry(action, universe);
  const callers: readonly (TrustCaller | undefined)[] = askedAs === 'resource' ? callersToTry(universe) : [undefined];
  // The resource changes first, then the caller, then the context. So the search tries the most likely context with
  // every resource and caller before it tries another context.
  const counts = [resources.length, callers.length, ...dimensions.map(({ choices }) => choices.length)];
  const at = counts.map(() => 0);
  const cost = universe.statements.length + dimensions.length;
  for (let tries = 0; tries < TRIES_PER_ACTION && budget.left > 0; tries++, budget.left -= cost) {
    takeSteps(universe.steps, cost * STEPS_OF_COMPARISON);
    const caller = callers[at[1] as number];
    const context = contextOf(dimensions.map(({ key, choices }, i) => [key, choices[at[i + 2] as number]] as const));
    const witness: Witness = {
      action,
      resources: [resources[at[0] as number] as string],
      context,
      ...(caller === undefined ? {} : { caller }),
    };
    if (asks(witness)) return witness;
    if (!advance(at, counts)) return undefined;
  }
  return undefined;
}

/** Advances `at` to the next combination of choices. Returns false after the last combination. */
function advance(at: number[], counts: readonly number[]): boolean {
  for (let i = 0; i < at.length; i++) {
    at[i] = (at[i] as number) + 1;
    if ((at[i] as number) < (counts[i] as number)) return true;
    at[i] = 0;
  }
  return false;
}

/**
 * Returns a function that decides requests for one action with both policies. The decision graphs of identity policies
 * are built once, and the returned function reuses them for every request.
 */
function decider(action: string, { allowing, other, wanted, askedAs, otherAskedAs, universe }: Search): (witness: Witness) => boolean {
  if (askedAs === 'resource') {
    return (witness) =>
      policyAllows(allowing, askedAs, witness, universe.steps) &&
      policyAllows(other, otherAskedAs, witness, universe.steps) === (wanted === 'both');
  }
  const lower = action.toLowerCase();
  const programs = [allowing, other].map((policy) => linkProgram({ identity: [{ policyId: '', policy }] }, lower));
  const record = newRequestRecord();
  return ({ context, resources }) => {
    setContext(record, context);
    const [first, second] = programs.map((program) => decideProgram(program, record, resources, universe.steps).effect === 'Allow');
    return first === true && second === (wanted === 'both');
  };
}
