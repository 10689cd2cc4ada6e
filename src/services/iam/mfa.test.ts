import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, Arn } from '#core/arn.ts';
import { fromBase32, toBase32 } from '#core/base32.ts';
import { instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type { MfaDeviceRecord } from '#store/identity/identity.ts';
import { afterCode, codeAt, stepAt, synchronized } from './mfa.ts';

/** The seed of RFC 6238, appendix B: the ASCII text 12345678901234567890. */
const SEED = new TextEncoder().encode('12345678901234567890');

// The published vectors have eight digits; six are their last.
// biome-ignore format: a table
const VECTORS: readonly (readonly [seconds: number, code: string])[] = [
  [59,             '287082'],
  [1_111_111_109,  '081804'],
  [1_111_111_111,  '050471'],
  [1_234_567_890,  '005924'],
  [2_000_000_000,  '279037'],
  [20_000_000_000, '353130'],
];

for (const [seconds, code] of VECTORS) {
  test(`codeAt: at ${seconds} seconds it is ${code} (RFC 6238, appendix B)`, () => {
    assert.equal(codeAt(SEED, stepAt(instant(seconds * 1000))), code);
  });
}

// biome-ignore format: a table
const ENCODED: readonly (readonly [plain: string, encoded: string])[] = [
  ['',       ''],
  ['f',      'MY'],
  ['fo',     'MZXQ'],
  ['foo',    'MZXW6'],
  ['foob',   'MZXW6YQ'],
  ['fooba',  'MZXW6YTB'],
  ['foobar', 'MZXW6YTBOI'],
];

for (const [plain, encoded] of ENCODED) {
  test(`toBase32: '${plain}' is '${encoded}', and back (RFC 4648 §10)`, () => {
    assert.equal(toBase32(new TextEncoder().encode(plain)), encoded);
    assert.equal(new TextDecoder().decode(fromBase32(encoded)), plain);
  });
}

/** Vault that does not encrypt. The tests here do not depend on encryption. */
const open: Vault = { seal: (secret) => secret, open: (sealed) => sealed };
const NOW = instant(1_800_000_000_000);
const STEP = stepAt(NOW);
const device: MfaDeviceRecord = {
  accountId: '111122223333' as AccountId,
  serialNumber: 'arn:aws:iam::111122223333:mfa/d' as Arn,
  sealedSeed: toBase32(SEED),
  createdAt: NOW,
  tags: [],
};

// biome-ignore format: a table
const TAKEN: readonly (readonly [title: string, device: Partial<MfaDeviceRecord>, steps: number, taken: boolean])[] = [
  ['now',                                   {},                        0,  true ],
  ['one step behind',                       {},                       -1,  true ],
  ['one step ahead',                        {},                        1,  true ],
  ['two steps behind',                      {},                       -2,  false],
  ['two steps ahead',                       {},                        2,  false],
  ['a used step',                           { lastStep: STEP },        0,  false],
  ['a step before a used one',              { lastStep: STEP },       -1,  false],
  ['a step after a used one',               { lastStep: STEP },        1,  true ],
  ['a clock that is ahead',                 { drift: 10 },            10,  true ],
  ['now, although the clock is ahead',      { drift: 10 },             0,  false],
];

for (const [title, parts, steps, taken] of TAKEN) {
  test(`afterCode: a code of ${title} is ${taken ? 'accepted' : 'rejected'}`, () => {
    const after = afterCode(open, { ...device, ...parts }, codeAt(SEED, STEP + steps), NOW);
    assert.equal(after?.lastStep, taken ? STEP + steps : undefined);
  });
}

// biome-ignore format: a table
const PAIRS: readonly (readonly [title: string, near: 'enable' | 'resync', first: number, second: number, drift: number | undefined])[] = [
  ['two in a row',                'enable',  -1,   0,   0],
  ['two in a row, the next one',  'enable',   0,   1,   1],
  ['one twice',                   'enable',   0,   0,   undefined],
  ['two in the wrong order',      'enable',   1,   0,   undefined],
  ['two of ten minutes ago',      'enable', -20, -19,   undefined],
  ['two of ten minutes ago',      'resync', -20, -19,   -19],
  ['two of an hour ago',          'resync', -120, -119, undefined],
];

for (const [title, near, first, second, drift] of PAIRS) {
  test(`synchronized: to ${near}, ${title} ${drift === undefined ? 'are refused' : `set the clock by ${drift}`}`, () => {
    const found = synchronized(open, device, [codeAt(SEED, STEP + first), codeAt(SEED, STEP + second)], NOW, near);
    assert.equal(found?.drift, drift);
  });
}
