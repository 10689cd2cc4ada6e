import type { AccountId } from '#core/arn.ts';
import type { MetricTransformation } from '#model/generated/logs.ts';
import type { Sql } from '#store/sql.ts';
import { instant, json, type Row, table, text, textOf } from '#store/table.ts';
import { afterPrefix } from './groups.ts';

/** Metric filters of log groups. */
export const LOG_METRIC_FILTER = table('log_metric_filter', {
  columns: {
    accountId: textOf<AccountId>(),
    region: text,
    name: text,
    logGroupName: text,
    groupId: text,
    createdAt: instant,
    pattern: text,
    transformations: json<readonly MetricTransformation[]>(),
  },
  key: ['accountId', 'region', 'name', 'logGroupName'],
  indexes: [['groupId', 'name']],
});
export type MetricFilterRecord = Row<typeof LOG_METRIC_FILTER>;
type Place = Pick<MetricFilterRecord, 'accountId' | 'region'>;

/** Maximum number of metric filters of a log group. Source: CloudWatch Logs User Guide, "CloudWatch Logs quotas". */
export const FILTERS_MAX = 100;

export interface MetricFilters {
  put(filter: MetricFilterRecord): Promise<void>;
  remove(key: Place & Pick<MetricFilterRecord, 'name' | 'logGroupName'>): Promise<'removed' | 'absent'>;
  /** Returns all filters of a group, in the order of names. */
  ofGroup(groupId: string): Promise<readonly MetricFilterRecord[]>;
  removeOfGroup(groupId: string): Promise<void>;
  /** Returns filters of an account and region whose names start with `prefix`, in the order of their names and groups. */
  list(
    place: Place,
    prefix: string,
    after: Pick<MetricFilterRecord, 'name' | 'logGroupName'>,
    limit: number,
  ): Promise<readonly MetricFilterRecord[]>;
}

const OF_GROUP = `SELECT ${LOG_METRIC_FILTER.names} FROM log_metric_filter WHERE group_id = $1 ORDER BY name LIMIT $2`;
const REMOVE_OF_GROUP = 'DELETE FROM log_metric_filter WHERE group_id = $1';
const LIST = `SELECT ${LOG_METRIC_FILTER.names} FROM log_metric_filter
  WHERE account_id = $1 AND region = $2 AND (name, log_group_name) > ($3, $4) AND name >= $5 AND name < $6 ORDER BY name, log_group_name LIMIT $7`;

export function metricFilters(sql: Sql): MetricFilters {
  return {
    put: (filter) => LOG_METRIC_FILTER.put(sql, filter),
    remove: ({ accountId, region, name, logGroupName }) => LOG_METRIC_FILTER.remove(sql, accountId, region, name, logGroupName),
    ofGroup: (groupId) => LOG_METRIC_FILTER.rows(sql, OF_GROUP, [groupId, FILTERS_MAX]),
    removeOfGroup: async (groupId) => void (await sql.run(REMOVE_OF_GROUP, [groupId])),
    list: ({ accountId, region }, prefix, { name, logGroupName }, limit) =>
      LOG_METRIC_FILTER.rows(sql, LIST, [accountId, region, name, logGroupName, prefix, afterPrefix(prefix), limit]),
  };
}
