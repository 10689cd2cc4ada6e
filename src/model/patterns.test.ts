import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadModel } from './load.ts';
import { codePoints, compiledPattern, matchesPattern, PATTERN_TEXT_MAX } from './patterns.ts';
import { SERVICE_NAMES } from './services.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: a pattern as published
const MALFORMED = '^[-_a-zA-Z0-9]*${2,64}$';

/**
 * Well-formed patterns that have a replacement. The test compares each pattern with its replacement for random strings
 * of up to `maxLength` characters of the alphabet. The alphabet has only characters that matter to the pattern, so many
 * of the strings match or nearly match.
 */
// biome-ignore format: a table
const REPLACED: readonly [pattern: string, alphabet: string, maxLength: number][] = [
  ['^[ \\t]*[\\x20-\\x7E]+([ \\t]+[\\x20-\\x7E]+)*[ \\t]*$',              ' \ta~\n\u007f', 8],
  ['^[ \\t]*[^\\x00-\\x1F:\\x7F]+([ \\t]+[^\\x00-\\x1F:\\x7F]+)*[ \\t]*$', ' \ta:é\n',      8],
  ['.+@.+\\..+',                                                         '@.a\n',         9],
  ['.*\\S.*',                                                            ' a\n\u2028',    6],
  ['[^\\s@]+@[^\\s@]+\\.[^\\s@]+',                                       '@.a ',          9],
  ['^arn:aws:organizations::.+:.+',                                      ':a\n',          6],
  ['^arn:aws([a-z]|\\-)*:events:([a-z]|\\d|\\-)*:([0-9]{12})?:.+\\/.+$', '/a:\n',         7],
];

const PREFIXES = ['', 'arn:aws:organizations::', 'arn:aws:events:us-east-1:123456789012:', 'arn:aws-cn:events:::'];

for (const [pattern, alphabet, maxLength] of REPLACED) {
  test(`compiledPattern: the replacement of ${pattern} matches the same strings`, () => {
    const published = new RegExp(`^(?:${pattern})$`);
    const texts = fc.tuple(fc.constantFrom(...PREFIXES), fc.string({ unit: fc.constantFrom(...alphabet), maxLength }));
    fc.assert(
      fc.property(texts, ([prefix, rest]) => compiledPattern(pattern).test(prefix + rest) === published.test(prefix + rest)),
      { numRuns: 2_000 },
    );
  });
}

// biome-ignore format: a table
const CASES: readonly [title: string, pattern: string, text: string, matches: boolean][] = [
  // case                                                    pattern                             text                      matches
  ['matches a whole string',                                 '[0-9]+',                           '42',                     true ],
  ['does not match a part of a string',                      '[0-9]+',                           'a42',                    false],
  ['anchors alternatives on both sides',                     '(r-[0-9]+)|(ou-[0-9]+)',           'r-1x',                   false],
  ['anchors a pattern that has only a start',                '^[A-Z_, ]+',                       'NAME!',                  false],
  ['does not ignore a final line break',                     '[a-z]+',                           'abc\n',                  false],
  ['matches letters of every script',                        '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*',  'Größe Ünïcode',          true ],
  ['compiles a class that is invalid with the flag u',       '[\\s\\w+-=\\.:/@]*',               'team=blue',              true ],
  ['malformed pattern of Voice: matches 2 characters',       MALFORMED,                          'ab',                     true ],
  ['malformed pattern of Voice: rejects 1 character',        MALFORMED,                          'a',                      false],
  ['malformed pattern of Voice: rejects 65 characters',      MALFORMED,                          'a'.repeat(65),           false],
];

for (const [title, pattern, text, matches] of CASES) {
  test(`compiledPattern: ${title}`, () => {
    assert.equal(compiledPattern(pattern).test(text), matches);
  });
}

test('compiledPattern: a second call returns the same object', () => {
  assert.equal(compiledPattern('[a-z]+x'), compiledPattern('[a-z]+x'));
});

test('compiledPattern: every pattern of the models compiles', () => {
  const patterns = SERVICE_NAMES.flatMap((service) => Object.values(loadModel(service).shapes).flatMap(({ pattern }) => pattern ?? []));
  assert.ok(patterns.length > 300);
  for (const pattern of patterns) assert.equal(typeof compiledPattern(pattern).test('x'), 'boolean', pattern);
});

// biome-ignore format: a table
const LENGTHS: readonly [title: string, shape: Parameters<typeof matchesPattern>[0], text: string, matches: boolean][] = [
  ['a shape without a pattern matches any string',         { type: 'string' },                                   'x'.repeat(9_000),                  true ],
  ['matches a string of the maximum length',               { type: 'string', pattern: '(a|b)+', max: 3 },        'aba',                              true ],
  ['rejects one more character',                           { type: 'string', pattern: '(a|b)+', max: 3 },        'abab',                             false],
  ['counts an astral character once',                      { type: 'string', pattern: '.+', max: 3 },            '😀😀😀',                           true ],
  ['matches the default maximum length',                   { type: 'string', pattern: '(a|b)+' },                'a'.repeat(PATTERN_TEXT_MAX),       true ],
  ['rejects one more than the default maximum',            { type: 'string', pattern: '(a|b)+' },                'a'.repeat(PATTERN_TEXT_MAX + 1),   false],
  ['one repeated class has no maximum length',             { type: 'string', pattern: '[\\s\\S]*' },             'a\n'.repeat(PATTERN_TEXT_MAX),     true ],
];

for (const [title, shape, text, matches] of LENGTHS) {
  test(`matchesPattern: ${title}`, () => {
    assert.equal(matchesPattern(shape, text), matches);
  });
}

test('codePoints: counts a surrogate pair as one', () => {
  assert.equal(codePoints('a😀é'), 3);
});
