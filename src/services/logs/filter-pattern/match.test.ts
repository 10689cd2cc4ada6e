import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extractedValues, matches } from './match.ts';
import { parsePattern } from './parse.ts';
import { subjectOf } from './subject.ts';

/** Reports whether a message matches, or returns the problem of the pattern. */
function outcome(pattern: string, message: string): boolean | string {
  const parsed = parsePattern(pattern);
  return 'problem' in parsed ? parsed.problem : matches(parsed.pattern, subjectOf(message));
}

const DENIED =
  '{"eventName":"ConsoleLogin","errorCode":"AccessDenied","user":{"type":"Root","ids":[7,"x"]},"latency":12.5,"mfa":false,"by":null,"empty":{},"a.b":1,"list":[{"n":1},{"n":2}]}';
const LINE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534';

// biome-ignore format: a table
const CASES: readonly (readonly [title: string, pattern: string, message: string, expected: boolean | string])[] = [
  // title                              pattern                              message              expected
  ['an empty pattern',                  '',                                  'x',                 true ],
  ['white space',                       '  ',                                'x',                 true ],
  ['a phrase of white space',           '" "',                               'x',                 true ],
  ['a word',                            'ERROR',                             '[ERROR 400] x',     true ],
  ['case matters',                      'error',                             '[ERROR 400] x',     false],
  ['two words: both',                   'ERROR ARGUMENTS',                   '[ERROR] ARGUMENTS', true ],
  ['two words: one is absent',          'ERROR ARGUMENTS',                   '[ERROR] x',         false],
  ['optional words: one is enough',     '?ERROR ?ARGUMENTS',                 'ARGUMENTS',         true ],
  ['optional words: none',              '?ERROR ?ARGUMENTS',                 'x',                 false],
  ['optional words next to another',    '?ERROR ?ARGUMENTS REQUEST',         'INFO REQUEST',      true ],
  ['an excluded word is absent',        'ERROR -ARGUMENTS',                  'ERROR x',           true ],
  ['an excluded word is present',       'ERROR -ARGUMENTS',                  'ERROR ARGUMENTS',   false],
  ['only an excluded word',             '-ERROR',                            'INFO',              true ],
  ['a phrase',                          '"INTERNAL SERVER ERROR"',           'x INTERNAL SERVER ERROR', true ],
  ['a phrase with other spaces',        '"INTERNAL SERVER ERROR"',           'INTERNAL  SERVER ERROR',  false],
  ['an excluded phrase',                'ERROR -"BAD REQUEST"',              'ERROR BAD REQUEST', false],
  ['an escaped quote',                  '"say \\"hi\\""',                    'I say "hi"',        true ],
  ['a word outside ASCII',              'größe',                             'die größe',         true ],
  ['a colon in a word',                 'ERROR: x',                          'x',                 "Invalid character(s) in term ':'"],
  ['a bracket in a word',               'a[ b',                              'x',                 "Invalid character(s) in term '['"],
  ['an asterisk in a word',             'ERR*',                              'x',                 "Invalid character(s) in term '*'"],
  ['an open quote',                     '"ERROR',                            'x',                 "Invalid character(s) in term '\"ERROR'"],
  ['a regular expression',              '%ERR.*%',                           'x',                 'Regular expressions in filter patterns are not implemented yet by Belfry.'],
  ['JSON: a string',                    '{ $.eventName = "ConsoleLogin" }',  DENIED,              true ],
  ['JSON: without spaces and quotes',   '{$.eventName=ConsoleLogin}',        DENIED,              true ],
  ['JSON: a nested member',             '{ $.user.type = Root }',            DENIED,              true ],
  ['JSON: an element',                  '{ $.user.ids[1] = "x" }',           DENIED,              true ],
  ['JSON: an element that is absent',   '{ $.user.ids[2] = "x" }',           DENIED,              false],
  ['JSON: a name with a period',        "{ $.['a.b'] = 1 }",                 DENIED,              true ],
  ['JSON: any element',                 '{ $.list[*].n = 2 }',               DENIED,              true ],
  ['JSON: any member',                  '{ $.* = AccessDenied }',            DENIED,              true ],
  ['JSON: less',                        '{ $.latency < 13 }',                DENIED,              true ],
  ['JSON: greater or equal',            '{ $.latency >= 1.25e1 }',           DENIED,              true ],
  ['JSON: a comparison with a string',  '{ $.eventName > 3 }',               DENIED,              false],
  ['JSON: IS FALSE',                    '{ $.mfa IS FALSE }',                DENIED,              true ],
  ['JSON: IS TRUE',                     '{ $.mfa IS TRUE }',                 DENIED,              false],
  ['JSON: IS NULL',                     '{ $.by IS NULL }',                  DENIED,              true ],
  ['JSON: IS NULL of an absent member', '{ $.no IS NULL }',                  DENIED,              false],
  ['JSON: NOT EXISTS',                  '{ $.no NOT EXISTS }',               DENIED,              true ],
  ['JSON: NOT EXISTS of null',          '{ $.by NOT EXISTS }',               DENIED,              false],
  ['JSON: an inherited name',           '{ $.constructor NOT EXISTS }',      DENIED,              true ],
  ['JSON: != of an absent member',      '{ $.no != "x" }',                   DENIED,              false],
  ['JSON: && before ||',                '{ $.no = 1 && $.no = 2 || $.user.type = Root }',   DENIED, true ],
  ['JSON: && before ||, at the end',    '{ $.user.type = Root || $.no = 1 && $.no = 2 }',   DENIED, true ],
  ['JSON: parentheses',                 '{ ($.user.type = Root || $.no = 1) && $.no = 2 }', DENIED, false],
  ['JSON: use of the root user',        '{ $.user.type = "Root" && $.user.invokedBy NOT EXISTS && $.eventName != "AwsServiceEvent" }', DENIED, true ],
  ['JSON: two prefixes and suffixes',   '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }', DENIED, true ],
  ['JSON: a message without JSON',      '{ $.a = 1 }',                       'a = 1',             false],
  ['JSON: a broken message',            '{ $.a = 1 }',                       '{"a":1',            false],
  ['JSON: an escaped quote',            '{ $.e = "error \\"message\\"" }',   '{"e":"error \\"message\\""}', true ],
  ['JSON: a quoted order',              '{ $.v >= "123" }',                  '{}',                "Invalid character(s) in term '\"123\"'"],
  ['JSON: a word in order',             '{ $.v >= abc }',                    '{}',                "Invalid character(s) in term '\"abc\"'"],
  ['JSON: EXISTS alone',                '{ $.v EXISTS }',                    '{}',                "Invalid character(s) in term 'EXISTS'"],
  ['JSON: IS NOT',                      '{ $.v IS NOT NULL }',               '{}',                "Invalid character(s) in term 'NOT'"],
  ['JSON: two equals signs',            '{ $.v == 1 }',                      '{}',                "Invalid character(s) in term '='"],
  ['JSON: no condition',                '{ }',                               '{}',                "Invalid character(s) in term '}'"],
  ['JSON: a name in quotes',            '{ $."a-b" = 5* }',                  '{}',                "Invalid character(s) in term '\"a-b\"'"],
  ['JSON: two wildcards',               '{ $.a[*].* = 1 }',                  '{}',                "Invalid character(s) in term '$.a[*].*'"],
  ['JSON: three wildcards',             '{ $.* = x || $.user.ids[*] = 7 || $.list[*].n = 9 }', DENIED, true ],
  ['JSON: a wildcard four times',       '{ $.* = 1 || $.* = 2 || $.* = 3 || $.* = 4 }', '{}',    "Invalid character(s) in term '{'"],
  ['JSON: a regular expression',        '{ $.a = %x% }',                     '{}',                'Regular expressions in filter patterns are not implemented yet by Belfry.'],
  ['JSON: more after the end',          '{ $.a = 1 } x',                     '{}',                "Invalid character(s) in term 'x'"],
  ['JSON: deep parentheses',            `{ ${'('.repeat(40)}$.a = 1${')'.repeat(40)} }`, '{}',    "Invalid character(s) in term '(((((((($.a'"],
  ['fields: names',                     '[ip, id, user, time, request, status, bytes]', LINE,      true ],
  ['fields: too few',                   '[ip, id]',                          LINE,                false],
  ['fields: conditions',                '[ip, id, user, time, request = "GET *", status = 4*, bytes > 1000]', LINE, true ],
  ['fields: a condition fails',         '[ip, id, user, time, request, status, bytes > 2000]',     LINE, false],
  ['fields: an ellipsis',               '[..., status = 404, bytes]',        LINE,                true ],
  ['fields: an ellipsis in the middle', '[ip = 127.*, ..., bytes < 2000]',   LINE,                true ],
  ['fields: or',                        '[..., status = 410 || status = 404, bytes]', LINE,        true ],
  ['fields: and',                       '[w1 != ERROR && w1 != WARN, w2]',   'WARN x',            false],
  ['fields: no name',                   '[, , user = frank, ...]',           LINE,                true ],
  ['fields: two ellipses',              '[..., a, ...]',                     LINE,                "Invalid character(s) in term ']'"],
  ['fields: a name twice',              '[a, a]',                            LINE,                "Invalid character(s) in term 'a]'"],
  ['fields: another name',              '[a = 1 || b = 2]',                  LINE,                "Invalid character(s) in term 'b'"],
  ['fields: not closed',                '[a, b',                             LINE,                "Invalid character(s) in term ''"],
  ['fields: an open quote in a line',   '[a, b, c]',                         'x "y z',            true ],
];

