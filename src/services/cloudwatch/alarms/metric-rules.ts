/** Validation of metric alarms. */
import type { ComparisonOperator, MetricDataQuery, PutMetricAlarmInput } from '#model/generated/cloudwatch.ts';
import { AwsError } from '../errors.ts';
import { isSimple, statOf } from '../stat.ts';
import type { MissingData } from './evaluation.ts';
import { requireQueries } from './metric-queries.ts';
import { COMPARISONS, type FixedComparison } from './reasons.ts';

const MISSING_DATA: readonly MissingData[] = ['breaching', 'notBreaching', 'ignore', 'missing'];
const LOW_SAMPLES: readonly string[] = ['evaluate', 'ignore'];

/** Periods below a minute. Source: cloudwatch 2010-08-01, PutMetricAlarm, Period. */
const SHORT_PERIODS: readonly number[] = [10, 20, 30];
const HOUR = 3_600;
const DAY = 86_400;
const WEEK = 7 * DAY;

/** Members that would have no effect, with what they need. */
// biome-ignore format: a table
const UNSUPPORTED: readonly (readonly [member: keyof PutMetricAlarmInput, needs: string])[] = [
  ['ThresholdMetricId',   'anomaly detection'],
  ['EvaluationCriteria',  'queries in PromQL'],
  ['EvaluationInterval',  'queries in PromQL'],
  ['WarmUpConfiguration', 'warm-up periods'],
  ['ActionConfiguration', 'propagation of tags to actions'],
];

/**
 * Checks the configuration of a metric alarm.
 *
 * @throws ValidationException  a member is missing, invalid or not supported by Belfry; members exclude each other; the range is too long;
 *   a query in `Metrics` is invalid
 *
 * Source: cloudwatch 2010-08-01, PutMetricAlarm: the limits. Recorded: the messages about TreatMissingData, Period and
 * `Metrics cannot be checked across more than a day`. Assumed: the other messages, and the order of the checks.
 */
export async function requireMetricAlarm(input: PutMetricAlarmInput, place: Parameters<typeof requireQueries>[1]): Promise<void> {
  for (const [member, needs] of UNSUPPORTED) {
    if (input[member] !== undefined) throw invalid(`Belfry does not support ${member}, because it does not have ${needs}.`);
  }
  if (input.EvaluationWindow !== undefined && !('SlidingWindow' in input.EvaluationWindow)) {
    throw invalid('Belfry does not support a WallClockWindow. The default is a SlidingWindow.');
  }
  requireComparison(input.ComparisonOperator);
  const { EvaluationPeriods, DatapointsToAlarm, Threshold } = input;
  if (EvaluationPeriods === undefined) throw missing('evaluationPeriods');
  if (Threshold === undefined || !Number.isFinite(Threshold)) throw missing('threshold');
  if (DatapointsToAlarm !== undefined && DatapointsToAlarm > EvaluationPeriods) {
    throw invalid(`DatapointsToAlarm (${DatapointsToAlarm}) must be at most EvaluationPeriods (${EvaluationPeriods}).`);
  }
  requireOption('TreatMissingData', input.TreatMissingData, MISSING_DATA);
  requireOption('EvaluateLowSampleCountPercentile', input.EvaluateLowSampleCountPercentile, LOW_SAMPLES);
  const period = input.Metrics === undefined ? requireMetric(input) : await requireMetricsOnly(input, input.Metrics, place);
  requireRange(period, EvaluationPeriods);
}

/** Checks that an alarm watches one metric. Returns the period in seconds. */
function requireMetric(input: PutMetricAlarmInput): number {
  const { MetricName, Namespace, Statistic, ExtendedStatistic, Dimensions = [], Period } = input;
  if (MetricName === undefined) throw missing('metricName');
  if (Namespace === undefined) throw missing('namespace');
  if (Period === undefined) throw missing('period');
  if ((Statistic === undefined) === (ExtendedStatistic === undefined)) {
    throw invalid('Exactly one of Statistic and ExtendedStatistic must be specified.');
  }
  if (ExtendedStatistic !== undefined && (isSimple(ExtendedStatistic) || statOf(ExtendedStatistic) === undefined)) {
    throw invalid(`The value ${ExtendedStatistic.slice(0, 128)} is not supported for ExtendedStatistic parameter.`);
  }
  if (new Set(Dimensions.map(({ Name }) => Name)).size < Dimensions.length) throw invalid('The names of Dimensions must be unique.');
  return Period;
}

/** Members that exclude `Metrics`. Source: cloudwatch 2010-08-01, PutMetricAlarm, Metrics. */
const OF_ONE_METRIC = ['MetricName', 'Namespace', 'Statistic', 'ExtendedStatistic', 'Dimensions', 'Period', 'Unit'] as const;

/** Checks an alarm on `Metrics`. Returns the period in seconds. */
async function requireMetricsOnly(
  input: PutMetricAlarmInput,
  queries: readonly MetricDataQuery[],
  place: Parameters<typeof requireQueries>[1],
): Promise<number> {
  for (const member of OF_ONE_METRIC) {
    const value = input[member];
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) {
      throw invalid(`The parameters Metrics and ${member} are mutually exclusive and you have specified both.`);
    }
  }
  return await requireQueries(queries, place);
}

function requireComparison(operator: ComparisonOperator | undefined): asserts operator is FixedComparison {
  if (operator === undefined) throw missing('comparisonOperator');
  if (!Object.hasOwn(COMPARISONS, operator)) {
    throw invalid(`Belfry does not support ${operator}, because it does not have anomaly detection.`);
  }
}

function requireOption(name: string, value: string | undefined, options: readonly string[]): void {
  if (value === undefined || options.includes(value)) return;
  throw invalid(`The value ${value} is not supported for ${name} parameter. Supported values are [${options.join(', ')}].`);
}

function requireRange(period: number, evaluationPeriods: number): void {
  if (!SHORT_PERIODS.includes(period) && period % 60 !== 0) throw invalid('Period must be 10, 30 or a multiple of 60');
  if (period < HOUR && period * evaluationPeriods > DAY) {
    throw invalid(`Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= ${DAY}).`);
  }
  if (period * evaluationPeriods > WEEK) {
    throw invalid(`Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= ${WEEK}).`);
  }
}

function missing(member: string): Error {
  return invalid(`1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`);
}

function invalid(message: string): Error {
  return new AwsError('ValidationException', message);
}
