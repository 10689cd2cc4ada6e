import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, table, text } from '#store/table.ts';

/** Files that no object and no part uses any more. The server deletes them later, because a client may still read them. */
export const GARBAGE = table('s3_garbage', {
  columns: {
    fileId: text,
    /** Time at which the file became unused. */
    since: instant,
  },
  key: ['fileId'],
  indexes: [['since']],
});

export interface Garbage {
  add(fileId: string, now: Instant): Promise<void>;
  /** Returns at most `limit` IDs of files that became unused at `until` or before, oldest first. */
  due(until: Instant, limit: number): Promise<readonly string[]>;
  /** Deletes rows, after their files were deleted. */
  forget(fileIds: readonly string[]): Promise<void>;
  /** Returns those of the file IDs that are garbage. */
  usedFiles(fileIds: readonly string[]): Promise<ReadonlySet<string>>;
}

const DUE = `SELECT ${GARBAGE.names} FROM s3_garbage WHERE since_ms <= $1 ORDER BY since_ms LIMIT $2`;

export function garbage(sql: Sql): Garbage {
  return {
    add: (fileId, since) => GARBAGE.put(sql, { fileId, since }),
    due: async (until, limit) => (await GARBAGE.rows(sql, DUE, [until, limit])).map(({ fileId }) => fileId),
    async forget(fileIds) {
      for (const fileId of fileIds) await GARBAGE.remove(sql, fileId);
    },
    async usedFiles(fileIds) {
      const used = new Set<string>();
      for (const fileId of fileIds) if ((await GARBAGE.get(sql, fileId)) !== undefined) used.add(fileId);
      return used;
    },
  };
}
