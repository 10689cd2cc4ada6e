import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { MetricDatum } from '#model/generated/cloudwatch.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { nodeSqlite, type SqliteOpen } from '#store/engine/sqlite-driver.ts';
import type { Store } from '#store/store.ts';
import { ACCOUNT, START, workFor } from '../kit/fixture.ts';
import { CHIME_SDK_METRICS, recordApiCalls, recordChimeSdkMetric } from './own-metrics.ts';
import { retentionSweep } from './retention.ts';
import { statOf } from './stat.ts';
import { type MetricName, readPeriods, recordMetrics, storeSamples } from './statistics.ts';
import { metrics } from './tables/metrics.ts';

const REGION = 'us-east-1';
const METRIC = { accountId: ACCOUNT, region: REGION, Namespace: 'Chat', MetricName: 'Sent', Period: 60, Stat: 'Sum' };

interface Statistic extends MetricName {
  readonly Stat: string;
}

/** Returns the points of a statistic in [from, to). */
async function pointsOf(store: Pick<Store, 'transaction'>, { Stat, ...metric }: Statistic, from: number, to: number) {
  const stat = statOf(Stat) as NonNullable<ReturnType<typeof statOf>>;
  const periods = await store.transaction((tx) =>
    readPeriods(
      (...range) => tx.of(metrics).range(...range),
      metric,
      [from, to],
      'values',
      (summary) => ({ value: stat(summary), sampleCount: summary.count }),
    ),
  );
  return periods.map(({ at, unit, result }) => ({ at, ...result, unit }));
}

async function open() {
  const store = await openSqlite(':memory:');
  const put = (samples: readonly Partial<MetricDatum>[], at: Instant = START) =>
    store.transaction((tx) =>
      recordMetrics(
        tx,
        ACCOUNT,
        REGION,
        'Chat',
        samples.map((each) => ({ MetricName: 'Sent', ...each })),
        at,
      ),
    );
  const read = (more: Partial<Statistic> = {}, from: number = START, to = from + HOUR_MS) =>
    pointsOf(store, { ...METRIC, ...more }, from, to);
  /** Runs the sweep until nothing is left to do. Returns the number of stored points by period. */
  async function sweep(now: number): Promise<Readonly<Record<number, number>>> {
    const run = retentionSweep();
    while ((await store.transaction((tx) => run(workFor(tx, instant(now))))) === 'more');
    const counts: Record<number, number> = {};
    for (const period of [1, 60, 300, 3_600]) {
      const points = await store.transaction((tx) => tx.of(metrics).expired(period, instant(now + DAY_MS), 10_000));
      if (points.length > 0) counts[period] = points.length;
    }
    return counts;
  }
  return { store, put, read, sweep };
}

describe('Points', () => {
  test('readPeriods: samples of several requests are one point for each period and unit, oldest first', async () => {
    const { put, read } = await open();
    await put([{ Value: 1, Timestamp: instant(START + 61_000) }, { Value: 5 }]);
    await put([{ Value: 2 }, { Value: 3, Unit: 'Count' }]);
    assert.deepEqual(await read(), [
      { at: START, value: 3, sampleCount: 1, unit: 'Count' },
      { at: START, value: 7, sampleCount: 2, unit: 'None' },
      { at: START + 60_000, value: 1, sampleCount: 1, unit: 'None' },
    ]);
    assert.deepEqual(await read({ Unit: 'Count', Stat: 'p50', Period: 300 }), [{ at: START, value: 3, sampleCount: 1, unit: 'Count' }]);
  });

  test('readPeriods: the order of dimensions does not matter, and other dimensions are another metric', async () => {
    const { put, read } = await open();
    const [a, b] = [
      { Name: 'a', Value: '1' },
      { Name: 'b', Value: '2' },
    ] as const;
    await put([{ Value: 1, Dimensions: [a, b] }]);
    await put([{ Value: 2, Dimensions: [b, a] }]);
    assert.equal((await read({ Dimensions: [b, a] }))[0]?.value, 3);
    assert.deepEqual(await read({ Dimensions: [a] }), []);
  });

  test('readPeriods: reads more points than one statement returns', async () => {
    const { put, read } = await open();
    const points = Array.from({ length: 2_500 }, (_, i) => ({ Value: 1, StorageResolution: 1, Timestamp: instant(START + i * 1_000) }));
    await put(points, instant(START + 2_500_000));
    assert.equal((await read({ Period: 1 })).length, 2_500);
    assert.equal((await read({ Period: 3_600 }))[0]?.value, 2_500);
  });

  test('storeSamples: the largest requests take few statements', async () => {
    let statements = 0;
    const counting: SqliteOpen = (path) => {
      const db = nodeSqlite(path);
      function counted<Values extends readonly unknown[], Result>(run: (...values: Values) => Result): (...values: Values) => Result {
        return (...values) => {
          statements++;
          return run(...values);
        };
      }
      return {
        ...db,
        prepare(text) {
          const { all, get, run } = db.prepare(text);
          return { all: counted(all), get: counted(get), run: counted(run) };
        },
      };
    };
    const store = await openSqlite(':memory:', { open: counting });
    async function statementsFor(samples: readonly MetricDatum[], at: Instant): Promise<number> {
      const before = statements;
      await store.transaction((tx) => recordMetrics(tx, ACCOUNT, REGION, 'Chat', samples, at));
      return statements - before;
    }
    const names = Array.from({ length: 1_000 }, (_, i) => ({ MetricName: `m${i}`, Value: 1 }));
    const points = Array.from({ length: 1_000 }, (_, i) => ({ MetricName: 'm', Value: 1, Timestamp: instant(START - i * 60_000) }));
    // biome-ignore format: a table
    for (const [title, samples, at, most] of [
      ['1,000 new metrics',          names,  START,                    170],
      ['the same within a minute',   names,  START,                    70],
      ['the same later',             names,  instant(START + 60_000),  90],
      ['1,000 points of a metric',   points, START,                    60],
    ] as const) {
      const count = await statementsFor(samples, at);
      assert.ok(count > 30 && count <= most, `${title}: ${count} statements`);
    }
    await store.close();
  });

  test('storeSamples: more metrics than the maximum are LimitExceededFault, and samples of known metrics are stored', async () => {
    const { store } = await open();
    const put = (...names: readonly string[]) =>
      store.transaction((tx) =>
        storeSamples(
          tx,
          { accountId: ACCOUNT, region: REGION, namespace: 'Chat' },
          names.map((MetricName) => ({ MetricName, Value: 1 })),
          START,
          2,
        ),
      );
    await put('a', 'b');
    await put('a', 'b');
    await assert.rejects(put('a', 'c'), { code: 'LimitExceededFault' });
  });
});

