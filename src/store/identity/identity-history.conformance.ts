import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, Arn } from '#core/arn.ts';
import { group, NOON, type Suite } from '../conformance-fixtures.ts';
import type { Tx } from '../store.ts';
import type { IdentityRecords, StoredRecord } from './identity.ts';
import { forgetIdentityBefore, formerArns, hasHistory, identityAt, type PastKind } from './identity-history.ts';
import { EXAMPLES } from './record-examples.ts';
import { recordOf } from './record-parts.ts';

type HistoryUses = ReturnType<typeof usesOf>;

/** Returns functions that change identity and read former versions. */
function usesOf({ within, fresh }: Suite) {
  /** Runs a transaction and returns the version of its changes. */
  const change = (work: (tx: Tx) => Promise<unknown>): Promise<number> =>
    within(async (tx) => {
      await work(tx);
      return tx.identity.changed() as number;
    });
  const groupAt = (accountId: AccountId, version: number, key: string) =>
    within((tx) => identityAt(tx, version).record(accountId, 'group', key));
  const rowsOf = async (accountId: AccountId): Promise<number> =>
    Number(
      (await within(({ sql }) => sql.row<{ n: number }>('SELECT COUNT(*) AS n FROM identity_history WHERE account_id = $1', [accountId])))
        ?.n,
    );
  return { within, fresh, change, groupAt, rowsOf };
}

export function conformance(suite: Suite): void {
  const uses = usesOf(suite);
  changes(uses);
  formerNames(uses);
  keptMembers(uses);
  manyRecords(uses);
}

function formerNames({ within, fresh, change }: HistoryUses): void {
  test('identity history: formerArns() finds users that were renamed or deleted since a version, page by page', async () => {
    const accountId = fresh();
    const userOf = (userName: string, userId: string) => ({ ...EXAMPLES.user, accountId, userName, userId, arn: `arn:${userName}` as Arn });
    const names = ['a', 'b', 'c', 'd'];
    let version = 0;
    for (const name of names) version = await change(({ identity }) => identity.add(accountId, 'user', name, userOf(name, `AIDA${name}`)));
    await change(async ({ identity }) => {
      await identity.remove(accountId, 'user', 'a');
      await identity.add(accountId, 'user', 'renamed', userOf('renamed', 'AIDAa'));
    });
    for (const name of ['b', 'c']) await change(({ identity }) => identity.remove(accountId, 'user', name));
    const later = await change(({ identity }) => identity.add(accountId, 'user', 'b', userOf('b', 'AIDAnew')));
    const ids = new Set(['AIDAa', 'AIDAc', 'AIDAd', 'AIDAnew']);
    const found: unknown[] = [];
    let pages = 0;
    for (let after: string | undefined = ''; after !== undefined; pages++) {
      const from: string = after;
      const { arns, next } = await within((tx) => formerArns(tx, version, { accountId, kind: 'user', ids }, from, 2));
      found.push(...arns);
      after = next;
    }
    assert.deepEqual(found, [
      ['AIDAa', 'arn:a'],
      ['AIDAc', 'arn:c'],
    ]);
    assert.equal(pages, 2);
    const none = await within((tx) => formerArns(tx, later, { accountId, kind: 'user', ids }, '', 2));
    assert.deepEqual(none, { arns: [], next: undefined });
  });
}

