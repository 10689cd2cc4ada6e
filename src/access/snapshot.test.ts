import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { compilePolicy } from '#policy/engine.ts';
import type { HeldKind, IdentityChange, IdentityRecords, StoredRecord, UserRecord } from '#store/identity/identity.ts';
import { changeTo, EXAMPLES } from '#store/identity/record-examples.ts';
import { recordOf } from '#store/identity/record-parts.ts';
import { authorizing } from './authorize.ts';
import { principalLayers } from './principal-layers.ts';
import { principalsOf } from './principals.ts';
import { newSnapshot, type SnapshotOptions } from './snapshot.ts';
import { newStacks } from './stacks.ts';

const ACCOUNT = '111122223333' as AccountId;
const NOW = instant(Date.UTC(2026, 10, 22));
const DOCUMENT = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"chime:ListMeetings","Resource":"*"}}';

/**
 * Returns a snapshot and two functions. `apply` writes records. `parsed` returns the number of records that the
 * snapshot has parsed since the previous call of `parsed`.
 */
function counted(options: SnapshotOptions = {}) {
  let count = 0;
  const snapshot = newSnapshot({
    ...options,
    parse(kind, text) {
      count++;
      return recordOf(kind, text);
    },
  });
  const apply = (...changes: readonly Omit<IdentityChange, 'version'>[]): void => {
    const version = snapshot.version() + 1;
    snapshot.apply(
      version,
      changes.map((change) => ({ ...change, version })),
    );
  };
  return {
    snapshot,
    apply,
    parsed() {
      const parsed = count;
      count = 0;
      return parsed;
    },
  };
}

function write<Kind extends HeldKind>(kind: Kind, key: string, record: IdentityRecords[Kind]): StoredRecord<Kind> {
  return changeTo({ accountId: ACCOUNT, kind, key, version: 0, record }) as StoredRecord<Kind> & { version: number };
}

const policyArn = (name: string): Arn => arn('iam', '', ACCOUNT, `policy/${name}`);

function userOf(userName: string, more: Partial<UserRecord> = {}): UserRecord {
  const holder = { attachedPolicyArns: [policyArn(`of-${userName}`)], inlinePolicies: {}, groupIds: [], accessKeyIds: [`AKIA${userName}`] };
  const names = { userName, userId: `AIDA${userName}`, arn: arn('iam', '', ACCOUNT, `user/${userName}`) };
  return { accountId: ACCOUNT, path: '/', createdAt: NOW, tags: [], ...holder, ...names, ...more };
}

/** Returns the records of a user, of the user's policy and of the user's access key. */
function principalRecords(userName: string): readonly StoredRecord<HeldKind>[] {
  const version = { versionId: 'v1', document: DOCUMENT, createdAt: NOW };
  const key = {
    accountId: ACCOUNT,
    accessKeyId: `AKIA${userName}`,
    userName,
    sealedSecret: 's',
    status: 'Active' as const,
    createdAt: NOW,
  };
  return [
    write('user', userName.toLowerCase(), userOf(userName)),
    write('access-key', `AKIA${userName}`, key),
    write('policy', `of-${userName.toLowerCase()}`, {
      ...{ ...EXAMPLES.policy, accountId: ACCOUNT, arn: policyArn(`of-${userName}`), policyName: `of-${userName}` },
      ...{ defaultVersionId: 'v1', versions: [version] },
    }),
  ];
}

const NAMES = Array.from({ length: 100 }, (_, i) => `Person${i}`);

/** Returns a loaded snapshot with 100 principals, and a function that decides a request of one of them. */
function loaded(options: SnapshotOptions = {}) {
  const { snapshot, parsed } = counted(options);
  const load = snapshot.reload();
  for (const name of NAMES) load.add(principalRecords(name));
  load.complete(7);
  const authorize = authorizing({ snapshot, stacks: newStacks(snapshot), holds: () => true });
  const principals = principalsOf(snapshot);
  return {
    snapshot,
    parsed,
    async request(userName: string): Promise<void> {
      const key = snapshot.accessKey(`AKIA${userName}`) ?? assert.fail('the access key does not exist');
      const principal = principals.user(ACCOUNT, key.userName ?? '') ?? assert.fail('the user does not exist');
      await authorize(
        {
          received: { requestId: '', rawHeaders: [], sourceIp: '192.0.2.1' },
          authenticated: { principal, region: 'us-east-1', identityVersion: snapshot.version() },
          ...{ profile: 'sdk', asked: [{ action: 'chime:ListMeetings', resources: [] }], now: NOW },
        },
        {} as Parameters<typeof authorize>[1],
      );
    },
  };
}

test("Snapshot: loading parses no records, and only a principal's first request parses its three records", async () => {
  const { parsed, request, snapshot } = loaded();
  assert.deepEqual([parsed(), snapshot.version()], [0, 7]);
  await request('Person1');
  assert.equal(parsed(), 3);
  await request('Person1');
  assert.equal(parsed(), 0);
  await request('Person2');
  assert.equal(parsed(), 3);
});

test('Snapshot: the number of parsed records is bounded, and the most recently used records stay parsed', async () => {
  const { parsed, request } = loaded({ parsedMax: 30 });
  for (const name of NAMES) await request(name);
  parsed();
  await request('Person99');
  assert.equal(parsed(), 0);
  await request('Person0');
  // Parses the access key and the user again. The user's policy is still in memory.
  assert.equal(parsed(), 2);
});

