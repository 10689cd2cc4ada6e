/** One explanation of a decision of the past, and the repetition of its single decisions. */
import type { AccountId } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { Denial, OverLimit } from '#policy/decision.ts';
import { DECISION_STEPS } from '#policy/engine.ts';
import { type StepBudget, takeSteps } from '#policy/steps.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import type { AuthorizeRequest } from '../authorize.ts';
import { newDenials } from '../denied.ts';
import type { Required } from '../required-reading.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Stacks } from '../stacks.ts';
import type { DecidingParts } from './deciding-parts.ts';
import { NO_TX } from './past-request.ts';

/** Explanations read the decisions of denials, and not their messages. */
export const DENIALS = newDenials('2026');

/** Facts and step budgets of one explanation. */
export interface Explaining {
  readonly snapshot: Snapshot;
  readonly stacks: Stacks;
  readonly parts: DecidingParts;
  readonly request: AuthorizeRequest;
  readonly context: DecisionContext;
  readonly viewer: AccountId;
  readonly principal: Principal;
  /** Steps that the traces can still take. */
  readonly budget: StepBudget;
  /** Steps that decisions can still take. */
  readonly meter: StepBudget;
}

/** A required permission, with the facts of its decision, and the function that decides each of its resources. */
export interface Deciding {
  readonly required: Required;
  /** Sets a resource as the current one of `required.context`, and decides it. Returns its denial and whether owner facts were visible. */
  readonly decide: (index: number) => { readonly denial: Denial | OverLimit | undefined; readonly ownerVisible: boolean };
}

/** Reads the facts of a required permission. */
export async function deciding(parts: DecidingParts, request: AuthorizeRequest, index: number, meter: StepBudget): Promise<Deciding> {
  const { callerOf, read, setResourceOf, refusalOf } = parts;
  const asked = request.asked[index] as AuthorizeRequest['asked'][number];
  const required = await read(request, asked, callerOf(request.authenticated.principal), NO_TX);
  return {
    required,
    decide(i) {
      setResourceOf(required, i);
      const own = { stepsLeft: Math.min(DECISION_STEPS, meter.stepsLeft) };
      const most = own.stepsLeft;
      const refusal = refusalOf(required, own);
      const decision = refusal?.denied.decision;
      // A decision that exceeds its own limit is a denial. If only the rest of `meter` is too little, the explanation ends.
      if (most === DECISION_STEPS || own.stepsLeft >= 0) meter.stepsLeft -= most - own.stepsLeft;
      else takeSteps(meter, most + 1);
      return {
        denial: decision?.effect === 'Deny' ? decision : undefined,
        ownerVisible: refusal?.ownerVisible ?? required.context.ownerVisible,
      };
    },
  };
}
