import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type AlarmHistoryRecord, type AlarmRecord, alarms, HISTORY_END, metricKey } from './alarms.ts';

const REGION = 'us-east-1';
const METRIC = metricKey('Test', 'Load');

function alarm(accountId: AccountId, name: string, more: Partial<AlarmRecord> = {}): AlarmRecord {
  return {
    accountId,
    region: REGION,
    name,
    type: 'MetricAlarm',
    configuration: { Namespace: 'Test', MetricName: 'Load' },
    actionsEnabled: true,
    tags: [],
    state: 'OK',
    stateReason: 'r',
    configuredAt: NOON,
    stateUpdatedAt: NOON,
    stateChangedAt: NOON,
    metric: METRIC,
    ...more,
  };
}

const at = (seconds: number) => instant(NOON + seconds * 1_000);
const names = (records: readonly { readonly name: string }[]) => records.map(({ name }) => name);

export function conformance(suite: Suite): void {
  describe('alarms', () => {
    stored(suite);
    related(suite);
    history(suite);
  });
}

function stored({ within, fresh }: Suite): void {
  test('alarms: a stored alarm is read, replaced, tagged and deleted', async () => {
    const accountId = fresh();
    const one = alarm(accountId, 'a', { stateReasonData: '{}', dueAt: NOON });
    const read = await within(async (tx) => {
      const own = tx.of(alarms);
      await own.put(one);
      const first = await own.get(one);
      const { stateReasonData: _, dueAt: __, ...rest } = one;
      await own.put({ ...rest, state: 'ALARM' });
      await own.setTags({ ...rest, tags: [{ key: 'k', value: 'v' }] });
      const second = await own.get(one);
      await own.remove(one);
      return [first, second, await own.get(one), await own.get({ ...one, name: 'a\0' })];
    });
    const { stateReasonData: _, dueAt: __, ...rest } = one;
    assert.deepEqual(read, [one, { ...rest, state: 'ALARM', tags: [{ key: 'k', value: 'v' }] }, undefined, undefined]);
  });

  test('alarms: lists are of one account and region, in the order of names', async () => {
    const accountId = fresh();
    const lists = await within(async (tx) => {
      const own = tx.of(alarms);
      for (const name of ['b', 'a', 'C', 'd']) await own.put(alarm(accountId, name));
      await own.put(alarm(accountId, 'e', { metric: metricKey('Test', 'Other') }));
      await own.put(alarm(accountId, 'f', { region: 'eu-west-1' }));
      await own.put(alarm(fresh(), 'g'));
      const place = { accountId, region: REGION };
      const all = names(await own.list(place, '', 10));
      return [
        all,
        names(await own.list(place, 'a', 2)),
        names(await own.ofMetric(place, METRIC, 'C', 2)),
        await own.count(place, 10),
        await own.count(place, 3),
      ];
    });
    assert.deepEqual(lists, [['C', 'a', 'b', 'd', 'e'], ['b', 'd'], ['a', 'b'], 5, 3]);
  });

  test('alarms: due alarms are those whose time has come, the longest waiting first', async () => {
    const accountId = fresh();
    const due = await within(async (tx) => {
      const own = tx.of(alarms);
      await own.put(alarm(accountId, 'later', { dueAt: at(-900_001) }));
      await own.put(alarm(accountId, 'first', { dueAt: at(-900_002) }));
      await own.put(alarm(accountId, 'not yet', { dueAt: at(-899_999) }));
      await own.put(alarm(accountId, 'never'));
      const before = names(await own.due(accountId, at(-900_000), 10));
      await own.schedule(alarm(accountId, 'first', { dueAt: at(0) }));
      await own.schedule(alarm(accountId, 'later'));
      return [before, names(await own.due(accountId, at(-900_000), 10))];
    });
    assert.deepEqual(due, [['first', 'later'], []]);
  });

  test('alarms: accounts with due alarms follow each other in the order of their IDs', async () => {
    const [one, other] = [fresh(), fresh()].sort();
    assert.ok(one !== undefined && other !== undefined);
    const found = await within(async (tx) => {
      const own = tx.of(alarms);
      for (const name of ['a', 'b']) await own.put(alarm(one, name, { dueAt: at(-950_000) }));
      await own.put(alarm(other, 'a', { dueAt: at(-900_000) }));
      const before = await own.nextDueAccount(one, at(-950_000));
      return [await own.isDue(at(-950_000)), await own.nextDueAccount(one, at(-900_000)), before === other];
    });
    assert.deepEqual(found, [true, other, false]);
  });
}

function related({ within, fresh }: Suite): void {
  test('alarms: children and parents of composite alarms', async () => {
    const accountId = fresh();
    const composite = { type: 'CompositeAlarm', configuration: { AlarmRule: 'TRUE' } } as const;
    const result = await within(async (tx) => {
      const own = tx.of(alarms);
      const child = alarm(accountId, 'child');
      await own.put(child);
      await own.put(alarm(accountId, 'other'));
      for (const name of ['p1', 'p2', 'p3']) {
        await own.put(alarm(accountId, name, composite));
        await own.setChildren(alarm(accountId, name), ['other', 'child']);
      }
      await own.setChildren(alarm(accountId, 'p3'), ['other']);
      await own.remove(alarm(accountId, 'p2'));
      await own.wakeParents(child, at(-950_000));
      return {
        children: names(await own.children(alarm(accountId, 'p1'))),
        parents: names(await own.parents(child, '', 10)),
        more: names(await own.parents(alarm(accountId, 'other'), 'p1', 10)),
        due: names(await own.due(accountId, at(-950_000), 10)),
      };
    });
    assert.deepEqual(result, { children: ['child', 'other'], parents: ['p1'], more: ['p3'], due: ['p1'] });
  });
}

function history({ within, fresh }: Suite): void {
  test('alarms: history is read in both directions, by time and alarm, and the oldest is deleted', async () => {
    const accountId = fresh();
    const entry = (name: string, seconds: number): Omit<AlarmHistoryRecord, 'number'> => ({
      accountId,
      region: REGION,
      name,
      type: 'MetricAlarm',
      at: at(seconds),
      itemType: 'StateUpdate',
      summary: `${name}${seconds}`,
      data: '{}',
    });
    const result = await within(async (tx) => {
      const own = tx.of(alarms);
      for (const [name, seconds] of [
        ['a', -999_999],
        ['a', 1],
        ['b', 1],
        ['a', 2],
        ['a', 3],
      ] as const)
        await own.addHistory(entry(name, seconds));
      const range = { accountId, region: REGION, from: at(-999_999), to: HISTORY_END, newestFirst: true };
      const summaries = (entries: readonly AlarmHistoryRecord[]) => entries.map(({ summary }) => summary);
      const [first] = await own.history(range, 1);
      const descending = summaries(await own.history({ ...range, after: first }, 10));
      const ascending = summaries(await own.history({ ...range, newestFirst: false, from: at(1), to: at(3) }, 10));
      const named = summaries(await own.history({ ...range, name: 'a' }, 10));
      const forward = await own.history({ ...range, name: 'a', newestFirst: false }, 2);
      const rest = summaries(await own.history({ ...range, name: 'a', newestFirst: false, after: forward.at(-1) }, 10));
      return [descending, ascending, named, rest, await own.forgetHistory(at(-999_000), 10), (await own.history(range, 10)).length];
    });
    assert.deepEqual(result, [['a2', 'b1', 'a1', 'a-999999'], ['a1', 'b1', 'a2'], ['a3', 'a2', 'a1', 'a-999999'], ['a2', 'a3'], 1, 4]);
  });
}
