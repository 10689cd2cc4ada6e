import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { logDeletions } from './deletions.ts';
import { type LogGroupRecord, logGroups } from './groups.ts';
import { type MetricFilterRecord, metricFilters } from './metric-filters.ts';
import { type LogPackRecord, logPacks } from './packs.ts';
import { resourcePolicies } from './resource-policies.ts';
import { logStreams } from './streams.ts';
import { type SubscriptionFilterRecord, subscriptionFilters } from './subscription-filters.ts';

const REGION = 'us-east-1';
const at = (seconds: number) => instant(NOON + seconds * 1000);

export function conformance(suite: Suite): void {
  describe('log groups', () => {
    groupsConformance(suite);
    streamsConformance(suite);
    packsConformance(suite);
    othersConformance(suite);
  });
}

function groupsConformance({ within, fresh }: Suite): void {
  test('log groups: a name is unique in an account and region, and settings change', async () => {
    const accountId = fresh();
    const group = {
      accountId,
      region: REGION,
      name: 'a',
      groupId: 'g',
      createdAt: NOON,
      deletionProtection: false,
      storedBytes: 0,
      tags: [],
    };
    const read = await within(async (tx) => {
      const groups = tx.of(logGroups);
      const added = [await groups.add(group), await groups.add(group), await groups.add({ ...group, region: 'eu-west-1' })];
      await groups.setRetention({ ...group, retentionInDays: 3 });
      await groups.setTags({ ...group, tags: [{ key: 'a', value: 'b' }] });
      await groups.setProtection({ ...group, deletionProtection: true });
      await groups.setStoredBytes({ ...group, storedBytes: 7 });
      return [added, await groups.get(group), await groups.count(group, 5)];
    });
    const changed: LogGroupRecord = {
      ...group,
      retentionInDays: 3,
      tags: [{ key: 'a', value: 'b' }],
      deletionProtection: true,
      storedBytes: 7,
    };
    assert.deepEqual(read, [['added', 'exists', 'added'], changed, 1]);
  });

  test('log groups: a list has the names with a prefix in the order of their bytes', async () => {
    const accountId = fresh();
    const names = await within(async (tx) => {
      const groups = tx.of(logGroups);
      for (const name of ['b', '/a/x', '/a', '/a/', 'B', '/a0'])
        await groups.add({
          accountId,
          region: REGION,
          name,
          groupId: name,
          createdAt: NOON,
          deletionProtection: false,
          storedBytes: 0,
          tags: [],
        });
      const list = async (prefix: string, after: string) =>
        (await groups.list({ accountId, region: REGION }, prefix, after, 3)).map(({ name }) => name);
      await groups.remove({ accountId, region: REGION, name: 'b' });
      return [
        await list('', ''),
        await list('', '/a/x'),
        await list('/a/', ''),
        (await groups.next({ accountId, region: REGION, name: '/a0' }))?.name,
      ];
    });
    assert.deepEqual(names, [['/a', '/a/', '/a/x'], ['/a0', 'B'], ['/a/', '/a/x'], 'B']);
  });
}

function streamsConformance({ within, fresh }: Suite): void {
  test('log streams: lists by name and by last event, in both directions', async () => {
    const groupId = `streams of ${fresh()}`;
    const found = await within(async (tx) => {
      const streams = tx.of(logStreams);
      for (const [name, last] of [
        ['a', 2],
        ['b', 3],
        ['b2', 1],
      ] as const)
        await streams.add({ groupId, name, streamId: name, createdAt: NOON, lastEventAt: at(last), storedBytes: 0 });
      const list = async (
        order: 'name' | 'last event',
        descending: boolean,
        prefix = '',
        from?: { name: string; lastEventAt: typeof NOON },
      ) => (await streams.list(groupId, { prefix, order, descending, from, limit: 2 })).map(({ name }) => name).join(' ');
      const lists = [
        await list('name', false),
        await list('name', true),
        await list('name', true, 'b', { name: 'b2', lastEventAt: at(1) }),
        await list('last event', false),
        await list('last event', true),
        await list('last event', true, '', { name: 'a', lastEventAt: at(2) }),
      ];
      await streams.setEvents({ groupId, name: 'a', firstEventAt: at(1), lastEventAt: at(9), lastIngestionAt: at(4), storedBytes: 5 });
      return [
        lists,
        (await streams.get(groupId, 'a'))?.lastEventAt,
        await streams.removeOf(groupId, 2),
        await streams.removeOf(groupId, 2),
      ];
    });
    assert.deepEqual(found, [['a b', 'b2 b', 'b', 'b2 a', 'b a', 'b2'], at(9), 2, 1]);
  });
}