for (const [title, pattern, message, expected] of CASES) {
  test(`filter patterns: ${title}: ${pattern.slice(0, 60)}`, () => assert.equal(outcome(pattern, message), expected));
}

/** Event of a public test suite that runs TestMetricFilter on AWS. */
const RECORDED =
  '{"someString":"111.111.111.111","emptyString":"","someInt":123,"someFloat":12.34,"someObject":{},"someArray":[],"someNull":null}';

/** Tests after `$.` that match on AWS. */
const MATCHED = `someString = "111.111.111.111"|someString != 111*111|someString = "*"|emptyString = "*"|someString = "*.111.111.111"
  someString = "111*"|someString != "222"|someString != "222*"|someString != "*222"|someInt = "123"|someInt != "123.0"|someInt = "*"
  someInt = "1*"|someInt = "123*"|someInt = "*23"|someInt != "3*"|someInt != "*32"|someFloat = "12.34"|someFloat = "*"|someFloat != "4*1"
  someFloat = "12.*"|someFloat = "*.34"|someFloat != "43.*"|someString = 111.111.111.111|someString = *|someInt = 123|someInt = 123.0
  someInt = 1*|someInt = *3|someInt != *1|someFloat = 12.34|someFloat = 12.3*|someFloat != 43.21|someFloat != *.21|someString != 111`;
