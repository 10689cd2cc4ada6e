import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { int, table, text } from '#store/table.ts';
import { type AccountRecord, CHIME_ACCOUNT } from './accounts.ts';

/** Last week whose report was written, for each account. */
export const CHIME_USAGE_REPORT = table('chime_usage_report', {
  columns: {
    chimeAccountId: text,
    /** First day of the week, as a number of days since 1970. */
    week: int,
  },
  key: ['chimeAccountId'],
});

/** Weeks whose reports were written. */
export interface UsageReports {
  /**
   * Returns the first account after the ID `after` whose report of a week was not written. The account is not disabled and was created before
   * `before`, the end of the week.
   */
  due(week: number, before: Instant, after: string): Promise<AccountRecord | undefined>;
  /** Stores that the report of a week was written. Returns false if it was stored before. */
  setWritten(chimeAccountId: string, week: number): Promise<boolean>;
  remove(chimeAccountId: string): Promise<void>;
}

const DUE = `
  SELECT ${CHIME_ACCOUNT.names
    .split(', ')
    .map((name) => `a.${name}`)
    .join(', ')}
  FROM chime_account a LEFT JOIN chime_usage_report r ON r.chime_account_id = a.chime_account_id
  WHERE a.disabled_at_ms IS NULL AND a.created_at_ms < $2 AND (r.week IS NULL OR r.week < $1) AND a.chime_account_id > $3
  ORDER BY a.chime_account_id LIMIT 1`;

/** Creates the repository of one transaction. */
export function usageReports(sql: Sql): UsageReports {
  return {
    due: (week, before, after) => CHIME_ACCOUNT.row(sql, DUE, [week, before, after]),
    async setWritten(chimeAccountId, week) {
      const stored = await CHIME_USAGE_REPORT.get(sql, chimeAccountId);
      if (stored !== undefined && stored.week >= week) return false;
      await CHIME_USAGE_REPORT.put(sql, { chimeAccountId, week });
      return true;
    },
    async remove(chimeAccountId) {
      await CHIME_USAGE_REPORT.remove(sql, chimeAccountId);
    },
  };
}
