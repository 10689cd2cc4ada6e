import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern } from './compile.ts';
import { type EventFields, eventFields } from './event-fields.ts';
import { matches } from './match.ts';
import { ruleIndex } from './rule-index.ts';
import { eventSteps, STEPS_PER_EVENT, STEPS_PER_RULE } from './steps.ts';

/** Limits of the work for one event, in steps. */

const fieldsOf = (event: unknown): EventFields => eventFields(typeof event === 'string' ? event : JSON.stringify(event)) as EventFields;
const list = <Value>(count: number, value: (i: number) => Value): Value[] => Array.from({ length: count }, (_, i) => value(i));
const indexOf = (sources: readonly object[]) =>
  ruleIndex(sources.map((source, rule) => ({ rule, pattern: compilePattern(JSON.stringify(source)) })));

/** Matches one event. Returns the number of matching rules, steps, and undecided rules. */
function work(
  sources: readonly object[],
  event: unknown,
): { readonly matched: number; readonly taken: number; readonly undecided: number } {
  const steps = eventSteps();
  const matched = indexOf(sources).matching(fieldsOf(event), steps).length;
  return { matched, taken: steps.taken(), undecided: steps.undecided };
}

/** Step that reached a limit: it is not larger than a test of all operands with the longest value. */
const SLACK = 600 * (1_048_576 >> 3);

test('Steps: with 1,000 rules, an event takes no steps for rules with other exact values', () => {
  const rule = (i: number) => ({ source: ['aws.chime'], 'detail-type': ['Chime Meeting State Change'], detail: { meetingId: [`m-${i}`] } });
  const event = { source: 'aws.chime', 'detail-type': 'Chime Meeting State Change', detail: { meetingId: 'm-7', other: 'x' } };
  const [few, many] = [work(list(10, rule), event), work(list(1_000, rule), event)];
  assert.deepEqual([few.matched, many.matched], [1, 1]);
  assert.equal(many.taken, few.taken);
  assert.ok(many.taken < 20, `${many.taken} steps`);
});

test('Steps: equal tests of 1,000 rules run once', () => {
  const rule = (i: number) => ({ source: [{ prefix: 'aws.' }], detail: { meetingId: [`m-${i}`] } });
  const event = { source: 'aws.chime', detail: { meetingId: 'm-7' } };
  assert.equal(work(list(1_000, rule), event).taken, work(list(10, rule), event).taken);
});

test('Steps: arrays of many elements cost their sum, not the product of their lengths', () => {
  const pattern = { a: { v: [1] }, b: { v: [1] }, c: { v: [1] }, d: { v: [1] }, e: { v: [2] } };
  const ones = list(200, () => ({ v: 1 }));
  const found = work([{ ...pattern, e: { v: [2], w: [2] } }], { a: ones, b: ones, c: ones, d: ones, e: [{ v: 2 }, { w: 2 }] });
  assert.deepEqual([found.matched, found.undecided], [0, 0]);
  assert.ok(found.taken < 200 * 4 * 10, `${found.taken} steps`);
});

test('Steps: an event with deep arrays is decided', () => {
  const deep = `{"a":${'['.repeat(990)}{"b":1},{"c":2}${']'.repeat(990)}}`;
  const found = work([{ a: { b: [1], c: [2] } }, { a: { c: [2] } }], deep);
  assert.deepEqual([found.matched, found.undecided], [1, 0]);
  assert.ok(found.taken < 20_000, `${found.taken} steps`);
});

/** Event that encodes a formula: each array is a variable with two elements, and a field is a clause that an element satisfies. */
function formula(variables: number, clauses: number): { readonly pattern: object; readonly event: string } {
  const pattern = { x: Object.fromEntries(list(clauses, (clause) => [`c${clause}`, [1]])) };
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const satisfied = list(variables, () => [{}, {}] as Record<string, number>[]);
  for (let clause = 0; clause < clauses; clause++) {
    for (let i = 0; i < 3; i++) (satisfied[random(variables)]?.[random(2)] as Record<string, number>)[`c${clause}`] = 1;
  }
  return { pattern, event: `{${satisfied.map((elements) => `"x":${JSON.stringify(elements)}`).join()}}` };
}

test('Steps: a rule that needs too many steps does not match and is counted, and other rules are decided', () => {
  const { pattern, event } = formula(60, 250);
  const found = work([pattern, { x: { c0: [1] } }], event);
  assert.deepEqual([found.matched, found.undecided], [1, 1]);
  assert.ok(found.taken <= STEPS_PER_RULE * 2, `${found.taken} steps`);
});

test('Steps: the plain matcher has the same limit', () => {
  const { pattern, event } = formula(60, 250);
  const steps = eventSteps();
  assert.equal(matches(compilePattern(JSON.stringify(pattern)), fieldsOf(event), steps), false);
  assert.equal(steps.undecided, 1);
  assert.ok(steps.taken() <= STEPS_PER_RULE * 1.1, `${steps.taken()} steps`);
});

test('Steps: 100 hostile rules together stay within the limit of an event', () => {
  const { pattern, event } = formula(60, 250);
  const found = work(
    list(100, (i) => ({ ...pattern, y: [{ exists: false }, i] })),
    event,
  );
  assert.equal(found.matched, 0);
  assert.equal(found.undecided, 100);
  assert.ok(found.taken <= STEPS_PER_EVENT + 1_000, `${found.taken} steps`);
});

test('Steps: many wildcards with long values stay within the limit of an event', () => {
  const rules = list(1_000, (i) => ({ v: list(3, (j) => ({ wildcard: `*x${i}-${j}*z` })) }));
  const found = work(rules, { v: list(200, () => `${'x'.repeat(5_000)}z`) });
  assert.deepEqual([found.matched, found.undecided], [0, 1_000]);
  assert.ok(found.taken <= STEPS_PER_EVENT + SLACK, `${found.taken} steps`);
});

test('Steps: one long value and many exact values take few steps', () => {
  const found = work([{ v: list(400, (i) => `v${i}`) }], { v: 'x'.repeat(1_000_000) });
  assert.ok(found.taken < 10, `${found.taken} steps`);
});

test('compilePattern: more than 1,000 combinations of $or are refused', () => {
  const or = (name: string, count: number) => `"$or":[${list(count, (i) => `{"${name}${i}":[1]}`).join()}]`;
  assert.equal(compilePattern(`{${or('a', 10)},${or('b', 10)},${or('c', 10)}}`).branches.length, 1_000);
  for (const pattern of [`{${or('a', 10)},${or('b', 10)},${or('c', 11)}}`, `{${list(100, (i) => or(`n${i}`, 2)).join()}}`]) {
    assert.throws(() => compilePattern(pattern), {
      message: 'Event pattern is not valid. Reason: Rule is too complex - try using fewer alternatives of $or',
    });
  }
});
