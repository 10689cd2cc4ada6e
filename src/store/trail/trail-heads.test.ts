import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AccountId } from '#core/arn.ts';
import { NOON, trailRow } from '../conformance-fixtures.ts';
import { newTip } from './trail-chain.ts';
import { factsOf, lazyFactsOf, type RecordFacts } from './trail-heads.ts';
import { packInsert } from './trail-pack.ts';
import type { TrailRow } from './trail-row.ts';

/** Column `heads` of a pack. */
function headsOf(rows: readonly TrailRow[]): string {
  return packInsert(rows, 1, newTip()).values[3] as string;
}

const read = (facts: readonly RecordFacts[]) =>
  facts.map(({ eventId, accountId, region, eventName, at, length }) => ({ eventId, accountId, region, eventName, at, length }));

/** Strings of the characters that separate heads, with some that need an escape. */
const text = fc.string({
  unit: fc.constantFrom('a', '1', ',', '[', ']', '{', '}', ':', '"', '\\', 'é', '\u0001', '\u{1f600}'),
  maxLength: 6,
});
const row = fc
  .record({
    eventId: fc.oneof(fc.uuid(), text),
    accountId: fc.constantFrom('111111111111', '222222222222', '', '1"2') as fc.Arbitrary<AccountId>,
    region: fc.oneof(fc.constantFrom('us-east-1', 'ap-southeast-1'), text),
    at: fc.nat({ max: 2 ** 31 }),
    eventName: text,
    eventSource: text,
    readOnly: fc.boolean(),
    category: fc.constantFrom(undefined, 'Data' as const),
    userName: fc.option(text, { nil: undefined }),
    resources: fc.array(fc.record({ type: text, name: text }, { requiredKeys: ['name'] }), { maxLength: 3 }),
    document: text,
  })
  .map(({ eventId, at, ...more }) => trailRow(eventId, at, more as Partial<TrailRow>));

test('lazyFactsOf: returns the facts that factsOf returns, whatever the strings of the records', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), (rows) => {
      const heads = headsOf(rows);
      assert.deepEqual(read(lazyFactsOf(heads)), read(factsOf(heads)));
    }),
    { numRuns: 1_000 },
  );
});

test('lazyFactsOf: a pack without records has no facts', () => assert.deepEqual(lazyFactsOf('[]'), []));

// biome-ignore format: a table
const ALTERED: readonly [title: string, alter: (heads: string) => string][] = [
  ['a time that is a string',   (heads) => heads.replace(String(NOON), '"noon"')],
  ['a negative time',           (heads) => heads.replace(String(NOON), `-${NOON}`)],
  ['a time with a fraction',    (heads) => heads.replace(String(NOON), `${NOON}.5`)],
  ['spaces',                    (heads) => heads.replaceAll(',', ', ')],
  ['an account that is not text', (heads) => heads.replace('"111111111111"', 'null')],
];

for (const [title, alter] of ALTERED) {
  test(`lazyFactsOf: returns the facts that factsOf returns if someone changed the heads to ${title}`, () => {
    const original = headsOf([
      trailRow('00000000-0000-4000-8000-000000000001', NOON),
      trailRow('00000000-0000-4000-8000-000000000002', NOON),
    ]);
    const heads = alter(original);
    assert.notEqual(heads, original);
    assert.deepEqual(read(lazyFactsOf(heads)), read(factsOf(heads)));
  });
}

test('lazyFactsOf: heads that are no list are an error', () => {
  for (const heads of ['', 'null', '{', '["', '[["a"']) assert.throws(() => read(lazyFactsOf(heads)), heads);
});
