import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, instant, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Keys for the SCIM endpoint of Chime accounts. */
export const CHIME_API_KEY = table('chime_api_key', {
  columns: {
    chimeAccountId: text,
    /** UUID in lower case. */
    apiKeyId: text,
    /** AWS account that owns the Chime account. */
    accountId: textOf<AccountId>(),
    /** Name for administrators. */
    name: optional(text),
    /** SHA-256 of the secret, in base64url. */
    digest: text,
    createdAt: instant,
    /** Time of the last request, at most a minute too early. */
    usedAt: optional(instant),
  },
  key: ['chimeAccountId', 'apiKeyId'],
  indexes: [{ columns: ['apiKeyId'], unique: true }, ['chimeAccountId', 'createdAt', 'apiKeyId']],
});
export type ApiKeyRecord = Row<typeof CHIME_API_KEY>;

/** Position in the list of keys. */
export type ApiKeyPlace = Pick<ApiKeyRecord, 'createdAt' | 'apiKeyId'>;

/**
 * Keys of Chime accounts.
 *
 *     stored: (a, k1, created at 2), (a, k2, created at 1)
 *     list('a', 9) → k2, k1 · find('k1') → k1
 */
export interface ApiKeys {
  add(key: ApiKeyRecord): Promise<void>;
  /** Returns the key with an ID, of any account. */
  find(apiKeyId: string): Promise<ApiKeyRecord | undefined>;
  setUsed(key: ApiKeyRecord, usedAt: Instant): Promise<void>;
  remove(chimeAccountId: string, apiKeyId: string): Promise<'removed' | 'absent'>;
  /** Deletes the keys of an account. */
  removeOf(chimeAccountId: string): Promise<void>;
  count(chimeAccountId: string): Promise<number>;
  /** Lists the keys of an account in the order of their creation, starting after the position `after`. */
  list(chimeAccountId: string, limit: number, after?: ApiKeyPlace): Promise<readonly ApiKeyRecord[]>;
}

const { names } = CHIME_API_KEY;
const FIND = `SELECT ${names} FROM chime_api_key WHERE api_key_id = $1`;
const COUNT = 'SELECT COUNT(*) AS count FROM chime_api_key WHERE chime_account_id = $1';
const LIST = `
  SELECT ${names} FROM chime_api_key WHERE chime_account_id = $1 AND (created_at_ms, api_key_id) > ($2, $3)
  ORDER BY created_at_ms, api_key_id LIMIT $4`;
const putUsed = CHIME_API_KEY.update('usedAt');

/** Creates the repository of one transaction. */
export function apiKeys(sql: Sql): ApiKeys {
  return {
    add: (key) => CHIME_API_KEY.insert(sql, key),
    find: (apiKeyId) => CHIME_API_KEY.row(sql, FIND, [apiKeyId]),
    async setUsed(key, usedAt) {
      await putUsed(sql, { ...key, usedAt });
    },
    remove: (chimeAccountId, apiKeyId) => CHIME_API_KEY.remove(sql, chimeAccountId, apiKeyId),
    async removeOf(chimeAccountId) {
      await sql.run('DELETE FROM chime_api_key WHERE chime_account_id = $1', [chimeAccountId]);
    },
    count: (chimeAccountId) => countOf(sql, COUNT, [chimeAccountId]),
    list: (chimeAccountId, limit, after) =>
      CHIME_API_KEY.rows(sql, LIST, [chimeAccountId, after?.createdAt ?? -1, after?.apiKeyId ?? '', limit]),
  };
}
