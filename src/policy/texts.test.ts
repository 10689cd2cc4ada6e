import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionIdOf } from './actions.ts';
import { ALLOWED, compilePolicy, decideRecord, fillRecord, fillResource, linkStack, newRequestRecord } from './engine.ts';
import { numberOf, UNREAD } from './texts.ts';

const ACTION = 'chime:CreateMeeting';

/** Reports whether a policy with this resource and region allows the request of a record. */
function allows(pattern: string, regions: readonly string[], resource: string, region: string | undefined): boolean {
  const statement = { Effect: 'Allow', Action: '*', Resource: pattern, Condition: { StringEquals: { 'aws:RequestedRegion': regions } } };
  const policy = compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statement }));
  const record = newRequestRecord();
  fillRecord(record, new Map(region === undefined ? [] : [['aws:requestedregion', region]]));
  fillResource(record, resource);
  record.action = actionIdOf(ACTION);
  return decideRecord(linkStack({ identity: [{ policyId: 'p', policy }] }), record) === ALLOWED;
}

const arn = (region: string, rest: string): string => `arn:aws:chime:${region}:111122223333:${rest}`;

/** Compares decisions on all strings with numbers. `place` distinguishes the strings of each run. */
function decidesRight(place: string): void {
  const other = `${place}-other`;
  // biome-ignore format: a table
  const rows: readonly [title: string, pattern: string, regions: readonly string[], resource: string, region: string | undefined, right: boolean][] = [
    ['everything equal',    arn(place, 'meeting/*'),  [other, place], arn(place, 'meeting/m'), place,     true ],
    ['another type',        arn(place, 'meeting/*'),  [place],        arn(place, 'bot/m'),     place,     false],
    ['a longer type',       arn(place, 'meeting/*'),  [place],        arn(place, 'meetings/m'), place,    false],
    ['no type',             arn(place, 'meeting/*'),  [place],        arn(place, 'meeting'),   place,     false],
    ['another account',     arn(place, '*'),          [place],        arn(other, 'meeting/m'), place,     false],
    ['any of the account',  arn(place, '*'),          [place],        arn(place, 'meeting'),   place,     true ],
    ['no ARN',              arn(place, '*'),          [place],        '*',                     place,     false],
    ['another region',      arn(place, '*'),          [place],        arn(place, 'meeting/m'), other,     false],
    ['no region',           arn(place, '*'),          [place],        arn(place, 'meeting/m'), undefined, false],
  ];
  for (const [title, pattern, regions, resource, region, right] of rows) {
    assert.equal(allows(pattern, regions, resource, region), right, title);
  }
}

test('numberOf: equal strings have equal numbers, and long strings have none', () => {
  assert.equal(numberOf('a text'), numberOf(['a', 'text'].join(' ')));
  assert.notEqual(numberOf('a text'), numberOf('a Text'));
  assert.equal(numberOf('x'.repeat(10_000)), UNREAD);
});

test('decideRecord: compares the numbers of strings', () => decidesRight('here'));

test('decideRecord: the decision is the same if the table of strings is full', () => {
  for (let i = 0; numberOf(`filler ${i}`) !== UNREAD; i++) assert.ok(i < 100_000, 'the table has no end');
  decidesRight('there');
  decidesRight('here');
  assert.ok(allows(arn('here', '*'), ['here', 'there'], arn('here', 'x'), 'there'), 'a text with a number beside one without');
});
