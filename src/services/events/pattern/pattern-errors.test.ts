import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern, PATTERN_MAX } from './compile.ts';

/** Errors of event patterns. `pattern.test.ts` has the recorded ones. */

/** Returns the message for a pattern: the reason, then the line and column, or `-` without a location. */
function problemOf(pattern: string): string {
  let message = '';
  assert.throws(
    () => compilePattern(pattern),
    (problem: Error) => {
      message = problem.message;
      return problem.name === 'PatternProblem';
    },
  );
  const source = `\n at [Source: (String)"${pattern}"; line: `;
  const [reason, ...places] = message.replace('Event pattern is not valid. Reason: ', '').split(source);
  return [reason, ...(places.length > 0 ? places.map((place) => place.replace(', column: ', ':').replace(/\]$/, '')) : ['-'])].join(' | ');
}

/** Pattern of one field with one alternative. It begins after 6 characters. */
const field = (alternative: string): string => `{"v":[${alternative}]}`;
const anythingBut = (operand: string): string => field(`{"anything-but":${operand}}`);
const numeric = (operand: string): string => field(`{"numeric":${operand}}`);

const MIXED = 'Inside anything but list, either all values are number or string, mixed type is not supported';
const LISTED = 'Inside anything but list, start|null|boolean is not supported.';
const NESTED = 'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.';
const OPERAND = 'Value of anything-but must be an array or single string/number value.';
const TOKENS = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
const TOO_MANY = 'Too many elements in numeric expression';
const COMPLEX =
  'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character';

