import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { chunkSignatures } from './chunk-signature.ts';
import { CHUNK_EXAMPLES } from './chunk-vectors-for-tests.ts';

for (const { title, signing, chunks, trailer, trailerSignature } of CHUNK_EXAMPLES) {
  const hashes = chunks.map(([size]) => hash('sha256', Buffer.alloc(size, 'a'), 'hex'));
  const trailerHash = trailer && hash('sha256', `${trailer.join(':')}\n`, 'hex');

  test(`chunkSignatures: verifies the published example ${title}`, () => {
    const signatures = chunkSignatures(signing);
    for (const [i, [, signature]] of chunks.entries()) assert.equal(signatures.chunk(hashes[i] as string, signature), true);
    if (trailerHash !== undefined) assert.equal(signatures.trailer(trailerHash, trailerSignature ?? ''), true);
  });

  test(`chunkSignatures: rejects a changed digit in each signature of the example ${title}`, () => {
    for (const changed of [...chunks.keys(), ...(trailerHash === undefined ? [] : [chunks.length])]) {
      const signatures = chunkSignatures(signing);
      const altered = (at: number, signature: string) =>
        at === changed ? `${signature.slice(0, -1)}${signature.endsWith('0') ? '1' : '0'}` : signature;
      const results = chunks.map(([, signature], at) => signatures.chunk(hashes[at] as string, altered(at, signature)));
      if (trailerHash !== undefined) results.push(signatures.trailer(trailerHash, altered(chunks.length, trailerSignature ?? '')));
      assert.deepEqual(
        results,
        results.map((_, at) => at !== changed),
      );
    }
  });
}

test('chunkSignatures: chunks in another order are rejected', () => {
  const [example] = CHUNK_EXAMPLES;
  assert.ok(example !== undefined);
  const signatures = chunkSignatures(example.signing);
  const [size, signature] = example.chunks[1] as readonly [number, string];
  assert.equal(signatures.chunk(hash('sha256', Buffer.alloc(size, 'a'), 'hex'), signature), false);
});

for (const signature of ['', 'ad80', 'A'.repeat(64), `${'0'.repeat(63)}é`]) {
  test(`chunkSignatures: '${signature.slice(0, 8)}' of ${signature.length} characters is not a signature`, () => {
    const [example] = CHUNK_EXAMPLES;
    assert.ok(example !== undefined);
    assert.equal(chunkSignatures(example.signing).chunk('0'.repeat(64), signature), false);
  });
}
