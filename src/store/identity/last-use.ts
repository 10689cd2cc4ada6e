import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '../sql.ts';
import { instant, table, text, textOf } from '../table.ts';

/**
 * Last uses of access keys and principals. Each action of a principal has one row, which a later use replaces. The
 * trail contains earlier uses.
 */
export const LAST_USE = table('last_use', {
  columns: {
    accountId: textOf<AccountId>(),
    holder: text,
    /** Action with its service, such as `chime:CreateMeeting`. `''` for an access key, which has one row for all actions. */
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
  /** Service prefix of the action, such as `chime` or `iam`. */
  readonly service: string;
  /** Action without its service, such as `CreateMeeting`. `''` for an access key. */
  readonly action: string;
  readonly at: Instant;
  readonly region: string;
}

/** Repository of last uses. */
export interface LastUses {
  /** Stores a use. Does nothing if a later use of the same action is stored. */
  note(accountId: AccountId, use: LastUse): Promise<void>;
  /** Returns all last uses of a holder, in no particular order. */
  of(accountId: AccountId, holder: string): Promise<LastUse[]>;
}

const UPSERT = `
  INSERT INTO last_use (account_id, holder, action, service, at_ms, region) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (account_id, holder, action)
  DO UPDATE SET service = excluded.service, at_ms = excluded.at_ms, region = excluded.region WHERE excluded.at_ms >= last_use.at_ms`;
const SELECT = 'SELECT * FROM last_use WHERE account_id = $1 AND holder = $2';

/** Creates the repository of one transaction. */
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

/** Returns the key of an action. It contains the service, because two services can have an action with the same name. */
function keyOf(service: string, action: string): string {
  return action === '' ? '' : `${service}:${action}`;
}
