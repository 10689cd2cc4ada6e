import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type MetricFilter, type MetricRecord, metrics, type PointRecord } from './metrics.ts';

const metric = (accountId: AccountId, name: string, more: Partial<MetricRecord> = {}): MetricRecord => ({
  metricId: `${accountId} ${name}`,
  accountId,
  region: 'us-east-1',
  namespace: 'Chat',
  metricName: 'Messages',
  dimensions: [{ Name: 'Room', Value: name }],
  activeAt: NOON,
  ...more,
});

const point = (metricId: string, startAt: number, more: Partial<PointRecord> = {}): PointRecord => ({
  metricId,
  startAt: instant(startAt),
  period: 60,
  unit: 'None',
  summary: '[1,2]',
  ...more,
});

const FIRST = ['', '', ''] as const;

export function conformance({ within, fresh }: Suite): void {
  describe('metrics', () => {
    test('metrics: a metric is read back as added, and touch sets its time', async () => {
      const first = metric(fresh(), 'a');
      const later = { ...first, activeAt: instant(NOON + 1) };
      await within((tx) => tx.of(metrics).add([first]));
      await within((tx) => tx.of(metrics).touch([first.metricId, 'unknown'], later.activeAt));
      assert.deepEqual(await within((tx) => tx.of(metrics).byIds([first.metricId, 'unknown'])), [later]);
    });

    test('metrics: a list is in the order of namespaces, names and IDs, and begins after a metric', async () => {
      const accountId = fresh();
      const idOf = (name: string) => `${accountId} ${name}`;
      const all = [
        metric(accountId, 'd', { namespace: 'Zoo' }),
        metric(accountId, 'c', { metricName: 'Calls' }),
        metric(accountId, 'b'),
        metric(accountId, 'a'),
        metric(accountId, 'e', { region: 'eu-west-1' }),
      ];
      await within((tx) => tx.of(metrics).add(all));
      const listed = (more: Partial<MetricFilter>, limit = 10) =>
        within(async (tx) => {
          const found = await tx.of(metrics).list({ accountId, region: 'us-east-1', after: FIRST, ...more }, limit);
          return found.map(({ metricId }) => metricId.slice(-1)).join('');
        });
      assert.equal(await listed({}), 'cabd');
      assert.equal(await listed({}, 2), 'ca');
      assert.equal(await listed({ after: ['Chat', 'Messages', idOf('a')] }), 'bd');
      assert.equal(await listed({ namespace: 'Chat' }), 'cab');
      assert.equal(await listed({ namespace: 'Chat', after: ['Chat', 'Calls', idOf('c')] }), 'ab');
      assert.equal(await listed({ namespace: 'Chat', metricName: 'Messages' }), 'ab');
      assert.equal(await listed({ namespace: 'Chat', metricName: 'Messages', after: ['Chat', 'Messages', idOf('a')] }), 'b');
      assert.equal(await within((tx) => tx.of(metrics).countOf(accountId, 'us-east-1', 3)), 3);
      assert.equal(await within((tx) => tx.of(metrics).countOf(accountId, 'us-east-1', 9)), 4);
    });

    test('metrics: points of any number are put, replaced and read, each by its whole key', async () => {
      const [a, b] = [`${fresh()} a`, `${fresh()} b`] as const;
      const many = Array.from({ length: 75 }, (_, i) => point(a, i * 60_000));
      const other = point(a, 0, { unit: 'Count' });
      const second = point(a, 0, { period: 1 });
      await within((tx) => tx.of(metrics).putPoints([...many, other, second, point(b, 0)]));
      const changed = many.map((each) => ({ ...each, summary: '[2,2]' }));
      await within((tx) => tx.of(metrics).putPoints(changed));
      const found = await within((tx) => tx.of(metrics).points([...many, point('unknown', 0)]));
      assert.deepEqual(
        [...found].sort((x, y) => x.startAt - y.startAt),
        changed,
      );
      const range = await within((tx) => tx.of(metrics).range(a, instant(0), instant(120_000), 10));
      assert.deepEqual(range, [second, other, changed[0], changed[1]]);
      assert.equal((await within((tx) => tx.of(metrics).range(a, instant(0), instant(1e12), 5))).length, 5);
    });

    test('metrics: expired returns the oldest points of a period, and removePoint deletes one', async () => {
      const of = (startAt: number, more: Partial<PointRecord> = {}) => point('expiring', startAt, { period: 7, ...more });
      await within((tx) => tx.of(metrics).putPoints([of(3_000), of(1_000), of(500, { period: 8 })]));
      const expired = (before: number) => within((tx) => tx.of(metrics).expired(7, instant(before), 1));
      assert.deepEqual(await expired(4_000), [of(1_000)]);
      await within((tx) => tx.of(metrics).removePoint(of(1_000)));
      assert.deepEqual(await expired(4_000), [of(3_000)]);
      assert.deepEqual(await expired(3_000), []);
    });

    test('metrics: forget deletes a limited number of metrics without recent samples', async () => {
      const all = ['a', 'b', 'c'].map((name, i) => metric(fresh(), name, { activeAt: instant(i) }));
      await within((tx) => tx.of(metrics).add(all));
      const forget = () => within((tx) => tx.of(metrics).forget(instant(2), 1));
      assert.deepEqual([await forget(), await forget(), await forget()], [1, 1, 0]);
      assert.deepEqual(await within((tx) => tx.of(metrics).byIds(all.map(({ metricId }) => metricId))), [all[2]]);
    });
  });
}
