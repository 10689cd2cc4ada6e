import assert from 'node:assert/strict';
import * as cw from '@aws-sdk/client-cloudwatch';
import { askControl } from '#server/operator/ask-control.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { delayOfOthers, type Figure, type Workload } from './workload.ts';

/** Metrics of an alarm, and its periods of a minute: the most points that an alarm with this period can read. */
const METRICS = 10;
const PERIODS = 1_440;
/** Alarms of the attacker for each second of the workload. */
const ALARMS = 40;
const SAMPLES_AT_ONCE = 1_000;

/**
 * An account creates alarms on metric math, each over ten metrics with many points, so that all are due at the same time.
 *
 * Asserts that the server answers another caller meanwhile, and evaluates an alarm of another account that is due later than all of these.
 */
export const manyAlarms: Workload = {
  name: 'many alarms',
  async run({ seconds, seed }) {
    const server = await startTestServer();
    try {
      return await attack(server, seconds, seed);
    } finally {
      await server.stop();
    }
  },
};

async function attack(server: TestServer, seconds: number, seed: number): Promise<readonly Figure[]> {
  const created = await askControl(server.dataFolder, { command: 'account create', name: 'attacker' });
  assert.ok(created.ok && created.administrator !== undefined);
  const attacker = new cw.CloudWatchClient(server.client(created.administrator));
  const other = new cw.CloudWatchClient(server.client());
  const points = await putPoints(attacker, seconds, seed);
  const alarms = ALARMS * seconds;
  const put = async (i: number): Promise<void> => {
    await attacker.send(
      new cw.PutMetricAlarmCommand({
        ...{ AlarmName: `a${i}`, EvaluationPeriods: PERIODS, Threshold: seed, ComparisonOperator: 'GreaterThanThreshold' },
        Metrics: [...metrics(), { Id: 'e', Expression: `SUM([${metrics().map(({ Id }) => Id)}]) * ${i + 1}` }],
      }),
    );
  };
  const stateOf = async (AlarmName: string): Promise<string | undefined> =>
    (await other.send(new cw.DescribeAlarmsCommand({ AlarmNames: [AlarmName] }))).MetricAlarms?.[0]?.StateValue;
  const { longestMs, calls } = await delayOfOthers(server, async () => {
    for (let i = 0; i < alarms; i++) await put(i);
    await other.send(
      new cw.PutMetricAlarmCommand({
        ...{ AlarmName: 'mine', Namespace: 'N', MetricName: 'm', Period: 60, Statistic: 'Sum', EvaluationPeriods: 1 },
        ...{ Threshold: 1, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'breaching' },
      }),
    );
    await until(
      async () => (await stateOf('mine')) === 'ALARM',
      () => 'the alarm of another account is evaluated',
    );
  });
  assert.ok(calls > 0, 'another caller gets answers');
  return [
    { what: 'stored points of an alarm of the attacker', value: points, unit: 'count' },
    { what: 'due alarms of the attacker', value: alarms, unit: 'count' },
    { what: 'calls of another caller', value: calls, unit: 'count' },
    { what: 'longest delay of another caller', value: longestMs, unit: 'ms' },
  ];
}

const metrics = (): readonly (cw.MetricDataQuery & { readonly Id: string })[] =>
  Array.from({ length: METRICS }, (_, i) => ({
    Id: `m${i}`,
    MetricStat: { Metric: { Namespace: 'Worst', MetricName: `m${i}` }, Period: 60, Stat: 'p99.9' },
    ReturnData: false,
  })) as never;

/** Stores the points of the attacker's metrics. Returns their number. */
async function putPoints(client: cw.CloudWatchClient, seconds: number, seed: number): Promise<number> {
  const periods = Math.min(PERIODS, 200 * seconds);
  const now = Date.now();
  const samples = Array.from({ length: METRICS * periods }, (_, i): cw.MetricDatum => {
    const Timestamp = new Date(now - Math.floor(i / METRICS) * 60_000);
    return { MetricName: `m${i % METRICS}`, Timestamp, Values: [seed, seed + 1, seed + 2 + i] };
  });
  for (let at = 0; at < samples.length; at += SAMPLES_AT_ONCE) {
    const MetricData = samples.slice(at, at + SAMPLES_AT_ONCE);
    await client.send(new cw.PutMetricDataCommand({ Namespace: 'Worst', MetricData }));
  }
  return samples.length;
}
