import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compilePattern } from './compile.ts';
import { type EventFields, eventFields } from './event-fields.ts';
import { matches } from './match.ts';
import { ruleIndex } from './rule-index.ts';

/** Event patterns: the recorded cases, and a table of the rules that they leave open. `pattern-errors.test.ts` has the errors. */

interface RecordedCase {
  readonly name: string;
  readonly pattern: string;
  readonly event: string;
  readonly expected: boolean | { readonly code: string; readonly message: string };
}

const RECORDED = JSON.parse(
  readFileSync(new URL('../../../../test/cases/recorded/event-patterns.json', import.meta.url), 'utf8'),
) as readonly RecordedCase[];

for (const { name, pattern, event, expected } of RECORDED) {
  test(`recorded event pattern: ${name}`, () => {
    if (typeof expected === 'object') assert.throws(() => compilePattern(pattern), { name: 'PatternProblem', message: expected.message });
    else assert.equal(matches(compilePattern(pattern), eventFields(event) as EventFields), expected);
  });
}

/** Tests one value: `v` in the pattern and in the event. */
const value = (tests: string, event: string): readonly [string, string] => [`{"v":[${tests}]}`, `{"v":${event}}`];

// biome-ignore format: a table
const MATCHES: readonly (readonly [title: string, pair: readonly [pattern: string, event: string], expected: boolean])[] = [
  // title                                                   pattern and event                                                             expected
  // Values.
  ['a string is not a number',                               value('"1"', '1'),                                                            false],
  ['a string is not a literal',                              value('"true"', 'true'),                                                      false],
  ['true is not false',                                      value('true', 'false'),                                                       false],
  ['null is not an empty string',                            value('null', '""'),                                                          false],
  ['null is not a missing field',                            ['{"v":[null]}', '{"w":1}'],                                                  false],
  ['null is not an element of an empty array',               value('null', '[]'),                                                          false],
  ['an escape equals its character',                         value('"\\u0061"', '"a"'),                                                    true],
  ['no Unicode normalization',                               value('"\u00e9"', '"e\u0301"'),                                               false],
  ['text after the pattern and the event is ignored',        ['{"v":[1]} {', '{"v":1} ]'],                                                 true],
  // Numbers.
  ['300 equals 300.0',                                       value('300', '300.0'),                                                        true],
  ['300 equals 3.0e2',                                       value('300', '3.0e2'),                                                        true],
  ['3000E-1 equals 300',                                     value('3000E-1', '300'),                                                      true],
  ['0 equals -0.0',                                          value('0', '-0.0'),                                                           true],
  ['-0 equals 0e5',                                          value('-0', '0e5'),                                                           true],
  ['0.1 equals 0.10',                                        value('0.1', '0.10'),                                                         true],
  ['a large integer equals the same digits',                 value('9007199254740993', '9007199254740993'),                                true],
  ['a large integer does not equal its double',              value('9007199254740993', '9007199254740992'),                                false],
  ['a large integer does not equal another notation',        value('9007199254740993', '9007199254740993.0'),                              false],
  ['a number beyond all doubles equals the same digits',     value('1e309', '1e309'),                                                      true],
  ['a number beyond all doubles is not another one',         value('1e309', '1e310'),                                                      false],
  ['numeric: = with another notation',                       value('{"numeric":["=",0.5]}', '5e-1'),                                       true],
  ['numeric: both bounds are excluded',                      value('{"numeric":[">",1,"<",2]}', '2'),                                      false],
  ['numeric: both bounds are included',                      value('{"numeric":[">=",1,"<=",2]}', '2'),                                    true],
  ['numeric: < with a negative number',                      value('{"numeric":["<",0]}', '-1e300'),                                       true],
  ['numeric: null is not a number',                          value('{"numeric":["<",5]}', 'null'),                                         false],
  ['numeric: a number that no double holds',                 value('{"numeric":[">",5]}', '9007199254740993'),                             false],
  // Strings.
  ['prefix: the empty prefix needs a string',                value('{"prefix":""}', '1'),                                                  false],
  ['prefix: a number',                                       value('{"prefix":"1"}', '12'),                                                false],
  ['prefix: case-sensitive',                                 value('{"prefix":"A"}', '"ab"'),                                              false],
  ['suffix: the empty suffix',                               value('{"suffix":""}', '"x"'),                                                true],
  ['exactly',                                                value('{"exactly":"x"}', '"x"'),                                              true],
  ['exactly: an address is a string',                        value('{"exactly":"::1"}', '"0:0:0:0:0:0:0:1"'),                              false],
  ['equals-ignore-case: straße matches STRASSE',             value('{"equals-ignore-case":"straße"}', '"STRASSE"'),                        true],
  ['equals-ignore-case: straße does not match strasse',      value('{"equals-ignore-case":"straße"}', '"strasse"'),                        false],
  ['equals-ignore-case: STRASSE does not match straße',      value('{"equals-ignore-case":"STRASSE"}', '"straße"'),                        false],
  ['equals-ignore-case: k does not match the Kelvin sign',   value('{"equals-ignore-case":"k"}', '"\u212a"'),                              false],
  ['equals-ignore-case: a longer value',                     value('{"equals-ignore-case":"ab"}', '"abc"'),                                false],
  ['prefix equals-ignore-case: another length',              value('{"prefix":{"equals-ignore-case":"ß"}}', '"SSx"'),                      true],
  ['suffix equals-ignore-case: another length',              value('{"suffix":{"equals-ignore-case":"ß"}}', '"xSS"'),                      true],
  ['suffix equals-ignore-case: a shorter value',             value('{"suffix":{"equals-ignore-case":"abc"}}', '"BC"'),                     false],
  ['wildcard: empty matches empty',                          value('{"wildcard":""}', '""'),                                               true],
  ['wildcard: empty does not match a value',                 value('{"wildcard":""}', '"x"'),                                              false],
  ['wildcard: a star matches empty',                         value('{"wildcard":"*"}', '""'),                                              true],
  ['wildcard: a star matches a line break',                  value('{"wildcard":"a*b"}', '"a\\n b"'),                                      true],
  ['wildcard: the ends do not overlap',                      value('{"wildcard":"aba*ba"}', '"aba"'),                                      false],
  ['wildcard: the parts do not overlap',                     value('{"wildcard":"*ab*ba*"}', '"xabax"'),                                   false],
  ['wildcard: the middle ends before the last part',         value('{"wildcard":"a*b*b"}', '"aab"'),                                       false],
  ['wildcard: a question mark is a character',               value('{"wildcard":"a?*"}', '"ab"'),                                          false],
  // anything-but.
  ['anything-but: null is a value',                          value('{"anything-but":"x"}', 'null'),                                        true],
  ['anything-but: an empty array',                           value('{"anything-but":"x"}', '[]'),                                          false],
  ['anything-but: an object is not a value',                 value('{"anything-but":"x"}', '{"a":1}'),                                     false],
  ['anything-but: one element is not listed',                value('{"anything-but":["x"]}', '["x","y"]'),                                 true],
  ['anything-but: a number in another notation',             value('{"anything-but":[300]}', '3e2'),                                       false],
  ['anything-but: the string of a listed number',            value('{"anything-but":[300]}', '"300"'),                                     true],
  ['anything-but wildcard: listed',                          value('{"anything-but":{"wildcard":["a*","*z"]}}', '"xyz"'),                  false],
  ['anything-but equals-ignore-case: an empty list',         value('{"anything-but":{"equals-ignore-case":[]}}', '"x"'),                   true],
  // Addresses.
  ['an address equals its other notations',                  value('"::1"', '"0:0:0:0:0:0:0:1"'),                                          true],
  ['an IPv4 address with leading zeros',                     value('"10.0.0.1"', '"010.0.0.01"'),                                          true],
  ['a string that is not an address',                        value('"10.0.0.256"', '"10.0.0.256"'),                                        true],
  ['cidr: host bits are ignored',                            value('{"cidr":"10.0.1.77/24"}', '"10.0.1.3"'),                               true],
  ['cidr: /0',                                               value('{"cidr":"10.0.0.0/0"}', '"255.255.255.255"'),                          true],
  ['cidr: IPv4 and IPv6 differ',                             value('{"cidr":"::/0"}', '"10.0.0.1"'),                                       false],
  ['cidr: bits within a digit',                              value('{"cidr":"2001:db8::/33"}', '"2001:db8:8000::"'),                       false],
  ['cidr: a name',                                           value('{"cidr":"10.0.0.0/8"}', '"example.com"'),                              false],
  // Presence.
  ['exists true: null',                                      value('{"exists":true}', 'null'),                                             true],
  ['exists true: an object',                                 value('{"exists":true}', '{"a":1}'),                                          false],
  ['exists true: an empty array',                            value('{"exists":true}', '[]'),                                               false],
  ['exists false: an object',                                value('{"exists":false}', '{"a":1}'),                                         true],
  ['exists false: an empty array',                           value('{"exists":false}', '[]'),                                              true],
  ['exists false or a value: the value',                     value('{"exists":false},"x"', '"x"'),                                         true],
  ['exists false or a value: another value',                 value('{"exists":false},"x"', '"y"'),                                         false],
  ['exists false or a value: missing',                       ['{"v":[{"exists":false},"x"]}', '{"w":1}'],                                  true],
  ['exists false: one element has the field',                ['{"l":{"b":[{"exists":false}]}}', '{"l":[{"a":1},{"b":1}]}'],                false],
  ['exists false: no element has the field',                 ['{"l":{"b":[{"exists":false}]}}', '{"l":[{"a":1},{"a":2}]}'],                true],
  ['exists false: another element than the chosen one',      ['{"l":{"a":[1],"b":[{"exists":false}]}}', '{"l":[{"a":1},{"b":1}]}'],        true],
  ['exists false: the chosen element',                       ['{"l":{"a":[1],"b":[{"exists":false}]}}', '{"l":[{"a":1,"b":1}]}'],          false],
  ['exists false: before the path that chooses',             ['{"l":{"a":[{"exists":false}],"b":[1]}}', '{"l":[{"a":1},{"b":1}]}'],        false],
  // Paths and arrays.
  ['a dot in a key of the pattern',                          ['{"a.b":[1]}', '{"a":{"b":1}}'],                                             true],
  ['a dot in a key of the event',                            ['{"a":{"b":[1]}}', '{"a.b":1}'],                                             true],
  ['an object is not a list of its fields',                  ['{"a":{"b":[1]}}', '{"a":1}'],                                               false],
  ['nested arrays are flattened',                            value('3', '[[1,[2]],[[3]]]'),                                                true],
  ['fields of two elements',                                 ['{"a":{"b":[1],"c":[2]}}', '{"a":[{"b":1},{"c":2}]}'],                       false],
  ['fields of one element',                                  ['{"a":{"b":[1],"c":[2]}}', '{"a":[{"b":2,"c":2},{"b":1,"c":2}]}'],           true],
  ['fields of two arrays',                                   ['{"a":{"x":[1]},"b":{"x":[2]}}', '{"a":[{},{"x":1}],"b":[{"x":2},{}]}'],     true],
  ['elements of inner arrays',                               ['{"a":{"b":{"x":[1],"y":[2]}}}', '{"a":[{"b":[{"x":1},{"y":2}]}]}'],         false],
  ['an inner array and its outer element',                   ['{"a":{"k":[1],"b":{"x":[2]}}}', '{"a":[{"k":1,"b":[{"x":3}]},{"k":2,"b":[{"x":2}]}]}'], false],
  ['an inner array in the right outer element',              ['{"a":{"k":[1],"b":{"x":[2]}}}', '{"a":[{"k":2},{"k":1,"b":[{"x":3},{"x":2}]}]}'], true],
  ['scalars of an array are in no element',                  ['{"a":{"t":["x"],"u":["y"]}}', '{"a":{"t":["w","x"],"u":["y"]}}'],           true],
  ['elements of nested arrays',                              ['{"a":{"b":[1],"c":[2]}}', '{"a":[[{"b":1}],[{"c":2}]]}'],                   false],
  ['a key twice in an event: each value counts',             ['{"a":{"b":[1]},"c":[1]}', '{"a":[{"b":2}],"a":[{"b":1}],"c":1}'],           true],
  ['a key twice in a pattern: the last one counts',          ['{"a":[1],"a":[2]}', '{"a":1}'],                                             false],
  ['the empty key',                                          ['{"":{"":[1]}}', '{"":{"":1}}'],                                             true],
  ['names of the prototype',                                 ['{"__proto__":{"constructor":[1]}}', '{"__proto__":{"constructor":1}}'],     true],
  // $or.
  ['$or: its siblings must match too',                       ['{"s":[1],"$or":[{"a":[1]},{"b":[1]}]}', '{"s":2,"a":1}'],                   false],
  ['$or: several fields in a branch',                        ['{"$or":[{"a":[1],"b":[1]},{"c":[1]}]}', '{"a":1,"b":2}'],                   false],
  ['$or: nested',                                            ['{"$or":[{"a":[1],"$or":[{"b":[1]},{"c":[1]}]},{"d":[1]}]}', '{"a":1,"c":1}'], true],
  ['$or: inside an object inside a branch',                  ['{"$or":[{"x":{"$or":[{"a":[1]},{"b":[1]}]}},{"y":[1]}]}', '{"x":{"b":1}}'], true],
  ['$or twice in one object',                                ['{"$or":[{"a":[1]},{"b":[1]}],"$or":[{"c":[1]},{"d":[1]}]}', '{"b":1,"c":1}'], true],
  ['$or twice: one of each is needed',                       ['{"$or":[{"a":[1]},{"b":[1]}],"$or":[{"c":[1]},{"d":[1]}]}', '{"a":1,"b":1}'], false],
  ['$or: a later field replaces that of the branches',       ['{"$or":[{"a":[1]},{"b":[1]}],"a":[2]}', '{"a":2}'],                         true],
  ['$or is a plain name in an event',                        ['{"x":[1]}', '{"$or":[{"x":1}],"x":1}'],                                     true],
];
for (const [title, [pattern, event], expected] of MATCHES) {
  test(`event pattern: ${title}`, () => {
    const compiled = compilePattern(pattern);
    const fields = eventFields(event) as EventFields;
    assert.equal(matches(compiled, fields), expected);
    assert.equal(ruleIndex([{ rule: 'a', pattern: compiled }]).matching(fields).length, expected ? 1 : 0, 'the index differs');
  });
}

// biome-ignore format: a table
const NO_EVENTS: readonly (readonly [title: string, text: string])[] = [
  ['an array',                             '[]'],
  ['a string',                             '"{}"'],
  ['an empty string',                      ''],
  ['an open object',                       '{"a":1'],
  ['an unquoted name',                     '{a:1}'],
  ['a trailing comma',                     '{"a":1,}'],
  ['a nesting of more than 1,000',         `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`],
  ['more than 1,048,576 characters',       `{"a":"${'x'.repeat(1_048_576)}"}`],
];
for (const [title, text] of NO_EVENTS) {
  test(`eventFields: ${title} is not an event`, () => assert.equal(eventFields(text), undefined));
}

test('eventFields: a nesting of 1,000 is an event', () => {
  assert.deepEqual([...(eventFields(`{"a":${'['.repeat(999)}1${']'.repeat(999)}}`)?.byPath.keys() ?? [])], ['a']);
});
