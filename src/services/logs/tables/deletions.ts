import type { Sql } from '#store/sql.ts';
import { type Row, table, text, textOf } from '#store/table.ts';

/** Deleted log groups and streams whose events a sweep still has to delete. `id` is the ID of the group or stream. */
export const LOG_DELETION = table('log_deletion', { columns: { kind: textOf<'group' | 'stream'>(), id: text }, key: ['kind', 'id'] });
export type LogDeletion = Row<typeof LOG_DELETION>;

export interface LogDeletions {
  add(deletion: LogDeletion): Promise<void>;
  first(): Promise<LogDeletion | undefined>;
  remove(deletion: LogDeletion): Promise<void>;
}

export function logDeletions(sql: Sql): LogDeletions {
  return {
    add: (deletion) => LOG_DELETION.put(sql, deletion),
    first: async () => (await LOG_DELETION.page(sql, [], ['', ''], 1))[0],
    remove: async ({ kind, id }) => void (await LOG_DELETION.remove(sql, kind, id)),
  };
}
