/** Limits of password attempts, and expiration of passwords, with a simulated clock. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { nameDigest } from '#access/name-digest.ts';
import { principalsOf } from '#access/principals.ts';
import { newSessionTokens } from '#access/session-token.ts';
import { consoleSignIns } from '#access/sign-in.ts';
import { newSnapshot } from '#access/snapshot.ts';
import { openVault } from '#access/vault.ts';
import { type AccountId, arn, NO_ACCOUNT } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { newGate } from '#server/core/offload.ts';
import { readSettings } from '#server/settings.ts';
import { SOURCES_MAX, UNKNOWN_NAMES_MAX } from '#server/sign-in/attempts.ts';
import { passwordSignIn } from '#server/sign-in/password.ts';
import { type PageRequest, siteOf } from '#server/sign-in/site.ts';
import { mfaVerifier } from '#services/iam/mfa.ts';
import { hashPassword } from '#services/iam/password-hash.ts';
import { emitterOf } from '#services/kit/events.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { nodeSqlite } from '#store/engine/sqlite-driver.ts';
import type { LoginProfileRecord, PasswordPolicyRecord } from '#store/identity/identity.ts';
import type { SqlValue } from '#store/sql.ts';
import { unprovenRecords } from '#trail/unproven.ts';

const ACCOUNT = '111122223333' as AccountId;
const START = instant(Date.UTC(2026, 10, 22));
const GOOD = 'Correct-Horse-7';
const HASH = await hashPassword(GOOD, randomBytes(16));
const DAY_SECONDS = 24 * 3600;

/**
 * Creates the sign-in service with one user. `restart` replaces the service by a new instance on the same store. The
 * new instance has no state of the old one in memory.
 */
async function newSignIns({
  profile = {},
  policy,
  failuresPerSource = 0,
}: {
  readonly profile?: Partial<LoginProfileRecord>;
  readonly policy?: PasswordPolicyRecord;
  readonly failuresPerSource?: number;
} = {}) {
  let statements = 0;
  const store = await openSqlite(':memory:', {
    open(path) {
      const driver = nodeSqlite(path);
      return {
        ...driver,
        prepare(text) {
          const { all, get, run } = driver.prepare(text);
          const count = <Result>(call: (values: readonly SqlValue[]) => Result) => {
            return (values: readonly SqlValue[]): Result => {
              statements++;
              return call(values);
            };
          };
          return { all: count(all), get: count(get), run: count(run) };
        },
      };
    },
  });
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
    groupIds: [],
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
      signIns: consoleSignIns({ vault, sessions, principals, snapshot }),
      federate: async () => undefined,
      verifyMfa: mfaVerifier(vault),
      gate: newGate(2),
      newId: randomUUID,
      scimUsersMax: 1,
      random: randomBytes,
      call: async () => assert.fail('a password calls no operation'),
      now: () => now,
      recording: true,
      region: 'us-east-1',
      unproven: unprovenRecords({ recordsPerMinute: 20, onOmitted: () => {} }),
      recorded: new WeakSet(),
      holds: () => true,
      site: siteOf(readSettings([], {})),
      isForS3: () => false,
      nameDigest: nameDigest(keys),
      failuresPerSource,
      report: (_requestId, error) => assert.fail(error as Error),
      addEmit: emitterOf([]),
      publicUrl: () => 'https://localhost',
      loadPeople: () => assert.fail('the sign-in to the console loads no people of Amazon Chime'),
      vault,
      internalDirectories: [],
      openIdStates: vault.box('openid'),
      contactIssuer: () => assert.fail('the sign-in to the console contacts no OpenID provider'),
      loadScim: () => assert.fail('the sign-in to the console loads no SCIM endpoint'),
      loadWebhooks: () => assert.fail('the sign-in to the console loads no webhooks'),
    });
  let signIn = start();
  const received = (userName: string, password: string, sourceIp: string, account: string): PageRequest => ({
    requestId: randomUUID(),
    receivedAt: now,
    method: 'POST',
    target: '/_belfry/sign-in',
    rawHeaders: ['host', 'belfry', 'content-type', 'application/json', 'sec-fetch-site', 'same-origin'],
    body: Buffer.from(JSON.stringify({ account, userName, password })),
    sourceIp,
    secure: false,
  });
  return {
    restart: () => {
      signIn = start();
    },
    store,
    /** Returns the number of executed SQL statements. */
    counted: () => statements,
    async at(seconds: number, password: string, userName = 'ada', sourceIp = '127.0.0.1', account: string = ACCOUNT) {
      now = instant(START + seconds * 1000);
      const { status, headers, body } = await signIn(received(userName, password, sourceIp, account));
      return { status, retryAfter: headers[headers.indexOf('retry-after') + 1], json: JSON.parse(body as string) };
    },
  };
}

