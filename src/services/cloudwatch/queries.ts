/** Evaluation of metric data queries: statistics of metrics and expressions on them. GetMetricData and alarms use it. */
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import type { MessageData, MetricDataQuery, MetricStat } from '#model/generated/cloudwatch.ts';
import type { InTurns } from '../kit/turns.ts';
import { AwsError } from './errors.ts';
import { isDynamic } from './labels.ts';
import { evaluated, SERIES_MAX, type Surroundings, searchOf } from './math/evaluate.ts';
import { type Expression, parse, partsOf } from './math/parse.ts';
import { compiledSearch } from './math/search.ts';
import { type Budget, MathError, type MathValue, newBudget, type Series, seriesIn, spend, turn } from './math/series.ts';
import { roundedStart } from './ranges.ts';
import { formOf, statOf } from './stat.ts';
import { invalidStat, type MetricName, type Period, type ReadRange, readPeriods } from './statistics.ts';
import type { MetricFilter, MetricRecord } from './tables/metrics.ts';

/** Functions that read for queries, and the time of the request. */
export interface QueryReads {
  readonly accountId: AccountId;
  readonly region: string;
  readonly now: Instant;
  readonly readRange: ReadRange;
  readonly listMetrics: (filter: MetricFilter, limit: number) => Promise<readonly MetricRecord[]>;
  /** Number of stored points that may still be read. */
  readonly budget: { points: number };
  /** Runs the evaluation of expressions: `runInTurns`, or `runAtOnce` if it is known to be short. */
  readonly run: <T>(work: InTurns<T>) => T | Promise<T>;
}

/** First time, and the first time that is not part of the range. */
type TimeRange = readonly [start: Instant, end: Instant];

/** Result of a query. The expression of a query can have several series. */
export interface QueryResult {
  readonly query: MetricDataQuery;
  readonly series: readonly Series[];
  readonly messages: readonly MessageData[];
}

/** Maximum number of different searches of a request. Assumed: the number. */
const SEARCHES_MAX = 20;
/** Maximum number of metrics that a search examines. Source: CloudWatch User Guide, "CloudWatch search expression quotas": 10,000. */
const EXAMINED_MAX = 10_000;
/** A metric has at most some 38 kB, so that one statement takes some 20 ms. */
const LIST_AT_ONCE = 100;
/** Metrics without samples for this time are not found. Source: the same guide, "CloudWatch search expression syntax". */
const SEARCHED_MS = 14 * DAY_MS;
/** Assumed: the default period of SEARCH. */
const SEARCH_PERIOD = 300;
/** Period of expressions without a metric. Assumed: the number. */
const DEFAULT_PERIOD = 60;

/**
 * Evaluates queries, in their order, for periods that start in [start, end). Evaluates those without `ReturnData` too, but omits them
 * from the result. The queries have valid IDs and statistics.
 *
 * @throws AwsError ValidationError  an expression is invalid, or its result is not a time series
 * @throws AwsError Throttling       the queries read more points than the budget
 */
export async function evaluateQueries(
  reads: QueryReads,
  queries: readonly MetricDataQuery[],
  start: Instant,
  end: Instant,
): Promise<readonly QueryResult[]> {
  const expressions = new Map<string, Expression>();
  for (const { Id, Expression } of queries)
    if (Expression !== undefined)
      expressions.set(
        Id,
        inExpression(Id, () => parse(Expression)),
      );
  const work = newBudget();
  const searched = await searches(reads, expressions, work, [start, end]);
  const measured = new Map<string, Measured>();
  const labels = labelsOf(queries);
  for (const { Id, MetricStat } of queries)
    if (MetricStat !== undefined) measured.set(Id, await measuredBy(reads, MetricStat, labels.get(Id) ?? '', [start, end]));
  const resolve = resolver(queries, expressions, measured, work, {
    searched: (search, stat, period) => searched.get(searchKey(search, stat, period)) ?? [],
    rangeOf: (period) => ({ from: roundedStart(start, period, reads.now), to: end, period }),
  });
  return await reads.run(resultsOf(queries, measured, resolve));
}

/** Returns the results of the queries that return data. */
function* resultsOf(
  queries: readonly MetricDataQuery[],
  measured: ReadonlyMap<string, Measured>,
  resolve: Surroundings['query'],
): InTurns<readonly QueryResult[]> {
  const results: QueryResult[] = [];
  for (const query of queries) {
    if (query.ReturnData === false) continue;
    const value = yield* resolve(query.Id);
    if (value.kind === 'scalar')
      throw inExpressionError(query.Id, 'The result of the expression must be a time series or an array of time series.');
    results.push({ query, series: seriesIn(value), messages: measured.get(query.Id)?.messages ?? [] });
  }
  return results;
}

