import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { cloudwatch } from '#services/cloudwatch/service.ts';
import { metrics } from '#services/cloudwatch/tables/metrics.ts';
import { emitterOf, type Work } from '#services/kit/events.ts';
import { ACCOUNT } from '#services/kit/fixture.ts';
import type { LogEventsStored } from '#services/kit/log-events.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { logMetrics } from './log-metrics.ts';

const NOON = instant(Date.UTC(2026, 10, 22, 12));

async function open() {
  const store = await openSqlite(':memory:');
  const of = logMetrics();
  const addEmit = emitterOf([...(cloudwatch.subscriptions ?? []), of.subscription]);
  const within = <T>(run: (work: Work) => Promise<T>) => store.transaction((tx) => run(addEmit({ tx, now: NOON, newId: () => 'id' })));
  let timer = (): void => assert.fail('no timer');
  const lines: string[] = [];
  let failing = false;
  const part = of.part(
    (run) => (failing ? Promise.reject(new Error('disk full')) : within(run)),
    {
      monotonic: () => 0,
      wall: () => NOON,
      after(milliseconds, fn) {
        assert.equal(milliseconds, 30_000);
        timer = fn;
        return () => undefined;
      },
    },
    (line) => lines.push(line),
  );
  await part.start?.();
  return {
    part,
    within,
    lines,
    fire: () => timer(),
    setFailing(to: boolean) {
      failing = to;
    },
    /** Returns `metric group: stored summary` of all metrics, in order. */
    stored: () =>
      within(async ({ tx }) => {
        const listed = await tx.of(metrics).list({ accountId: ACCOUNT, region: 'us-east-1', after: ['', '', ''] }, 5_000);
        const found: string[] = [];
        for (const { metricId, namespace, metricName, dimensions } of listed)
          for (const { unit, summary } of await tx.of(metrics).range(metricId, instant(0), instant(NOON * 2), 100))
            found.push(`${namespace} ${metricName} ${dimensions.map(({ Value }) => Value).join()} ${unit}: ${summary}`);
        return found.sort();
      }),
  };
}

const stored = (logGroupName: string, events: number, bytes: number): LogEventsStored => ({
  ...{ type: 'LogEventsStored', accountId: ACCOUNT, region: 'us-east-1' },
  ...{ logGroupName, events, bytes },
});

test('logMetrics: committed log events are stored for their group and for all groups, and those of failed transactions are not', async () => {
  const { part, within, stored: all } = await open();
  await within((work) => work.emit<LogEventsStored>(stored('/a', 2, 100)));
  await within((work) => work.emit<LogEventsStored>(stored('/b', 3, 50)));
  await assert.rejects(
    within(async (work) => {
      await work.emit<LogEventsStored>(stored('/a', 9, 9));
      throw new Error('rolled back');
    }),
  );
  await part.stop?.();
  assert.deepEqual(await all(), [
    'AWS/Logs IncomingBytes  Bytes: [2,150,50,100]',
    'AWS/Logs IncomingBytes /a Bytes: [1,100]',
    'AWS/Logs IncomingBytes /b Bytes: [1,50]',
    'AWS/Logs IncomingLogEvents  None: [2,5,2,3]',
    'AWS/Logs IncomingLogEvents /a None: [1,2]',
    'AWS/Logs IncomingLogEvents /b None: [1,3]',
  ]);
});

test('logMetrics: counts that could not be stored are stored the next time, with those counted meanwhile', async () => {
  const { part, within, stored: all, fire, setFailing, lines } = await open();
  await within((work) => work.emit<LogEventsStored>(stored('/a', 2, 100)));
  setFailing(true);
  fire();
  await within((work) => work.emit<LogEventsStored>(stored('/a', 2, 100)));
  setFailing(false);
  await part.stop?.();
  assert.deepEqual(lines, ['could not store the metrics of log groups: disk full']);
  assert.ok((await all()).includes('AWS/Logs IncomingBytes /a Bytes: [2,100]'));
});

test('logMetrics: an account with many groups is limited, and another account is still counted', async () => {
  const { part, within, stored: all } = await open();
  await within(async (work) => {
    for (let i = 0; i < 1_500; i++) await work.emit<LogEventsStored>({ ...stored(`/${i}`, 1, 1), accountId: '999999999999' as never });
    await work.emit<LogEventsStored>(stored('/a', 1, 1));
  });
  await part.stop?.();
  assert.equal((await all()).length, 4);
  const other = await within(({ tx }) => tx.of(metrics).countOf('999999999999' as never, 'us-east-1', 5_000));
  assert.equal(other, 2_000);
});
