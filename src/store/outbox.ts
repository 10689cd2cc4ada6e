import type { Sql } from './store.ts';

/** What was committed and is not yet delivered. */
export interface OutboxEntry {
  /** Ordered as text; entries of one server in the order of their transactions. */
  readonly id: string;
  /** Who delivers it: `events`, `meetings` … */
  readonly topic: string;
  /** JSON text. */
  readonly document: string;
}

/** Delivered at least once: an entry is taken, told to others, and only then deleted. */
export interface Outbox {
  append(topic: string, document: string): Promise<void>;
  /** The oldest entries, only those after the id `after`; they stay until deleted. */
  take(limit: number, after?: string): Promise<OutboxEntry[]>;
  /** Resolves to the number of entries there still were. */
  delete(ids: readonly string[]): Promise<number>;
}

const INSERT = 'INSERT INTO outbox (id, topic, document) VALUES ($1, $2, $3)';
const SELECT = 'SELECT id, topic, document FROM outbox WHERE id > $1 ORDER BY id LIMIT $2';
const DELETE = 'DELETE FROM outbox WHERE id = $1';

export function outbox(sql: Sql, nextId: () => string): Outbox {
  return {
    async append(topic, document) {
      await sql.run(INSERT, [nextId(), topic, document]);
    },
    take: (limit, after = '') => sql.rows<OutboxEntry>(SELECT, [after, limit]),
    async delete(ids) {
      let deleted = 0;
      for (const id of ids) deleted += await sql.run(DELETE, [id]);
      return deleted;
    },
  };
}