interface Measured {
  readonly series: Series;
  readonly messages: readonly MessageData[];
}

interface ResolverParts {
  readonly searched: Surroundings['searched'];
  readonly rangeOf: (period: number) => Surroundings['grid'];
}

/** Returns the function that evaluates a query once, with the queries that its expression names. */
function resolver(
  queries: readonly MetricDataQuery[],
  expressions: ReadonlyMap<string, Expression>,
  measured: ReadonlyMap<string, Measured>,
  budget: Budget,
  { searched, rangeOf }: ResolverParts,
): Surroundings['query'] {
  const known = new Map<string, MathValue>();
  const open = new Set<string>();
  const metrics = [...measured].map(([id, { series }]) => ({ id, series }));
  const shortest = metrics.length === 0 ? DEFAULT_PERIOD : Math.min(...metrics.map(({ series }) => series.period));
  const periods = new Map(queries.map(({ Id, Period }) => [Id, Period ?? shortest]));

  return function* resolve(id) {
    const found = measured.get(id);
    if (found !== undefined) return { kind: 'series', series: found.series };
    const present = known.get(id);
    if (present !== undefined) return present;
    const expression = expressions.get(id);
    if (expression === undefined) throw new MathError(`Undefined variable '${id.slice(0, 64)}'.`);
    if (open.has(id)) throw new MathError(`The expression refers to itself through '${id}'.`);
    open.add(id);
    const grid = rangeOf(periods.get(id) ?? shortest);
    const value = yield* turnsInExpression(id, evaluated(expression, { grid, query: resolve, metrics, searched, budget }));
    open.delete(id);
    known.set(id, value);
    return value;
  };
}

/** Reads the points of a metric. If its samples have several units, the points of one unit, and a message. */
async function measuredBy(reads: QueryReads, metricStat: MetricStat, label: string, range: TimeRange): Promise<Measured> {
  const { Metric, Period, Stat, Unit } = metricStat;
  const { Namespace = '', MetricName = '', Dimensions } = Metric;
  const periods = await periodsOf(reads, { Namespace, MetricName, Dimensions, Unit, Period }, Stat, range);
  const units = [...new Set(periods.map(({ unit }) => unit))].sort();
  const messages = units.length < 2 ? [] : [{ Code: 'MultipleUnits', Value: `Multiple units returned: '[${units.join(', ')}]'` }];
  return { series: seriesOf(periods, units[0], Period, { label, metric: metricStat }), messages };
}

function periodsOf(reads: QueryReads, metric: Omit<MetricName, 'accountId' | 'region'>, statName: string, [start, end]: TimeRange) {
  const stat = statOf(statName);
  if (stat === undefined) throw invalidStat(statName);
  const { accountId, region, now, readRange, budget } = reads;
  const range = [roundedStart(start, metric.Period, now), end] as const;
  return readPeriods(readRange, { accountId, region, ...metric }, range, formOf(statName), stat, { now, budget });
}

/** Returns the series of the points with a unit. */
function seriesOf(
  periods: readonly Period<number | undefined>[],
  unit: string | undefined,
  period: number,
  named: Pick<Series, 'label' | 'metric'>,
): Series {
  const times: number[] = [];
  const values: number[] = [];
  for (const { at, unit: own, result } of periods) {
    if (own !== unit || result === undefined) continue;
    times.push(at);
    values.push(result);
  }
  return { ...named, period, times, values };
}

/**
 * Returns the labels of queries: that of the request, or the metric name, followed by the statistic and the period if other queries of
 * metrics would have the same label. Ignores dynamic labels of the request, which need the points.
 *
 * Source: events.md §4.2.
 */
function labelsOf(queries: readonly MetricDataQuery[]): ReadonlyMap<string, string> {
  const forms = queries.flatMap(({ Id, Label, MetricStat }) => {
    if (MetricStat === undefined) return [];
    const name = MetricStat.Metric.MetricName ?? '';
    const own = Label === undefined || isDynamic(Label) ? undefined : Label;
    return [{ Id, own, forms: [name, `${name} ${MetricStat.Stat}`, `${name} ${MetricStat.Stat} ${MetricStat.Period}`] as const }];
  });
  const counts = new Map<string, number>();
  for (const { forms: each } of forms) for (const form of each) counts.set(form, (counts.get(form) ?? 0) + 1);
  return new Map(
    forms.map(({ Id, own, forms: each }) => [Id, own ?? each.find((form) => counts.get(form) === 1) ?? sameLabel(each, counts)]),
  );
}

