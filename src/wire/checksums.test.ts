import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  algorithmOfHeader,
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  checksumHeader,
  combineChecksums,
  isChecksum,
  newChecksum,
} from './checksums.ts';

function checksumOf(algorithm: ChecksumAlgorithm, ...pieces: (string | Uint8Array)[]): string {
  const checksum = newChecksum(algorithm);
  for (const piece of pieces) checksum.update(Buffer.from(piece));
  return checksum.digest();
}

const hex = (text: string): string => Buffer.from(text, 'hex').toString('base64');

// Source: the check values of the algorithms (CRC RevEng catalogue); FIPS 180 for the hashes; record.md C5, row 30, and C6.
// biome-ignore format: a table
const VALUES: readonly [algorithm: ChecksumAlgorithm, text: string, checksum: string][] = [
  ['CRC32',     '123456789',   hex('cbf43926')],
  ['CRC32C',    '123456789',   hex('e3069283')],
  ['CRC64NVME', '123456789',   hex('ae8b14860a799888')],
  ['CRC64NVME', 'hello world', 'jSnVw/bqjr4='],
  ['CRC32',     '',            'AAAAAA=='],
  ['CRC32C',    '',            'AAAAAA=='],
  ['CRC64NVME', '',            'AAAAAAAAAAA='],
  ['SHA1',      'abc',         hex('a9993e364706816aba3e25717850c26c9cd0d89d')],
  ['SHA256',    'abc',         hex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')],
];

for (const [algorithm, text, checksum] of VALUES) {
  test(`newChecksum: ${algorithm} of '${text}' is ${checksum}`, () => {
    assert.equal(checksumOf(algorithm, text), checksum);
    assert.equal(isChecksum(algorithm, checksum), true);
  });
}

test('newChecksum: the result does not depend on the pieces', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...CHECKSUM_ALGORITHMS),
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
      (algorithm, pieces) => {
        assert.equal(checksumOf(algorithm, ...pieces), checksumOf(algorithm, Buffer.concat(pieces)));
      },
    ),
  );
});

test('combineChecksums: the checksum of pieces is that of their concatenation', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('CRC32' as const, 'CRC32C' as const, 'CRC64NVME' as const),
      fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }),
      (algorithm, pieces) => {
        const checked = pieces.map((piece) => ({ checksum: checksumOf(algorithm, piece), size: piece.length }));
        assert.equal(combineChecksums(algorithm, checked), checksumOf(algorithm, ...pieces));
      },
    ),
  );
});

// biome-ignore format: a table
const INVALID: readonly [title: string, algorithm: ChecksumAlgorithm, text: string][] = [
  ['a text that is not Base64',     'CRC32',     '!!!!!!=='],
  ['the wrong length',              'CRC32',     'AAAAAAAAAAA='],
  ['no padding',                    'CRC32',     'AAAAAA'],
  ['bits in the padding',           'CRC32',     'AAAAAB=='],
  ['the URL alphabet',              'CRC64NVME', 'jSnVw_bqjr4='],
  ['an empty text',                 'CRC32',     ''],
];

for (const [title, algorithm, text] of INVALID) {
  test(`isChecksum: ${title} is invalid`, () => assert.equal(isChecksum(algorithm, text), false));
}

test('algorithmOfHeader: finds the algorithm of each header, and none for other names', () => {
  assert.deepEqual(CHECKSUM_ALGORITHMS.map(checksumHeader).map(algorithmOfHeader), [...CHECKSUM_ALGORITHMS]);
  assert.equal(algorithmOfHeader('x-amz-checksum-sha512'), undefined);
  assert.equal(algorithmOfHeader('x-amz-checksum-mode'), undefined);
});
