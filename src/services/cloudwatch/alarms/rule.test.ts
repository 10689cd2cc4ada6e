import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alarmsOf, isTrue, parseRule } from './rule.ts';

const STATES = new Map([
  ['a', 'ALARM'],
  ['b', 'OK'],
  ['c d (e)', 'INSUFFICIENT_DATA'],
  ['f"g\\', 'ALARM'],
] as const);

// biome-ignore format: a table
const RULES: readonly [rule: string, value: boolean][] = [
  ['ALARM(a)',                                       true ],
  ['ALARM("a")',                                     true ],
  ['OK(a)',                                          false],
  ['OK( b )',                                        true ],
  ['INSUFFICIENT_DATA("c d (e)")',                   true ],
  ['ALARM("f\\"g\\\\")',                             true ],
  ['TRUE',                                           true ],
  ['NOT TRUE',                                       false],
  ['NOT NOT ALARM(a)',                               true ],
  ['NOT ALARM(a) OR TRUE',                           true ],
  ['TRUE OR FALSE AND FALSE',                        true ],
  ['(TRUE OR FALSE) AND FALSE',                      false],
  ['ALARM(a)AND(OK(b)\n OR FALSE)',                  true ],
  ['NOT (ALARM(a) AND OK(b))',                       false],
];

for (const [rule, value] of RULES) {
  test(`Rules: ${rule.replaceAll('\n', ' ')} is ${value}`, () => {
    assert.equal(
      isTrue(parseRule(rule), (name) => STATES.get(name as 'a')),
      value,
    );
  });
}

const manyAlarms = (count: number) => Array.from({ length: count }, (_, i) => `ALARM(a${i})`).join(' OR ');

// biome-ignore format: a table
const INVALID: readonly [title: string, rule: string, problem: string][] = [
  ['without an operand',             'ALARM(a) AND',                               'unexpected end of the rule'],
  ['with two operands in a row',     'ALARM(a) ALARM(b)',                          "unexpected character 'A' at position 10"],
  ['with an unknown word',           'ALARMED(a)',                                 "unexpected character 'A' at position 1"],
  ['in lower case',                  'alarm(a)',                                   "unexpected character 'a' at position 1"],
  ['without a name',                 'ALARM()',                                    "unexpected character ')' at position 7"],
  ['with an empty quoted name',      'ALARM("")',                                  'unexpected end of the rule'],
  ['with an open parenthesis',       '(ALARM(a)',                                  'unexpected end of the rule'],
  ['with an open name',              'ALARM(a',                                    "unexpected character 'a' at position 7"],
  ['with an open quote',             'ALARM("a',                                   'unexpected end of the rule'],
  ['with 101 children',              manyAlarms(101),                              'the rule has more than 100 child alarms'],
  ['with 501 elements',              Array(501).fill('TRUE').join(' OR '),         'the rule has more than 500 elements'],
  ['with 51 nested parentheses',     `${'('.repeat(51)}TRUE${')'.repeat(51)}`,     'the rule has more than 50 nested expressions'],
  ['with 5,000 nested NOT',          `${'NOT '.repeat(5_000)}TRUE`,                'the rule has more than 50 nested expressions'],
];

for (const [title, rule, problem] of INVALID) {
  test(`Rules: a rule ${title} is invalid`, () => {
    assert.throws(() => parseRule(rule), { code: 'ValidationException', message: `Invalid AlarmRule: ${problem}.` });
  });
}

test('Rules: a rule of 100 children is valid, and names each once', () => {
  assert.equal(alarmsOf(parseRule(`${manyAlarms(100)} OR OK(a1)`)).length, 100);
});
