import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ALICE, BOB, group, type Suite } from '../conformance-fixtures.ts';

export function conformance(suite: Suite): void {
  describe('identity', () => documents(suite));
  describe('identity: versions', () => versions(suite));
}

/** Tests of single documents and their lists. */
function documents({ within, fresh }: Suite): void {
  test('identity: get returns a record as added, for its account, kind and key', async () => {
    const accountId = fresh();
    assert.equal(await within((tx) => tx.identity.add(accountId, 'group', 'makers', group('Makers'))), 'added');
    const read = await within(async ({ identity }) => [
      await identity.get(accountId, 'group', 'makers'),
      await identity.get(BOB, 'group', 'makers'),
      await identity.get(accountId, 'user', 'makers'),
      await identity.get(accountId, 'group', 'Makers'),
    ]);
    assert.deepEqual(read, [group('Makers'), undefined, undefined, undefined]);
  });

  test('identity: a second add returns exists and changes neither record nor version', async () => {
    const accountId = fresh();
    await within((tx) => tx.identity.add(accountId, 'group', 'makers', group('Makers')));
    const { version } = await within((tx) => tx.identity.changesSince(0));
    assert.equal(await within((tx) => tx.identity.add(accountId, 'group', 'makers', group('Other'))), 'exists');
    assert.deepEqual(await within((tx) => tx.identity.get(accountId, 'group', 'makers')), group('Makers'));
    assert.equal((await within((tx) => tx.identity.changesSince(0))).version, version);
  });

  test('identity: a removed record is not found, listed or counted, and can be added again', async () => {
    const accountId = fresh();
    const read = await within(async ({ identity }) => {
      await identity.add(accountId, 'group', 'makers', group('Makers'));
      return [
        await identity.remove(accountId, 'group', 'makers'),
        await identity.remove(accountId, 'group', 'makers'),
        await identity.get(accountId, 'group', 'makers'),
        await identity.list(accountId, 'group'),
        await identity.count(accountId, 'group'),
        await identity.add(accountId, 'group', 'makers', group('Again')),
        await identity.get(accountId, 'group', 'makers'),
      ];
    });
    assert.deepEqual(read, ['removed', 'absent', undefined, [], 0, 'added', group('Again')]);
  });

  test('identity: list has the keys with its prefix after a key, up to its limit', async () => {
    const accountId = fresh();
    await within(async ({ identity }) => {
      for (const key of ['b', 'ab', 'a%', 'aa', 'a', 'ac']) await identity.put(accountId, 'group', key, group(key));
    });
    const keys = async (options: object) => (await within((tx) => tx.identity.list(accountId, 'group', options))).map(({ key }) => key);
    assert.deepEqual(await keys({}), ['a', 'a%', 'aa', 'ab', 'ac', 'b']);
    assert.deepEqual(await keys({ prefix: 'a' }), ['a', 'a%', 'aa', 'ab', 'ac']);
    assert.deepEqual(await keys({ prefix: 'a%' }), ['a%']);
    assert.deepEqual(await keys({ prefix: 'a', after: 'aa', limit: 1 }), ['ab']);
    assert.deepEqual(await keys({ prefix: 'b', after: 'a' }), ['b']);
    assert.equal(await within((tx) => tx.identity.count(accountId, 'group')), 6);
  });
}

/** Tests of versions and the feed of changes. */
function versions({ within, fresh }: Suite): void {
  test('identity: one transaction creates one version, whatever the number of its changes', async () => {
    const accountId = fresh();
    const { version } = await within((tx) => tx.identity.changesSince(0));
    await within(async ({ identity }) => {
      await identity.put(accountId, 'group', 'a', group('a'));
      await identity.put(accountId, 'group', 'b', group('b'));
      await identity.remove(accountId, 'group', 'a');
    });
    assert.deepEqual(await within((tx) => tx.identity.changesSince(version)), {
      version: version + 1,
      changes: [
        { accountId, kind: 'group', key: 'a', version: version + 1 },
        { accountId, kind: 'group', key: 'b', version: version + 1, record: group('b') },
      ],
    });
  });

  test('identity: changesSince returns the last change of each record in the order of versions', async () => {
    const accountId = fresh();
    const { version } = await within((tx) => tx.identity.changesSince(0));
    for (const key of ['c', 'a', 'c', 'b']) await within((tx) => tx.identity.put(accountId, 'group', key, group(key)));
    const { changes, version: newest } = await within((tx) => tx.identity.changesSince(version));
    assert.deepEqual(
      changes.map((change) => [change.key, change.version - version]),
      [
        ['a', 2],
        ['c', 3],
        ['b', 4],
      ],
    );
    assert.deepEqual(await within((tx) => tx.identity.changesSince(newest)), { version: newest, changes: [] });
  });

  test('identity: a transaction that throws creates no version', async () => {
    const { version } = await within((tx) => tx.identity.changesSince(0));
    const failing = within(async (tx) => {
      await tx.identity.put(ALICE, 'group', 'ghost', group('ghost'));
      throw new Error('no');
    });
    await assert.rejects(failing);
    assert.equal((await within((tx) => tx.identity.changesSince(version))).version, version);
  });

  test('identity: concurrent transactions each get another version', async () => {
    const accountId = fresh();
    const { version } = await within((tx) => tx.identity.changesSince(0));
    await Promise.all(Array.from({ length: 12 }, (_, i) => within((tx) => tx.identity.put(accountId, 'group', `g${i}`, group(`g${i}`)))));
    const { changes } = await within((tx) => tx.identity.changesSince(version));
    assert.deepEqual(
      changes.map((change) => change.version),
      Array.from({ length: 12 }, (_, i) => version + 1 + i),
    );
  });
}
