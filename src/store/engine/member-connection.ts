import type { Sql, SqlValue } from '../sql.ts';
import type { GroupWriter } from './group-writer.ts';
import type { SqliteStatement } from './sqlite-driver.ts';

/** Connection of one member of a group. It can undo the changes of this member alone. */
export interface MemberConnection {
  readonly sql: Sql;
  /** Reports whether a statement may have changed data. */
  hasWritten(): boolean;
  /** Ends the member and keeps its changes. @throws Error  a statement of the member failed */
  keep(): void;
  /** Ends the member and undoes its changes. */
  undo(): void;
}

/** Opens the connection of a member. */
export function memberConnection(writer: GroupWriter): MemberConnection {
  let undoes: 'nothing' | 'savepoint' | 'group' = 'nothing';
  let ended = false;
  let failure: { readonly error: unknown } | undefined;

  function beforeWrite(): void {
    if (undoes !== 'nothing') return;
    // If no earlier member of the group wrote, a rollback of the group undoes this member alone.
    if (writer.beginWrite()) undoes = 'group';
    else {
      writer.control('SAVEPOINT member');
      undoes = 'savepoint';
    }
  }

  function execute<T>(text: string, use: (statement: SqliteStatement) => T): T {
    if (ended) throw new Error('a transaction was used after its end');
    if (writer.isBroken()) throw new Error('the store has stopped after a failed write');
    if (failure !== undefined)
      throw new Error('a statement of this transaction failed, so it can only be rolled back', { cause: failure.error });
    try {
      const { statement, writes } = writer.prepare(text);
      if (writes) beforeWrite();
      else writer.begin();
      return use(statement);
    } catch (error) {
      // As on PostgreSQL, no statement runs after one that failed.
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