describe('Retention', () => {
  test('retentionSweep: merges points into longer periods, keeps their sum and percentiles, and deletes them in the end', async () => {
    const { store, put, read, sweep } = await open();
    const samples = Array.from({ length: 600 }, (_, i) => ({ Value: i + 1, StorageResolution: 1, Timestamp: instant(START + i * 1_000) }));
    await put(samples, instant(START + 600_000));
    assert.deepEqual(await sweep(START + 2 * HOUR_MS), { 1: 600 });
    // biome-ignore format: a table
    for (const [age, counts, period] of [
      [4 * HOUR_MS,  { 60: 10 },    60],
      [16 * DAY_MS,  { 300: 2 },    300],
      [64 * DAY_MS,  { 3600: 1 },  3_600],
    ] as const) {
      assert.deepEqual(await sweep(START + age), counts);
      const [hour] = await read({ Period: 3_600 });
      assert.deepEqual([hour?.value, hour?.sampleCount], [300 * 601, 600]);
      assert.ok(Math.abs(((await read({ Period: 3_600, Stat: 'p50' }))[0]?.value ?? 0) - 300) < 10);
      assert.equal((await read({ Period: period / 60 })).length, 0, 'shorter periods are gone');
    }
    assert.deepEqual(await sweep(START + 456 * DAY_MS), {});
    const listed = await store.transaction((tx) => tx.of(metrics).list({ accountId: ACCOUNT, region: REGION, after: ['', '', ''] }, 10));
    assert.deepEqual(listed, []);
  });

  test('retentionSweep: one step changes a limited number of points', async () => {
    const { store, put } = await open();
    await put(
      Array.from({ length: 500 }, (_, i) => ({ Value: 1, StorageResolution: 1, Timestamp: instant(START + i * 1_000) })),
      instant(START + HOUR_MS),
    );
    const run = retentionSweep();
    const steps: string[] = [];
    while (steps.at(-1) !== 'done') steps.push(await store.transaction((tx) => run(workFor(tx, instant(START + 5 * HOUR_MS)))));
    assert.deepEqual(steps, ['more', 'more', 'done']);
  });
});

describe("The server's own metrics", () => {
  test('recordApiCalls: AWS/Usage has the dimensions of AWS, and only counts above 0', async () => {
    const { store } = await open();
    const calls = { service: 'chime-sdk-meetings', operation: 'CreateMeeting', calls: 3, errors: 1, throttles: 0 } as const;
    await store.transaction((tx) => recordApiCalls(tx, ACCOUNT, REGION, [calls], START, START));
    const listed = await store.transaction((tx) => tx.of(metrics).list({ accountId: ACCOUNT, region: REGION, after: ['', '', ''] }, 10));
    assert.deepEqual(
      listed.map(({ namespace, metricName }) => `${namespace} ${metricName}`),
      ['AWS/Usage CallCount', 'AWS/Usage ErrorCount'],
    );
    assert.deepEqual(
      listed[0]?.dimensions.map(({ Name, Value }) => `${Name}=${Value}`),
      ['Class=None', 'Resource=CreateMeeting', 'Service=ChimeSDK', 'Type=API'],
    );
    const read = { ...METRIC, Namespace: 'AWS/Usage', MetricName: 'CallCount', Dimensions: listed[0]?.dimensions };
    assert.deepEqual(await pointsOf(store, read, START, START + HOUR_MS), [{ at: START, value: 3, sampleCount: 3, unit: 'None' }]);
  });

  test('recordChimeSdkMetric: counts in AWS/ChimeSDK', async () => {
    const { store } = await open();
    const [metric] = CHIME_SDK_METRICS;
    for (const count of [1, 2]) await store.transaction((tx) => recordChimeSdkMetric(tx, ACCOUNT, REGION, metric, START, count));
    const read = { ...METRIC, Namespace: 'AWS/ChimeSDK', MetricName: metric };
    assert.equal((await pointsOf(store, read, START, START + HOUR_MS))[0]?.value, 3);
  });
});
