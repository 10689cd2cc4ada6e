/**
 * Limits of the work to match one event. A step is a comparison of a value with an operand, a look at a rule that may
 * match, or a look at an array element. An operator that reads each character of a value takes one step per eight characters.
 *
 * Assumed: AWS documents no limits of this kind. A typical event with 1,000 rules takes a few thousand steps. The worst event takes about 50 ms.
 */
export const STEPS_PER_EVENT = 500_000;
/** Limit for one rule, within the limit for the event. */
export const STEPS_PER_RULE = 100_000;

/** Returns the steps of an operator that reads each character of a value. */
export function stepsOfScan(text: string): number {
  return text.length >> 3;
}

/** Thrown inside the matcher if a limit is reached. */
export class StepsSpent extends Error {}

/** Steps that an event may still take. A rule that needs more does not match. */
export interface Steps {
  /** Takes steps. */
  readonly take: (count: number) => void;
  /** Runs the work of one rule. Returns `undefined` if it reaches a limit. */
  readonly within: <Result>(work: () => Result) => Result | undefined;
  /** Number of steps that were taken. */
  readonly taken: () => number;
  /** Number of rules that were not decided. The index also counts the rules that it could not look at. */
  undecided: number;
}

/** Returns the steps of one event. */
export function eventSteps(perEvent = STEPS_PER_EVENT, perRule = STEPS_PER_RULE): Steps {
  let taken = 0;
  let end = perEvent;
  const steps: Steps = {
    take: (count) => {
      taken += count;
      if (taken > end) throw new StepsSpent();
    },
    within: (work) => {
      const outer = end;
      if (taken >= outer) {
        steps.undecided++;
        return undefined;
      }
      end = Math.min(outer, taken + perRule);
      try {
        return work();
      } catch (problem) {
        if (!(problem instanceof StepsSpent)) throw problem;
        steps.undecided++;
        return undefined;
      } finally {
        end = outer;
      }
    },
    taken: () => taken,
    undecided: 0,
  };
  return steps;
}