function changes({ within, fresh, change, groupAt, rowsOf }: HistoryUses): void {
  test('identity history: a record is read as of each version, before, between and after its changes', async () => {
    const accountId = fresh();
    const other = await change(({ identity }) => identity.add(accountId, 'group', 'other', group('other')));
    const added = await change(({ identity }) => identity.add(accountId, 'group', 'a', group('a', '/1/')));
    const changed = await change(({ identity }) => identity.put(accountId, 'group', 'a', group('a', '/2/')));
    const unrelated = await change(({ identity }) => identity.put(accountId, 'group', 'other', group('other', '/x/')));
    const removed = await change(({ identity }) => identity.remove(accountId, 'group', 'a'));
    const again = await change(({ identity }) => identity.add(accountId, 'group', 'a', group('a', '/3/')));
    const paths = [];
    for (const version of [other, added, changed, unrelated, removed, again, again + 1]) {
      paths.push((await groupAt(accountId, version, 'a'))?.path);
    }
    assert.deepEqual(paths, [undefined, '/1/', '/2/', '/2/', undefined, '/3/', '/3/']);
  });

  test('identity history: several changes of one transaction keep only the version that was in force', async () => {
    const accountId = fresh();
    const added = await change(({ identity }) => identity.add(accountId, 'group', 'a', group('a', '/1/')));
    const changed = await change(async ({ identity }) => {
      await identity.put(accountId, 'group', 'a', group('a', '/2/'));
      await identity.remove(accountId, 'group', 'a');
      await identity.add(accountId, 'group', 'a', group('a', '/3/'));
    });
    assert.equal(await rowsOf(accountId), 1);
    assert.equal((await groupAt(accountId, added, 'a'))?.path, '/1/');
    assert.equal((await groupAt(accountId, changed, 'a'))?.path, '/3/');
  });

  test('identity history: an aborted transaction keeps nothing', async () => {
    const accountId = fresh();
    await change(({ identity }) => identity.add(accountId, 'group', 'a', group('a')));
    await assert.rejects(
      within(async ({ identity }) => {
        await identity.remove(accountId, 'group', 'a');
        throw new Error('aborted');
      }),
      /aborted/,
    );
    assert.equal(await rowsOf(accountId), 0);
  });
}

function keptMembers({ within, fresh, change }: HistoryUses): void {
  test('identity history: no secret of a record is kept, and the members that decisions read are', async () => {
    const accountId = fresh();
    const kinds = Object.keys(EXAMPLES) as (keyof IdentityRecords)[];
    const before = await change(async ({ identity }) => {
      for (const kind of kinds) await identity.put(accountId, kind, kind, EXAMPLES[kind]);
    });
    await change(async ({ identity }) => {
      for (const kind of kinds) await identity.remove(accountId, kind, kind);
    });
    const rows = await within(({ sql }) =>
      sql.rows<{ kind: PastKind; text: string }>('SELECT kind, text FROM identity_history WHERE account_id = $1', [accountId]),
    );
    assert.deepEqual(rows.map(({ kind }) => kind).sort(), kinds.filter(hasHistory).sort());
    const texts = rows.map(({ text }) => text).join('\n');
    for (const secret of ['passwordHash', 'earlierHashes', 'loginProfile', 'sealedSecret', 'sealedSeed', 'metadata', 'email']) {
      assert.ok(!texts.includes(secret), secret);
    }
    const user = await within((tx) => identityAt(tx, before).record(accountId, 'user', 'user'));
    const { attachedPolicyArns, inlinePolicies, groupIds, permissionsBoundaryArn, tags } = EXAMPLES.user;
    assert.deepEqual(
      [user?.attachedPolicyArns, user?.inlinePolicies, user?.groupIds, user?.permissionsBoundaryArn, user?.tags],
      [attachedPolicyArns, inlinePolicies, groupIds, permissionsBoundaryArn, tags],
    );
  });

  test('identity history: a managed policy is kept with its default version only', async () => {
    const accountId = fresh();
    const versions = ['v1', 'v2', 'v3'].map((versionId) => ({ versionId, document: `{"Id":"${versionId}"}`, createdAt: NOON }));
    const added = await change(({ identity }) =>
      identity.put(accountId, 'policy', 'p', { ...EXAMPLES.policy, versions, defaultVersionId: 'v2' }),
    );
    await change(({ identity }) => identity.remove(accountId, 'policy', 'p'));
    const kept = await within((tx) => identityAt(tx, added).record(accountId, 'policy', 'p'));
    assert.deepEqual(kept?.versions, [versions[1]]);
  });
}

