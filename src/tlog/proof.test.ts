import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCheckpoint } from './checkpoint.ts';
import { leafHash, nodeHash } from './hash.ts';
import { formatNote, signText } from './note.ts';
import { createSigningKey, FormatError, type SigningKey } from './note-key.ts';
import { formatProof, parseProof, type TlogProof, type TrustPolicy, verifyProof } from './proof.ts';

const LOG = createSigningKey('log.example/1', 'log');
const [W1, W2, W3] = ['w1', 'w2', 'w3'].map((name) => createSigningKey(name, 'witness')) as [SigningKey, SigningKey, SigningKey];
const LEAVES = ['a', 'b'].map((entry) => leafHash(Buffer.from(entry))) as [Buffer, Buffer];
const CHECKPOINT = formatCheckpoint({ origin: 'log.example/1', size: 2, root: nodeHash(...LEAVES) });

function proofOf(signers: readonly [SigningKey, time: number][], change: Partial<TlogProof> = {}): TlogProof {
  const checkpoint = formatNote({ text: CHECKPOINT, signatures: signers.map(([signer, time]) => signText(signer, CHECKPOINT, time)) });
  return { index: 1, hashes: [LEAVES[0]], checkpoint, ...change };
}

const POLICY: TrustPolicy = { logKey: LOG.key, witnessKeys: [W1.key, W2.key], threshold: 2 };
const ALL: readonly [SigningKey, number][] = [
  [LOG, 0],
  [W1, 20],
  [W2, 10],
];

test('formatProof: the text has the published lines, and is parsed to the same proof', () => {
  const proof = proofOf(ALL, { extra: Buffer.from('hint') });
  const text = formatProof(proof);
  assert.equal(text, `c2sp.org/tlog-proof@v1\nextra aGludA==\nindex 1\n${LEAVES[0].toString('base64')}\n\n${proof.checkpoint}`);
  assert.deepEqual(parseProof(text), proof);
  const alone = proofOf(ALL, { index: 0, hashes: [] });
  assert.deepEqual(parseProof(formatProof(alone)), alone);
});

test('verifyProof: a proof with enough witnesses is valid, and states when they had cosigned', () => {
  assert.deepEqual(verifyProof(proofOf(ALL), LEAVES[1], POLICY), { valid: true, index: 1, size: 2, witnessedSeconds: 20 });
  assert.deepEqual(verifyProof(proofOf(ALL), LEAVES[1], { ...POLICY, threshold: 1 }), {
    valid: true,
    index: 1,
    size: 2,
    witnessedSeconds: 10,
  });
  assert.deepEqual(verifyProof(proofOf([[LOG, 0]]), LEAVES[1], { ...POLICY, threshold: 0 }), { valid: true, index: 1, size: 2 });
});

/** W1 under a second name. It must not count as a second witness. */
const W1_AGAIN = ((): SigningKey => {
  const other = createSigningKey('w1-again', 'witness');
  return { privateKey: W1.privateKey, key: { ...other.key, publicKey: W1.key.publicKey, verifyKey: W1.key.verifyKey } };
})();

// biome-ignore format: a table
const INVALID: readonly [title: string, proof: TlogProof, leaf: Buffer, policy: TrustPolicy, reason: RegExp][] = [
  ['one witness of two',          proofOf([[LOG, 0], [W1, 1]]),                                LEAVES[1], POLICY, /1 trusted witnesses/],
  ['an unknown witness',          proofOf([[LOG, 0], [W1, 1], [W3, 1]]),                       LEAVES[1], POLICY, /1 trusted witnesses/],
  ['one witness with two names',  proofOf([[LOG, 0], [W1, 1], [W1_AGAIN, 1]]),                 LEAVES[1], { ...POLICY, witnessKeys: [W1.key, W1_AGAIN.key] }, /1 trusted witnesses/],
  ['no signature of the log',     proofOf([[W1, 1], [W2, 1]]),                                 LEAVES[1], POLICY, /no valid signature of the log/],
  ['another log',                 proofOf(ALL),                                                LEAVES[1], { ...POLICY, logKey: createSigningKey('log.example/1', 'log').key }, /no valid signature of the log/],
  ['another entry',               proofOf(ALL),                                                LEAVES[0], POLICY, /index 1/],
  ['another index',               proofOf(ALL, { index: 0 }),                                  LEAVES[1], POLICY, /index 0/],
  ['an index outside of the tree', proofOf(ALL, { index: 2 }),                                 LEAVES[1], POLICY, /index 2/],
  ['a missing hash',              proofOf(ALL, { hashes: [] }),                                LEAVES[1], POLICY, /index 1/],
  ['a changed checkpoint',        proofOf(ALL, { checkpoint: proofOf(ALL).checkpoint.replace('\n2\n', '\n3\n') }), LEAVES[1], POLICY, /no valid signature of the log/],
];
for (const [title, proof, leaf, policy, reason] of INVALID) {
  test(`verifyProof: ${title} is invalid`, () => {
    const verdict = verifyProof(proof, leaf, policy);
    assert.equal(verdict.valid, false);
    assert.match(verdict.valid ? '' : verdict.reason, reason);
  });
}

test('verifyProof: a threshold that is not an integer from 0 is a RangeError', () => {
  for (const threshold of [-1, 0.5, Number.NaN])
    assert.throws(() => verifyProof(proofOf(ALL), LEAVES[1], { ...POLICY, threshold }), RangeError);
});

const TEXT = formatProof(proofOf(ALL));
const HASH = LEAVES[0].toString('base64');
// biome-ignore format: a table
const MALFORMED: readonly [title: string, text: string][] = [
  ['another version',        TEXT.replace('@v1', '@v2')],
  ['no index',               TEXT.replace('index 1\n', '')],
  ['a leading zero',         TEXT.replace('index 1', 'index 01')],
  ['extra after the index',  TEXT.replace('index 1\n', 'index 1\nextra aGludA==\n')],
  ['invalid extra data',     TEXT.replace('index 1\n', 'extra aGludA\nindex 1\n')],
  ['a short hash',           TEXT.replace(HASH, 'aGludA==')],
  ['64 hashes',              TEXT.replace(HASH, Array(64).fill(HASH).join('\n'))],
  ['no checkpoint',          TEXT.slice(0, TEXT.indexOf('\n\n'))],
  ['an unsigned checkpoint', `${TEXT.slice(0, TEXT.indexOf('\n\n'))}\n\n${CHECKPOINT}`],
  ['carriage returns',       TEXT.replaceAll('\n', '\r\n')],
  ['too many characters',    `${TEXT}${'x'.repeat(300_000)}`],
];
for (const [title, text] of MALFORMED) {
  test(`parseProof: ${title} is a FormatError`, () => assert.throws(() => parseProof(text), FormatError));
}
