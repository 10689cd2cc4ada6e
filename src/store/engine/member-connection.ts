import type { Sql, SqlValue } from '../sql.ts';
import type { GroupWriter } from './group-writer.ts';
import type { SqliteStatement } from './sqlite-driver.ts';

/** Connection of one transaction in a group that shares a commit. It can undo the changes of this transaction alone. */
export interface MemberConnection {
  readonly sql: Sql;
  /** Reports whether a statement may have changed data. */
  hasWritten(): boolean;
  /** Ends the transaction and keeps its changes. @throws Error  a statement of the transaction failed */
  keep(): void;
  /** Ends the transaction and undoes its changes. */
  undo(): void;
}

/** Opens the connection of one transaction in the current group. */
export function memberConnection(writer: GroupWriter): MemberConnection {
  let undoes: 'nothing' | 'savepoint' | 'group' = 'nothing';
  let ended = false;
  let failure: { readonly error: unknown } | undefined;

  function beforeWrite(): void {
    if (undoes !== 'nothing') return;
    // If no earlier transaction of the group wrote, a rollback of the whole group undoes only the changes of this
    // transaction.
    if (writer.beginWrite()) undoes = 'group';
    else {
      writer.control('SAVEPOINT member');
      undoes = 'savepoint';
    }
  }

  function execute<T>(text: string, use: (statement: SqliteStatement) => T): T {
    if (ended) throw new Error('a transaction was used after its end');
    if (writer.isBroken()) throw new Error('the store has stopped after a failed write');
    const lost = writer.lost();
    if (lost !== undefined) throw lost;
    if (failure !== undefined)
      throw new Error('a statement of this transaction failed, so it can only be rolled back', { cause: failure.error });
    try {
      const { statement, writes } = writer.prepare(text);
      if (writes) beforeWrite();
      else writer.begin();
      return use(statement);
    } catch (error) {
      // As on PostgreSQL, a transaction runs no further statement after a statement that failed.
      failure = { error };
      writer.stopIfFatal(error);
      throw error;
    }
  }

  const sql: Sql = {
    row: async <Row>(text: string, values: readonly SqlValue[] = []) => execute(text, (s) => s.get(values)) as Row | undefined,
    rows: async <Row>(text: string, values: readonly SqlValue[] = []) => execute(text, (s) => s.all(values)) as Row[],
    run: async (text, values = []) => execute(text, (s) => s.run(values)),
  };
  return {
    sql,
    hasWritten: () => undoes !== 'nothing',
    keep() {
      if (failure !== undefined) throw failure.error;
      ended = true;
      if (undoes === 'savepoint') writer.control('RELEASE member');
    },
    undo() {
      ended = true;
      if (undoes === 'savepoint') {
        writer.control('ROLLBACK TO member');
        writer.control('RELEASE member');
      } else if (undoes === 'group') {
        writer.end('ROLLBACK');
      }
    },
  };
}
