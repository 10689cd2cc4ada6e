import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnDatabase, openVault, SEALING_BYTES, vaultFingerprint } from './vault.ts';

const OLD = Buffer.alloc(32, 1);
const NEW = Buffer.alloc(32, 2);

test('openVault: a secret can be decrypted with the owner for which it was encrypted', () => {
  const vault = openVault([OLD]);
  const sealed = vault.seal('a secret: ü', 'AKIAEXAMPLE');
  assert.match(sealed, /^[A-Za-z0-9_-]+$/);
  assert.equal(vault.open(sealed, 'AKIAEXAMPLE'), 'a secret: ü');
});

test('openVault: two encryptions of the same secret differ', () => {
  const vault = openVault([OLD]);
  assert.notEqual(vault.seal('s', 'a'), vault.seal('s', 'a'));
});

const sealedByOld = openVault([OLD]).seal('secret', 'AKIAEXAMPLE');

// biome-ignore format: a table
const CLOSED: readonly [name: string, keys: readonly Buffer[], sealed: string, boundTo: string][] = [
  ['bound to something else',      [OLD], sealedByOld,                            'AKIAANOTHER'],
  ['sealed under another key',     [NEW], sealedByOld,                            'AKIAEXAMPLE'],
  ['cut short',                    [OLD], sealedByOld.slice(0, -4),               'AKIAEXAMPLE'],
  ['in another format version',    [OLD], `B${sealedByOld.slice(1)}`,             'AKIAEXAMPLE'],
  ['that is empty',                [OLD], '',                                     'AKIAEXAMPLE'],
];

for (const [name, keys, sealed, boundTo] of CLOSED) {
  test(`openVault: decrypting a secret ${name} is an error that does not contain the secret`, () => {
    assert.throws(
      () => openVault(keys).open(sealed, boundTo),
      (error: Error) => /cannot be decrypted/.test(error.message) && !error.message.includes('secret:'),
    );
  });
}

test('openVault: decrypting a secret with one flipped bit is an error', () => {
  const box = openVault([OLD]).box('a purpose');
  const sealed = box.seal(Buffer.from('secret'), 'x');
  assert.equal(sealed.length, SEALING_BYTES + 6);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = Buffer.from(sealed);
    altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.equal(box.open(altered, 'x'), undefined);
  }
});

test('openVault: bytes encrypted for one purpose cannot be decrypted for another purpose', () => {
  const vault = openVault([OLD]);
  assert.equal(vault.box('b').open(vault.box('a').seal(Buffer.from('secret'), 'x'), 'x'), undefined);
});

test('openVault: after a rotation the newest key encrypts and the older one still decrypts', () => {
  const rotated = openVault([NEW, OLD]);
  assert.equal(rotated.open(sealedByOld, 'AKIAEXAMPLE'), 'secret');
  assert.equal(openVault([NEW]).open(rotated.seal('later', 'x'), 'x'), 'later');
  assert.throws(() => openVault([OLD]).open(rotated.seal('later', 'x'), 'x'));
});

test('openVault: a key with a wrong length and an empty list of keys are errors', () => {
  assert.throws(() => openVault([Buffer.alloc(31)]), /instead of 32/);
  assert.throws(() => openVault([]), /list of operator keys is empty/);
});

test("vaultFingerprint: isOwnDatabase accepts only a fingerprint of the vault's keys", () => {
  const fingerprint = vaultFingerprint(openVault([OLD]));
  assert.deepEqual(
    [openVault([OLD]), openVault([NEW, OLD]), openVault([NEW])].map((vault) => isOwnDatabase(vault, fingerprint)),
    [true, true, false],
  );
  assert.equal(isOwnDatabase(openVault([OLD]), 'rubbish'), false);
});
