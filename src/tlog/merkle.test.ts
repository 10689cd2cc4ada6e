import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { entriesOf, memoryLog } from '../../test/kit/tlog.ts';
import { APPEND_ENTRIES_MAX, appendEntries, EMPTY_TREE } from './append.ts';
import { leafHash, nodeHash } from './hash.ts';
import { proveConsistency, proveInclusion, TILE_WIDTH, tileWidth, treeRoot } from './merkle.ts';
import { verifyConsistency, verifyInclusion } from './verify-path.ts';

/** The definition of RFC 6962, section 2.1: split at the largest power of two below the number of leaves. */
function recursiveRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return EMPTY_TREE.root as Buffer;
  if (leaves.length === 1) return leaves[0] as Buffer;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(recursiveRoot(leaves.slice(0, split)), recursiveRoot(leaves.slice(split)));
}

/** Leaves of the reference trees. Source: certificate-transparency, `merkle_tree_test`; transparency-dev/merkle, `testonly/reference.go` (Apache-2.0). */
const REFERENCE = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((hex) =>
  Buffer.from(hex, 'hex'),
);
/** Roots of the first 1 to 8 reference leaves. */
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
].map((hex) => Buffer.from(hex, 'hex'));

const base64 = (hash: Uint8Array): string => Buffer.from(hash).toString('base64');

