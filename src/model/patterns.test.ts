import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadModel } from './load.ts';
import { SERVICE_NAMES } from './model.ts';
import { codePoints, compiledPattern, matchesPattern, PATTERN_TEXT_MAX } from './patterns.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: a pattern as published
const MALFORMED = '^[-_a-zA-Z0-9]*${2,64}$';

/** Patterns that are replaced and well-formed, with an alphabet in which texts come near to matching. */
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
  test(`compiledPattern: what stands for ${pattern} matches the same texts`, () => {
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
  // what is tested                                          pattern                             text                      matches
  ['a whole text',                                           '[0-9]+',                           '42',                     true ],
  ['a part of a text does not do',                           '[0-9]+',                           'a42',                    false],
  ['alternatives are anchored on both sides',                '(r-[0-9]+)|(ou-[0-9]+)',           'r-1x',                   false],
  ['a published start without an end is a full match too',   '^[A-Z_, ]+',                       'NAME!',                  false],
  ['a line end after the last character counts',             '[a-z]+',                           'abc\n',                  false],
  ['letters of every script',                                '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*',  'Größe Ünïcode',          true ],
  ['a class that only the older syntax can read',            '[\\s\\w+-=\\.:/@]*',               'team=blue',              true ],
  ['the malformed one of Voice: two characters',             MALFORMED,                          'ab',                     true ],
  ['the malformed one of Voice: one is too few',             MALFORMED,                          'a',                      false],
  ['the malformed one of Voice: 65 are too many',            MALFORMED,                          'a'.repeat(65),           false],
];

for (const [title, pattern, text, matches] of CASES) {
  test(`compiledPattern: ${title}`, () => {
    assert.equal(compiledPattern(pattern).test(text), matches);
  });
}

test('compiledPattern: is compiled once', () => {
  assert.equal(compiledPattern('[a-z]+x'), compiledPattern('[a-z]+x'));
});

test('compiledPattern: every pattern of the models compiles', () => {
  const patterns = SERVICE_NAMES.flatMap((service) => Object.values(loadModel(service).shapes).flatMap(({ pattern }) => pattern ?? []));
  assert.ok(patterns.length > 300);
  for (const pattern of patterns) assert.equal(typeof compiledPattern(pattern).test('x'), 'boolean', pattern);
});

// biome-ignore format: a table
const LENGTHS: readonly [title: string, shape: Parameters<typeof matchesPattern>[0], text: string, matches: boolean][] = [
  ['a shape without a pattern takes any text',             { type: 'string' },                                   'x'.repeat(9_000),                  true ],
  ['the longest text of the shape',                        { type: 'string', pattern: '(a|b)+', max: 3 },        'aba',                              true ],
  ['one character more',                                   { type: 'string', pattern: '(a|b)+', max: 3 },        'abab',                             false],
  ['a character outside the basic plane is one',           { type: 'string', pattern: '.+', max: 3 },            '😀😀😀',                           true ],
  ['the longest text without a max',                       { type: 'string', pattern: '(a|b)+' },                'a'.repeat(PATTERN_TEXT_MAX),       true ],
  ['longer than that',                                     { type: 'string', pattern: '(a|b)+' },                'a'.repeat(PATTERN_TEXT_MAX + 1),   false],
  ['one class alone has no longest text',                  { type: 'string', pattern: '[\\s\\S]*' },             'a\n'.repeat(PATTERN_TEXT_MAX),     true ],
];

for (const [title, shape, text, matches] of LENGTHS) {
  test(`matchesPattern: ${title}`, () => {
    assert.equal(matchesPattern(shape, text), matches);
  });
}

test('codePoints: counts a surrogate pair as one', () => {
  assert.equal(codePoints('a😀é'), 3);
});
