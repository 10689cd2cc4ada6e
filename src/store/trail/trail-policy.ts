import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant as toInstant } from '#core/instant.ts';
import type { Sql } from '../sql.ts';
import { instant, type Row, table, text } from '../table.ts';

/**
 * Resource-based policies that decision contexts name, such as bucket policies. A text is stored once, with the first record that names it,
 * and again noted while records name it.
 */
export const TRAIL_POLICY = table('trail_policy', {
  columns: {
    /** SHA-256 of the text in UTF-8, in hexadecimal. */
    hash: text,
    text,
    /** Time at which a record last noted the policy. Later records can name it for `NOTED_MS`. */
    notedAt: instant,
  },
  key: ['hash'],
  indexes: [['notedAt']],
});
export type TrailPolicy = Row<typeof TRAIL_POLICY>;

/** Time for which a noted policy need not be noted again, in milliseconds. */
export const NOTED_MS = DAY_MS;

/** Repository of the resource-based policies that decision contexts name. */
export interface TrailPolicies {
  /** Stores a policy, or changes the time at which it was noted. */
  note(policy: TrailPolicy): Promise<void>;
  /** Returns the text of a policy. */
  text(hash: string): Promise<string | undefined>;
  /**
   * Deletes at most `limit` policies that no record names if all records before `oldest` are deleted. Returns the number of
   * deleted policies. If it is `limit`, there may be more.
   */
  forgetBefore(oldest: Instant, limit: number): Promise<number>;
}

const NOTE = `
  INSERT INTO trail_policy (${TRAIL_POLICY.names}) VALUES ($1, $2, $3)
  ON CONFLICT (hash) DO UPDATE SET noted_at_ms = excluded.noted_at_ms WHERE trail_policy.noted_at_ms < excluded.noted_at_ms`;
const DELETE = `
  DELETE FROM trail_policy
  WHERE hash IN (SELECT hash FROM trail_policy WHERE noted_at_ms < $1 ORDER BY noted_at_ms LIMIT $2)`;

/** Creates the repository of one transaction. */
export function trailPolicies(sql: Sql): TrailPolicies {
  return {
    async note({ hash, text: stored, notedAt }) {
      await sql.run(NOTE, [hash, stored, notedAt]);
    },
    text: async (hash) => (await TRAIL_POLICY.get(sql, hash))?.text,
    forgetBefore: (oldest, limit) => sql.run(DELETE, [toInstant(oldest - 2 * NOTED_MS), limit]),
  };
}
