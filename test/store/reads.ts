/** What the statements of a read do in a database: their query plans on SQLite, and the rows that they read on PostgreSQL. */
import type { Sql, SqlValue } from '#store/sql.ts';
import type { Store } from '#store/store.ts';

/** Calls `explain` for each statement of a read, and runs the statement too. */
function explained(sql: Sql, explain: (text: string, values: readonly SqlValue[]) => Promise<void>): Sql {
  return {
    ...sql,
    async row<R>(text: string, values: readonly SqlValue[] = []) {
      await explain(text, values);
      return await sql.row<R>(text, values);
    },
    async rows<R>(text: string, values: readonly SqlValue[] = []) {
      await explain(text, values);
      return await sql.rows<R>(text, values);
    },
  };
}

/** Returns the lines of the query plans of the SELECT statements of `read`. */
export async function plansOnSqlite(store: Store, read: (sql: Sql) => Promise<unknown>): Promise<readonly string[]> {
  const plans: string[] = [];
  await store.transaction(({ sql }) => {
    const probe = explained(sql, async (text, values) => {
      const plan = await sql.rows<{ readonly detail: string }>(`EXPLAIN QUERY PLAN ${text}`, values);
      plans.push(...plan.map(({ detail }) => detail));
    });
    return read(probe);
  });
  return plans;
}

/** Returns a number for each SELECT statement of `read`: the rows that its filters removed, and those of its largest step. */
export async function rowsReadOnPostgres(store: Store, read: (sql: Sql) => Promise<unknown>): Promise<readonly number[]> {
  const rows: number[] = [];
  await store.transaction(({ sql }) => {
    const probe = explained(sql, async (text, values) => {
      const plan = await sql.rows<Record<string, string>>(`EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) ${text}`, values);
      const lines = plan.map((line) => line['QUERY PLAN'] ?? '');
      const count = (pattern: RegExp) => lines.reduce((sum, line) => sum + Number(pattern.exec(line)?.[1] ?? 0), 0);
      rows.push(
        count(/Rows Removed by (?:Filter|Index Recheck): (\d+)/) +
          Math.max(...lines.map((line) => Number(/rows=(\d+)/.exec(line)?.[1] ?? 0))),
      );
    });
    return read(probe);
  });
  return rows;
}