/** Returns the label of queries that no form tells apart: the shortest form, because a longer one does not help. */
function sameLabel(forms: readonly [string, string, string], counts: ReadonlyMap<string, number>): string {
  return forms.find((form) => counts.get(form) === counts.get(forms[2])) ?? forms[0];
}

/** Runs every search of the expressions once. */
async function searches(
  reads: QueryReads,
  expressions: ReadonlyMap<string, Expression>,
  work: Budget,
  range: TimeRange,
): Promise<ReadonlyMap<string, readonly Series[]>> {
  const found = new Map<string, readonly Series[]>();
  for (const [id, expression] of expressions) {
    for (const part of partsOf(expression)) {
      if (part.kind !== 'call' || part.name !== 'SEARCH') continue;
      const { search, stat, period } = inExpression(id, () => searchOf(part.parameters));
      const key = searchKey(search, stat, period);
      if (found.has(key)) continue;
      if (found.size >= SEARCHES_MAX) throw inExpressionError(id, `A request can have at most ${SEARCHES_MAX} searches.`);
      if (statOf(stat) === undefined) throw inExpressionError(id, `The statistic '${stat.slice(0, 64)}' is not supported.`);
      const metrics = await metricsFound(reads, id, search, work);
      found.set(key, await seriesFound(reads, metrics, stat, period ?? SEARCH_PERIOD, range));
    }
  }
  return found;
}

const searchKey = (search: string, stat: string, period: number | undefined): string => JSON.stringify([search, stat, period]);

/** Comparisons of a term with a text that cost as much as a point of a result. */
const COMPARISONS_PER_POINT = 2;

/** Returns the metrics that a search finds. */
async function metricsFound(reads: QueryReads, id: string, search: string, work: Budget): Promise<readonly MetricRecord[]> {
  const { accountId, region, now } = reads;
  const { matches, terms } = inExpression(id, () => compiledSearch(search));
  const found: MetricRecord[] = [];
  function* select(page: readonly MetricRecord[]): InTurns<void> {
    for (const metric of page) {
      if (metric.activeAt < now - SEARCHED_MS) continue;
      const points = Math.ceil(((terms + 2) * (2 + 2 * metric.dimensions.length)) / COMPARISONS_PER_POINT);
      spend(work, points);
      yield* turn(work, points);
      if (matches(metric)) found.push(metric);
    }
  }

  let after: MetricFilter['after'] = ['', '', ''];
  for (let examined = 0; examined < EXAMINED_MAX; examined += LIST_AT_ONCE) {
    const page = await reads.listMetrics({ accountId, region, after }, LIST_AT_ONCE);
    await reads.run(turnsInExpression(id, select(page)));
    const last = page.at(-1);
    if (last === undefined || page.length < LIST_AT_ONCE || found.length >= SERIES_MAX) break;
    after = [last.namespace, last.metricName, last.metricId];
  }
  return found.slice(0, SERIES_MAX);
}

/** Reads the series of metrics. A metric with several units has the points of that of its first period. */
async function seriesFound(
  reads: QueryReads,
  found: readonly MetricRecord[],
  stat: string,
  period: number,
  range: TimeRange,
): Promise<readonly Series[]> {
  const series: Series[] = [];
  for (const { namespace, metricName, dimensions } of found) {
    const periods = await periodsOf(
      reads,
      { Namespace: namespace, MetricName: metricName, Dimensions: dimensions, Period: period },
      stat,
      range,
    );
    const label = [metricName, ...dimensions.map(({ Value }) => Value)].join(' ');
    const Metric = { Namespace: namespace, MetricName: metricName, Dimensions: dimensions };
    series.push(seriesOf(periods, periods[0]?.unit, period, { label, metric: { Metric, Stat: stat } }));
  }
  return series;
}

/** Runs the turns of an expression. Converts its error to the error for the client. */
function* turnsInExpression<T>(id: string, work: InTurns<T>): InTurns<T> {
  try {
    return yield* work;
  } catch (error) {
    throw error instanceof MathError ? inExpressionError(id, error.message) : error;
  }
}

/** Runs a step of an expression. Converts its error to the error for the client. */
function inExpression<T>(id: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof MathError ? inExpressionError(id, error.message) : error;
  }
}

/** Returns the error for an expression. Assumed: the message. */
function inExpressionError(id: string, message: string): AwsError {
  return new AwsError('ValidationException', `Error in expression '${id.slice(0, 255)}': ${message}`);
}
