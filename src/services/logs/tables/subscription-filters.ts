import type { Distribution } from '#model/generated/logs.ts';
import type { Sql } from '#store/sql.ts';
import { instant, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Subscription filters of log groups. */
export const LOG_SUBSCRIPTION_FILTER = table('log_subscription_filter', {
  columns: {
    groupId: text,
    name: text,
    createdAt: instant,
    pattern: text,
    destinationArn: text,
    roleArn: optional(text),
    distribution: textOf<Distribution>(),
  },
  key: ['groupId', 'name'],
});
export type SubscriptionFilterRecord = Row<typeof LOG_SUBSCRIPTION_FILTER>;

/** Maximum number of subscription filters of a log group. Source: CloudWatch Logs User Guide, "CloudWatch Logs quotas". */
export const SUBSCRIPTIONS_MAX = 2;

export interface SubscriptionFilters {
  put(filter: SubscriptionFilterRecord): Promise<void>;
  remove(key: Pick<SubscriptionFilterRecord, 'groupId' | 'name'>): Promise<'removed' | 'absent'>;
  /** Returns all filters of a group, in the order of names. */
  ofGroup(groupId: string): Promise<readonly SubscriptionFilterRecord[]>;
  removeOfGroup(groupId: string): Promise<void>;
}

const REMOVE_OF_GROUP = 'DELETE FROM log_subscription_filter WHERE group_id = $1';

export function subscriptionFilters(sql: Sql): SubscriptionFilters {
  return {
    put: (filter) => LOG_SUBSCRIPTION_FILTER.put(sql, filter),
    remove: ({ groupId, name }) => LOG_SUBSCRIPTION_FILTER.remove(sql, groupId, name),
    ofGroup: (groupId) => LOG_SUBSCRIPTION_FILTER.page(sql, [groupId], [''], SUBSCRIPTIONS_MAX),
    removeOfGroup: async (groupId) => void (await sql.run(REMOVE_OF_GROUP, [groupId])),
  };
}
