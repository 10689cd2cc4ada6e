import { setImmediate as nextTurn } from 'node:timers/promises';
import { instant } from '#core/instant.ts';
import type { CloudwatchApi, MetricDataQuery, MetricDataResult } from '#model/generated/cloudwatch.ts';
import type { DeclaredOperation } from '../kit/operation.ts';
import { runInTurns } from '../kit/turns.ts';
import { AwsError } from './errors.ts';
import { READ_MAX } from './get-metric-statistics.ts';
import { type Labelled, labelled, requireLabels } from './labels.ts';
import { evaluateQueries, type QueryResult } from './queries.ts';
import { isPeriod } from './ranges.ts';
import { statOf } from './stat.ts';
import { readingIn } from './statistics.ts';
import { metrics } from './tables/metrics.ts';

type Api = CloudwatchApi['GetMetricData'];

/** Source: cloudwatch 2010-08-01, GetMetricData. */
const QUERIES_MAX = 500;
const POINTS_MAX = 100_800;

/**
 * Returns the points of metrics and expressions, the newest first by default. `EndTime` is not part of the range.
 *
 * A page has at most `MaxDatapoints` points. The status of a result that continues on the next page is `PartialData`.
 *
 * @throws ValidationError  the queries or the range are invalid
 * @throws Throttling       the queries read more than 150,000 stored points
 *
 * Source: events.md §4.2. Assumed: the messages.
 */
export const getMetricData: DeclaredOperation<Api['input'], Api['output']> = {
  async handle(call, { MetricDataQueries, StartTime, EndTime, ScanBy, LabelOptions, MaxDatapoints = POINTS_MAX, NextToken }) {
    requireValidQueries(MetricDataQueries, call.accountId);
    const timezone = LabelOptions?.Timezone;
    requireLabels(
      MetricDataQueries.map(({ Label }) => Label),
      timezone,
    );
    if (StartTime >= EndTime) throw invalid('The parameter StartTime must be less than the parameter EndTime.');
    if (MaxDatapoints < 1 || MaxDatapoints > POINTS_MAX) throw invalid(`The parameter MaxDatapoints must be between 1 and ${POINTS_MAX}.`);
    const { accountId, region, now } = call;
    const results = call.survey('points', async (store) => {
      const evaluated = await evaluateQueries(
        {
          accountId,
          region,
          now,
          readRange: readingIn(store),
          async listMetrics(...list) {
            await nextTurn();
            return await store.transaction((tx) => tx.of(metrics).list(...list));
          },
          budget: { points: READ_MAX },
          run: runInTurns,
        },
        MetricDataQueries,
        StartTime,
        EndTime,
      );
      return await runInTurns(labelled(evaluated, { accountId, region, now, timezone: timezone ?? '+0000' }));
    });
    const all = results.map((result) => resultOf(result, ScanBy === 'TimestampAscending'));
    const { page, next } = pageOf(all, MaxDatapoints, NextToken);
    return { MetricDataResults: page, Messages: [], ...(next !== undefined && { NextToken: next }) };
  },
};

/** @throws ValidationError  a query is invalid: the first error in the order of the queries */
export function requireValidQueries(queries: readonly MetricDataQuery[], accountId: string): void {
  if (queries.length === 0) throw invalid('The collection MetricDataQueries must not be empty.');
  if (queries.length > QUERIES_MAX) throw invalid(`The collection MetricDataQueries must not have a size greater than ${QUERIES_MAX}.`);
  const ids = new Set<string>();
  for (const [i, { Id, MetricStat, Expression, Period, AccountId }] of queries.entries()) {
    const name = `MetricDataQueries.member.${i + 1}`;
    if (!/^[a-z][a-zA-Z0-9_]*$/.test(Id))
      throw invalid(`The value ${Id} for parameter ${name}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.`);
    if (ids.has(Id)) throw invalid(`The values for parameter Id in MetricDataQueries are not unique: ${Id}.`);
    ids.add(Id);
    if (MetricStat !== undefined && Expression !== undefined)
      throw invalid(`The parameters ${name}.MetricStat and ${name}.Expression are mutually exclusive and you have specified both.`);
    if (MetricStat === undefined && Expression === undefined)
      throw invalid(`Either the parameter ${name}.MetricStat or ${name}.Expression must be specified.`);
    if (Expression !== undefined && /^\s*SELECT\b/i.test(Expression))
      throw new AwsError('NotYetImplementedException', 'Queries of Metrics Insights are not implemented yet.');
    if (AccountId !== undefined && AccountId !== accountId) throw invalid(`The account ${AccountId} is not linked to this account.`);
    if (Period !== undefined && !isPeriod(Period)) throw invalidPeriod(name);
    if (MetricStat === undefined) continue;
    const { Metric, Period: period, Stat } = MetricStat;
    if (Metric.Namespace === undefined) throw invalid(`The parameter ${name}.MetricStat.Metric.Namespace is required.`);
    if (Metric.MetricName === undefined) throw invalid(`The parameter ${name}.MetricStat.Metric.MetricName is required.`);
    if (!isPeriod(period)) throw invalidPeriod(`${name}.MetricStat`);
    if (statOf(Stat) === undefined)
      throw invalid(`The value ${Stat.slice(0, 128)} for parameter ${name}.MetricStat.Stat is not supported.`);
  }
}

function resultOf({ label, times, values, result: { query, messages } }: Labelled<QueryResult>, ascending: boolean): MetricDataResult {
  return {
    Id: query.Id,
    Label: label,
    Timestamps: (ascending ? times : times.toReversed()).map(instant),
    Values: ascending ? values : values.toReversed(),
    StatusCode: 'Complete',
    ...(messages.length > 0 && { Messages: messages }),
  };
}

/** Returns a page of results. The token has the index of a result and the number of its points that were returned before. */
function pageOf(
  all: readonly MetricDataResult[],
  size: number,
  token = '0.0',
): { readonly page: readonly MetricDataResult[]; readonly next?: string } {
  const [first = 0, skipped = 0] = token.split('.').map(Number);
  const page: MetricDataResult[] = [];
  let left = size;
  for (let i = first; i < all.length; i++) {
    const result = all[i] as MetricDataResult;
    const from = i === first ? skipped : 0;
    const count = result.Values?.length ?? 0;
    if (left === 0) return { page, next: `${i}.0` };
    const to = Math.min(count, from + left);
    left -= to - from;
    const isPartial = to < count;
    page.push({
      ...result,
      Timestamps: result.Timestamps?.slice(from, to) ?? [],
      Values: result.Values?.slice(from, to) ?? [],
      StatusCode: isPartial ? 'PartialData' : 'Complete',
    });
    if (isPartial) return { page, next: `${i}.${to}` };
  }
  return { page };
}

function invalidPeriod(name: string): AwsError {
  return invalid(`The parameter ${name}.Period must be a multiple of 60.`);
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
