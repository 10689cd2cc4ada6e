/**
 * Determines the services and actions that policies allow.
 *
 * Source: IAM User Guide, "Refine permissions in AWS using last accessed information": policies of identities only.
 * Assumed: Deny statements are ignored.
 */
import { compileSteps, statementHasAction, tryCompilePolicy } from '../compile.ts';
import type { LoweredStatement } from '../lowered.ts';
import { type StepBudget, takeSteps } from '../steps.ts';
import type { AuthorizationReference } from '../validate/reference.ts';
import { grantedServices } from './granted-services.ts';

/** Permissions of one policy: `{ services: ['chime', 'ec2'], actions: { chime: ['GetMeeting'] } }`. */
export interface GrantedActions {
  /** Prefixes of the services in which the policy allows an action. */
  readonly services: readonly string[];
  /** Names of the allowed actions, by the prefix of their service, for the services whose actions the reference lists. */
  readonly actions: Readonly<Record<string, readonly string[]>>;
}

/** Facts about services that the analysis needs. */
export type ActionNames = Pick<AuthorizationReference, 'services' | 'actionsOf'>;

/** Number of steps after which the analysis yields. They take a few milliseconds. */
const STEPS_PER_TURN = 2 ** 20;

/**
 * Returns the services and actions that the Allow statements of a policy name, whatever their resources and conditions are. An invalid
 * document allows nothing. The analysis yields after some milliseconds, so that it can run in turns.
 *
 * @throws StepsExceeded  the analysis exceeds its budget
 */
export function* grantedActions(document: string, reference: ActionNames, budget: StepBudget): Generator<void, GrantedActions, void> {
  const services = grantedServices(document, reference.services, budget);
  takeSteps(budget, compileSteps(document));
  const compiled = tryCompilePolicy(document);
  const actions: Record<string, readonly string[]> = {};
  if (!('policy' in compiled)) return { services, actions };
  const allows = compiled.policy.lowered.statements.filter(({ effect }) => effect === 'Allow');
  let yieldedAt = budget.stepsLeft;
  for (const prefix of services) {
    const listed = reference.actionsOf(prefix);
    if (listed === undefined) continue;
    const names: string[] = [];
    for (const { name } of listed) {
      if (isAllowed(allows, `${prefix}:${name}`.toLowerCase(), budget)) names.push(name);
      if (yieldedAt - budget.stepsLeft < STEPS_PER_TURN) continue;
      yield;
      yieldedAt = budget.stepsLeft;
    }
    actions[prefix] = names;
  }
  return { services, actions };
}

function isAllowed(allows: readonly LoweredStatement[], action: string, budget: StepBudget): boolean {
  return allows.some((statement) => statementHasAction(statement, action, budget));
}
