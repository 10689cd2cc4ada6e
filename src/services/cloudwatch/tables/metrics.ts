/** Metrics and their points (Decision 0034). */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Dimension } from '#model/generated/cloudwatch.ts';
import type { Sql, SqlValue } from '#store/sql.ts';
import { countOf, instant, int, json, type Row, table, text, textOf } from '#store/table.ts';

/** Metrics. Each has received samples. */
export const METRIC = table('metric', {
  columns: {
    /** Hash of the members that identify the metric: see `metricIdOf`. */
    metricId: text,
    accountId: textOf<AccountId>(),
    region: text,
    namespace: text,
    metricName: text,
    dimensions: json<readonly Dimension[]>(),
    /** Time of the last request with samples, exact to a minute. */
    activeAt: instant,
  },
  key: ['metricId'],
  // In the order of hashes, each new metric with long dimensions would change two other pages.
  clustered: false,
  indexes: [['accountId', 'region', 'namespace', 'metricName', 'metricId'], ['activeAt']],
});
export type MetricRecord = Row<typeof METRIC>;

/** Samples of one metric and unit in one period, as a summary. Periods of different lengths never have the same samples. */
export const METRIC_POINT = table('metric_point', {
  columns: {
    metricId: text,
    startAt: instant,
    /** Seconds: 1, 60, 300 or 3,600. */
    period: int,
    unit: text,
    /** See `toStored` in `summary.ts`. */
    summary: text,
  },
  key: ['metricId', 'startAt', 'period', 'unit'],
  indexes: [['period', 'startAt']],
});
export type PointRecord = Row<typeof METRIC_POINT>;

/** Members that identify a point. */
export type PointKey = Omit<PointRecord, 'summary'>;

/** Filter of a list of metrics, and the metric after which it begins. */
export interface MetricFilter {
  readonly accountId: AccountId;
  readonly region: string;
  readonly namespace?: string | undefined;
  readonly metricName?: string | undefined;
  readonly after: readonly [namespace: string, metricName: string, metricId: string];
}

/** Number of rows that one statement reads or writes. Two sizes keep the number of different statements small. */
const BATCHES = [64, 8, 1] as const;

const SELECT_METRIC = BATCHES.map((size) => `SELECT ${METRIC.names} FROM metric WHERE metric_id IN (${placeholders(1, size)})`);
const KEY_NAMES = ['metric_id', 'start_at_ms', 'period', 'unit'] as const;
const SELECT_POINT = BATCHES.map(
  (size) =>
    `SELECT ${METRIC_POINT.names} FROM metric_point WHERE ${Array.from(
      { length: size },
      (_, row) => `(${KEY_NAMES.map((name, i) => `${name} = $${row * KEY_NAMES.length + i + 1}`).join(' AND ')})`,
    ).join(' OR ')}`,
);
const PUT_POINT = BATCHES.map(
  (size) =>
    `INSERT INTO metric_point (${METRIC_POINT.names}) VALUES ${Array.from(
      { length: size },
      (_, row) => `(${placeholders(row * 5 + 1, 5)})`,
    ).join(', ')} ON CONFLICT (metric_id, start_at_ms, period, unit) DO UPDATE SET summary = excluded.summary`,
);
const TOUCH = BATCHES.map((size) => `UPDATE metric SET active_at_ms = $1 WHERE metric_id IN (${placeholders(2, size)})`);
const COUNT = 'SELECT COUNT(*) AS count FROM (SELECT 1 FROM metric WHERE account_id = $1 AND region = $2 LIMIT $3) AS counted';
const RANGE = `SELECT ${METRIC_POINT.names} FROM metric_point WHERE metric_id = $1 AND start_at_ms >= $2 AND start_at_ms < $3
  ORDER BY start_at_ms, period, unit LIMIT $4`;
const EXPIRED = `SELECT ${METRIC_POINT.names} FROM metric_point WHERE period = $1 AND start_at_ms < $2 ORDER BY start_at_ms LIMIT $3`;
const FORGET_METRICS = `DELETE FROM metric WHERE metric_id IN (SELECT metric_id FROM metric WHERE active_at_ms < $1 ORDER BY active_at_ms LIMIT $2)`;
const LIST = 'WHERE account_id = $1 AND region = $2';
const ORDER = 'ORDER BY namespace, metric_name, metric_id';
const LIST_ALL = `SELECT ${METRIC.names} FROM metric ${LIST} AND (namespace, metric_name, metric_id) > ($3, $4, $5) ${ORDER} LIMIT $6`;
const LIST_NAMESPACE = `SELECT ${METRIC.names} FROM metric ${LIST} AND namespace = $3 AND (metric_name, metric_id) > ($4, $5) ${ORDER} LIMIT $6`;
const LIST_NAME = `SELECT ${METRIC.names} FROM metric ${LIST} AND namespace = $3 AND metric_name = $4 AND metric_id > $5 ${ORDER} LIMIT $6`;

