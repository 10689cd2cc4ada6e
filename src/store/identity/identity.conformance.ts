import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ALICE, BOB, group, type Suite } from '../conformance-fixtures.ts';
import type { IdentityKind, IdentityRecords } from './identity.ts';
import { changeTo, EXAMPLES } from './record-examples.ts';
import { recordOf, toParts } from './record-parts.ts';

const KINDS = Object.keys(EXAMPLES) as IdentityKind[];

export function conformance(suite: Suite): void {
  describe('identity', () => {
    records(suite);
    lists(suite);
    parts(suite);
    versions(suite);
  });
}

function records({ within, fresh }: Suite): void {
  test('identity: get() finds a record only by its account, kind and key together', async () => {
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

  test("identity: a second add() returns 'exists', keeps the first record and does not change the version", async () => {
    const accountId = fresh();
    await within((tx) => tx.identity.add(accountId, 'group', 'makers', group('Makers')));
    const { version } = await within((tx) => tx.identity.changesSince(0));
    assert.equal(await within((tx) => tx.identity.add(accountId, 'group', 'makers', group('Other'))), 'exists');
    assert.deepEqual(await within((tx) => tx.identity.get(accountId, 'group', 'makers')), group('Makers'));
    assert.equal((await within((tx) => tx.identity.changesSince(0))).version, version);
  });

  test('identity: a removed record is absent from reads, lists and counts, and can be added again', async () => {
    const accountId = fresh();
    const read = await within(async ({ identity }) => {
      await identity.add(accountId, 'group', 'makers', group('Makers'));
      return [
        await identity.remove(accountId, 'group', 'makers'),
        await identity.remove(accountId, 'group', 'makers'),
        await identity.get(accountId, 'group', 'makers'),
        await identity.summary(accountId, 'group', 'makers'),
        await identity.list(accountId, 'group'),
        await identity.summaries(accountId, 'group'),
        await identity.count(accountId, 'group'),
        await identity.add(accountId, 'group', 'makers', group('Again')),
        await identity.get(accountId, 'group', 'makers'),
      ];
    });
    assert.deepEqual(read, ['removed', 'absent', undefined, undefined, [], [], 0, 'added', group('Again')]);
  });

  test('identity: removeAll() deletes the records of one kind in one account', async () => {
    const [accountId, other] = [fresh(), fresh()];
    const left = await within(async ({ identity }) => {
      for (const account of [accountId, other]) {
        for (const key of ['a', 'b']) await identity.put(account, 'group', key, group(key));
        await identity.put(account, 'membership', 'a', { accountId: account });
      }
      await identity.removeAll(accountId, 'group');
      const counted = async (account: typeof accountId) => [
        await identity.count(account, 'group'),
        await identity.count(account, 'membership'),
      ];
      return [await counted(accountId), await counted(other), await identity.get(accountId, 'group', 'a')];
    });
    assert.deepEqual(left, [[0, 1], [2, 1], undefined]);
  });
}

function lists({ within, fresh }: Suite): void {
  test('identity: accountIds() returns unique IDs in order, after a start ID and up to a limit', async () => {
    const added = [fresh(), fresh()];
    await within(async ({ identity }) => {
      for (const account of added) for (const key of ['a', 'b']) await identity.put(account, 'group', key, group(key));
    });
    const all = await within(({ identity }) => identity.accountIds(1_000_000));
    assert.deepEqual(all, [...new Set(all)].sort());
    assert.ok(added.every((account) => all.includes(account)));
    assert.deepEqual(await within(({ identity }) => identity.accountIds(1, all.at(-2))), all.slice(-1));
    assert.deepEqual(await within(({ identity }) => identity.accountIds(1, all.at(-1))), []);
  });

  // biome-ignore format: a table
  const LISTS: readonly (readonly [title: string, selection: object, keys: readonly string[]])[] = [
    ['all keys, in the order of bytes',          {},                                       ['a', 'a%', 'aa', 'ab', 'ac', 'b', 'é', '\u{ffee}', '\u{1f514}']],
    ['the keys with a prefix',                  { prefix: 'a' },                          ['a', 'a%', 'aa', 'ab', 'ac']],
    ['a prefix with a percent sign, literally',  { prefix: 'a%' },                         ['a%']],
    ['a prefix, a start and a limit',           { prefix: 'a', after: 'aa', limit: 1 },   ['ab']],
    ['a start before the prefix',               { prefix: 'b', after: 'a' },              ['b']],
    ['a start after the prefix',                { prefix: 'a', after: 'b' },              []],
    ['a start that does not exist',             { after: 'abc' },                         ['ac', 'b', 'é', '\u{ffee}', '\u{1f514}']],
    ['a start where UTF-16 order differs',      { after: '\u{ffee}' },                    ['\u{1f514}']],
  ];
  for (const [title, selection, keys] of LISTS) {
    test(`identity: list() and summaries() return the same selected keys: ${title}`, async () => {
      const accountId = fresh();
      const read = await within(async ({ identity }) => {
        for (const key of ['b', 'ab', '\u{1f514}', 'a%', 'é', 'aa', '\u{ffee}', 'a', 'ac'])
          await identity.put(accountId, 'group', key, group(key));
        const [whole, summaries] = [
          await identity.list(accountId, 'group', selection),
          await identity.summaries(accountId, 'group', selection),
        ];
        return [whole.map(({ key }) => key), summaries.map(({ key }) => key)];
      });
      assert.deepEqual(read, [keys, keys]);
    });
  }

  // biome-ignore format: a table
  const COUNTS: readonly (readonly [keys: object, count: number])[] = [
    [{},                                      5],
    [{ prefix: 'p1 ' },                       3],
    [{ prefix: 'p1 ', suffix: ' boundary' },  1],
    [{ suffix: ' boundary' },                 2],
    [{ prefix: 'p3 ' },                       0],
  ];
  for (const [keys, count] of COUNTS) {
    test(`identity: count() finds ${count} keys for ${JSON.stringify(keys)}`, async () => {
      const accountId = fresh();
      const found = await within(async ({ identity }) => {
        for (const key of ['p1 a', 'p1 a boundary', 'p1 boundary!', 'p2 a', 'p2 a boundary']) {
          await identity.put(accountId, 'attachment', key, { accountId });
        }
        return identity.count(accountId, 'attachment', keys);
      });
      assert.equal(found, count);
    });
  }
}

function parts({ within, fresh }: Suite): void {
  for (const kind of KINDS) {
    test(`identity: a record of kind ${kind} is complete in a read, a list and a change`, async () => {
      const accountId = fresh();
      const record = EXAMPLES[kind] as IdentityRecords[typeof kind];
      const { version } = await within((tx) => tx.identity.changesSince(0));
      const read = await within(async ({ identity }) => {
        await identity.put(accountId, kind, 'key', record);
        return [await identity.get(accountId, kind, 'key'), (await identity.list(accountId, kind))[0]?.record];
      });
      const { changes } = await within((tx) => tx.identity.changesSince(version));
      assert.deepEqual([...read, recordOf(kind, changes[0]?.text ?? '')], [record, record, record]);
    });
  }

  test('identity: a summary omits the details of a record, and work() does not count omitted details', async () => {
    const accountId = fresh();
    const large = { ...group('Makers'), inlinePolicies: { inline: 'a'.repeat(100_000) } };
    await within((tx) => tx.identity.put(accountId, 'group', 'makers', large));
    const { inlinePolicies, attachedPolicyArns, ...summary } = large;
    const work = await within(async ({ identity }) => {
      assert.deepEqual(await identity.summary(accountId, 'group', 'makers'), summary);
      assert.deepEqual(await identity.summaries(accountId, 'group'), [{ key: 'makers', record: summary }]);
      const ofSummaries = identity.work();
      await identity.get(accountId, 'group', 'makers');
      return { ofSummaries, ofAll: identity.work() };
    });
    assert.ok(work.ofSummaries < 2_000 && work.ofAll > 100_000, JSON.stringify(work));
  });

  test('identity: a replaced record has only the details of the new record', async () => {
    const accountId = fresh();
    const read = await within(async ({ identity }) => {
      await identity.put(accountId, 'group', 'makers', { ...group('Makers'), inlinePolicies: { old: 'old' } });
      await identity.put(accountId, 'group', 'makers', group('Makers'));
      await identity.remove(accountId, 'group', 'makers');
      await identity.put(accountId, 'group', 'makers', group('Makers'));
      return identity.get(accountId, 'group', 'makers');
    });
    assert.deepEqual(read, group('Makers'));
  });

  test('identity: the summary of a policy has its versions without documents', () => {
    const { document } = toParts('policy', EXAMPLES.policy);
    assert.deepEqual(JSON.parse(document).versions, [{ versionId: 'v1', createdAt: EXAMPLES.policy.createdAt }]);
  });
}

function versions({ within, fresh }: Suite): void {
  test('identity: all writes of a transaction have the same version', async () => {
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
        changeTo({ accountId, kind: 'group', key: 'b', version: version + 1, record: group('b') }),
      ],
    });
  });

  test('identity: changesSince() lists each changed record once, in the order of versions', async () => {
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

  test('identity: a transaction that throws does not change the version', async () => {
    const { version } = await within((tx) => tx.identity.changesSince(0));
    const failing = within(async (tx) => {
      await tx.identity.put(ALICE, 'group', 'ghost', group('ghost'));
      throw new Error('no');
    });
    await assert.rejects(failing);
    assert.equal((await within((tx) => tx.identity.changesSince(version))).version, version);
  });

  test('identity: concurrent transactions have different versions', async () => {
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
