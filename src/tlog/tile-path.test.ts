import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeEntryBundle, encodeEntryBundle, formatTilePath, parseTilePath, type TileAddress } from './tile-path.ts';

// biome-ignore format: a table
const PATHS: readonly [address: TileAddress, path: string][] = [
  [{ level: 0, index: 0, width: 256 },                             'tile/0/000'],
  [{ level: 0, index: 1_234_067, width: 256 },                     'tile/0/x001/x234/067'],
  [{ level: 1, index: 999, width: 1 },                             'tile/1/999.p/1'],
  [{ level: 63, index: 1_000, width: 255 },                        'tile/63/x001/000.p/255'],
  [{ level: 'entries', index: 273, width: 112 },                   'tile/entries/273.p/112'],
  [{ level: 'entries', index: Number.MAX_SAFE_INTEGER, width: 256 }, 'tile/entries/x009/x007/x199/x254/x740/991'],
];
for (const [address, path] of PATHS) {
  test(`formatTilePath, parseTilePath: ${path}`, () => {
    assert.equal(formatTilePath(address), path);
    assert.deepEqual(parseTilePath(path), address);
  });
}

for (const path of [
  'tile/0/0',
  'tile/0/x000/001',
  'tile/0/001/002',
  'tile/0/x001',
  'tile/00/001',
  'tile/64/001',
  'tile/-1/001',
  'tile/0/001.p/0',
  'tile/0/001.p/256',
  'tile/0/001.p/01',
  'tile/0/001.p/',
  'tile/0/../001',
  'tile/data/001',
  '/tile/0/001',
  'tile/0/001\n',
  'tile/0/x009/x007/x199/x254/x740/992',
  'tile/0/x001/x000/x000/x000/x000/x000/000',
]) {
  test(`parseTilePath: ${JSON.stringify(path)} is not a path of a tile`, () => assert.equal(parseTilePath(path), undefined));
}

test('decodeEntryBundle: returns the entries, from 0 to 65,535 bytes', () => {
  const entries = [Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(65_535, 7)];
  const bundle = encodeEntryBundle(entries);
  assert.equal(bundle.toString('hex', 0, 7), '00000003616263');
  assert.deepEqual(decodeEntryBundle(bundle, 3), entries);
});

test('encodeEntryBundle, decodeEntryBundle: too many or too long entries, and a wrong length, are a RangeError', () => {
  assert.throws(() => encodeEntryBundle([Buffer.alloc(65_536)]), RangeError);
  assert.throws(() => encodeEntryBundle(Array(257).fill(Buffer.alloc(1))), RangeError);
  const bundle = encodeEntryBundle([Buffer.from('abc'), Buffer.from('d')]);
  for (const [bytes, width] of [
    [bundle, 1],
    [bundle, 3],
    [bundle.subarray(0, -1), 2],
    [bundle.subarray(0, 6), 2],
    [Buffer.concat([bundle, Buffer.alloc(1)]), 2],
  ] as const)
    assert.throws(() => decodeEntryBundle(bytes, width), RangeError);
});