function manyRecords({ within, fresh, change, groupAt, rowsOf }: HistoryUses): void {
  test('identity history: a page has current and former records in order, and pages continue after a record', async () => {
    const accountId = fresh();
    const names = Array.from({ length: 7 }, (_, i) => `g${i}`);
    const added = await change(async ({ identity }) => {
      for (const name of names) await identity.add(accountId, 'group', name, group(name));
      await identity.add(accountId, 'user', 'ada', EXAMPLES.user);
    });
    await change(async ({ identity }) => {
      for (const name of ['g1', 'g2', 'g5']) await identity.remove(accountId, 'group', name);
      await identity.put(accountId, 'group', 'g3', group('g3', '/new/'));
      await identity.add(accountId, 'group', 'g9', group('g9'));
    });
    const found: StoredRecord[] = [];
    for (let after: StoredRecord | undefined, more = true; more; after = found.at(-1)) {
      const page = await within((tx) => identityAt(tx, added).page(accountId, 3, after));
      found.push(...page);
      more = page.length === 3;
    }
    assert.deepEqual(
      found.map(({ kind, key }) => `${kind} ${key}`),
      [...names.map((name) => `group ${name}`), 'user ada'],
    );
    assert.ok(found.every(({ kind, text }) => kind !== 'group' || recordOf('group', text).path === '/'));
    assert.ok(!found.some(({ text }) => text.includes('passwordHash')));
  });

  test('identity history: removeAll() keeps all records of the kind, and no password hash', async () => {
    const accountId = fresh();
    const names = Array.from({ length: 250 }, (_, i) => `u${String(i).padStart(3, '0')}`);
    const added = await change(async ({ identity }) => {
      for (const name of names) await identity.put(accountId, 'user', name, { ...EXAMPLES.user, userName: name });
      for (const name of names) await identity.put(accountId, 'service-control-policy', name, EXAMPLES['service-control-policy']);
    });
    await change(async ({ identity }) => {
      await identity.removeAll(accountId, 'user');
      await identity.removeAll(accountId, 'service-control-policy');
    });
    assert.equal(await rowsOf(accountId), 2 * names.length);
    const last = await within((tx) => identityAt(tx, added).record(accountId, 'user', 'u249'));
    assert.equal(last?.userName, 'u249');
    const hashes = await within(({ sql }) =>
      sql.rows("SELECT key FROM identity_history WHERE account_id = $1 AND text LIKE '%passwordHash%'", [accountId]),
    );
    assert.deepEqual(hashes, []);
  });

  // This test runs last, because later tests could not read earlier versions.
  test('identity history: forgetIdentityBefore() deletes in bounded steps, and earlier versions are then refused', async () => {
    const accountId = fresh();
    const versions: number[] = [];
    for (let i = 0; i < 6; i++) versions.push(await change(({ identity }) => identity.put(accountId, 'group', 'a', group('a', `/${i}/`))));
    const [, , third] = versions as [number, number, number];
    let steps = 0;
    for (let deleted = 2; deleted === 2; steps++) deleted = await within((tx) => forgetIdentityBefore(tx, third, 2));
    assert.ok(steps > 1);
    assert.equal(await rowsOf(accountId), 3);
    assert.equal((await groupAt(accountId, third, 'a'))?.path, '/2/');
    await assert.rejects(groupAt(accountId, third - 1, 'a'), RangeError);
    await assert.rejects(
      within((tx) => identityAt(tx, third - 1).page(accountId, 10)),
      RangeError,
    );
    // A lower version changes nothing.
    assert.equal(await within((tx) => forgetIdentityBefore(tx, 1, 10)), 0);
    assert.equal((await groupAt(accountId, third, 'a'))?.path, '/2/');
  });
}
