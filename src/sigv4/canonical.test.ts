import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalPath, canonicalValue, isNormalPath, readQuery, uriDecode, uriEncode } from './canonical.ts';

// biome-ignore format: a table
const PATHS: readonly [path: string, canonical: string, normal: boolean][] = [
  // as sent                  as signed                  normalized
  ['/',                       '/',                       true ],
  ['',                        '/',                       true ],
  ['/a/b',                    '/a/b',                    true ],
  ['/a/b/',                   '/a/b/',                   true ],
  ['/a%2Fb/%3A',              '/a%252Fb/%253A',          true ],
  ['/a:b@c',                  '/a%3Ab%40c',              true ],
  ['/.well-known/x',          '/.well-known/x',          true ],
  ['/a..b/..c',               '/a..b/..c',               true ],
  ['//example//',             '/example/',               false],
  ['/./',                     '/',                       false],
  ['/a/../b',                 '/b',                      false],
  ['/../../b',                '/b',                      false],
  ['/a/.',                    '/a',                      false],
  ['/a/..',                   '/',                       false],
];

for (const [path, canonical, normal] of PATHS) {
  test(`canonicalPath: '${path}' is signed as '${canonical}'${normal ? '' : ' and is not a normalized path'}`, () => {
    assert.equal(canonicalPath(path), canonical);
    assert.equal(isNormalPath(path), normal);
  });
}

// biome-ignore format: a table
const VALUES: readonly [value: string, canonical: string][] = [
  ['a b',        'a b'],
  [' a  b ',     'a b'],
  ['a\tb',       'a b'],
  ['"a   b"',    '"a b"'],
  ['   ',        ''],
  ['',           ''],
];

for (const [value, canonical] of VALUES) {
  test(`canonicalValue: ${JSON.stringify(value)} is ${JSON.stringify(canonical)}`, () => assert.equal(canonicalValue(value), canonical));
}

for (const broken of ['%', '%4', '%zz', 'a%', '%%41', '%4g']) {
  test(`uriDecode: '${broken}' is an invalid escape`, () => assert.equal(uriDecode(broken), undefined));
}

test('uriEncode: encodes all bytes except unreserved characters, and uriDecode restores them', () => {
  const all = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
  assert.equal(uriDecode(uriEncode(all)), all);
  assert.equal(uriEncode(all).replaceAll(/%[0-9A-F]{2}/g, ''), '-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~');
});

test('readQuery: keeps plus signs, skips empty parameters, and reads a missing value as an empty string', () => {
  assert.deepEqual(readQuery('a=b+c&d&&=e&f=%2B=g'), [
    ['a', 'b+c'],
    ['d', ''],
    ['', 'e'],
    ['f', '+=g'],
  ]);
  assert.equal(readQuery('a=%'), undefined);
});
