import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern } from '#services/events/pattern/compile.ts';
import { type EventFields, eventFields } from '#services/events/pattern/event-fields.ts';
import { matches } from '#services/events/pattern/match.ts';
import { type IndexedRule, ruleIndex } from '#services/events/pattern/rule-index.ts';
import { eventSteps } from '#services/events/pattern/steps.ts';
import { referenceMatches } from './event-patterns.ts';

/** The index, the matcher rule by rule, and the obvious implementation agree. The alphabets are small, so that patterns match. */

const names = fc.constantFrom('a', 'b', 'c');
const strings = fc.constantFrom('', 'a', 'b', 'ab', 'aB', 'ba', 'aab', 'abab');
const letters = fc.constantFrom('a', 'b', 'ab');
const numbers = fc.constantFrom(0, 1, 2, -1, 0.5);
const scalars = fc.oneof(strings, numbers, fc.constantFrom(true, false, null));
const wildcards = fc.constantFrom('*', 'a*', '*b', 'a*b', '*a*b*', 'ab', '');

const anythingBut = fc.oneof(
  strings,
  numbers,
  fc.array(strings, { minLength: 1, maxLength: 3 }),
  fc.array(numbers, { minLength: 1, maxLength: 3 }),
  fc.record({ prefix: fc.oneof(letters, fc.array(letters, { minLength: 1, maxLength: 2 })) }),
  fc.record({ suffix: letters }),
  fc.record({ 'equals-ignore-case': fc.array(strings, { maxLength: 2 }) }),
  fc.record({ wildcard: fc.array(wildcards, { minLength: 1, maxLength: 2 }) }),
);
const ignoreCase = fc.record({ 'equals-ignore-case': strings });
const numeric = fc.oneof(
  fc.tuple(fc.constantFrom('=', '<', '<=', '>', '>='), numbers),
  fc.tuple(fc.constantFrom('>', '>='), fc.constantFrom(-1, 0), fc.constantFrom('<', '<='), fc.constantFrom(1, 2)),
);
const alternatives = fc.oneof(
  { weight: 3, arbitrary: scalars },
  fc.record({ prefix: fc.oneof(strings, ignoreCase) }),
  fc.record({ suffix: fc.oneof(strings, ignoreCase) }),
  ignoreCase,
  fc.record({ wildcard: wildcards }),
  fc.record({ 'anything-but': anythingBut }),
  fc.record({ numeric }),
  fc.record({ exists: fc.boolean() }),
);
const lists = fc.array(alternatives, { minLength: 1, maxLength: 3 });

const { pattern: patterns } = fc.letrec<{ pattern: object; members: object; field: unknown }>((tie) => ({
  field: fc.oneof({ maxDepth: 3, withCrossShrink: true }, { weight: 3, arbitrary: lists }, tie('members')),
  members: fc.dictionary(names, tie('field'), { minKeys: 1, maxKeys: 3 }),
  pattern: fc
    .tuple(tie('members'), fc.option(fc.array(tie('members'), { minLength: 2, maxLength: 3 }), { freq: 3 }), fc.boolean())
    .map(([members, or, first]) => (or === null ? members : first ? { $or: or, ...members } : { ...members, $or: or })),
}));

const { event: events } = fc.letrec<{ event: object; value: unknown }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, { weight: 3, arbitrary: scalars }, tie('event'), fc.array(tie('value'), { maxLength: 3 })),
  event: fc.dictionary(fc.oneof({ weight: 5, arbitrary: names }, fc.constant('a.b')), tie('value'), { minKeys: 1, maxKeys: 3 }),
}));

const rulesOf = (sources: readonly object[]): readonly IndexedRule<number>[] =>
  sources.map((source, rule) => ({ rule, pattern: compilePattern(JSON.stringify(source)) }));

test('event patterns: index, matcher and reference agree', () => {
  let found = 0;
  const property = fc.property(
    fc.array(patterns, { minLength: 1, maxLength: 8 }),
    fc.array(events, { minLength: 1, maxLength: 4 }),
    (sources, drawn) => {
      const rules = rulesOf(sources);
      const index = ruleIndex(rules);
      for (const event of drawn) {
        const text = JSON.stringify(event);
        const fields = eventFields(text) as EventFields;
        const expected = sources.flatMap((source, rule) => (referenceMatches(JSON.stringify(source), text) ? [rule] : []));
        assert.deepEqual(
          rules.flatMap(({ rule, pattern }) => (matches(pattern, fields) ? [rule] : [])),
          expected,
          'rule by rule',
        );
        assert.deepEqual(index.matching(fields), expected, 'index');
        found += expected.length;
      }
    },
  );
  fc.assert(property, { numRuns: 600, seed: 20261130 });
  assert.ok(found > 200, `only ${found} matches`);
});

test('event patterns: a rule matches whatever other rules are in the index', () => {
  const property = fc.property(fc.array(patterns, { minLength: 2, maxLength: 6 }), events, (sources, event) => {
    const fields = eventFields(JSON.stringify(event)) as EventFields;
    const together = ruleIndex(rulesOf(sources)).matching(fields);
    const alone = rulesOf(sources).filter((rule) => ruleIndex([rule]).matching(fields).length > 0);
    assert.deepEqual(
      together,
      alone.map(({ rule }) => rule),
    );
  });
  fc.assert(property, { numRuns: 200, seed: 20261130 });
});

test('event patterns: an event with several arrays under one path agrees with the reference', () => {
  const element = fc.dictionary(names, fc.constantFrom(1, 2), { maxKeys: 2 });
  const nested = fc.array(fc.array(element, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
  const wanted = fc.dictionary(names, fc.constantFrom([1], [2], [{ exists: false }], [{ exists: false }, 1]), { minKeys: 1, maxKeys: 3 });
  const property = fc.property(
    fc.record({ x: wanted, y: wanted }, { requiredKeys: ['x'] }),
    fc.record({ x: nested, y: nested }),
    (source, event) => {
      const [pattern, text] = [JSON.stringify(source), JSON.stringify(event)];
      const steps = eventSteps();
      assert.equal(matches(compilePattern(pattern), eventFields(text) as EventFields, steps), referenceMatches(pattern, text));
      assert.equal(steps.undecided, 0);
    },
  );
  fc.assert(property, { numRuns: 600, seed: 20261130 });
});
