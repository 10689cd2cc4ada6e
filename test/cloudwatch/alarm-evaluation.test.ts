/** The evaluation of alarms in a running core, whose clock the test sets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { TEST_VAULT } from '#delivery/delivery-fixture.ts';
import { endpointSecretOwner, endpoints } from '#delivery/outgoing/tables/endpoints.ts';
import { systemClock } from '#server/core/clock.ts';
import { newTestClock } from '../kit/clock.ts';
import { startTestCore } from '../kit/core.ts';
import { startReceiver } from '../kit/receivers.ts';
import { until } from '../kit/until.ts';

/** Interval of the checks for due alarms. */
const CHECK_MS = 10_000;
const checks: (() => void)[] = [];
const { clock, advance } = newTestClock((milliseconds, fn) => {
  if (milliseconds !== CHECK_MS) return systemClock.after(milliseconds, fn);
  checks.push(fn);
  return () => {};
});
const core = await startTestCore({ clock });

const receiver = await startReceiver();
await core.store.transaction(async (tx) => {
  const key = { service: 'sns', accountId: '', region: '' } as const;
  const secret = { accessKeyId: 'AKIDEXAMPLE', sealedSecret: TEST_VAULT.seal('secret', endpointSecretOwner(key)) };
  await tx.of(endpoints).add({ ...key, ...secret, url: receiver.url, allowInternal: true, createdAt: instant(0) });
});

/** Runs the next check for due alarms. Resolves after its end, when it has scheduled the next one. */
async function check(): Promise<void> {
  for (const fn of checks.splice(0)) fn();
  await until(
    () => checks.length > 0,
    () => 'the check has not ended',
  );
}

const TOPIC = `arn:aws:sns:us-east-1:${core.accountId}:ops`;

test('Alarms: in a running core, samples raise and end an alarm, and its topic gets the message', async () => {
  const rules = { Namespace: 'Test', MetricName: 'Load', Statistic: 'Average', Period: '60', EvaluationPeriods: '1', Threshold: '21' };
  await core.cloudwatch({
    Action: 'PutMetricAlarm',
    AlarmName: 'high',
    ...rules,
    ComparisonOperator: 'GreaterThanThreshold',
    'AlarmActions.member.1': TOPIC,
  });
  const put = (value: string) =>
    core.cloudwatch({
      Action: 'PutMetricData',
      Namespace: 'Test',
      'MetricData.member.1.MetricName': 'Load',
      'MetricData.member.1.Value': value,
    });
  const state = async () =>
    /<StateValue>(\w+)<\/StateValue>/.exec(await core.cloudwatch({ Action: 'DescribeAlarms', 'AlarmNames.member.1': 'high' }))?.[1];
  await check();
  assert.equal(await state(), 'INSUFFICIENT_DATA');
  await put('21.5');
  advance(60_000);
  await check();
  assert.equal(await state(), 'ALARM');
  await until(
    () => receiver.received.length > 0,
    () => 'the topic has no message',
  );
  assert.deepEqual(
    receiver.received.map(({ members, message }) => [members['TopicArn'], members['Subject'], JSON.parse(message).NewStateValue]),
    [[TOPIC, 'ALARM: "high" in US East (N. Virginia)', 'ALARM']],
  );
  await put('1');
  advance(60_000);
  await check();
  assert.equal(await state(), 'OK');
});