function packsConformance({ within, fresh }: Suite): void {
  test('log packs: reads forward and backward from a place, and deletes and measures a limited number', async () => {
    const groupId = `packs of ${fresh()}`;
    const streamId = `stream in ${groupId}`;
    const read = await within(async (tx) => {
      const packs = tx.of(logPacks);
      const add = (first: number, last: number, of = streamId) =>
        packs.add({
          ...{ groupId, streamId: of, streamName: of, firstAt: at(first), lastAt: at(last), ingestedAt: NOON, bytes: first },
          events: [[0, `é ${first}`]],
        } satisfies Omit<LogPackRecord, 'packId'>);
      await add(3, 4);
      await add(1, 9);
      await add(2, 3);
      await add(1, 1, `other ${groupId}`);
      const range = { of: 'stream', id: streamId, from: { at: 0, packId: 0 }, until: at(3), limit: 5 } as const;
      const times = (heads: readonly { firstAt: number; lastAt: number }[]) =>
        heads.map(({ firstAt, lastAt }) => `${(firstAt - NOON) / 1000}-${(lastAt - NOON) / 1000}`);
      const forward = await packs.forward(range);
      const backward = await packs.backward({ ...range, from: { at: at(100), packId: 0 }, until: at(4) });
      const [first] = forward;
      const after = await packs.forward({ ...range, from: { at: first?.firstAt ?? 0, packId: first?.packId ?? 0 } });
      const all = await packs.forward({ ...range, of: 'group', id: groupId, until: at(100) });
      const bodies = await packs.events([first?.packId ?? 0]);
      const measured = await packs.measure(groupId, { at: -1, packId: 0 }, 3);
      const removed = [await packs.removeBefore('stream', streamId, at(5), 1), await packs.removeBefore('group', groupId, at(5), 9)];
      const rest = await packs.forward({ ...range, of: 'group', id: groupId, until: at(100) });
      return [
        times(forward),
        times(backward),
        times(after),
        times(all),
        [...bodies.values()],
        measured.bytes,
        measured.last?.at,
        removed,
        times(rest),
      ];
    });
    assert.deepEqual(read, [
      ['1-9', '2-3'],
      ['1-9', '3-4'],
      ['2-3'],
      ['1-9', '1-1', '2-3', '3-4'],
      [[[0, 'é 1']]],
      4,
      at(2),
      [1, 2],
      ['1-9'],
    ]);
  });
}

function othersConformance({ within, fresh }: Suite): void {
  test('metric filters: replaced by name, and listed by name and group', async () => {
    const accountId = fresh();
    const filter = (name: string, logGroupName: string): MetricFilterRecord => ({
      ...{ accountId, region: REGION, name, logGroupName, groupId: `${logGroupName} of ${accountId}`, createdAt: NOON, pattern: 'x' },
      transformations: [{ metricName: 'm', metricNamespace: 'n', metricValue: '1' }],
    });
    const found = await within(async (tx) => {
      const filters = tx.of(metricFilters);
      for (const each of [filter('b', 'g'), filter('a', 'h'), filter('a', 'g'), { ...filter('a', 'g'), pattern: 'y' }])
        await filters.put(each);
      const list = async (prefix: string, name = '', logGroupName = '') =>
        (await filters.list({ accountId, region: REGION }, prefix, { name, logGroupName }, 5)).map(
          (each) => `${each.name}${each.logGroupName}`,
        );
      const read = [await list(''), await list('a', 'a', 'g'), (await filters.ofGroup(`g of ${accountId}`)).map(({ pattern }) => pattern)];
      const removed = [await filters.remove(filter('b', 'g')), await filters.remove(filter('b', 'g'))];
      await filters.removeOfGroup(`g of ${accountId}`);
      return [...read, removed, await list('')];
    });
    assert.deepEqual(found, [['ag', 'ah', 'bg'], ['ah'], ['y', 'x'], ['removed', 'absent'], ['ah']]);
  });

  test('subscription filters: replaced by name, listed by name, and removed with their group', async () => {
    const groupId = `g of ${fresh()}`;
    const filter = (name: string, pattern: string): SubscriptionFilterRecord => ({
      ...{ groupId, name, createdAt: NOON, pattern, destinationArn: 'arn', distribution: 'Random' },
    });
    const found = await within(async (tx) => {
      const filters = tx.of(subscriptionFilters);
      for (const each of [filter('b', '1'), { ...filter('a', '2'), roleArn: 'role' }, filter('b', '3')]) await filters.put(each);
      const listed = (await filters.ofGroup(groupId)).map(({ pattern, roleArn }) => [pattern, roleArn]);
      const removed = [await filters.remove(filter('b', '')), await filters.remove(filter('b', ''))];
      await filters.removeOfGroup(groupId);
      return [listed, removed, await filters.ofGroup(groupId)];
    });
    assert.deepEqual(found, [
      [
        ['2', 'role'],
        ['3', undefined],
      ],
      ['removed', 'absent'],
      [],
    ]);
  });

  test('resource policies: replaced by name, and listed by name', async () => {
    const accountId = fresh();
    const found = await within(async (tx) => {
      const policies = tx.of(resourcePolicies);
      for (const [name, document] of [
        ['b', '1'],
        ['a', '2'],
        ['b', '3'],
      ] as const)
        await policies.put({ accountId, region: REGION, name, document, updatedAt: NOON });
      const documents = (await policies.of(accountId, REGION)).map(({ document }) => document);
      return [documents, await policies.remove(accountId, REGION, 'a'), await policies.remove(accountId, REGION, 'a')];
    });
    assert.deepEqual(found, [['2', '3'], 'removed', 'absent']);
  });

  test('deletions: added once, and removed', async () => {
    const found = await within(async (tx) => {
      const deletions = tx.of(logDeletions);
      for (const id of ['a', 'a']) await deletions.add({ kind: 'group', id });
      const first = await deletions.first();
      await deletions.remove({ kind: 'group', id: 'a' });
      return [first, await deletions.first()];
    });
    assert.deepEqual(found, [{ kind: 'group', id: 'a' }, undefined]);
  });
}
