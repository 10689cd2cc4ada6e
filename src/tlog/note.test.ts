import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { formatNote, formatSignatureLine, NOTE_SIGNATURES_MAX, parseNote, signText, verifyNote } from './note.ts';
import {
  createSigningKey,
  FormatError,
  formatSigningKey,
  formatVkey,
  isKeyName,
  parseSigningKey,
  parseVkey,
  SIGNATURE_TYPES,
} from './note-key.ts';

/** Source: golang.org/x/mod/sumdb/note, examples of Sign and Open. */
const SKEY = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const LINE = '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

test('signText: the published example has the published key ID and signature', () => {
  const signing = parseSigningKey(SKEY);
  assert.deepEqual([formatVkey(signing.key), formatSigningKey(signing)], [VKEY, SKEY]);
  assert.equal(formatSignatureLine(signText(signing, TEXT, 0)), LINE);
});

test('verifyNote: the published example is valid, and no changed bit of its text or signature is', () => {
  const key = parseVkey(VKEY);
  const note = parseNote(`${TEXT}\n${LINE}`);
  assert.deepEqual(
    verifyNote(note, [key])?.map((each) => each.key.name),
    ['PeterNeumann'],
  );
  assert.equal(verifyNote({ ...note, text: TEXT.replace('If', 'Of') }, [key]), undefined);
  const { signature, ...rest } = note.signatures[0] as (typeof note.signatures)[0];
  for (let bit = 0; bit < signature.length * 8; bit += 7) {
    const changed = Buffer.from(signature);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.equal(verifyNote({ text: TEXT, signatures: [{ ...rest, signature: changed }] }, [key]), undefined, `bit ${bit}`);
  }
});

test('verifyNote: signatures of unknown keys are ignored, and a wrong one of a known key rejects the note', () => {
  const [log, other, witness] = [
    createSigningKey('a.example/log', 'log'),
    createSigningKey('a.example/log', 'log'),
    createSigningKey('w', 'witness'),
  ];
  const [byLog, byOther, byWitness] = [log, other, witness].map((each) => signText(each, TEXT, 1_700_000_000)) as [never, never, never];
  const signatures = [byOther, byLog, byWitness];
  assert.deepEqual(
    verifyNote({ text: TEXT, signatures }, [log.key])?.map(({ key }) => key),
    [log.key],
  );
  assert.deepEqual(verifyNote({ text: TEXT, signatures }, []), []);
  const forged = { ...(byOther as object), id: log.key.id } as never;
  assert.equal(verifyNote({ text: TEXT, signatures: [byLog, forged] }, [log.key]), undefined);
});

test('verifyNote: of several cosignatures of one witness, the latest counts', () => {
  const witness = createSigningKey('w', 'witness');
  const signatures = [7, 9, 8].map((time) => signText(witness, TEXT, time));
  assert.deepEqual(
    verifyNote({ text: TEXT, signatures }, [witness.key])?.map(({ timeSeconds }) => timeSeconds),
    [9],
  );
});

/** Source: C2SP tlog-cosignature, the example checkpoint. Its cosignature has the time 1679315147. */
const COSIGNED = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

test('parseNote, parseCheckpoint: the published checkpoint is parsed, and formatted to the same text', () => {
  const note = parseNote(COSIGNED);
  const checkpoint = parseCheckpoint(note.text);
  assert.deepEqual([checkpoint.origin, checkpoint.size, checkpoint.extensions], ['example.com/behind-the-sofa', 20_852_163, []]);
  assert.equal(formatCheckpoint(checkpoint), note.text);
  assert.equal(formatNote(note), COSIGNED);
  assert.equal(Buffer.from(note.signatures[1]?.signature ?? []).readBigUInt64BE(), 1_679_315_147n);
});

test('signText: a cosignature signs the published message format', () => {
  const witness = createSigningKey('w', 'witness');
  const { signature } = signText(witness, 'example.com/behind-the-sofa\n20852163\nCsUY\n', 1_679_315_147);
  const message = 'cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUY\n';
  // A signature of type 01 over this message has the same bytes after the time.
  const sameKey = { privateKey: witness.privateKey, key: { ...witness.key, type: 'log' as const } };
  assert.deepEqual(Buffer.from(signature).subarray(8), signText(sameKey, message, 0).signature);
  assert.equal(createPublicKey(witness.privateKey).export({ format: 'jwk' }).crv, 'Ed25519');
});

