/** Samples and points of metrics, for operations, alarms and other parts of the server. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountId } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Dimension, MetricDatum, StandardUnit } from '#model/generated/cloudwatch.ts';
import type { Store, Tx } from '#store/store.ts';
import { AwsError } from './errors.ts';
import { inNameOrder, type MetricIdentity, metricIdOf } from './metric-identity.ts';
import { RESOLUTIONS, resolutionAt } from './retention.ts';
import { fromStored, merged, type StoredForm, type Summary, summaryOf, toStored } from './summary.ts';
import { type MetricRecord, metrics, type PointKey, type PointRecord } from './tables/metrics.ts';

/** One metric, as requests identify it. */
export interface MetricName {
  readonly accountId: AccountId;
  readonly region: string;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly Dimension[] | undefined;
  /** Unit of the samples. Default: samples of every unit, as points of their own. */
  readonly Unit?: StandardUnit | undefined;
  /** Seconds. */
  readonly Period: number;
}

/** Returns the error for an unknown statistic. Assumed: the message. */
export function invalidStat(stat: string): AwsError {
  return new AwsError('InvalidParameterValueException', `The value ${stat.slice(0, 128)} for the statistic is not supported.`);
}

/** Number of points that one statement reads. The largest have 6 kB each, and take some 20 ms. */
const POINTS_AT_ONCE = 500;
/** Size of a stored point, in characters, that counts as one more point of the budget. */
const CHARACTERS_PER_POINT = 1_024;

/** Number of summaries of a period that are merged at once, so that few are in memory. */
const PARTS_MAX = 64;

/** Reads stored points: see `Metrics.range`. */
export type ReadRange = (metricId: string, from: Instant, to: Instant, limit: number) => Promise<readonly PointRecord[]>;

/** Returns a function that reads stored points in transactions of a store. Other requests run before each of them. */
export function readingIn(store: Pick<Store, 'transaction'>): ReadRange {
  return async (...range) => {
    await nextTurn();
    return await store.transaction((tx) => tx.of(metrics).range(...range));
  };
}

/** Options of reads. */
export interface Reading {
  /** Reads points as if those that are old enough were already merged into longer periods. Default: reads the stored periods. */
  readonly now?: Instant;
  /** Number of stored points that may still be read. The function reduces it. A large point counts as several. */
  readonly budget?: { points: number };
}

/** A period with the result of `of` for its samples of one unit. */
export interface Period<Result> {
  /** Start of the period, in milliseconds. */
  readonly at: number;
  readonly unit: StandardUnit;
  readonly result: Result;
}

/**
 * Returns the result of `of` for the samples of a metric in [fromMs, toMs), one for each period and unit, in order of time and unit. The
 * first period starts at `fromMs`. Omits samples that are stored for a longer period than `Period`, or for one that does not divide it.
 * At most 64 points of each unit are in memory at a time. `form` is 'numbers' if `of` does not read `Summary.values`.
 *
 * @throws AwsError Throttling  there are more points than `budget`
 */
export async function readPeriods<Result>(
  readRange: ReadRange,
  metric: MetricName,
  [fromMs, toMs]: readonly [number, number],
  form: StoredForm,
  of: (summary: Summary) => Result,
  { now, budget }: Reading = {},
): Promise<readonly Period<Result>[]> {
  const { accountId, region, Namespace: namespace, MetricName: metricName, Dimensions, Unit, Period } = metric;
  const metricId = metricIdOf({ accountId, region, namespace, metricName, dimensions: inNameOrder(Dimensions) });
  const length = Period * 1_000;
  const results: Period<Result>[] = [];
  let current = fromMs;
  let units = new Map<StandardUnit, Summary[]>();
  function endPeriod(): void {
    for (const unit of [...units.keys()].sort()) results.push({ at: current, unit, result: of(merged(units.get(unit) as Summary[])) });
    units = new Map();
  }

  let from = fromMs;
  for (let more = true; more && from < toMs; ) {
    const read = await readRange(metricId, instant(from), instant(toMs), POINTS_AT_ONCE);
    more = read.length === POINTS_AT_ONCE;
    // The next statement reads all points with the last start again.
    const lastStart = read.at(-1)?.startAt ?? toMs;
    if (budget !== undefined) {
      budget.points -= read.reduce((sum, { summary }) => sum + 1 + Math.floor(summary.length / CHARACTERS_PER_POINT), 0);
      if (budget.points < 0) throw new AwsError('Throttling', 'Rate exceeded');
    }
    for (const { startAt, period, unit: stored, summary } of read) {
      if (more && startAt === lastStart) break;
      const unit = stored as StandardUnit;
      const kept = now === undefined ? period : Math.max(period, resolutionAt(startAt, now));
      if (Period % kept !== 0 || (Unit !== undefined && unit !== Unit)) continue;
      const at = fromMs + Math.floor((startAt - fromMs) / length) * length;
      if (at !== current) endPeriod();
      current = at;
      const parts = units.get(unit);
      const samples = fromStored(summary, form);
      if (parts === undefined) units.set(unit, [samples]);
      else if (parts.push(samples) === PARTS_MAX) units.set(unit, [merged(parts)]);
    }
    from = lastStart;
  }
  endPeriod();
  return results;
}

