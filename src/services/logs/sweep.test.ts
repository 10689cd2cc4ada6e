import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { START, workFor } from '../kit/fixture.ts';
import { type Event, GROUP, type OpenLogs, openLogs } from './fixture.ts';
import { logSweep } from './sweep.ts';

/** Runs a sweep to its end. Returns the number of steps. */
async function sweep({ store }: OpenLogs, run: ReturnType<typeof logSweep>, now: Instant): Promise<number> {
  for (let steps = 1; ; steps++) if ((await store.transaction((tx) => run(workFor(tx, now)))) === 'done') return steps;
}

/** Returns the numbers of rows of the tables. */
function rows({ store }: OpenLogs): Promise<readonly number[]> {
  return store.transaction(async ({ sql }) => {
    const counts: number[] = [];
    for (const table of ['log_pack', 'log_stream', 'log_deletion', 'log_metric_filter'])
      counts.push(Number((await sql.row<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`))?.n));
    return counts;
  });
}

/** Events of 300 minutes, which are 300 packs. */
const MINUTES = Array.from({ length: 300 }, (_, i): Event => [i * 60 - 18_000, 'abcd']);

test('sweep: deletes expired events in steps, and then measures the group', async () => {
  const logs = await openLogs();
  await logs.put(MINUTES);
  await logs.put([[7_000, 'new']]);
  await logs.run('PutRetentionPolicy', { logGroupName: GROUP, retentionInDays: 1 });
  const run = logSweep();
  assert.ok((await sweep(logs, run, instant(START))) > 2);
  assert.deepEqual((await rows(logs)).slice(0, 1), [301]);
  assert.equal((await logs.run('DescribeLogGroups', {})).logGroups?.[0]?.storedBytes, 300 * 30 + 29);
  assert.equal(await sweep(logs, run, instant(START + 60_000)), 1);
  assert.ok((await sweep(logs, run, instant(START + DAY_MS + 3_600_000))) >= 3);
  assert.deepEqual((await rows(logs)).slice(0, 1), [1]);
  assert.equal((await logs.run('DescribeLogGroups', {})).logGroups?.[0]?.storedBytes, 29);
});

test('sweep: deletes the events of deleted streams and groups', async () => {
  const logs = await openLogs();
  await logs.run('CreateLogStream', { logGroupName: GROUP, logStreamName: 'two' });
  await logs.put(MINUTES);
  await logs.put([[0, 'x']], 'two');
  await logs.run('PutMetricFilter', {
    ...{ logGroupName: GROUP, filterName: 'f', filterPattern: '' },
    metricTransformations: [{ metricName: 'm', metricNamespace: 'n', metricValue: '1' }],
  });
  await logs.run('DeleteLogStream', { logGroupName: GROUP, logStreamName: 'one' });
  assert.deepEqual(await rows(logs), [301, 1, 1, 1]);
  const run = logSweep();
  await sweep(logs, run, instant(START));
  assert.deepEqual(await rows(logs), [1, 1, 0, 1]);
  await logs.run('DeleteLogGroup', { logGroupName: GROUP });
  await sweep(logs, run, instant(START));
  assert.deepEqual(await rows(logs), [0, 0, 0, 0]);
});