test('Snapshot: after a change, a request parses only the records that it reads', async () => {
  const { snapshot, parsed, request } = loaded();
  await request('Person1');
  parsed();
  const other = write('user', 'person2', userOf('Person2', { path: '/new/' }));
  snapshot.apply(8, [{ ...other, version: 8 }]);
  assert.equal(parsed(), 0);
  await request('Person1');
  assert.equal(parsed(), 0);
  snapshot.apply(9, [{ ...write('user', 'person1', userOf('Person1', { attachedPolicyArns: [] })), version: 9 }]);
  await assert.rejects(request('Person1'), { code: 'AccessDenied' });
});

test('principalLayers: caches the policies of the most recently used principals, up to its maximum', async () => {
  const { snapshot } = loaded();
  let collected = 0;
  const policies = {
    of: () => compilePolicy(DOCUMENT),
    ofResource: (text: string) => ({ policy: compilePolicy(text), hash: '' }),
    managed: (each: Arn) => ({ policyId: each, policyArn: each, policy: compilePolicy(DOCUMENT) }),
    heldBy() {
      collected++;
      return [];
    },
    ofSession: () => undefined,
  };
  const layers = principalLayers(snapshot, policies, () => {}, 10);
  const principals = principalsOf(snapshot);
  const read = (userName: string) => layers.of(principals.user(ACCOUNT, userName) ?? assert.fail('the user does not exist'));
  for (const name of NAMES) read(name);
  assert.equal(collected, 100);
  for (const name of NAMES.slice(-10)) read(name);
  assert.equal(collected, 100);
  read('Person0');
  assert.equal(collected, 101);
});

test('Snapshot: a reload takes effect only when complete, and deletes all records that it does not add', () => {
  const { snapshot } = loaded();
  const notices: string[] = [];
  snapshot.watch({ changed: ({ key }) => notices.push(key), replaced: () => notices.push('replaced') });
  const load = snapshot.reload();
  load.add(principalRecords('Newcomer'));
  assert.deepEqual([snapshot.user(ACCOUNT, 'Newcomer'), snapshot.version(), notices], [undefined, 7, []]);
  assert.ok(snapshot.user(ACCOUNT, 'Person1'));
  load.complete(9);
  assert.equal(snapshot.user(ACCOUNT, 'newcomer')?.userName, 'Newcomer');
  assert.deepEqual(
    [snapshot.user(ACCOUNT, 'Person1'), snapshot.accessKey('AKIAPerson1'), snapshot.userById(ACCOUNT, 'AIDAPerson1')],
    [undefined, undefined, undefined],
  );
  assert.deepEqual([snapshot.version(), notices], [9, ['replaced']]);
});

for (const order of ['added first', 'deleted first'] as const) {
  test(`Snapshot: a renamed user is found by its unique ID (order of the changes: ${order})`, () => {
    const { snapshot, apply } = counted();
    apply(write('user', 'ada', userOf('ada')));
    const changes = [
      write('user', 'byron', userOf('byron', { userId: 'AIDAada' })),
      { accountId: ACCOUNT, kind: 'user' as const, key: 'ada' },
    ];
    apply(...(order === 'added first' ? changes : changes.toReversed()));
    assert.equal(snapshot.userById(ACCOUNT, 'AIDAada')?.userName, 'byron');
    assert.equal(snapshot.user(ACCOUNT, 'ada'), undefined);
  });
}

test('Snapshot: a unique ID finds no user in another account, and no later user with the same name', () => {
  const { snapshot, apply } = counted();
  apply(write('user', 'ada', userOf('ada')));
  assert.equal(snapshot.userById('444455556666' as AccountId, 'AIDAada'), undefined);
  apply(write('user', 'ada', userOf('ada', { userId: 'AIDAother' })));
  assert.equal(snapshot.userById(ACCOUNT, 'AIDAada'), undefined);
  assert.equal(snapshot.userById(ACCOUNT, 'AIDAother')?.userName, 'ada');
});

test('Snapshot: an alias finds an account until the account has another alias', () => {
  const { snapshot, apply } = counted();
  const account = { accountId: ACCOUNT, name: 'a "alias":"wrong" b', createdAt: NOW };
  apply(write('account', ACCOUNT, { ...account, alias: 'tower' }));
  assert.equal(snapshot.accountByAlias('tower')?.accountId, ACCOUNT);
  assert.equal(snapshot.accountByAlias('wrong'), undefined);
  apply(write('account', ACCOUNT, { ...account, alias: 'castle' }));
  assert.deepEqual([snapshot.accountByAlias('tower'), snapshot.accountByAlias('castle')?.alias], [undefined, 'castle']);
  apply(write('account', ACCOUNT, account));
  assert.equal(snapshot.accountByAlias('castle'), undefined);
});

test('Snapshot: a policy is found only by its complete ARN', () => {
  const { snapshot, apply } = counted();
  apply(...principalRecords('ada'));
  assert.equal(snapshot.policy(policyArn('of-ada'))?.policyName, 'of-ada');
  for (const wrong of ['x/of-ada', 'of-Ada', 'of-ad']) assert.equal(snapshot.policy(policyArn(wrong)), undefined);
  assert.equal(snapshot.policy('no ARN' as Arn), undefined);
});

test('Snapshot: changes of kinds that no decision reads are not stored and not passed to watchers', () => {
  const { snapshot, apply } = counted();
  const notices: string[] = [];
  snapshot.watch({ changed: ({ kind }) => notices.push(kind), replaced() {} });
  apply({ accountId: ACCOUNT, kind: 'membership', key: 'a b', text: `{"accountId":"${ACCOUNT}"}` }, write('user', 'ada', userOf('ada')));
  assert.deepEqual([notices, snapshot.version()], [['user'], 1]);
});
