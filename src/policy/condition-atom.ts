import { FALSE, MISSING, TRUE, TRUTH_KEYS } from './facts.ts';
import { AFTER, type Atom, BEFORE, newAtom, type Predicate, TRUTH } from './graph.ts';
import type { ConditionTest } from './lowered.ts';
import { conditionTest } from './match-condition.ts';
import { plainText } from './pattern.ts';
import { newRequestRecord, setContext } from './request.ts';
import { toMoment } from './values.ts';

/**
 * Creates the atom (one comparison of a decision graph) for one condition key under one operator.
 *
 * For boolean keys and `aws:CurrentTime`, the atom compares numbers instead of strings if possible. This repeats rules
 * of `match-condition.ts`, and `test/reference` checks that both files agree.
 */
export function conditionAtom(condition: ConditionTest): Atom {
  const test = conditionTest(condition);
  const { operator, quantifier, key, values } = condition;
  const { family, relation } = operator;
  if (quantifier !== 'single') return newAtom(test);
  const truth = TRUTH_KEYS.indexOf(key);
  if (truth >= 0 && (family === 'bool' || family === 'null')) {
    return newAtom(test, { op: TRUTH, number: 2 * truth, states: statesOf(test, key) });
  }
  if (family === 'date' && key === 'aws:currenttime' && values.length === 1 && (relation === '<' || relation === '>')) {
    const bound = toMoment(plainText(values[0] ?? []) ?? '');
    return Number.isNaN(bound) ? newAtom(test) : newAtom(test, { op: relation === '<' ? BEFORE : AFTER, bound });
  }
  return newAtom(test);
}

/**
 * Evaluates a condition on a boolean key for each state of the key: true, false and missing. In the result, the bit of
 * a state is 1 if the condition holds for this state.
 */
function statesOf(test: Predicate, key: string): number {
  const record = newRequestRecord();
  const holds = (state: number, value: string | undefined): number => {
    setContext(record, new Map(value === undefined ? [] : [[key, value]]));
    return test(record) ? 1 << state : 0;
  };
  return holds(TRUE, 'true') | holds(FALSE, 'false') | holds(MISSING, undefined);
}
