import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { BOB, NOON, type Suite } from './conformance-fixtures.ts';
import type { ResourceKind, ResourceRecord } from './resources.ts';

interface Lamp {
  readonly watts: number;
}
const LAMP: ResourceKind<Lamp> = { name: 'lamp' };
const SHADE: ResourceKind<Lamp> = { name: 'shade' };

/** Returns a lamp of 40 watts. The members in `more` replace the defaults. */
const lamp = (accountId: AccountId, id: string, more: Partial<ResourceRecord<Lamp>> = {}): ResourceRecord<Lamp> => ({
  accountId,
  region: 'us-east-1',
  parent: '',
  id,
  createdAt: NOON,
  updatedAt: NOON,
  tags: [],
  document: { watts: 40 },
  ...more,
});
const ids = (found: readonly ResourceRecord<Lamp>[]) => found.map(({ id }) => id);

export function conformance(suite: Suite): void {
  describe('resources', () => single(suite));
  describe('resources: several', () => several(suite));
  describe('resources: lists and counts contain the resources with one account, region and parent', () => lists(suite));
}

/** Registers the test that adds and reads several resources. */
function several({ within, fresh }: Suite): void {
  test('resources: addAll() adds the resources that do not exist, and getSome() finds those with the IDs in one place', async () => {
    const account = fresh();
    const all = ['a', 'b', 'c'].map((id) => lamp(account, id));
    const read = await within(async ({ resources }) => {
      await resources.add(LAMP, { ...(all[1] as ResourceRecord<Lamp>), document: { watts: 60 } });
      await resources.add(LAMP, lamp(account, 'c', { parent: 'hall' }));
      await resources.addAll(LAMP, all);
      const found = await resources.getSome(LAMP, lamp(account, ''), ['b', 'c', 'unknown', 'b']);
      const other = await resources.getSome(LAMP, lamp(account, '', { parent: 'hall' }), ['a', 'c']);
      return [
        found.map(({ id, document }) => `${id} ${document.watts}`).toSorted(),
        ids(other),
        await resources.getSome(LAMP, lamp(account, ''), []),
      ];
    });
    assert.deepEqual(read, [['b 60', 'c 40'], ['c'], []]);
    await assert.rejects(
      within(({ resources }) =>
        resources.getSome(
          LAMP,
          lamp(account, ''),
          Array.from({ length: 51 }, () => 'a'),
        ),
      ),
    );
  });
}

/** Registers the tests that add, read, change and delete single resources. */
function single({ within, fresh }: Suite): void {
  test('resources: get() finds an added resource only by its account, region, parent and kind', async () => {
    const full = lamp(fresh(), 'a', { parent: 'hall', expiresAt: instant(NOON + 9), tags: [{ key: 'k', value: 'v' }] });
    const read = await within(async ({ resources }) => {
      assert.equal(await resources.add(LAMP, full), 'added');
      return [
        await resources.get(LAMP, full),
        await resources.get(SHADE, full),
        await resources.get(LAMP, { ...full, accountId: BOB }),
        await resources.get(LAMP, { ...full, region: 'eu-central-1' }),
        await resources.get(LAMP, { ...full, parent: '' }),
      ];
    });
    assert.deepEqual(read, [full, undefined, undefined, undefined, undefined]);
  });

  test("resources: a second add() with the same key returns 'exists' and changes nothing", async () => {
    const first = lamp(fresh(), 'a');
    const read = await within(async ({ resources }) => {
      await resources.add(LAMP, first);
      return [await resources.add(LAMP, { ...first, document: { watts: 60 } }), await resources.get(LAMP, first)];
    });
    assert.deepEqual(read, ['exists', first]);
  });

  test("resources: put() replaces everything except createdAt, or returns 'absent' for an unknown ID", async () => {
    const first = lamp(fresh(), 'a', { expiresAt: instant(NOON + 9), tags: [{ key: 'k', value: 'v' }] });
    const changed = lamp(first.accountId, 'a', { createdAt: instant(1), updatedAt: instant(NOON + 5), document: { watts: 60 } });
    const other = lamp(first.accountId, 'b');
    const read = await within(async ({ resources }) => {
      await resources.add(LAMP, first);
      return [
        await resources.put(LAMP, changed),
        await resources.get(LAMP, first),
        await resources.put(LAMP, other),
        await resources.get(LAMP, other),
      ];
    });
    assert.deepEqual(read, ['changed', { ...changed, createdAt: NOON }, 'absent', undefined]);
  });

  test('resources: remove() deletes one resource, and removeAll() deletes all of one kind and parent', async () => {
    const accountId = fresh();
    const place = { accountId, region: 'us-east-1', parent: 'hall' };
    const read = await within(async ({ resources }) => {
      for (const id of ['a', 'b', 'c']) await resources.add(LAMP, lamp(accountId, id, place));
      await resources.add(LAMP, lamp(accountId, 'elsewhere'));
      await resources.add(SHADE, lamp(accountId, 'shade', place));
      return [
        await resources.remove(LAMP, { ...place, id: 'a' }),
        await resources.remove(LAMP, { ...place, id: 'a' }),
        await resources.removeAll(LAMP, place),
        await resources.removeAll(LAMP, place),
        ids(await resources.listOfAccount(LAMP, accountId, 10)),
        ids(await resources.listOfAccount(SHADE, accountId, 10)),
      ];
    });
    assert.deepEqual(read, ['removed', 'absent', 2, 0, ['elsewhere'], ['shade']]);
  });
}

/** Registers the tests that list and count resources. */
function lists({ within, fresh }: Suite): void {
  test('resources: list() returns the resources of one parent in ID order, and count() stops at a limit', async () => {
    const accountId = fresh();
    const place = { accountId, region: 'us-east-1', parent: 'hall' };
    const read = await within(async ({ resources }) => {
      for (const id of ['c', 'a', 'B', 'd']) await resources.add(LAMP, lamp(accountId, id, place));
      await resources.add(LAMP, lamp(accountId, 'elsewhere'));
      await resources.add(LAMP, lamp(accountId, 'abroad', { region: 'eu-central-1', parent: 'hall' }));
      await resources.add(SHADE, lamp(accountId, 'none', place));
      return [
        ids(await resources.list(LAMP, place, 3)),
        ids(await resources.list(LAMP, place, 3, 'c')),
        await resources.count(LAMP, place, 10),
        await resources.count(LAMP, place, 2),
        ids(await resources.listOfAccount(LAMP, accountId, 10)).toSorted(),
        ids(await resources.listOfAccount(LAMP, accountId, 2)).length,
      ];
    });
    assert.deepEqual(read, [['B', 'a', 'c'], ['d'], 4, 2, ['B', 'a', 'abroad', 'c', 'd', 'elsewhere'], 2]);
  });

  test('resources: listExpired() omits resources without expiry, and the earliest expiry comes first', async () => {
    const accountId = fresh();
    const kind: ResourceKind<Lamp> = { name: `lamp of ${accountId}` };
    const read = await within(async ({ resources }) => {
      for (const [id, at] of [
        ['late', 9],
        ['now', 5],
        ['first', 1],
      ] as const) {
        await resources.add(kind, lamp(accountId, id, { expiresAt: instant(NOON + at) }));
      }
      await resources.add(kind, lamp(accountId, 'never'));
      const expired = async (at: number, limit: number) => ids(await resources.listExpired(kind, instant(NOON + at), limit));
      return [await expired(0, 9), await expired(5, 9), await expired(5, 1)];
    });
    assert.deepEqual(read, [[], ['first', 'now'], ['first']]);
  });
}
