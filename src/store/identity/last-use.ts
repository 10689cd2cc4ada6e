import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '../sql.ts';

/** When, where and with which action something was used last. */
export interface LastUse {
  /** An access key id, the unique id of a user or role, or the account id of a root. */
  readonly holder: string;
  /** The prefix of the service's actions: `chime`, `iam`. */
  readonly service: string;
  /** `CreateMeeting`. Of an access key the empty text: what it was used for last is one row. */
  readonly action: string;
  readonly at: Instant;
  readonly region: string;
}

/** The last uses of keys and principals. Owns one row a use, written over; history is the trail's. */
export interface LastUses {
  /** Notes a use, over an older one of the same action. An access key has one row in all. */
  note(accountId: AccountId, use: LastUse): Promise<void>;
  /** All rows of a holder, in no order. */
  of(accountId: AccountId, holder: string): Promise<LastUse[]>;
}

interface LastUseRow {
  readonly holder: string;
  readonly service: string;
  readonly action: string;
  readonly at_ms: number;
  readonly region: string;
}

const UPSERT = `
  INSERT INTO last_use (account_id, holder, action, service, at_ms, region) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (account_id, holder, action)
  DO UPDATE SET service = excluded.service, at_ms = excluded.at_ms, region = excluded.region WHERE excluded.at_ms >= last_use.at_ms`;
const SELECT = 'SELECT holder, service, action, at_ms, region FROM last_use WHERE account_id = $1 AND holder = $2';

export function lastUses(sql: Sql): LastUses {
  return {
    async note(accountId, { holder, service, action, at, region }) {
      await sql.run(UPSERT, [accountId, holder, keyOf(service, action), service, at, region]);
    },
    async of(accountId, holder) {
      const rows = await sql.rows<LastUseRow>(SELECT, [accountId, holder]);
      return rows.map((row) => ({
        holder: row.holder,
        service: row.service,
        action: row.action.slice(row.action.indexOf(':') + 1),
        at: row.at_ms as Instant,
        region: row.region,
      }));
    },
  };
}

/** Two services may have an action of one name. */
function keyOf(service: string, action: string): string {
  return action === '' ? '' : `${service}:${action}`;
}
