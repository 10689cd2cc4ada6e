import { subscription } from '../kit/events.ts';
import type { MetricSamples } from '../kit/metric-samples.ts';
import type { OutgoingFailed } from '../kit/outgoing.ts';
import { service } from '../kit/service.ts';
import { forgetHistory } from './alarms/history-entries.ts';
import { DASHBOARD } from './dashboards.ts';
import { AwsError } from './errors.ts';
import type { ChimeSdkMetric } from './own-metrics.ts';
import { retentionSweep } from './retention.ts';

/** Operations whose error for an invalid page token has another name. Source: cloudwatch 2010-08-01, their errors. */
const WITHOUT_TOKEN_ERROR: ReadonlySet<string> = new Set(['ListDashboards', 'ListMetrics']);

/**
 * Interval between two checks for due alarms.
 *
 * Source: CloudWatch User Guide, "Evaluating an alarm": each minute, or each 10 seconds for periods below a minute.
 */
const ALARMS_EVERY_MS = 10_000;

/** Stores the samples of other services, such as those of metric filters. */
const storeMetricSamples = subscription<MetricSamples>()(['MetricSamples'], async ({ tx, now }, event) => {
  const { recordMetrics } = await import('./statistics.ts');
  await recordMetrics(tx, event.accountId, event.region, event.Namespace, event.samples, now);
});

/** Metrics of notifications that were not delivered, by the kind of their target. Requirement LOG-26. */
const NOTIFICATION_ERRORS: Readonly<Record<string, ChimeSdkMetric>> = {
  sqs: 'MeetingSQSNotificationErrors',
  sns: 'MeetingSNSNotificationErrors',
};

/** Counts the notifications of meetings that were not delivered. */
export const countFailedNotifications = subscription<OutgoingFailed>()(['OutgoingFailed'], async ({ tx, now }, { message }) => {
  const metric = NOTIFICATION_ERRORS[message.target.kind];
  if (metric === undefined || message.sender.service !== 'meetings.chime.amazonaws.com') return;
  const { recordChimeSdkMetric } = await import('./own-metrics.ts');
  await recordChimeSdkMetric(tx, message.accountId, message.region, metric, now);
});

/** CloudWatch: metrics and alarms. */
export const cloudwatch = service<object>({
  name: 'cloudwatch',
  operations: async () => (await import('./operations.ts')).cloudwatchOperations(),
  kinds: [DASHBOARD],
  sweeps: [retentionSweep, forgetHistory],
  subscriptions: [storeMetricSamples, countFailedNotifications],
  tasks: [
    {
      name: 'evaluation of alarms',
      everyMs: ALARMS_EVERY_MS,
      load: async () => (await import('./alarms/evaluator.ts')).evaluateAlarms,
    },
  ],
  invalidPageToken: (_member, operation) =>
    new AwsError(WITHOUT_TOKEN_ERROR.has(operation) ? 'InvalidParameterValueException' : 'InvalidNextToken', 'The NextToken is invalid.'),
});
