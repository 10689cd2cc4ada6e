/**
 * Steps that one piece of work (a decision, an analysis, a batch of session checks) may still take.
 *
 * One step compares one character of a pattern with up to 32 characters of a value. Other work of about the same cost
 * also takes one step, such as visiting a statement, a node of a decision graph, or a pair of patterns.
 */
export interface StepBudget {
  stepsLeft: number;
}

/**
 * Error for work that needs more steps than its budget. Nothing was decided, so the caller must deny or reject the
 * request.
 */
export class StepsExceeded extends Error {
  constructor() {
    super('the evaluation exceeds its step limit');
  }
}

/**
 * Takes steps from a budget.
 *
 * @throws StepsExceeded  the budget has fewer than `steps` steps left
 */
export function takeSteps(budget: StepBudget, steps: number): void {
  budget.stepsLeft -= steps;
  if (budget.stepsLeft < 0) throw new StepsExceeded();
}
