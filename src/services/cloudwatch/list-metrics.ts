import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import type { CloudwatchApi, DimensionFilter } from '#model/generated/cloudwatch.ts';
import type { DeclaredOperation } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { type MetricFilter, type MetricRecord, metrics } from './tables/metrics.ts';

type Api = CloudwatchApi['ListMetrics'];

/** Source: cloudwatch 2010-08-01, ListMetrics: 500 results on a page; metrics without samples for two weeks are not listed. */
const PAGE = 500;
const LISTED_MS = 14 * DAY_MS;
const RECENT_MS = 3 * HOUR_MS;
/** Maximum number of metrics, and of characters of their dimensions, that one page reads. A page with fewer matches ends early, with a token. */
const READ_MAX = 2_000;
const CHARACTERS_MAX = 2 ** 20;
/** A metric has at most some 38 kB. */
const READ_AT_ONCE = 100;

/**
 * Lists metrics with recent samples, in the order of namespaces, names and internal IDs.
 *
 * `OwningAccount` and `IncludeLinkedAccounts` need a monitoring account. Source accounts cannot be linked here, so the caller's own
 * account is the only one.
 *
 * @throws InvalidParameterValueException  the token is invalid, or `OwningAccount` is another account. Assumed: the message
 */
export const listMetrics: DeclaredOperation<Api['input'], Api['output']> = {
  async handle(call, { Namespace, MetricName, Dimensions = [], NextToken, RecentlyActive, OwningAccount, IncludeLinkedAccounts }) {
    if (OwningAccount !== undefined && OwningAccount !== call.accountId)
      throw new AwsError('InvalidParameterValueException', `The account ${OwningAccount.slice(0, 64)} is not linked to this account.`);
    const since = call.now - (RecentlyActive === undefined ? LISTED_MS : RECENT_MS);
    const matches = (metric: MetricRecord) =>
      metric.activeAt >= since && (MetricName === undefined || metric.metricName === MetricName) && hasDimensions(metric, Dimensions);
    const filter = { accountId: call.accountId, region: call.region, namespace: Namespace, metricName: MetricName };
    const after = placeOf(NextToken);
    const page = await pageOf((more, limit) => call.tx.of(metrics).list({ ...filter, after: more }, limit), after, matches);
    return {
      Metrics: page.found.map(({ namespace, metricName, dimensions }) => ({
        Namespace: namespace,
        MetricName: metricName,
        Dimensions: dimensions,
      })),
      ...(page.last !== undefined && { NextToken: tokenOf(page.last) }),
      ...(IncludeLinkedAccounts === true && { OwningAccounts: page.found.map(({ accountId }) => accountId) }),
    };
  },
};

/** Reports whether a metric has all dimensions of a filter. A filter without a value matches any value. */
export function hasDimensions({ dimensions }: MetricRecord, filter: readonly DimensionFilter[]): boolean {
  return filter.every(({ Name, Value }) => dimensions.some((each) => each.Name === Name && (Value === undefined || each.Value === Value)));
}

type After = MetricFilter['after'];

async function pageOf(
  read: (after: After, limit: number) => Promise<readonly MetricRecord[]>,
  first: After,
  matches: (metric: MetricRecord) => boolean,
): Promise<{ readonly found: readonly MetricRecord[]; readonly last: After | undefined }> {
  const found: MetricRecord[] = [];
  let after = first;
  let characters = 0;
  for (let reads = 0; reads < READ_MAX && characters < CHARACTERS_MAX; reads += READ_AT_ONCE) {
    const batch = await read(after, READ_AT_ONCE);
    for (const [i, metric] of batch.entries()) {
      after = [metric.namespace, metric.metricName, metric.metricId];
      characters += metric.dimensions.reduce((sum, { Name, Value }) => sum + Name.length + Value.length, 0);
      if (!matches(metric)) continue;
      found.push(metric);
      if (found.length === PAGE) return { found, last: i === batch.length - 1 && batch.length < READ_AT_ONCE ? undefined : after };
    }
    if (batch.length < READ_AT_ONCE) return { found, last: undefined };
  }
  return { found, last: after };
}

const tokenOf = (after: After): string => Buffer.from(JSON.stringify(after)).toString('base64url');

/** The server authenticates tokens, so a token here is one of its own. */
function placeOf(token: string | undefined): After {
  return token === undefined ? ['', '', ''] : (JSON.parse(Buffer.from(token, 'base64url').toString()) as After);
}
