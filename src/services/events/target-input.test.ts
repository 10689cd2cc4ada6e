import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { Target } from '#model/generated/events.ts';
import { INPUT_MAX, TargetInputTooLarge, targetInput } from './target-input.ts';

const VALUE = {
  version: '0',
  id: 'i',
  'detail-type': 'Order "made"',
  source: 'app',
  account: '111122223333',
  time: '2026-11-22T00:00:00Z',
  region: 'us-east-1',
  resources: ['r'],
  detail: {
    text: 'say "hi"',
    n: 1.5,
    flag: true,
    none: null,
    object: { a: 'x', b: 'y' },
    list: ['ACTIVE', 'INACTIVE'],
    items: [{ id: 'first' }],
  },
};
const EVENT = { text: JSON.stringify(VALUE), value: VALUE };
const RULE = { arn: 'arn:aws:events:us-east-1:111122223333:rule/r', name: 'r' };
const NOW = instant(Date.UTC(2026, 10, 22, 1, 2, 3, 456));
const input = (target: Partial<Target>) => targetInput({ Id: 't', ...target }, EVENT, RULE, NOW);

// biome-ignore format: a table
const INPUTS: readonly [title: string, target: Partial<Target>, body: string][] = [
  ['no input',                       {},                                      EVENT.text],
  ['a constant',                     { Input: '{ "a" : 1 }' },                '{ "a" : 1 }'],
  ['the path of the event',          { InputPath: '$' },                      EVENT.text],
  ['a string, with quotes',          { InputPath: '$.source' },               '"app"'],
  ['an object',                      { InputPath: '$.detail.object' },        '{"a":"x","b":"y"}'],
  ['a name with a hyphen',           { InputPath: '$.detail-type' },          '"Order \\"made\\""'],
  ['an element of a list',           { InputPath: '$.detail.items[0].id' },   '"first"'],
  ['nothing',                        { InputPath: '$.detail.other' },         'null'],
  ['a name of the prototype',        { InputPath: '$.detail.constructor' },   'null'],
];
for (const [title, target, body] of INPUTS) test(`targetInput: ${title}`, () => assert.equal(input(target), body));

const PATHS = {
  s: '$.source',
  q: '$.detail.text',
  n: '$.detail.n',
  f: '$.detail.flag',
  z: '$.detail.none',
  o: '$.detail.object',
  l: '$.detail.list',
  m: '$.detail.missing',
};
const EVENT_VARIABLE =
  '{"id":"i","account":"111122223333","detailType":"Order \\"made\\"","time":"2026-11-22T00:00:00Z","source":"app","region":"us-east-1","resources":["r"],"version":"0"}';

// biome-ignore format: a table
const TEMPLATES: readonly [title: string, template: string, body: string][] = [
  ['a string as a value',             '{"a": <s>}',                         '{"a": "app"}'],
  ['a string in a string',            '{"a": "is <s>!"}',                   '{"a": "is app!"}'],
  ['quotes are not escaped',          '"<q>"',                              '"say "hi""'],
  ['quotes in a value are escaped',   '{"a": <q>}',                         '{"a": "say \\"hi\\""}'],
  ['a number and a boolean',          '{"n": <n>, "f": <f>, "s": "<n> <f>"}', '{"n": 1.5, "f": true, "s": "1.5 true"}'],
  ['an object and a list as values',  '{"o": <o>, "l": <l>}',               '{"o": {"a":"x","b":"y"}, "l": ["ACTIVE","INACTIVE"]}'],
  ['an object and a list in strings', '"<o> <l>"',                          '"{a:x,b:y} [ACTIVE,INACTIVE]"'],
  ['no value as a value',             '{"m": <m>, "z": <z>}',               '{"m": "", "z": ""}'],
  ['no value in a string',            '"a<m><z>b"',                         '"ab"'],
  ['lines of strings',                '"one <s>"\n"two <n>"',               '"one app"\n"two 1.5"'],
  ['a value alone',                   '<o>',                                '{"a":"x","b":"y"}'],
  ['angle brackets in text',          '"1 < 2 > 1 <s>"',                    '"1 < 2 > 1 app"'],
  ['an escaped quote in a string',    '{"a": "\\"<s>\\""}',                 '{"a": "\\"app\\""}'],
  ['the rule',                        '"<aws.events.rule-name> <aws.events.rule-arn>"', `"r ${RULE.arn}"`],
  ['the ingestion time',              '{"t": <aws.events.event.ingestion-time>}', '{"t": "2026-11-22T01:02:03Z"}'],
  ['the whole event',                 '{"e": <aws.events.event.json>}',     `{"e": ${EVENT.text}}`],
  ['the event without detail',        '{"e": <aws.events.event>}',          `{"e": ${EVENT_VARIABLE}}`],
];
for (const [title, InputTemplate, body] of TEMPLATES) {
  test(`targetInput: a template with ${title}`, () => {
    assert.equal(input({ InputTransformer: { InputTemplate, InputPathsMap: PATHS } }), body);
  });
}

test('targetInput: an input above the maximum is an error before it is complete', () => {
  const large = 'x'.repeat(200_000);
  const value = { detail: { large } };
  const InputTemplate = `"${'<v>'.repeat(2_000)}"`;
  const target = { Id: 't', InputTransformer: { InputTemplate, InputPathsMap: { v: '$.detail.large' } } };
  assert.throws(() => targetInput(target, { text: JSON.stringify(value), value }, RULE, NOW), TargetInputTooLarge);
  const five = { ...target, InputTransformer: { ...target.InputTransformer, InputTemplate: `"${'<v>'.repeat(5)}"` } };
  assert.ok(targetInput(five, { text: '', value }, RULE, NOW).length < INPUT_MAX);
});
