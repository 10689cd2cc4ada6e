/** Metrics that the server writes about itself: `AWS/Usage` for every API call, and `AWS/ChimeSDK`. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Dimension, MetricDatum } from '#model/generated/cloudwatch.ts';
import type { ServiceName } from '#model/services.ts';
import type { Tx } from '#store/store.ts';
import { recordMetrics } from './statistics.ts';

/**
 * Names of services in the dimension `Service` of `AWS/Usage`.
 *
 * Source: Chime SDK Administrator Guide, "Monitoring with CloudWatch", `ChimeSDK`. Assumed: the other names.
 */
// biome-ignore format: a table
const USAGE_SERVICES: Readonly<Record<ServiceName, string>> = {
  chime:                       'Chime',
  'chime-sdk-identity':        'ChimeSDK',
  'chime-sdk-media-pipelines': 'ChimeSDK',
  'chime-sdk-meetings':        'ChimeSDK',
  'chime-sdk-messaging':       'ChimeSDK',
  'chime-sdk-voice':           'ChimeSDK',
  iam:                         'IAM',
  sts:                         'STS',
  organizations:               'Organizations',
  cloudtrail:                  'CloudTrail',
  accessanalyzer:              'AccessAnalyzer',
  s3:                          'S3',
  events:                      'EventBridge',
  cloudwatch:                  'CloudWatch',
  logs:                        'CloudWatchLogs',
};

/** Calls of one operation in a minute. */
export interface ApiCalls {
  readonly service: ServiceName;
  readonly operation: string;
  /** All calls, the failed ones included. */
  readonly calls: number;
  /** Calls that failed with another error than a throttling error. */
  readonly errors: number;
  readonly throttles: number;
}

/**
 * Stores the calls of an account in a region, which the server counted in the minute that begins at `minute`.
 *
 * Source: requirement LOG-26: the names and dimensions. Assumed: no point if the number is 0, and the unit `None`.
 */
export async function recordApiCalls(
  tx: Tx,
  accountId: AccountId,
  region: string,
  calls: readonly ApiCalls[],
  minute: Instant,
  now: Instant,
): Promise<void> {
  const samples = calls.flatMap((each) => {
    const Dimensions: readonly Dimension[] = [
      { Name: 'Class', Value: 'None' },
      { Name: 'Resource', Value: each.operation },
      { Name: 'Service', Value: USAGE_SERVICES[each.service] },
      { Name: 'Type', Value: 'API' },
    ];
    const counts = [
      ['CallCount', each.calls],
      ['ErrorCount', each.errors],
      ['ThrottleCount', each.throttles],
    ] as const;
    return counts
      .filter(([, count]) => count > 0)
      .map(([MetricName, count]): MetricDatum => ({ MetricName, Dimensions, Timestamp: minute, Values: [1], Counts: [count] }));
  });
  await recordMetrics(tx, accountId, region, 'AWS/Usage', samples, now);
}

/**
 * Metrics of `AWS/ChimeSDK`. The server emits those whose feature it has.
 *
 * Source: requirement LOG-26.
 */
export const CHIME_SDK_METRICS = [
  'AttendeeAuthorizationSuccess',
  'AttendeeAuthorizationError',
  'AttendeeAudioDrops',
  'AttendeeContentDrops',
  'MeetingSQSNotificationErrors',
  'MeetingSNSNotificationErrors',
] as const;
export type ChimeSdkMetric = (typeof CHIME_SDK_METRICS)[number];

/** Stores that something happened once. Assumed: the metrics have no dimensions, and the unit is Count. */
export async function recordChimeSdkMetric(
  tx: Tx,
  accountId: AccountId,
  region: string,
  metric: ChimeSdkMetric,
  now: Instant,
  count = 1,
): Promise<void> {
  await recordMetrics(tx, accountId, region, 'AWS/ChimeSDK', [{ MetricName: metric, Values: [1], Counts: [count], Unit: 'Count' }], now);
}