/** Tests that do not match on AWS. */
const UNMATCHED = `someString > 123|someString <= 123|someString = 123|someString = "123"|someObject = 123|someObject != 123|someObject > 123
  someObject = "123"|someObject != "x"|someArray != "x"|notExisted = "x"|notExisted != "x"|someInt != 123|someInt != "123"|someString = "11*1"`;

for (const [list, expected] of [
  [MATCHED, true],
  [UNMATCHED, false],
] as const) {
  test(`filter patterns: the tests that ${expected ? 'match' : 'do not match'} on AWS`, () => {
    const wrong = list.split(/\||\n +/).filter((each) => outcome(`{ $.${each} }`, RECORDED) !== expected);
    assert.deepEqual(wrong, []);
  });
}

test('filter patterns: a long field that almost is a number is compared in linear time', () => {
  assert.equal(outcome('[a = 1]', `${'1'.repeat(1_000_000)}x`), false);
});

test('filter patterns: a JSON message nested more than 1,000 deep matches no JSON pattern', () => {
  const nested = (depth: number) => `{"s":"\\"]","a":1,"b":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  assert.equal(outcome('{ $.a = 1 }', nested(999)), true);
  assert.equal(outcome('{ $.a = 1 }', nested(1_000)), false);
});

test('filter patterns: fields of a message with many open brackets are found in linear time', () => {
  const { fields } = subjectOf(`${'[a '.repeat(300_000)}]x`);
  assert.equal(fields().length, 300_001);
});

// biome-ignore format: a table
const VALUES: readonly (readonly [pattern: string, message: string, values: Readonly<Record<string, string>>])[] = [
  // pattern                          message                        values
  ['ERROR',                           'ERROR',                       {}],
  ['{ $.latency > 1 && $.no = 1 }',   DENIED,                        { '$.latency': '12.5' }],
  ['{ $.empty = 1 }',                 DENIED,                        {}],
  ['[ip, ..., status, bytes]',        'a b "c d" 404 9',             { $ip: 'a', $2: 'b', $3: 'c d', $status: '404', $bytes: '9' }],
];

for (const [pattern, message, values] of VALUES) {
  test(`extractedValues: ${pattern}`, () => {
    const parsed = parsePattern(pattern);
    assert.ok('pattern' in parsed);
    assert.deepEqual(Object.fromEntries(extractedValues(parsed.pattern, subjectOf(message))), values);
  });
}
