/** Metrics of EventBridge rules in CloudWatch, from events in a running core to GetMetricData. */
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { TEST_VAULT } from '#delivery/delivery-fixture.ts';
import { endpointSecretOwner, endpoints } from '#delivery/outgoing/tables/endpoints.ts';
import type { GetMetricDataOutput } from '#model/generated/cloudwatch.ts';
import { systemClock } from '#server/core/clock.ts';
import { startTestCore } from '../kit/core.ts';
import { startReceiver } from '../kit/receivers.ts';
import { until } from '../kit/until.ts';

/** Time that has passed for the delivery, which stores metrics every 30 seconds. */
let passed = 0;
const core = await startTestCore({ clock: { ...systemClock, monotonic: () => systemClock.monotonic() + passed }, report: () => {} });
const receiver = await startReceiver();
receiver.reply(({ members }) => (String(members['QueueUrl']).endsWith('/broken') ? { status: 400, code: 'QueueDoesNotExist' } : undefined));
await core.store.transaction(async (tx) => {
  const key = { service: 'sqs', accountId: '', region: '' } as const;
  const secret = { accessKeyId: 'AKIDEXAMPLE', sealedSecret: TEST_VAULT.seal('secret', endpointSecretOwner(key)) };
  await tx.of(endpoints).add({ ...key, ...secret, url: receiver.url, allowInternal: true, createdAt: instant(0) });
});
const queue = (name: string) => `arn:aws:sqs:us-east-1:${core.accountId}:${name}`;
const arrived = (name: string) => receiver.received.filter(({ members }) => String(members['QueueUrl']).endsWith(`/${name}`)).length;

// biome-ignore format: a table
const EXPECTED = [
  ['MatchedEvents',       'shop',  3],
  ['TriggeredRules',      'shop',  3],
  ['Invocations',         'shop',  6],
  ['FailedInvocations',   'shop',  3],
  ['InvocationsSentToDlq', 'shop', 3],
  ['MatchedEvents',       'other', 0],
  ['MatchedEvents',       '',      3],
  ['Invocations',         '',      6],
  ['FailedInvocations',   '',      0],
] as const;

/** Returns the sum of each metric. */
async function sums(): Promise<readonly number[]> {
  const { MetricDataResults = [] } = await core.json<GetMetricDataOutput>('monitoring', 'GetMetricData', {
    StartTime: Math.floor(Date.now() / 1_000) - 600,
    EndTime: Math.floor(Date.now() / 1_000) + 600,
    MetricDataQueries: EXPECTED.map(([MetricName, rule], i) => ({
      Id: `m${i}`,
      MetricStat: {
        Metric: { Namespace: 'AWS/Events', MetricName, Dimensions: rule === '' ? [] : [{ Name: 'RuleName', Value: rule }] },
        ...{ Period: 60, Stat: 'Sum' },
      },
    })),
  });
  return MetricDataResults.map(({ Values = [] }) => Values.reduce((sum, value) => sum + value, 0));
}

test('AWS/Events: GetMetricData returns the counts of a rule with a target that works and one that fails', async () => {
  for (const Name of ['shop', 'other']) {
    await core.json('events', 'PutRule', { Name, EventPattern: JSON.stringify({ source: [Name] }) });
    await core.json('events', 'PutTargets', {
      Rule: Name,
      Targets: [
        { Id: 'works', Arn: queue('works') },
        { Id: 'fails', Arn: queue('broken'), DeadLetterConfig: { Arn: queue('dead') } },
      ],
    });
  }
  const put = (Source: string) => core.json('events', 'PutEvents', { Entries: [{ Source, DetailType: 'd', Detail: '{}' }] });
  for (let i = 0; i < 3; i++) await put('shop');
  await until(
    () => arrived('works') === 3 && arrived('dead') === 3,
    () => `${arrived('works')} events and ${arrived('dead')} dead letters`,
  );
  const expected = EXPECTED.map(([, , sum]) => sum);
  let found: readonly number[] = [];
  await until(
    async () => {
      passed += 10_000;
      // An event without a rule wakes the delivery.
      await put('nothing');
      found = await sums();
      return JSON.stringify(found) === JSON.stringify(expected);
    },
    () => JSON.stringify(found),
  );
});