for (const userName of ['ada', 'unknown']) {
  test(`Sign-in: the wait for '${userName}' begins after the fifth wrong password and doubles each time`, async () => {
    const { at } = await newSignIns();
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

test('Sign-in: the right password after the wait resets the count', async () => {
  const { at } = await newSignIns();
  for (let i = 0; i < 5; i++) await at(0, 'wrong');
  assert.equal((await at(1, GOOD)).status, 200);
  for (let i = 0; i < 4; i++) assert.equal((await at(2, 'wrong')).status, 401);
  assert.equal((await at(2, GOOD)).status, 200);
});

for (const [what, userName, account] of [
  ['a user', 'ada', ACCOUNT],
  ['an unknown name', 'unknown', ACCOUNT],
  ['a name in an unknown account', 'ada', '999999999999'],
] as const) {
  test(`Sign-in: failures of ${what} are counted across a restart`, async () => {
    const { at, restart } = await newSignIns();
    for (let i = 0; i < 5; i++) assert.equal((await at(0, 'wrong', userName, '127.0.0.1', account)).status, 401);
    restart();
    assert.equal((await at(0.5, GOOD, userName, '127.0.0.1', account)).status, 429);
  });
}

test('Sign-in: after failures with 30 names, only their source is limited, to one failure a minute', async () => {
  const { at, restart } = await newSignIns({ failuresPerSource: 30 });
  const answers = [];
  for (let i = 0; i < 30; i++) answers.push((await at(0, 'wrong', `name${i}`, '192.0.2.1')).status);
  assert.deepEqual(new Set(answers), new Set([401]));
  restart();
  const refused = await at(1, GOOD, 'ada', '192.0.2.1');
  assert.deepEqual([refused.status, refused.retryAfter], [429, '59']);
  assert.equal((await at(1, GOOD, 'ada', '192.0.2.2')).status, 200);
  assert.equal((await at(60, 'wrong', 'other', '192.0.2.1')).status, 401);
  assert.equal((await at(60, GOOD, 'ada', '192.0.2.1')).status, 429, 'a minute allows one more failure, not 30');
  assert.equal((await at(120, GOOD, 'ada', '192.0.2.1')).status, 200);
  assert.equal((await at(120, 'wrong', 'again', '192.0.2.1')).status, 401, 'a success does not change the count');
  assert.equal((await at(120, GOOD, 'ada', '192.0.2.1')).status, 429);
});

test('Sign-in: all addresses of one IPv6 /64 network count as one source', async () => {
  const { at } = await newSignIns({ failuresPerSource: 3 });
  for (let i = 0; i < 3; i++) assert.equal((await at(0, 'wrong', `name${i}`, `2001:db8::${i + 1}`)).status, 401);
  assert.equal((await at(0, 'wrong', 'name9', '2001:db8::9')).status, 429);
  assert.equal((await at(0, 'wrong', 'name9', '2001:db8:0:1::9')).status, 401);
});

test('Sign-in: the number of failure records is limited for unknown names and sources, but not for users', async () => {
  const { at, store } = await newSignIns({ failuresPerSource: 30 });
  await at(0, 'wrong');
  // Writes the rows of earlier attempts directly, because each real attempt takes 80 ms.
  await store.transaction(async ({ sql }) => {
    for (const [account, prefix, count] of [
      [ACCOUNT, 'name', UNKNOWN_NAMES_MAX],
      [NO_ACCOUNT, 'source', SOURCES_MAX],
    ] as const) {
      for (let i = 0; i < count; i++) {
        await sql.run('INSERT INTO failed_attempt (account_id, subject, failures, failed_at_ms) VALUES ($1, $2, 1, $3)', [
          account,
          `${prefix} ${i}`,
          START + 100_000 + i,
        ]);
      }
    }
  });
  await at(1_000, 'wrong', 'newest', '192.0.2.9');
  const rows = await store.transaction(({ sql }) =>
    sql.rows<{ kind: string; count: number }>(
      'SELECT substr(subject, 1, 5) AS kind, count(*) AS count FROM failed_attempt GROUP BY substr(subject, 1, 5) ORDER BY 1',
    ),
  );
  assert.deepEqual(
    rows.map(({ kind, count }) => [kind, count]),
    [
      ['name ', UNKNOWN_NAMES_MAX],
      ['passw', 1],
      ['sourc', SOURCES_MAX],
    ],
  );
  const oldest = await store.transaction(async ({ attempts }) => [
    await attempts.of(ACCOUNT, 'name 0'),
    await attempts.of(ACCOUNT, 'name 1'),
  ]);
  assert.deepEqual([oldest[0], oldest[1]?.failures], [undefined, 1]);
});

test('Sign-in: a known name, an unknown name and an unknown account execute the same statements', async () => {
  const steps = [];
  for (const [userName, account] of [
    ['ada', ACCOUNT],
    ['unknown', ACCOUNT],
    ['ada', '999999999999'],
    ['ada', 'no-such-alias'],
  ] as const) {
    const { at, counted } = await newSignIns({ failuresPerSource: 30 });
    const of = [];
    for (let i = 0; i < 7; i++) {
      const before = counted();
      const { status } = await at(0, 'wrong', userName, '192.0.2.1', account);
      of.push([status, counted() - before]);
    }
    steps.push(of);
  }
  const [known, ...unknown] = steps;
  assert.deepEqual(
    known?.map(([status]) => status),
    [401, 401, 401, 401, 401, 429, 429],
  );
  for (const of of unknown) assert.deepEqual(of, known);
});

test('Sign-in: after a failed attempt, the store does not contain the typed name', async () => {
  const { at, store } = await newSignIns({ failuresPerSource: 30 });
  await at(0, 'wrong', 'Hunter2-my-password');
  const rows = await store.transaction(({ sql }) => sql.rows<{ subject: string }>('SELECT subject FROM failed_attempt ORDER BY subject'));
  assert.equal(rows.length, 2);
  assert.match(rows[0]?.subject ?? '', /^name [A-Za-z0-9_-]{22}$/);
  assert.equal(rows[1]?.subject, 'source 127.0.0.1');
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
const AGES: readonly (readonly [title: string, parts: Parameters<typeof newSignIns>[0], days: number, status: number, toChange: boolean | undefined])[] = [
  ['without a policy does not expire',                             {},                                             1000, 200, false    ],
  ['younger than the maximum age is valid',                        { policy: POLICY },                               89, 200, false    ],
  ['older than the maximum age must be changed',                   { policy: POLICY },                               90, 200, true     ],
  ['that has expired is rejected with HardExpiry',                 { policy: { ...POLICY, hardExpiry: true } },      90, 403, undefined],
  ['that must be reset must be changed',                           { profile: { resetRequired: true } },              0, 200, true     ],
];

for (const [title, parts, days, status, toChange] of AGES) {
  test(`Sign-in: a password ${title}`, async () => {
    const { at } = await newSignIns(parts);
    const answer = await at(days * DAY_SECONDS, GOOD);
    assert.deepEqual([answer.status, answer.json.passwordChangeRequired], [status, toChange]);
  });
}
