/**
 * Steps that one piece of work (a decision, an analysis, a slice of session checks) may still take.
 *
 * One step advances one 32-character word of a pattern over one UTF-16 unit of a value. Other work of about that cost is also one step: a
 * visited statement, node or pair.
 */
export interface StepBudget {
  stepsLeft: number;
}

/** Work that needs more steps than its budget. The caller must deny, or refuse the request: nothing was decided. */
export class StepsExceeded extends Error {
  constructor() {
    super('the evaluation exceeds its step limit');
  }
}

/**
 * Takes steps from a budget.
 *
 * @throws StepsExceeded  the budget has fewer steps left
 */
export function takeSteps(budget: StepBudget, steps: number): void {
  budget.stepsLeft -= steps;
  if (budget.stepsLeft < 0) throw new StepsExceeded();
}
