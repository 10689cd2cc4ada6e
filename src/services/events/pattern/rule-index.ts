import type { Branch, Pattern } from './compile.ts';
import { addressOf, type EventField, type EventFields, numberOf } from './event-fields.ts';
import { branchMatches } from './match.ts';
import { type RuleTables, ruleTables, type TestsOfPath } from './rule-tables.ts';
import { eventSteps, type Steps, StepsSpent, stepsOfScan } from './steps.ts';
import { addressKey, exactKey } from './value-tests.ts';

/** Rule with its compiled pattern. `Rule` is any value of the caller. */
export interface IndexedRule<Rule> {
  readonly rule: Rule;
  readonly pattern: Pattern;
}

/** Index over the patterns of many rules. */
export interface RuleIndex<Rule> {
  /**
   * Returns the rules that match an event, in the order in which they were passed.
   *
   * `steps` limits the work. Rules that were not decided do not match, and `steps.undecided` counts them.
   */
  readonly matching: (event: EventFields, steps?: Steps) => readonly Rule[];
}

/**
 * Builds an index over rules. It cannot be changed: build it again if a rule changes.
 *
 * An event first satisfies conditions (`rule-tables.ts`). A branch is looked at only if its rarest condition is
 * satisfied. If all its conditions are, the values are checked for array consistency and for fields that must not exist.
 */
export function ruleIndex<Rule>(rules: readonly IndexedRule<Rule>[]): RuleIndex<Rule> {
  const tables = ruleTables(rules.map(({ pattern }) => pattern));
  const state: State = { event: 0, satisfiedBy: new Float64Array(tables.conditions) };
  return {
    matching: (event, steps = eventSteps()) => {
      const matched = findMatches(tables, state, event, steps);
      return [...matched].sort((a, b) => a - b).map((number) => (rules[number] as IndexedRule<Rule>).rule);
    },
  };
}

/** Conditions that the current event satisfies. `event` numbers the events, so nothing needs to be cleared between them. */
interface State {
  event: number;
  /** Last event that satisfied each condition. */
  readonly satisfiedBy: Float64Array;
}

function findMatches(tables: RuleTables, state: State, event: EventFields, steps: Steps): ReadonlySet<number> {
  const matched = new Set<number>();
  state.event++;
  const candidates = [...tables.unconditional];
  try {
    for (const [path, fields] of event.byPath) {
      const tests = tables.byPath.get(path);
      if (tests === undefined) continue;
      for (const field of fields) lookUp(tables, state, tests, field, candidates, steps);
    }
  } catch (problem) {
    if (!(problem instanceof StepsSpent)) throw problem;
    steps.undecided += tables.rules;
    return matched;
  }
  for (const branch of candidates) {
    const rule = tables.ruleOfBranch[branch] as number;
    if (matched.has(rule)) continue;
    if (steps.within(() => candidateMatches(tables, state, branch, event, steps))) matched.add(rule);
  }
  return matched;
}

function candidateMatches(tables: RuleTables, state: State, branch: number, event: EventFields, steps: Steps): boolean {
  const conditions = tables.conditionsOfBranch[branch] as readonly number[];
  steps.take(1 + conditions.length);
  if (!conditions.every((condition) => state.satisfiedBy[condition] === state.event)) return false;
  return (!event.hasElements && !tables.hasAbsent[branch]) || branchMatches(tables.branches[branch] as Branch, event, steps);
}

function lookUp(tables: RuleTables, state: State, tests: TestsOfPath, field: EventField, candidates: number[], steps: Steps): void {
  const satisfy = (conditions: readonly number[]): void => {
    steps.take(conditions.length);
    for (const condition of conditions) {
      if (state.satisfiedBy[condition] === state.event) continue;
      state.satisfiedBy[condition] = state.event;
      const anchored = tables.anchored[condition] as readonly number[];
      steps.take(anchored.length);
      for (const branch of anchored) candidates.push(branch);
    }
  };
  steps.take(1 + tests.operands + tests.scans * stepsOfScan(field.text));
  if (tests.exact.size > 0) {
    const exact = tests.exact.get(exactKey(field.type, field.text, numberOf(field)));
    if (exact !== undefined) satisfy(exact);
  }
  if (tests.hasAddresses) {
    const address = addressOf(field);
    const same = address === undefined ? undefined : tests.exact.get(addressKey(address));
    if (same !== undefined) satisfy(same);
  }
  satisfy(tests.exists);
  for (const other of tests.others) {
    if (other.passedBy === state.event || !other.test.holds(field)) continue;
    other.passedBy = state.event;
    satisfy(other.conditions);
  }
}
