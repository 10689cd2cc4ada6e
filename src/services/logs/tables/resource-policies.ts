import type { AccountId } from '#core/arn.ts';
import type { Sql } from '#store/sql.ts';
import { instant, type Row, table, text, textOf } from '#store/table.ts';

/** Resource policies of accounts, by region. They let services write to log groups. */
export const LOG_RESOURCE_POLICY = table('log_resource_policy', {
  columns: { accountId: textOf<AccountId>(), region: text, name: text, document: text, updatedAt: instant },
  key: ['accountId', 'region', 'name'],
});
export type ResourcePolicyRecord = Row<typeof LOG_RESOURCE_POLICY>;

/** Maximum number of policies in a region. Source: CloudWatch Logs API reference, PutResourcePolicy. */
export const POLICIES_MAX = 10;

export interface ResourcePolicies {
  put(policy: ResourcePolicyRecord): Promise<void>;
  remove(accountId: AccountId, region: string, name: string): Promise<'removed' | 'absent'>;
  /** Returns all policies of an account in a region, in the order of names. */
  of(accountId: AccountId, region: string): Promise<readonly ResourcePolicyRecord[]>;
}

export function resourcePolicies(sql: Sql): ResourcePolicies {
  return {
    put: (policy) => LOG_RESOURCE_POLICY.put(sql, policy),
    remove: (accountId, region, name) => LOG_RESOURCE_POLICY.remove(sql, accountId, region, name),
    of: (accountId, region) => LOG_RESOURCE_POLICY.page(sql, [accountId, region], [''], POLICIES_MAX),
  };
}
