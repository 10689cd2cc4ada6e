import { FALSE, fillRecord, MISSING, TRUE, TRUTH_KEYS } from './facts.ts';
import { AFTER, type Atom, BEFORE, IPV4, newAtom, ORGANIZATION, type Predicate, REGION, TRUTH } from './graph.ts';
import type { ConditionTest } from './lowered.ts';
import { conditionTest } from './match-condition.ts';
import { plainText } from './pattern.ts';
import { newRequestRecord } from './request.ts';
import { numberOf, UNREAD } from './texts.ts';
import { toMoment, toRange } from './values.ts';

/**
 * Creates the atom of one condition key under one operator.
 *
 * Compares numbers if the request record has the key as a number and the values have numbers too. These rules repeat those of
 * `match-condition.ts`. `test/reference` checks that both agree.
 */
export function conditionAtom(condition: ConditionTest): Atom {
  const test = conditionTest(condition);
  const { operator, quantifier, ifExists, key, values } = condition;
  const { family, negated } = operator;
  if (quantifier !== 'single') return newAtom(test);
  const missing = negated || ifExists;
  const texts = values.map(plainText);

  const truth = TRUTH_KEYS.indexOf(key);
  if (truth >= 0 && (family === 'bool' || family === 'null')) {
    return newAtom(test, { op: TRUTH, number: 2 * truth, states: statesOf(test, key) });
  }
  if (family === 'text' && (key === 'aws:requestedregion' || key === 'aws:principalorgid')) {
    const list = texts.map((text) => (text === undefined ? UNREAD : numberOf(text)));
    const op = key === 'aws:requestedregion' ? REGION : ORGANIZATION;
    return list.includes(UNREAD) ? newAtom(test) : newAtom(test, { op, list, negated, missing });
  }
  if (family === 'address' && key === 'aws:sourceip') {
    const four = texts.flatMap((text) => toRange(text ?? '') ?? []).filter(({ family: version }) => version === 4);
    const list = four.flatMap(({ bits, words }) => [(words[0] as number) | 0, bits === 0 ? 0 : -1 << (32 - bits)]);
    return newAtom(test, { op: IPV4, list, negated });
  }
  if (family === 'date' && key === 'aws:currenttime' && texts.length === 1 && (operator.relation === '<' || operator.relation === '>')) {
    const bound = toMoment(texts[0] ?? '');
    return Number.isNaN(bound) ? newAtom(test) : newAtom(test, { op: operator.relation === '<' ? BEFORE : AFTER, bound });
  }
  return newAtom(test);
}

/** Evaluates a condition on a boolean key for each state of the key. Returns the states for which it holds, as bits. */
function statesOf(test: Predicate, key: string): number {
  const record = newRequestRecord();
  const holds = (state: number, value: string | undefined): number => {
    fillRecord(record, new Map(value === undefined ? [] : [[key, value]]));
    return test(record) ? 1 << state : 0;
  };
  return holds(TRUE, 'true') | holds(FALSE, 'false') | holds(MISSING, undefined);
}
