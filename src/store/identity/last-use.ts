import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '../sql.ts';
import { instant, table, text, textOf } from '../table.ts';

/** Last uses of access keys and principals. One row per action, which a later use replaces. The trail has the history. */
export const LAST_USE = table('last_use', {
  columns: {
    accountId: textOf<AccountId>(),
    holder: text,
    /** `chime:CreateMeeting`. `''` for an access key: its last use of any action is one row. */
    action: text,
    service: text,
    at: instant,
    region: text,
  },
  key: ['accountId', 'holder', 'action'],
});

/** Time, region and action of the last use of an access key or principal. */
export interface LastUse {
  /** Access key ID, unique ID of a user or role, or account ID of a root user. */
  readonly holder: string;
  /** Prefix of the service's actions: `chime`, `iam`. */
  readonly service: string;
  /** `CreateMeeting`. `''` for an access key. */
  readonly action: string;
  readonly at: Instant;
  readonly region: string;
}

export interface LastUses {
  /** Stores a use, unless a later use of the same action is stored. */
  note(accountId: AccountId, use: LastUse): Promise<void>;
  /** Returns all last uses of a holder, in no order. */
  of(accountId: AccountId, holder: string): Promise<LastUse[]>;
}

const UPSERT = `
  INSERT INTO last_use (account_id, holder, action, service, at_ms, region) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (account_id, holder, action)
  DO UPDATE SET service = excluded.service, at_ms = excluded.at_ms, region = excluded.region WHERE excluded.at_ms >= last_use.at_ms`;
const SELECT = 'SELECT * FROM last_use WHERE account_id = $1 AND holder = $2';

export function lastUses(sql: Sql): LastUses {
  return {
    async note(accountId, { holder, service, action, at, region }) {
      await sql.run(UPSERT, [accountId, holder, keyOf(service, action), service, at, region]);
    },
    async of(accountId, holder) {
      const rows = await LAST_USE.rows(sql, SELECT, [accountId, holder]);
      return rows.map(({ accountId: _, action, ...use }) => ({ ...use, action: action.slice(action.indexOf(':') + 1) }));
    },
  };
}

/** Two services can have an action with the same name. */
function keyOf(service: string, action: string): string {
  return action === '' ? '' : `${service}:${action}`;
}
