import { type Instant, instant as toInstant } from '#core/instant.ts';
import type { Sql } from '../sql.ts';
import { instant, type Row, table, text } from '../table.ts';

/**
 * Sessions that decision contexts name. A session is stored once, with the first record that names it. It never
 * changes.
 */
export const TRAIL_SESSION = table('trail_session', {
  columns: {
    /** Hash of the facts. */
    id: text,
    /** Principal and facts of the session, as JSON without secrets. */
    facts: text,
    /** Time from which no request of the session is authorized. */
    expiresAt: instant,
  },
  key: ['id'],
  indexes: [['expiresAt']],
});
export type TrailSession = Row<typeof TRAIL_SESSION>;

/** Repository of the sessions that decision contexts name. */
export interface TrailSessions {
  /** Stores a session. Does nothing if it is stored already. */
  note(session: TrailSession): Promise<void>;
  get(id: string): Promise<TrailSession | undefined>;
  /**
   * Deletes at most `limit` sessions that no record names if all records before `oldest` are deleted. Returns the number of
   * deleted sessions. If it is `limit`, there may be more.
   */
  forgetBefore(oldest: Instant, limit: number): Promise<number>;
}

/**
 * Longest time between the decision about a request and its record, in milliseconds. A record can be this much later than
 * the end of its session.
 * Assumed: no request takes longer.
 */
const RECORD_DELAY_MS = 15 * 60_000;

const DELETE = `
  DELETE FROM trail_session
  WHERE id IN (SELECT id FROM trail_session WHERE expires_at_ms < $1 ORDER BY expires_at_ms LIMIT $2)`;

/** Creates the repository of one transaction. */
export function trailSessions(sql: Sql): TrailSessions {
  return {
    async note(session) {
      await TRAIL_SESSION.add(sql, session);
    },
    get: (id) => TRAIL_SESSION.get(sql, id),
    forgetBefore: (oldest, limit) => sql.run(DELETE, [toInstant(oldest - RECORD_DELAY_MS), limit]),
  };
}
