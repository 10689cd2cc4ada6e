/** Alarms on `Metrics`: one query with a metric or an expression, and the queries that the expression names. */
import type { AccountId } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { MetricDataQuery } from '#model/generated/cloudwatch.ts';
import { runAtOnce } from '../../kit/turns.ts';
import { AwsError } from '../errors.ts';
import { requireValidQueries } from '../get-metric-data.ts';
import { parse, partsOf } from '../math/parse.ts';
import { MathError } from '../math/series.ts';
import { evaluateQueries, type QueryReads } from '../queries.ts';
import type { AlarmPoint } from './evaluation.ts';

/** Source: CloudWatch User Guide, "Creating an alarm based on a metric math expression": 10 metrics. Assumed: 20 queries. */
const METRICS_MAX = 10;
const QUERIES_MAX = 20;

/** Account and region of an alarm, and the time of its evaluation. */
interface Place {
  readonly accountId: AccountId;
  readonly region: string;
  readonly now: Instant;
}

/** Returns the query that an alarm watches. */
export function watchedQuery(queries: readonly MetricDataQuery[]): MetricDataQuery | undefined {
  return queries.find(({ ReturnData = true }) => ReturnData);
}

/** Returns the period of an alarm, in seconds: that of the watched query, by default the shortest period of the metrics. */
export function periodOfQueries(queries: readonly MetricDataQuery[]): number {
  const periods = queries.flatMap(({ MetricStat }) => (MetricStat === undefined ? [] : [MetricStat.Period]));
  const watched = watchedQuery(queries);
  return watched?.MetricStat?.Period ?? watched?.Period ?? Math.min(...periods);
}

/**
 * Checks the queries of an alarm. Returns the period of the alarm in seconds.
 *
 * @throws ValidationException         not exactly one query returns data; there are too many metrics or no metric; an expression is invalid,
 *   searches for metrics, or does not return one time series. Recorded: the message about one query. Assumed: the others
 * @throws NotYetImplementedException  a query of Metrics Insights
 */
export async function requireQueries(queries: readonly MetricDataQuery[], place: Place): Promise<number> {
  requireValidQueries(queries, place.accountId);
  if (queries.filter(({ ReturnData = true }) => ReturnData).length !== 1) {
    throw invalid('Exactly one element of the metrics list should return data.');
  }
  const metrics = queries.filter(({ MetricStat }) => MetricStat !== undefined).length;
  if (metrics === 0 || metrics > METRICS_MAX) throw invalid(`An alarm must have 1 to ${METRICS_MAX} metrics.`);
  if (queries.length > QUERIES_MAX) throw invalid(`An alarm can have at most ${QUERIES_MAX} queries.`);
  for (const { Expression } of queries) {
    if (Expression !== undefined && searches(Expression)) throw invalid('SEARCH is not supported in alarms.');
  }
  const reads: QueryReads = { ...place, readRange: async () => [], listMetrics: async () => [], budget: { points: 0 }, run: runAtOnce };
  const [result] = await evaluateQueries(reads, queries, instant(place.now - 60_000), place.now);
  if (result?.series.length !== 1) throw invalid('The expression of an alarm must return exactly one time series.');
  return periodOfQueries(queries);
}

function searches(expression: string): boolean {
  try {
    return partsOf(parse(expression)).some((part) => part.kind === 'call' && part.name === 'SEARCH');
  } catch (error) {
    // The evaluation reports invalid expressions.
    if (error instanceof MathError) return false;
    throw error;
  }
}

/** Returns the points of the watched query in [start, end), oldest first. `start` is at a full minute, or at a full period below a minute. */
export async function pointsOfQueries(
  reads: Omit<QueryReads, 'listMetrics'>,
  queries: readonly MetricDataQuery[],
  start: number,
  end: number,
): Promise<readonly AlarmPoint[]> {
  const [result] = await evaluateQueries({ ...reads, listMetrics: async () => [] }, queries, instant(start), instant(end));
  const { times = [], values = [] } = result?.series[0] ?? {};
  return times.map((at, i) => ({ at, value: values[i] as number }));
}

function invalid(message: string): Error {
  return new AwsError('ValidationException', message);
}
