/** When a password may be tried, and what its age means, by a clock of our own. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { type AccountId, arn } from '#core/arn.ts';
import type { Received } from '#core/exchange.ts';
import { type Instant, instant } from '#core/instant.ts';
import { hashPassword } from '#services/iam/password-hash.ts';
import { mfaVerifier } from '#services/mfa.ts';
import type { LoginProfileRecord, PasswordPolicyRecord } from '#store/identity.ts';
import { unprovenRecords } from '#trail/unproven.ts';
import { principalsOf } from '../../src/access/principals.ts';
import { newSessionTokens } from '../../src/access/session-token.ts';
import { consoleSignIns } from '../../src/access/sign-in.ts';
import { newSnapshot } from '../../src/access/snapshot.ts';
import { openVault } from '../../src/access/vault.ts';
import { newGate } from '../../src/server/aside.ts';
import { passwordSignIn } from '../../src/server/sign-in/password.ts';
import { openSqlite } from '../../src/store/sqlite.ts';

const ACCOUNT = '111122223333' as AccountId;
const START = instant(Date.UTC(2026, 10, 22));
const GOOD = 'Correct-Horse-7';
const HASH = await hashPassword(GOOD, randomBytes(16));
const DAY_SECONDS = 24 * 3600;

/** A server of one user; `restart` gives one that remembers nothing but what was kept. */
async function rig({
  profile = {},
  policy,
}: {
  readonly profile?: Partial<LoginProfileRecord>;
  readonly policy?: PasswordPolicyRecord;
} = {}) {
  const store = await openSqlite(':memory:');
  const user = {
    accountId: ACCOUNT,
    arn: arn('iam', '', ACCOUNT, 'user/ada'),
    path: '/',
    createdAt: START,
    attachedPolicyArns: [],
    inlinePolicies: {},
    userName: 'ada',
    userId: 'AIDAEXAMPLEEXAMPLEEXA',
    tags: [],
    groupNames: [],
    accessKeyIds: [],
    loginProfile: { passwordHash: HASH, createdAt: START, changedAt: START, resetRequired: false, ...profile },
  };
  const account = { accountId: ACCOUNT, name: 'tower', createdAt: START, ...(policy !== undefined && { passwordPolicy: policy }) };
  await store.transaction(async (tx) => {
    await tx.identity.put(ACCOUNT, 'account', ACCOUNT, account);
    await tx.identity.put(ACCOUNT, 'user', 'ada', user);
  });
  const snapshot = newSnapshot();
  const { version, changes } = await store.transaction((tx) => tx.identity.changesSince(0));
  snapshot.apply(version, changes);
  const keys = [Buffer.alloc(32, 7)];
  const [vault, sessions, principals] = [openVault(keys), newSessionTokens(keys), principalsOf(snapshot)];
  let now = START as Instant;
  const start = () =>
    passwordSignIn({
      store,
      snapshot,
      principals,
      sessions,
      signIns: consoleSignIns({ vault, sessions, principals }),
      federate: async () => undefined,
      verifyMfa: mfaVerifier(vault),
      gate: newGate(2),
      answer: async () => assert.fail('a password calls no operation'),
      now: () => now,
      recording: true,
      region: 'us-east-1',
      unproven: unprovenRecords({ recordsPerMinute: 20, onOmitted: () => {} }),
      recorded: new WeakSet(),
      holds: () => true,
      report: (_requestId, error) => assert.fail(error as Error),
    });
  let signIn = start();
  const received = (userName: string, password: string): Received => ({
    requestId: randomUUID(),
    receivedAt: now,
    method: 'POST',
    target: '/_belfry/sign-in',
    rawHeaders: ['host', 'belfry', 'content-type', 'application/json', 'sec-fetch-site', 'same-origin'],
    body: Buffer.from(JSON.stringify({ account: ACCOUNT, userName, password })),
    sourceIp: '127.0.0.1',
  });
  return {
    restart: () => {
      signIn = start();
    },
    async at(seconds: number, password: string, userName = 'ada') {
      now = instant(START + seconds * 1000);
      const { status, headers, body } = await signIn(received(userName, password));
      return { status, retryAfter: headers[headers.indexOf('retry-after') + 1], said: JSON.parse(body as string) };
    },
  };
}

for (const userName of ['ada', 'nobody']) {
  test(`The wait of ${userName} begins with the fifth wrong password and doubles; what comes meanwhile is not looked at`, async () => {
    const { at } = await rig();
    for (let i = 0; i < 5; i++) assert.equal((await at(0, 'wrong', userName)).status, 401);
    const early = await at(0.5, GOOD, userName);
    assert.deepEqual([early.status, early.retryAfter], [429, '1']);
    assert.equal((await at(1, 'wrong', userName)).status, 401);
    assert.equal((await at(2, 'wrong', userName)).status, 429);
    assert.equal((await at(3, 'wrong', userName)).status, 401);
    assert.equal((await at(6.9, 'wrong', userName)).status, 429);
    assert.equal((await at(7, 'wrong', userName)).status, 401);
  });
}

test('The right password after the wait ends the counting', async () => {
  const { at } = await rig();
  for (let i = 0; i < 5; i++) await at(0, 'wrong');
  assert.equal((await at(1, GOOD)).status, 200);
  for (let i = 0; i < 4; i++) assert.equal((await at(2, 'wrong')).status, 401);
  assert.equal((await at(2, GOOD)).status, 200);
});

test('What was counted of a user outlives a restart', async () => {
  const { at, restart } = await rig();
  for (let i = 0; i < 5; i++) await at(0, 'wrong');
  restart();
  assert.equal((await at(0.5, GOOD)).status, 429);
});

const POLICY: PasswordPolicyRecord = {
  minimumLength: 8,
  requireSymbols: false,
  requireNumbers: false,
  requireUppercase: false,
  requireLowercase: false,
  allowUsersToChangePassword: true,
  maxAgeDays: 90,
};

// biome-ignore format: a table
const AGES: readonly (readonly [title: string, parts: Parameters<typeof rig>[0], days: number, status: number, toChange: boolean | undefined])[] = [
  ['without a policy never ages',                                  {},                                             1000, 200, false    ],
  ['younger than its policy says is good',                         { policy: POLICY },                               89, 200, false    ],
  ['older than its policy says must be changed',                   { policy: POLICY },                               90, 200, true     ],
  ['too old where only administrators may help lets nobody in',    { policy: { ...POLICY, hardExpiry: true } },      90, 403, undefined],
  ['set by an administrator for once must be changed',             { profile: { resetRequired: true } },              0, 200, true     ],
];

for (const [title, parts, days, status, toChange] of AGES) {
  test(`A password ${title}`, async () => {
    const { at } = await rig(parts);
    const answer = await at(days * DAY_SECONDS, GOOD);
    assert.deepEqual([answer.status, answer.said.passwordChangeRequired], [status, toChange]);
  });
}