/**
 * Stores samples of one namespace. `at` is the time of the request, and of samples without `Timestamp`.
 *
 * Samples are valid already: `PutMetricData` checks those of callers. The number of statements depends on the number of metrics and
 * periods, not on that of samples: three for 64 of them.
 */
export async function recordMetrics(
  tx: Tx,
  accountId: AccountId,
  region: string,
  namespace: string,
  samples: readonly MetricDatum[],
  at: Instant,
): Promise<void> {
  await storeSamples(tx, { accountId, region, namespace }, samples, at);
}

/**
 * Stores samples: see `recordMetrics`. Omits samples that are older than the retention, which no request could read.
 *
 * @throws AwsError LimitExceededFault  there would be more than `mostMetrics` metrics in the account and region. Assumed: the code and
 *   the message
 */
export async function storeSamples(
  tx: Tx,
  { accountId, region, namespace }: Pick<MetricIdentity, 'accountId' | 'region' | 'namespace'>,
  samples: readonly MetricDatum[],
  at: Instant,
  mostMetrics?: number,
): Promise<void> {
  const named = new Map<string, MetricRecord>();
  const added = new Map<string, { readonly key: PointKey; readonly parts: Summary[] }>();
  for (const sample of samples) {
    const summary = summaryOf(sample);
    if (summary === undefined) continue;
    const { MetricName: metricName, Dimensions, Timestamp = at, Unit: unit = 'None', StorageResolution = RESOLUTIONS[1].period } = sample;
    const period = Math.max(StorageResolution === 1 ? 1 : 60, resolutionAt(Timestamp, at));
    // The clock can jump between the count of a call and its storage.
    if (!Number.isFinite(period)) continue;
    const dimensions = inNameOrder(Dimensions);
    const metricId = metricIdOf({ accountId, region, namespace, metricName, dimensions });
    named.set(metricId, { metricId, accountId, region, namespace, metricName, dimensions, activeAt: at });
    const startAt = instant(Math.floor(Timestamp / (period * 1_000)) * period * 1_000);
    const place = `${metricId} ${startAt} ${period} ${unit}`;
    const point = added.get(place);
    if (point === undefined) added.set(place, { key: { metricId, startAt, period, unit }, parts: [summary] });
    else point.parts.push(summary);
  }
  await putMetrics(tx, named, at, mostMetrics);
  const stored = await tx.of(metrics).points([...added.values()].map(({ key }) => key));
  for (const { metricId, startAt, period, unit, summary } of stored)
    added.get(`${metricId} ${startAt} ${period} ${unit}`)?.parts.push(fromStored(summary));
  await tx.of(metrics).putPoints([...added.values()].map(({ key, parts }) => ({ ...key, summary: toStored(merged(parts)) })));
}

/** Interval at which the server stores the time of a metric's last samples. */
const ACTIVE_EVERY_MS = 60_000;

async function putMetrics(tx: Tx, named: ReadonlyMap<string, MetricRecord>, at: Instant, most: number | undefined): Promise<void> {
  const known = new Map((await tx.of(metrics).byIds([...named.keys()])).map((metric) => [metric.metricId, metric]));
  const fresh = [...named.values()].filter(({ metricId }) => !known.has(metricId));
  const [first] = fresh;
  if (first !== undefined && most !== undefined) {
    const count = await tx.of(metrics).countOf(first.accountId, first.region, most);
    if (count + fresh.length > most)
      throw new AwsError('LimitExceededFault', `The account has the maximum of ${most} metrics in this region.`);
  }
  await tx.of(metrics).add(fresh);
  const due = [...known.values()].filter(({ activeAt }) => at - activeAt >= ACTIVE_EVERY_MS);
  await tx.of(metrics).touch(
    due.map(({ metricId }) => metricId),
    at,
  );
}
