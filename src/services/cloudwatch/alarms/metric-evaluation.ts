import type { Instant } from '#core/instant.ts';
import { runInTurns } from '../../kit/turns.ts';
import { formOf, statOf } from '../stat.ts';
import { invalidStat, type ReadRange, readPeriods } from '../statistics.ts';
import type { Summary } from '../summary.ts';
import { type AlarmPoint, evaluate, type MissingData, RANGE_EXTRA } from './evaluation.ts';
import { periodOfQueries, pointsOfQueries } from './metric-queries.ts';
import { COMPARISONS, type FixedComparison, type ReasonFacts, reasonDataOf, reasonOf } from './reasons.ts';
import type { AlarmRecord, MetricAlarmConfiguration } from './tables/alarms.ts';
import type { NewState } from './transition.ts';

/** Returns the interval between two evaluations. Source: CloudWatch User Guide, "Evaluating an alarm". */
export function intervalOf(configuration: MetricAlarmConfiguration): number {
  return periodOf(configuration) < 60 ? 10_000 : 60_000;
}

/** Returns the period of an alarm in seconds. */
function periodOf({ Metrics, Period = 60 }: MetricAlarmConfiguration): number {
  return Metrics === undefined ? Period : periodOfQueries(Metrics);
}

/** Maximum number of stored points of an alarm: ten metrics with a point per minute in three weeks, of which one is older than 15 days. */
const STORED_POINTS_MAX = 300_000;

/** Function that reads points, and the time of the evaluation. */
interface Source {
  readonly readRange: ReadRange;
  readonly now: Instant;
}

/**
 * Evaluates a metric alarm on the complete periods before now. The last period ends at the last full minute, or at the last full 10 seconds
 * for periods below a minute. Periods of more than a minute need not begin at their multiples: the window slides.
 *
 * Returns undefined if the alarm keeps its state. `budget` is the number of stored points that the caller wants to read. It gets smaller,
 * and may get negative.
 *
 * Source: cloudwatch 2010-08-01, EvaluationWindow: a SlidingWindow by default. Recorded: periods of 300 seconds that begin at 17:02.
 */
export async function evaluateMetric(
  { readRange, now }: Source,
  alarm: AlarmRecord,
  configuration: MetricAlarmConfiguration,
  budget: { points: number },
): Promise<NewState | undefined> {
  const facts = factsOf(configuration);
  const step = intervalOf(configuration);
  const length = facts.period * 1_000;
  const count = facts.evaluationPeriods + RANGE_EXTRA;
  const end = Math.floor(now / step) * step;
  const start = end - count * length;
  const range = Array.from({ length: count }, (): AlarmPoint | undefined => undefined);
  const reading = { points: STORED_POINTS_MAX };
  for (const point of await pointsOf(alarm, configuration, { readRange, start, end, now, budget: reading })) {
    range[Math.floor((point.at - start) / length)] = point;
  }
  budget.points -= count + STORED_POINTS_MAX - reading.points;
  if (hasFewSamples(range, configuration)) return undefined;
  const evaluation = evaluate(range, facts);
  if (evaluation.state === undefined) return undefined;
  const periods = Array.from({ length: facts.evaluationPeriods }, (_, i) => end - (i + 1) * length);
  return { state: evaluation.state, reason: reasonOf(evaluation, facts), data: reasonDataOf(evaluation, facts, now, periods) };
}

function factsOf(configuration: MetricAlarmConfiguration): ReasonFacts {
  const { EvaluationPeriods = 1, DatapointsToAlarm, Threshold: threshold = 0, Unit: unit } = configuration;
  const comparison = configuration.ComparisonOperator as FixedComparison;
  return {
    comparison,
    threshold,
    breaches: (value) => COMPARISONS[comparison].breaches(value, threshold),
    evaluationPeriods: EvaluationPeriods,
    datapointsToAlarm: DatapointsToAlarm ?? EvaluationPeriods,
    namesDatapoints: DatapointsToAlarm !== undefined,
    missingData: (configuration.TreatMissingData ?? 'missing') as MissingData,
    unit,
    statistic: configuration.Statistic ?? configuration.ExtendedStatistic,
    period: periodOf(configuration),
  };
}

interface Read extends Source {
  readonly start: number;
  readonly end: number;
  /** Number of stored points that may still be read. */
  readonly budget: { points: number };
}

/**
 * Returns the points of an alarm in [start, end), oldest first. If samples have several units and the alarm sets none, only those with the
 * unit of the newest sample count. Assumed: the choice of the unit.
 */
async function pointsOf(
  { accountId, region }: AlarmRecord,
  configuration: MetricAlarmConfiguration,
  { readRange, start, end, now, budget }: Read,
): Promise<readonly AlarmPoint[]> {
  const { Metrics, Namespace = '', MetricName = '', Dimensions, Unit } = configuration;
  if (Metrics !== undefined) {
    return await pointsOfQueries({ accountId, region, now, readRange, budget, run: runInTurns }, Metrics, start, end);
  }
  const name = configuration.Statistic ?? configuration.ExtendedStatistic ?? '';
  const stat = statOf(name);
  if (stat === undefined) throw invalidStat(name);
  const metric = { accountId, region, Namespace, MetricName, Dimensions, Unit, Period: periodOf(configuration) };
  const ofSummary = (summary: Summary) => ({ value: stat(summary), sampleCount: summary.count });
  const periods = await readPeriods(readRange, metric, [start, end], formOf(name), ofSummary, { budget });
  const unit = periods.at(-1)?.unit;
  return periods.flatMap(({ at, unit: own, result: { value, sampleCount } }) =>
    own === unit && value !== undefined ? [{ at, value, sampleCount }] : [],
  );
}

/**
 * Reports whether an alarm on a percentile ignores its points, because the newest one has too few samples.
 *
 * Source: CloudWatch User Guide, "Percentile-based alarms and low data samples": at least 10/(1 - percentile) samples, or 10/percentile
 * for percentiles below 0.5.
 */
function hasFewSamples(range: readonly (AlarmPoint | undefined)[], configuration: MetricAlarmConfiguration): boolean {
  const { EvaluateLowSampleCountPercentile, ExtendedStatistic = '' } = configuration;
  if (EvaluateLowSampleCountPercentile !== 'ignore' || !ExtendedStatistic.startsWith('p')) return false;
  const newest = range.findLast((point) => point !== undefined);
  if (newest?.sampleCount === undefined) return false;
  const percentile = Number(ExtendedStatistic.slice(1)) / 100;
  return newest.sampleCount * Math.min(percentile, 1 - percentile) < 10;
}
