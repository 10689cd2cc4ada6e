import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instant } from '#core/instant.ts';
import { escaped, ownPath, readCookie, readParameters, readStrings, setCookie } from './http.ts';
import type { PageRequest } from './site.ts';

const NOW = instant(1_795_314_300_000);

function received(rawHeaders: readonly string[], secure = false): PageRequest {
  return {
    requestId: 'r',
    receivedAt: NOW,
    method: 'GET',
    target: '/',
    rawHeaders,
    body: new Uint8Array(),
    sourceIp: '127.0.0.1',
    secure,
  };
}

/** Generator of lists of strings. The strings are parts of paths, and parts of URLs of other hosts. */
const pieces = fc.array(
  fc.constantFrom('/', '//', '\\', '.', '..', '@', ':', '?', '#', '%2f', '%5c', 'evil.example', 'https:', ' ', '\t', '\n', '\0', 'é', 'a'),
);

test('ownPath: a browser resolves every returned path to this server', () => {
  fc.assert(
    fc.property(pieces, (parts) => {
      const path = ownPath(parts.join(''));
      if (path === undefined) return;
      assert.equal(new URL(path, 'https://here.example/federation').origin, 'https://here.example');
      assert.match(path, /^[\x21-\x7e]+$/);
    }),
    { numRuns: 5000 },
  );
});

// biome-ignore format: a table
const PATHS: readonly (readonly [text: string | undefined, passes: boolean])[] = [
  ['/',                          true ],
  ['/console/#/meetings?a=b%20c', true ],
  [`/${'a'.repeat(2047)}`,       true ],
  [`/${'a'.repeat(2048)}`,       false],
  ['//evil.example',             false],
  ['/\\evil.example',            false],
  ['/a b',                       false],
  ['',                           false],
  [undefined,                    false],
];

for (const [text, passes] of PATHS) {
  test(`ownPath: ${JSON.stringify(text)?.slice(0, 40)} of ${text?.length ?? 0} characters ${passes ? 'passes' : 'does not pass'}`, () => {
    assert.equal(ownPath(text), passes ? text : undefined);
  });
}

test('readCookie: reads only a cookie with the exact name, which starts with __Host- over HTTPS', () => {
  for (const tls of [false, true]) {
    const [, cookie = ''] = setCookie(received([], tls), 'value', instant(NOW + 1000), NOW);
    const pair = cookie.split(';')[0] as string;
    assert.equal(readCookie(received(['Cookie', `a=1; ${pair}; b=2`], tls)), 'value');
    assert.equal(readCookie(received(['Cookie', `x${pair}`], tls)), undefined);
    assert.equal(readCookie(received(['Cookie', pair], !tls)), undefined);
    assert.equal(readCookie(received([], tls)), undefined);
  }
});

// biome-ignore format: a table
const FORMS: readonly (readonly [what: string, text: string, fields: Readonly<Record<string, string>> | undefined])[] = [
  ['two fields',                        'a=1&b=%20+x',                                              { a: '1', b: '  x' }],
  ['16 fields',                         Array.from({ length: 16 }, (_, i) => `f${i}=`).join('&'),   Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`f${i}`, '']))],
  ['17 fields',                         Array.from({ length: 17 }, (_, i) => `f${i}=`).join('&'),   undefined],
  ['a repeated field',                  'a=1&a=1',                                                  undefined],
  ['NUL in a value',                    'a=%00',                                                    undefined],
  ['NUL in a name',                     '%00=a',                                                    undefined],
  ['bytes that are not UTF-8',          'a=%ff',                                                    undefined],
  ['an encoded surrogate',              'a=%ed%a0%80',                                              undefined],
  ['the maximum number of characters',  `a=${'x'.repeat(319_998)}`,                                 { a: 'x'.repeat(319_998) }],
  ['one character more',                `a=${'x'.repeat(319_999)}`,                                 undefined],
];

for (const [what, text, fields] of FORMS) {
  test(`readParameters: ${what} ${fields === undefined ? 'is refused' : 'is read'}`, () => {
    const read = readParameters(text);
    assert.deepEqual(read && Object.fromEntries(read), fields);
  });
}

// biome-ignore format: a table
const OBJECTS: readonly (readonly [what: string, json: string, members: Readonly<Record<string, string>> | undefined])[] = [
  ['an object of strings',          '{"a":"1","b":"\\"\\\\é"}',  { a: '1', b: '"\\é' }],
  ['an empty object',               '{}',                       {}],
  ['a repeated member',             '{"a":"1","a":"1"}',        undefined],
  ['a repeated member, escaped',    '{"a":"1","\\u0061":"1"}',  undefined],
  ['a number',                      '{"a":1}',                  undefined],
  ['a nested object',               '{"a":{"b":"c"}}',          undefined],
  ['null',                          'null',                     undefined],
  ['a list',                        '["a","b"]',                undefined],
  ['a string',                      '"a"',                      undefined],
  ['NUL in a value',                '{"a":"\\u0000"}',          undefined],
  ['a lone surrogate',              '{"a":"\\ud800"}',          undefined],
  ['a pair of surrogates',          '{"a":"\\ud83d\\ude00"}',   { a: '😀' }],
  ['text that is not JSON',         '{"a":"1"',                 undefined],
  ['more characters than allowed',  `{"a":"${'x'.repeat(93)}"}`, undefined],
];

for (const [what, json, members] of OBJECTS) {
  test(`readStrings: ${what} ${members === undefined ? 'is refused' : 'is read'}`, () => {
    const read = readStrings(json, 100);
    assert.deepEqual(read && Object.fromEntries(read), members);
  });
}

test('escaped: the result cannot end an attribute or an element, for any string', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.doesNotMatch(escaped(text), /[<>"']/);
    }),
  );
});
