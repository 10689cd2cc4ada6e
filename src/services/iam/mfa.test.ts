import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, Arn } from '#core/arn.ts';
import { fromBase32, toBase32 } from '#core/base32.ts';
import { instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type { MfaDeviceRecord } from '#store/identity/identity.ts';
import { afterCode, codeAt, stepAt, synchronized } from './mfa.ts';

/** Seed of RFC 6238, appendix B: the ASCII string 12345678901234567890. */
const SEED = new TextEncoder().encode('12345678901234567890');

// The published codes have eight digits. These are their last six digits.
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
  test(`codeAt: the code at ${seconds} seconds is ${code} (RFC 6238, appendix B)`, () => {
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
  test(`toBase32: '${plain}' is encoded as '${encoded}', which fromBase32 decodes (RFC 4648 §10)`, () => {
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
  ['the current step',                      {},                        0,  true ],
  ['one step behind',                       {},                       -1,  true ],
  ['one step ahead',                        {},                        1,  true ],
  ['two steps behind',                      {},                       -2,  false],
  ['two steps ahead',                       {},                        2,  false],
  ['a used step',                           { lastStep: STEP },        0,  false],
  ['a step before a used one',              { lastStep: STEP },       -1,  false],
  ['a step after a used one',               { lastStep: STEP },        1,  true ],
  ['the step of a clock that is ahead',     { drift: 10 },            10,  true ],
  ['the current step, with a fast clock',   { drift: 10 },             0,  false],
];

for (const [title, parts, steps, taken] of TAKEN) {
  test(`afterCode: a code of ${title} is ${taken ? 'accepted' : 'rejected'}`, () => {
    const after = afterCode(open, { ...device, ...parts }, codeAt(SEED, STEP + steps), NOW);
    assert.equal(after?.lastStep, taken ? STEP + steps : undefined);
  });
}

// biome-ignore format: a table
const PAIRS: readonly (readonly [title: string, near: 'enable' | 'resync', first: number, second: number, drift: number | undefined])[] = [
  ['consecutive',                 'enable',  -1,   0,   0],
  ['the current and the next',    'enable',   0,   1,   1],
  ['equal',                       'enable',   0,   0,   undefined],
  ['in the wrong order',          'enable',   1,   0,   undefined],
  ['ten minutes old',             'enable', -20, -19,   undefined],
  ['ten minutes old',             'resync', -20, -19,   -19],
  ['an hour old',                 'resync', -120, -119, undefined],
];

for (const [title, near, first, second, drift] of PAIRS) {
  test(`synchronized(): if the codes are ${title}, the mode ${near} ${drift === undefined ? 'fails' : `sets the drift to ${drift}`}`, () => {
    const found = synchronized(open, device, [codeAt(SEED, STEP + first), codeAt(SEED, STEP + second)], NOW, near);
    assert.equal(found?.drift, drift);
  });
}
