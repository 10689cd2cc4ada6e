import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instant, instant } from '#core/instant.ts';
import { metrics } from '#services/cloudwatch/tables/metrics.ts';
import { ACCOUNT } from '#services/kit/fixture.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { apiUsage, COUNTED_MAX } from './api-usage.ts';

const NOON = Date.UTC(2026, 10, 22, 12);
const CALL = { accountId: ACCOUNT, region: 'us-east-1', service: 'chime-sdk-meetings', operation: 'GetMeeting' } as const;

async function open(startedAt: number) {
  const store = await openSqlite(':memory:');
  let now = startedAt;
  const timers: (() => void)[] = [];
  const delays: number[] = [];
  const usage = apiUsage({
    store,
    clock: {
      monotonic: () => now,
      wall: () => instant(now),
      after(milliseconds, fn) {
        delays.push(milliseconds);
        timers.push(fn);
        return () => undefined;
      },
    },
    report: (line) => assert.fail(line),
    isOpen: () => true,
  });
  /** Returns `metric minute: stored summary` of all points, in order. */
  async function stored(): Promise<readonly string[]> {
    return await store.transaction(async (tx) => {
      const listed = await tx.of(metrics).list({ accountId: ACCOUNT, region: 'us-east-1', after: ['', '', ''] }, 5_000);
      const lines: string[] = [];
      for (const { metricId, metricName } of listed)
        for (const { startAt, summary } of await tx.of(metrics).range(metricId, 0 as Instant, instant(NOON * 2), 100))
          lines.push(`${metricName} ${(startAt - NOON) / 60_000}: ${summary}`);
      return lines;
    });
  }
  return {
    usage,
    delays,
    stored,
    setClock(to: number) {
      now = to;
    },
  };
}

test('apiUsage: calls, errors and throttled calls are stored for the minute in which they were counted', async () => {
  const { usage, stored, setClock } = await open(NOON + 10_000);
  usage.count(CALL);
  usage.count(CALL, 'NotFoundException');
  usage.count(CALL, 'ThrottledClientException');
  setClock(NOON + 60_003);
  await usage.flush();
  usage.count(CALL);
  setClock(NOON + 90_000);
  await usage.flush();
  assert.deepEqual(await stored(), ['CallCount 0: [3,1]', 'CallCount 1: [1,1]', 'ErrorCount 0: [1,1]', 'ThrottleCount 0: [1,1]']);
});

test('apiUsage: the part waits for the end of the minute, and stores the rest when it stops', async () => {
  const { usage, delays, stored } = await open(NOON + 10_000);
  await usage.part.start?.();
  assert.deepEqual(delays, [50_000]);
  usage.count(CALL);
  await usage.part.stop?.();
  assert.deepEqual(await stored(), ['CallCount 0: [1,1]']);
});

test('apiUsage: calls that were counted before the clock jumped over the retention of metrics are not stored', async () => {
  const { usage, stored, setClock } = await open(NOON);
  usage.count(CALL);
  setClock(NOON + 456 * 86_400_000);
  usage.count(CALL);
  await usage.part.stop?.();
  assert.deepEqual(await stored(), []);
});

test('apiUsage: a minute has a limited number of operations', async () => {
  const { usage, stored } = await open(NOON);
  for (let i = 0; i < COUNTED_MAX + 5; i++) usage.count({ ...CALL, operation: `Operation${i}` });
  usage.count({ ...CALL, operation: 'Operation0' });
  await usage.flush();
  const lines = await stored();
  assert.equal(lines.length, COUNTED_MAX);
  assert.equal(lines.filter((line) => line.endsWith('[2,1]')).length, 1);
});