const VALID = `${TEXT}\n${LINE}`;
// biome-ignore format: a table
const MALFORMED_NOTES: readonly [title: string, note: string][] = [
  ['no signature',                    `${TEXT}\n`],
  ['no empty line',                   `${TEXT}${LINE}`],
  ['no final newline',                VALID.slice(0, -1)],
  ['a hyphen instead of the dash',    VALID.replace('— ', '- ')],
  ['two spaces',                      VALID.replace('— ', '—  ')],
  ['a key name with +',               VALID.replace('PeterN', 'Peter+N')],
  ['a key name with a wide space',    VALID.replace('PeterN', 'Peter\u3000N')],
  ['base64 without padding',          VALID.replace('nAM=', 'nAM')],
  ['base64 with unused bits',         VALID.replace('nAM=', 'nAN=')],
  ['only a key ID',                   VALID.replace(/x08go\S*/, 'x08goA==')],
  ['a line after the signature',      `${VALID}x\n`],
  ['a carriage return',               VALID.replace(/\n/g, '\r\n')],
  ['a control character in the text', VALID.replace('you', 'y\u0000u')],
  ['65 signatures',                   `${TEXT}\n${LINE.repeat(NOTE_SIGNATURES_MAX + 1)}`],
  ['more than 128 KiB',               `${'x'.repeat(131_072)}\n\n${LINE}`],
];
for (const [title, note] of MALFORMED_NOTES) {
  test(`parseNote: ${title} is a FormatError`, () => assert.throws(() => parseNote(note), FormatError));
}

const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
// biome-ignore format: a table
const MALFORMED_CHECKPOINTS: readonly [title: string, text: string][] = [
  ['two lines',                 'log\n1\n'],
  ['no final newline',          `log\n1\n${ROOT}`],
  ['an empty origin',           `\n1\n${ROOT}\n`],
  ['a size with a leading zero', `log\n01\n${ROOT}\n`],
  ['a signed size',             `log\n+1\n${ROOT}\n`],
  ['a size above 2^53',         `log\n9007199254740992\n${ROOT}\n`],
  ['a size in hexadecimal',     `log\n0x1\n${ROOT}\n`],
  ['a root of 31 bytes',        `log\n1\n${Buffer.alloc(31).toString('base64')}\n`],
  ['an empty extension',        `log\n1\n${ROOT}\n\n`],
];
for (const [title, text] of MALFORMED_CHECKPOINTS) {
  test(`parseCheckpoint: ${title} is a FormatError`, () => assert.throws(() => parseCheckpoint(text), FormatError));
}

// biome-ignore format: a table
const MALFORMED_VKEYS: readonly [title: string, vkey: string][] = [
  ['two parts',                    'PeterNeumann+c74f20a3'],
  ['an empty name',                VKEY.replace('PeterNeumann', '')],
  ['a name with a space',          VKEY.replace('PeterN', 'Peter N')],
  ['a wrong key ID',               VKEY.replace('c74f20a3', 'c74f20a4')],
  ['a key ID in capitals',         VKEY.replace('c74f20a3', 'C74F20A3')],
  ['another name than in the ID',  VKEY.replace('Neumann', 'Neuman')],
  ['an unknown type',              VKEY.replace('+ARpc', '+AhpC')],
  ['a short key',                  VKEY.slice(0, -4)],
  ['a line break',                 `${VKEY}\n`],
];
for (const [title, vkey] of MALFORMED_VKEYS) {
  test(`parseVkey: ${title} is a FormatError`, () => assert.throws(() => parseVkey(vkey), FormatError));
}

test('parseSigningKey: the message of an error does not contain the key', () => {
  const secret = SKEY.slice(-20);
  for (const text of [SKEY.replace('c74f', 'c74e'), SKEY.slice(0, -1), SKEY.replace('PRIVATE+', ''), `${SKEY}x`])
    assert.throws(
      () => parseSigningKey(text),
      (error: Error) => error instanceof FormatError && !error.message.includes(secret) && !error.message.includes(secret.slice(0, 8)),
    );
});

test('isKeyName: 255 bytes are valid, and 256 bytes, a tab and a no-break space are not', () => {
  assert.deepEqual(['x'.repeat(255), 'é', 'x'.repeat(256), 'a\tb', 'a\u00a0b', 'a\u0085b', '\ud800'].map(isKeyName), [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  assert.deepEqual(SIGNATURE_TYPES, { log: 1, witness: 4 });
});

test('openCheckpoint: only a log key with the name of the origin opens a checkpoint', () => {
  const [log, other, witness] = [
    createSigningKey('a.example/log', 'log'),
    createSigningKey('b.example/log', 'log'),
    createSigningKey('w', 'witness'),
  ];
  const text = formatCheckpoint({ origin: 'a.example/log', size: 3, root: Buffer.alloc(32) });
  const signed = formatNote({ text, signatures: [log, other, witness].map((each) => signText(each, text, 5)) });
  const opened = openCheckpoint(signed, log.key, [witness.key]);
  assert.deepEqual([opened?.size, opened?.cosignatures.map(({ timeSeconds }) => timeSeconds)], [3, [5]]);
  assert.equal(openCheckpoint(signed, other.key), undefined);
  const byWitnessOnly = formatNote({ text, signatures: [signText(witness, text, 5)] });
  assert.equal(openCheckpoint(byWitnessOnly, log.key, [witness.key]), undefined);
  assert.equal(openCheckpoint(byWitnessOnly, { ...witness.key, name: 'a.example/log' }), undefined);
});

test('formatCheckpoint: an origin or an extension cannot add a line', () => {
  const checkpoint = { origin: 'a', size: 3, root: Buffer.alloc(32) };
  for (const change of [{ origin: '' }, { origin: 'a\nb' }, { extensions: [''] }, { extensions: ['x\ny'] }])
    assert.throws(() => formatCheckpoint({ ...checkpoint, ...change }), FormatError);
});