// biome-ignore format: a table
const PROBLEMS: readonly (readonly [pattern: string, expected: string])[] = [
  // pattern                                                 reason | line:column
  // Structure.
  ['[]',                                                     'Filter is not an object | 1:2'],
  ['"x"',                                                    'Filter is not an object | 1:2'],
  ['12',                                                     'Filter is not an object | 1:3'],
  ['',                                                       'Filter is not an object | 1:1'],
  ['{}',                                                     'Empty objects are not allowed | 1:3'],
  ['{"a":{}}',                                               'Empty objects are not allowed | 1:8'],
  ['{"a":[]}',                                               'Empty arrays are not allowed | 1:8'],
  ['{"a":"b"}',                                              '"a" must be an object or an array | 1:7'],
  ['{"a":12}',                                               '"a" must be an object or an array | 1:8'],
  ['{"a":true}',                                             '"a" must be an object or an array | 1:10'],
  ['{\n  "a":\n  "b"}',                                      '"a" must be an object or an array | 3:4'],
  ['{\r\n"a":\r"b"}',                                        '"a" must be an object or an array | 3:2'],
  ['{"a":[[1]]}',                                            'Match value must be String, number, true, false, or null | 1:8'],
  [field('{}'),                                              'Match expression name not found | 1:9'],
  [field('{"Prefix":"a"}'),                                  'Unrecognized match type Prefix | 1:18'],
  [field('{"like":{"x":1}}'),                                'Unrecognized match type like | 1:16'],
  // Operands.
  [field('{"prefix":1}'),                                    'prefix match pattern must be a string | 1:18'],
  [field('{"prefix":["a"]}'),                                'prefix match pattern must be a string | 1:18'],
  [field('{"prefix":{}}'),                                   'Prefix expression name not found | 1:19'],
  [field('{"suffix":{}}'),                                   'Suffix expression name not found | 1:19'],
  [field('{"suffix":{"prefix":"a"}}'),                       'Unsupported suffix pattern: prefix | 1:28'],
  [field('{"suffix":{"equals-ignore-case":1}}'),             'equals-ignore-case match pattern must be a string | 1:40'],
  [field('{"suffix":{"equals-ignore-case":"a","b":1}}'),     'Only one key allowed in match expression | 1:48'],
  [field('{"equals-ignore-case":null}'),                     'equals-ignore-case match pattern must be a string | 1:33'],
  [field('{"wildcard":true}'),                               'wildcard match pattern must be a string | 1:23'],
  [field('{"exactly":1}'),                                   'exact match pattern must be a string | 1:19'],
  [field('{"exactly":"a","b":"c"}'),                         'Only one key allowed in match expression | 1:27'],
  [field('{"exists":null}'),                                 'exists match pattern must be either true or false. | 1:21'],
  [field('{"exists":true,"a":1}'),                           'Only one key allowed in match expression | 1:27'],
  [field('{"cidr":8}'),                                      'prefix match pattern must be a string | 1:16'],
  // anything-but.
  [anythingBut('true'),                                      `${OPERAND} | 1:27`],
  [anythingBut('{}'),                                        'Anything-But expression name not found | 1:25'],
  [anythingBut('{"exists":true}'),                           'Unsupported anything-but pattern: exists | 1:37'],
  [anythingBut('{"prefix":{"equals-ignore-case":"a"}}'),     `${OPERAND} | 1:34`],
  [anythingBut('{"prefix":["a",""]}'),                       'Null prefix/suffix not allowed | 1:40 | 1:40'],
  [anythingBut('{"suffix":7}'),                              'prefix/suffix match pattern must be a string | 1:34'],
  [anythingBut('{"equals-ignore-case":7}'),                  `${NESTED} | 1:46`],
  [anythingBut('{"equals-ignore-case":["a",7]}'),            `${NESTED} | 1:51 | 1:51`],
  [anythingBut('{"wildcard":"a**"}'),                        'Consecutive wildcard characters at pos 2 | 1:40'],
  [anythingBut('{"wildcard":["a","**"]}'),                   'Consecutive wildcard characters at pos 1 | 1:45'],
  [anythingBut('[]'),                                        `${MIXED} | 1:25`],
  [anythingBut('[1,"a"]'),                                   `${MIXED} | 1:30`],
  [anythingBut('["a",null]'),                                `${LISTED} | 1:32 | 1:32`],
  [anythingBut('[["a"]]'),                                   `${LISTED} | 1:25 | 1:25`],
  [anythingBut('["a" "b"]'),                                 `Unexpected character ('"' (code 34)): was expecting comma to separate Array entries | 1:29 | 1:29`],
  [anythingBut('[1e309]'),                                   'Cannot compare number : 1e309 | 1:29'],
  [anythingBut('1e309'),                                     'Cannot compare number : 1e309 | -'],
  [field('{"anything-but":1,"a":1}'),                        `${TOO_MANY} | 1:30`],
  // numeric.
  [numeric('5'),                                             'Value of numeric must be an array. | 1:19'],
  [numeric('[]'),                                            'Invalid member in numeric match: ] | 1:20'],
  [numeric('[{"a":1}]'),                                     'Invalid member in numeric match: { | 1:20'],
  [numeric('["=","1"]'),                                     'Value of equals must be numeric | 1:24'],
  [numeric('["<"]'),                                         'Value of < must be numeric | 1:23'],
  [numeric('["=",1,"<",2]'),                                 `${TOO_MANY} | 1:26`],
  [numeric('[">",1,5]'),                                     'Bad value in numeric range: 5 | 1:26'],
  [numeric('[">",1,">",5]'),                                 'Bad numeric range operator: > | 1:28'],
  [numeric('[">",1,"<",null]'),                              'Value of < must be numeric | 1:33'],
  [numeric('[">",1,"<",5,6]'),                               'Too many terms in numeric range expression | 1:32'],
  [numeric('[">=",5,"<=",5]'),                               'Bottom must be less than top | 1:33'],
  [numeric('["<",9007199254740993]'),                        'Cannot compare number : 9007199254740993 | 1:40'],
  [field('{"numeric":["<",5],"a":1}'),                       `${TOO_MANY} | 1:31`],
  // Addresses.
  [field('{"cidr":"10.0.0.0"}'),                             "Malformed CIDR, one '/' required | -"],
  [field('{"cidr":"10.0.0.0/8/8"}'),                         "Malformed CIDR, one '/' required | -"],
  [field('{"cidr":"10.0.0.0/"}'),                            "Malformed CIDR, one '/' required | -"],
  [field('{"cidr":"10.0.0.0/x"}'),                           'Malformed CIDR, mask bits must be an integer | -'],
  [field('{"cidr":"10.0.0.0/3000000000"}'),                  'Malformed CIDR, mask bits must be an integer | -'],
  [field('{"cidr":"x/-1"}'),                                 'Malformed CIDR, mask bits must not be negative | -'],
  [field('{"cidr":"10.0.0.0/32"}'),                          'IPv4 mask bits must be < 32 | -'],
  [field('{"cidr":"::1/128"}'),                              'IPv6 mask bits must be < 128 | -'],
  [field('{"cidr":"example.com/8"}'),                        'Nonstandard IP address: example.com | -'],
  [field('{"cidr":"::ffff:1.2.3.4/8"}'),                     'Nonstandard IP address: ::ffff:1.2.3.4 | -'],
  // Wildcards.
  [field('{"wildcard":"é**"}'),                              'Consecutive wildcard characters at pos 3 | 1:24'],
  [field('{"wildcard":"a\\\\"}'),                            'Invalid escape character at pos 2 | 1:24'],
  [field('{"wildcard":"*:*:*:*:*:event-bus/*"}'),            `${COMPLEX} | -`],
  [field('{"wildcard":"*aaaaaaaaaa"}'),                      `${COMPLEX} | -`],
  [field('"x",{"wildcard":"*a*b*c"},{"wildcard":"*d*e*f"},{"wildcard":"*g*h*i"},{"wildcard":"*j*k*l"}'), `${COMPLEX} | -`],
  [anythingBut('{"wildcard":"*a*a*a*a*a*a*a*a*"}'),          `${COMPLEX} | -`],
  // $or.
  ['{"$or":{"a":[1]}}',                                      'It must be an Array followed with $or. | 1:9'],
  ['{"$or":[]}',                                             'There must have at least 2 Objects in $or relationship. | 1:10'],
  ['{"$or":[{"a":[1]},{}]}',                                 'Empty objects are not allowed | 1:21'],
  ['{"$or":[1,{"a":[1]}]}',                                  'Only JSON object is allowed in array of $or relationship. | 1:10'],
  ['{"$or":[{"prefix":[1]},{"a":[1]}]}',                     'prefix is Ruler reserved fieldName which cannot be used inside $or. | 1:20'],
  ['{"$or":[{"a":{"in-date-range":[1]}},{"a":[1]}]}',        'in-date-range is Ruler reserved fieldName which cannot be used inside $or. | 1:32'],
  // JSON.
  ['this',                                                   `Unrecognized token 'this': was expecting ${TOKENS} | 1:5`],
  ['{"a":[tru]}',                                            `Unrecognized token 'tru': was expecting ${TOKENS} | 1:10`],
  ['{"a":[nullx]}',                                          `Unrecognized token 'nullx': was expecting ${TOKENS} | 1:12`],
  ["{'a':[1]}",                                              "Unexpected character (''' (code 39)): was expecting double-quote to start field name | 1:3"],
  ['{"a":[1],}',                                             "Unexpected character ('}' (code 125)): was expecting double-quote to start field name | 1:11"],
  ['{"a":[1,]}',                                             `Unexpected character (']' (code 93)): expected a valid value ${TOKENS} | 1:10`],
  ['{"a":}',                                                 "Unexpected character ('}' (code 125)): expected a value | 1:7"],
  ['{"a" [1]}',                                              "Unexpected character ('[' (code 91)): was expecting a colon to separate field name and value | 1:7"],
  ['{"a":[1] "b":[2]}',                                      `Unexpected character ('"' (code 34)): was expecting comma to separate Object entries | 1:11`],
  ['{"a":[01]}',                                             'Invalid numeric value: Leading zeroes not allowed | 1:8'],
  ['{"a":[-x]}',                                             "Unexpected character ('x' (code 120)) in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value | 1:9"],
  ['{"a":[1.x]}',                                            "Unexpected character ('x' (code 120)) in numeric value: Decimal point not followed by a digit | 1:8"],
  ['{"a":[1e]}',                                             "Unexpected character (']' (code 93)) in numeric value: Exponent indicator not followed by a digit | 1:8"],
  ['{"a":["\\x"]}',                                          "Unrecognized character escape 'x' (code 120) | 1:10"],
  ['{"a":["x\ny"]}',                                         'Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in string value | 1:10'],
  ['{"a":["x',                                               'Unexpected end-of-input: was expecting closing quote for a string value | 1:9'],
  ['{"a":["x"',                                              'Unexpected end-of-input: expected close marker for Array (start marker at [Source: (String)"{"a":["x""; line: 1, column: 6]) | 1:10'],
  ['{"a":[1],',                                              'Unexpected end-of-input within/between Object entries | 1:10'],
  ['{"a',                                                    'Unexpected end-of-input in field name | 1:4'],
  ['{"a":[1}',                                               'Unexpected close marker \'}\': expected \']\' (for Array starting at [Source: (String)"{"a":[1}"; line: 1, column: 6]) | 1:9'],
  [']',                                                      'Unexpected close marker \']\': expected \'}\' (for root starting at [Source: (String)"]"; line: 1, column: 0]) | 1:2'],
  ['/* */{"a":[1]}',                                         "Unexpected character ('/' (code 47)): maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser) | 1:2"],
];
for (const [pattern, expected] of PROBLEMS) {
  test(`compilePattern: ${JSON.stringify(pattern).slice(1, 70)}`, () => assert.equal(problemOf(pattern), expected));
}

