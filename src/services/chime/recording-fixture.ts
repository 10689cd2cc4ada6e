/** Store in memory that records the statements of its transactions, for tests of costs. */
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Sql } from '#store/sql.ts';
import type { Store, Tx } from '#store/store.ts';

/** Statement of a transaction, with the number of rows that it read. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly rows: number;
}

/** Returns a store that records the statements of its transactions. */
export async function openRecording(): Promise<{ readonly store: Store; readonly statements: Statement[] }> {
  const statements: Statement[] = [];
  const store = await openSqlite(':memory:');
  const recording = ({ sql }: Tx): Sql => ({
    async row<Row>(text: string, values: never[] = []) {
      const found = await sql.row<Row>(text, values);
      statements.push({ text, values, rows: found === undefined ? 0 : 1 });
      return found;
    },
    async rows<Row>(text: string, values: never[] = []) {
      const found = await sql.rows<Row>(text, values);
      statements.push({ text, values, rows: found.length });
      return found;
    },
    async run(text, values) {
      statements.push({ text, values: values ?? [], rows: 0 });
      return sql.run(text, values);
    },
  });
  return {
    statements,
    store: {
      ...store,
      transaction: (work, options) =>
        store.transaction((tx) => {
          const sql = recording(tx);
          return work(
            Object.create(tx, { sql: { value: sql }, of: { value: (repository: (on: Sql) => unknown) => repository(sql) } }) as Tx,
          );
        }, options),
    },
  };
}

/** Returns the lines of the query plans of statements. */
export function plansOf(store: Store, statements: Iterable<Statement>): Promise<readonly string[]> {
  return store.transaction(async ({ sql }) => {
    const found: string[] = [];
    for (const { text, values } of statements) {
      const plan = await sql.rows<{ readonly detail: string }>(`EXPLAIN QUERY PLAN ${text}`, values as never[]);
      found.push(...plan.map(({ detail }) => detail));
    }
    return found;
  });
}