test('RFC 6962: the roots of the reference leaves are the published roots', async () => {
  const log = memoryLog();
  for (const [i, entry] of REFERENCE.entries()) {
    assert.deepEqual((await log.append([entry])).root, ROOTS[i]);
    assert.deepEqual(await treeRoot(log.read, i + 1), ROOTS[i]);
  }
  assert.equal((await treeRoot(log.read, 0)).toString('hex'), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

/** Source: transparency-dev/merkle, `happy-path.json` of `testdata/inclusion` (Apache-2.0). */
// biome-ignore format: a table
const INCLUSION: readonly [index: number, size: number, proof: readonly string[]][] = [
  [0, 8, ['lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=', 'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=', 'a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=']],
  [5, 8, ['vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=', 'yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=', '037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=']],
  [2, 3, ['+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=']],
  [1, 5, ['bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=', 'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=', 'vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=']],
];
/** Source: transparency-dev/merkle, `happy-path.json` of `testdata/consistency` (Apache-2.0). */
// biome-ignore format: a table
const CONSISTENCY: readonly [oldSize: number, size: number, proof: readonly string[]][] = [
  [1, 8, ['lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=', 'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=', 'a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=']],
  [6, 8, ['DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=', 'yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=', '037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=']],
  [2, 5, ['Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=', 'vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=']],
  [6, 7, ['DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=', 'sIaT7C5yFZcTBkHoIR5+7cy0wmQTlj7ubB4u0W/7Gl8=', '037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=']],
];

test('proveInclusion, verifyInclusion: published proofs are produced and accepted', async () => {
  const log = memoryLog();
  await log.append(REFERENCE);
  for (const [index, size, proof] of INCLUSION) {
    assert.deepEqual((await proveInclusion(log.read, index, size)).map(base64), proof, `${index} of ${size}`);
    const claim = { index, size, leaf: leafHash(REFERENCE[index] as Buffer), root: ROOTS[size - 1] as Buffer };
    assert.ok(
      verifyInclusion(
        claim,
        proof.map((hash) => Buffer.from(hash, 'base64')),
      ),
    );
  }
});

test('proveConsistency, verifyConsistency: published proofs are produced and accepted', async () => {
  const log = memoryLog();
  await log.append(REFERENCE);
  for (const [oldSize, size, proof] of CONSISTENCY) {
    assert.deepEqual((await proveConsistency(log.read, oldSize, size)).map(base64), proof, `${oldSize} of ${size}`);
    const claim = { oldSize, oldRoot: ROOTS[oldSize - 1] as Buffer, size, root: ROOTS[size - 1] as Buffer };
    assert.ok(
      verifyConsistency(
        claim,
        proof.map((hash) => Buffer.from(hash, 'base64')),
      ),
    );
  }
});

/** Returns the broken variants of a proof that the published test data has: hashes changed, added, removed. */
function brokenProofs(proof: readonly Buffer[], root: Uint8Array): (readonly Uint8Array[])[] {
  const flipped = proof.map((hash, i) => {
    const copy = Buffer.from(hash);
    copy[0] = (copy[0] as number) ^ 0x10;
    return proof.with(i, copy);
  });
  return [
    ...flipped,
    [...proof, root],
    [root, ...proof],
    proof.slice(1),
    proof.slice(0, -1),
    [...proof, Buffer.alloc(0)],
    [Buffer.from('x')],
  ].filter((broken) => broken.length !== proof.length || broken.some((hash, i) => Buffer.compare(hash, proof[i] as Buffer) !== 0));
}

test('verifyInclusion: every broken variant of the published proofs is rejected', () => {
  for (const [index, size, encoded] of INCLUSION) {
    const proof = encoded.map((hash) => Buffer.from(hash, 'base64'));
    const claim = { index, size, leaf: leafHash(REFERENCE[index] as Buffer), root: ROOTS[size - 1] as Buffer };
    for (const broken of brokenProofs(proof, claim.root)) assert.equal(verifyInclusion(claim, broken), false);
    for (const change of [
      { index: index + 1 },
      { index: index - 1 },
      { index: index ^ 2 },
      { size: size * 2 },
      { size: Math.floor(size / 2) },
      { index: 2 ** 53 },
      { leaf: Buffer.alloc(32) },
      { leaf: Buffer.from('WrongLeaf') },
      { root: Buffer.alloc(0) },
      { root: Buffer.alloc(32) },
    ])
      assert.equal(verifyInclusion({ ...claim, ...change }, proof), false, JSON.stringify(change));
  }
});

test('verifyConsistency: every broken variant of the published proofs is rejected', () => {
  for (const [oldSize, size, encoded] of CONSISTENCY) {
    const proof = encoded.map((hash) => Buffer.from(hash, 'base64'));
    const claim = { oldSize, oldRoot: ROOTS[oldSize - 1] as Buffer, size, root: ROOTS[size - 1] as Buffer };
    for (const broken of brokenProofs(proof, claim.root)) assert.equal(verifyConsistency(claim, broken), false);
    for (const change of [
      { oldSize: oldSize + 1 },
      { oldSize: oldSize - 1 },
      { oldSize: 0 },
      { oldSize: size, size: oldSize },
      { size: size * 2 },
      { size: Math.floor(size / 2) },
      { oldRoot: claim.root, root: claim.oldRoot },
      { oldRoot: Buffer.from('WrongRoot') },
      { root: Buffer.from('WrongRoot') },
      { root: Buffer.alloc(32) },
    ])
      assert.equal(verifyConsistency({ ...claim, ...change }, proof), false, JSON.stringify(change));
  }
});

test('verifyConsistency: equal sizes need equal roots and no hashes', () => {
  const [root, other] = [ROOTS[2] as Buffer, ROOTS[3] as Buffer];
  const claim = { oldSize: 3, oldRoot: root, size: 3, root };
  assert.equal(verifyConsistency(claim, []), true);
  assert.equal(verifyConsistency({ ...claim, root: other }, []), false);
  assert.equal(verifyConsistency(claim, [other]), false);
});

test('appendEntries: any split into batches has the root, tiles and proofs of the definition', async () => {
  const batches = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(batches, fc.double({ min: 0, max: 1, noNaN: true }), async (counts, at) => {
      const log = memoryLog();
      const leaves: Buffer[] = [];
      for (const count of counts) {
        const entries = entriesOf(count, leaves.length);
        leaves.push(...entries.map(leafHash));
        const { root, size } = await log.append(entries);
        assert.equal(size, leaves.length);
        assert.deepEqual(root, recursiveRoot(leaves));
      }
      if (leaves.length === 0) return;
      const [size, root] = [leaves.length, log.head().root];
      const index = Math.min(size - 1, Math.floor(at * size));
      assert.ok(verifyInclusion({ index, size, leaf: leaves[index] as Buffer, root }, await proveInclusion(log.read, index, size)));
      const old = { oldSize: index + 1, oldRoot: recursiveRoot(leaves.slice(0, index + 1)) };
      assert.deepEqual(await treeRoot(log.read, index + 1), old.oldRoot);
      assert.ok(verifyConsistency({ ...old, size, root }, await proveConsistency(log.read, index + 1, size)));
    }),
    { numRuns: 40 },
  );
});

test('appendEntries: a tree of 70,000 leaves has the tiles that the specification counts', async () => {
  const log = memoryLog();
  await log.append(entriesOf(65_000));
  await log.append(entriesOf(5_000, 65_000));
  const widths = (level: number) => [...log.tiles].filter(([key]) => key.startsWith(`${level}/`)).map(([, hashes]) => hashes.length / 32);
  assert.deepEqual([widths(0).filter((width) => width === TILE_WIDTH).length, widths(0).at(-1)], [273, 112]);
  assert.deepEqual([widths(1), widths(2), widths(3)], [[256, 17], [1], []]);
  assert.deepEqual(
    [tileWidth(0, 273, 70_000), tileWidth(1, 1, 70_000), tileWidth(2, 0, 70_000), tileWidth(0, 274, 70_000)],
    [112, 17, 1, 0],
  );
});

test('appendEntries: reads only the right edge, and returns only the tiles that change', async () => {
  const log = memoryLog();
  await log.append(entriesOf(65_536));
  await log.append(entriesOf(301, 65_536));
  const read: string[] = [];
  const { tiles } = await appendEntries(log.head(), entriesOf(1), (level, index, width) => {
    read.push(`${level}/${index}/${width}`);
    return log.read(level, index, width);
  });
  assert.deepEqual(read, ['0/257/45', '1/1/1', '2/0/1']);
  assert.deepEqual(
    tiles.map(({ level, index, hashes }) => [level, index, hashes.length / 32]),
    [[0, 257, 46]],
  );
  assert.deepEqual((await appendEntries(log.head(), [], log.read)).tiles, []);
});

test('appendEntries: a changed or truncated tile at the right edge is an error', async () => {
  const log = memoryLog();
  await log.append(entriesOf(300));
  const tile = Buffer.from(log.tiles.get('0/1') as Uint8Array);
  tile[40] = (tile[40] as number) ^ 1;
  for (const damaged of [tile, tile.subarray(32), tile.subarray(1)]) {
    log.tiles.set('0/1', damaged);
    await assert.rejects(log.append(entriesOf(1)), /do not have the root|must have 44 hashes/);
  }
});

test('appendEntries: an entry of 65,535 bytes is accepted, and a longer one or 65,537 entries are a RangeError', async () => {
  assert.equal((await memoryLog().append([Buffer.alloc(65_535)])).size, 1);
  await assert.rejects(memoryLog().append([Buffer.alloc(65_536)]), RangeError);
  await assert.rejects(memoryLog().append(Array(APPEND_ENTRIES_MAX + 1).fill(Buffer.alloc(1))), RangeError);
});

test('proveInclusion, proveConsistency: a leaf or a size outside of the tree is a RangeError', async () => {
  const log = memoryLog();
  await log.append(entriesOf(3));
  await assert.rejects(proveInclusion(log.read, 3, 3), RangeError);
  await assert.rejects(proveInclusion(log.read, -1, 3), RangeError);
  await assert.rejects(proveConsistency(log.read, 4, 3), RangeError);
  await assert.rejects(treeRoot(log.read, 0.5), RangeError);
  assert.deepEqual(await proveConsistency(log.read, 0, 3), []);
});

test('treeRoot, appendEntries: read one tile at a time, because pg refuses a second statement on a connection', async () => {
  const log = memoryLog();
  const entries = entriesOf(TILE_WIDTH ** 2 + TILE_WIDTH + 1);
  const first = await log.append(entries.slice(0, TILE_WIDTH ** 2));
  const head = await log.append(entries.slice(first.size));
  let reading = 0;
  let most = 0;
  const read: typeof log.read = async (...tile) => {
    most = Math.max(most, ++reading);
    await Promise.resolve();
    reading--;
    return await log.read(...tile);
  };
  assert.deepEqual(await treeRoot(read, head.size), head.root);
  await appendEntries(head, entriesOf(1), read);
  assert.equal(most, 1);
});