// biome-ignore format: a table
const ACCEPTED: readonly (readonly [title: string, pattern: string])[] = [
  ['a wildcard pattern of complexity 7',       field('{"wildcard":"/Users/*/dir/dir/dir/dir/dir/doc.txt"}')],
  ['a long wildcard pattern',                  field(`{"wildcard":"${'abcdefgh'.repeat(250)}*${'abcdefgh'.repeat(1)}${'ijklmnop'.repeat(1)}"}`)],
  ['a long pattern after a wildcard',          field(`{"wildcard":"*${Array.from({ length: 4_000 }, (_, i) => String.fromCharCode(0x4e00 + i)).join('')}"}`)],
  ['many literals in one field',               field(Array.from({ length: 500 }, (_, i) => `"${i}"`).join())],
  ['reserved names outside of $or',            '{"prefix":{"wildcard":[1]},"$or":[{"a":[1]},{"b":[1]}]}'],
  ['the maximum length',                       `{"a":["${'x'.repeat(PATTERN_MAX - 10)}"]}`],
];
for (const [title, pattern] of ACCEPTED) test(`compilePattern: accepts ${title}`, () => void compilePattern(pattern));

test('compilePattern: the message quotes the first 500 characters, and escapes control characters', () => {
  const pattern = `{"a":\t[],"b":["${'x'.repeat(600)}"]}`;
  const quoted = pattern.slice(0, 500).replace('\t', '\\u0009');
  assert.throws(() => compilePattern(pattern), {
    message: `Event pattern is not valid. Reason: Empty arrays are not allowed\n at [Source: (String)"${quoted}"[truncated ${pattern.length - 500} chars]; line: 1, column: 9]`,
  });
});

test('compilePattern: more than 4,096 characters are refused', () => {
  assert.throws(() => compilePattern(`{"a":["${'x'.repeat(PATTERN_MAX)}"]}`), { name: 'PatternProblem' });
});