/** Metrics of all accounts. */
export interface Metrics {
  /** Returns the metrics with these IDs, in no order. */
  byIds(metricIds: readonly string[]): Promise<readonly MetricRecord[]>;
  /** Adds metrics. */
  add(metrics: readonly MetricRecord[]): Promise<void>;
  /** Sets the time of the last samples of metrics. */
  touch(metricIds: readonly string[], activeAt: Instant): Promise<void>;
  /** Returns the number of metrics of an account in a region, at most `most`. */
  countOf(accountId: AccountId, region: string, most: number): Promise<number>;
  /** Lists metrics after `after`, in the order of namespaces, names and IDs. A filter by name needs a namespace to be fast. */
  list(filter: MetricFilter, limit: number): Promise<readonly MetricRecord[]>;
  /** Returns points, in no order. */
  points(keys: readonly PointKey[]): Promise<readonly PointRecord[]>;
  /** Stores points. Replaces points with the same keys. No two points may have the same key. */
  putPoints(points: readonly PointRecord[]): Promise<void>;
  /** Returns the points of a metric that start in [from, to), in the order of their starts, periods and units. */
  range(metricId: string, from: Instant, to: Instant, limit: number): Promise<readonly PointRecord[]>;
  /** Returns the oldest points with this period that start before `before`. */
  expired(period: number, before: Instant, limit: number): Promise<readonly PointRecord[]>;
  removePoint(key: PointKey): Promise<void>;
  /** Deletes metrics without samples since `before`. Returns their number. */
  forget(before: Instant, limit: number): Promise<number>;
}

/** Opens the metrics on the connection of a transaction. */
export function metrics(sql: Sql): Metrics {
  const keyValues = (key: PointKey): SqlValue[] => [key.metricId, key.startAt, key.period, key.unit];
  return {
    async byIds(metricIds) {
      const found: MetricRecord[] = [];
      for (const [batch, size] of batchesOf(metricIds)) found.push(...(await METRIC.rows(sql, SELECT_METRIC[size] as string, batch)));
      return found;
    },
    async add(added) {
      await METRIC.addAll(sql, added);
    },
    async touch(metricIds, activeAt) {
      for (const [batch, size] of batchesOf(metricIds)) await sql.run(TOUCH[size] as string, [activeAt, ...batch]);
    },
    countOf: (accountId, region, most) => countOf(sql, COUNT, [accountId, region, most]),
    list({ accountId, region, namespace, metricName, after }, limit) {
      const [afterNamespace, afterName, afterId] = after;
      if (namespace === undefined) return METRIC.rows(sql, LIST_ALL, [accountId, region, ...after, limit]);
      const isAfter = afterNamespace === namespace;
      if (metricName === undefined)
        return METRIC.rows(sql, LIST_NAMESPACE, [accountId, region, namespace, isAfter ? afterName : '', isAfter ? afterId : '', limit]);
      const from = isAfter && afterName === metricName ? afterId : '';
      return METRIC.rows(sql, LIST_NAME, [accountId, region, namespace, metricName, from, limit]);
    },
    async points(keys) {
      const found: PointRecord[] = [];
      for (const [batch, size] of batchesOf(keys))
        found.push(...(await METRIC_POINT.rows(sql, SELECT_POINT[size] as string, batch.flatMap(keyValues))));
      return found;
    },
    async putPoints(points) {
      for (const [batch, size] of batchesOf(points))
        await sql.run(
          PUT_POINT[size] as string,
          batch.flatMap((point) => [...keyValues(point), point.summary]),
        );
    },
    range: (metricId, from, to, limit) => METRIC_POINT.rows(sql, RANGE, [metricId, from, to, limit]),
    expired: (period, before, limit) => METRIC_POINT.rows(sql, EXPIRED, [period, before, limit]),
    async removePoint({ metricId, startAt, period, unit }) {
      await METRIC_POINT.remove(sql, metricId, startAt, period, unit);
    },
    forget: (before, limit) => sql.run(FORGET_METRICS, [before, limit]),
  };
}

/** Cuts a list into batches of the sizes in `BATCHES`. Returns each batch with the index of its size. */
function* batchesOf<Item>(items: readonly Item[]): Generator<readonly [batch: readonly Item[], size: number]> {
  let at = 0;
  for (const [size, length] of BATCHES.entries()) {
    for (; items.length - at >= length; at += length) yield [items.slice(at, at + length), size];
  }
}

function placeholders(from: number, count: number): string {
  return Array.from({ length: count }, (_, i) => `$${from + i}`).join(', ');
}
