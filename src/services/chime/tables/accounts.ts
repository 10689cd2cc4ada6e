import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { AccountSettings, AccountType, License, RetentionSettings, SigninDelegateGroup } from '#model/generated/chime.ts';
import type { Sql } from '#store/sql.ts';
import { instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Members of a Chime account that no query needs. They have the names of the model. */
export interface AccountDocument {
  readonly DefaultLicense: License;
  readonly SupportedLicenses: readonly License[];
  readonly SigninDelegateGroups?: readonly SigninDelegateGroup[];
  readonly AccountSettings?: AccountSettings;
  readonly RetentionSettings?: RetentionSettings;
  /** Time of the last change of `RetentionSettings`. */
  readonly retentionSetAt?: Instant;
  /** Verified domains, in lower case. An account with a domain is an Enterprise account. */
  readonly Domains?: readonly string[];
  /**
   * ID of the connection to a directory, or of the configuration of an OpenID provider. A new connection or another provider has another ID,
   * so that the sessions of the earlier one end.
   */
  readonly providerId?: string;
  /** Directory that the account uses. */
  readonly directoryId?: string;
}

/** Chime accounts. An AWS account can own several. */
export const CHIME_ACCOUNT = table('chime_account', {
  columns: {
    /** AWS account that owns the Chime account. */
    accountId: textOf<AccountId>(),
    /** UUID in lower case. */
    chimeAccountId: text,
    name: text,
    accountType: textOf<AccountType>(),
    createdAt: instant,
    /** Time of DeleteAccount. The account is then suspended, and is deleted for good after 90 days. */
    disabledAt: optional(instant),
    document: json<AccountDocument>(),
  },
  key: ['accountId', 'chimeAccountId'],
  indexes: [
    { columns: ['accountId', 'createdAt', 'chimeAccountId'], where: 'disabled_at_ms IS NULL' },
    { columns: ['disabledAt'], where: 'disabled_at_ms IS NOT NULL' },
  ],
});
export type AccountRecord = Row<typeof CHIME_ACCOUNT>;

/** Position in the list of accounts. */
export type AccountPlace = Pick<AccountRecord, 'createdAt' | 'chimeAccountId'>;

/**
 * Chime accounts by the AWS account that owns them.
 *
 *     stored: (1111, a, created at 1), (1111, b, created at 2), (1111, c, created at 3, disabled)
 *     list('1111', 9) → b, a
 */
export interface Accounts {
  add(account: AccountRecord): Promise<void>;
  /** Returns an account of an AWS account, also if it is disabled. */
  get(accountId: AccountId, chimeAccountId: string): Promise<AccountRecord | undefined>;
  /** Returns an account of any AWS account, also if it is disabled. For the operator only. */
  find(chimeAccountId: string): Promise<AccountRecord | undefined>;
  /** Replaces the name, the type, the time of the deletion and the document. */
  put(account: AccountRecord): Promise<'changed' | 'absent'>;
  /** Lists accounts that are not disabled, newest first, starting after the position `after`. */
  list(accountId: AccountId, limit: number, after?: AccountPlace): Promise<readonly AccountRecord[]>;
  /** Returns the account of any AWS account that was disabled first, if it was disabled at `before` or earlier. */
  firstDisabled(before: Instant): Promise<AccountRecord | undefined>;
  /** Returns accounts of all AWS accounts that were disabled after a time, the last one first. */
  listDisabled(after: Instant, limit: number): Promise<readonly AccountRecord[]>;
  /** Deletes an account. Its users remain: see `Users.removeSome`. */
  remove(accountId: AccountId, chimeAccountId: string): Promise<'removed' | 'absent'>;
}

const { names } = CHIME_ACCOUNT;
const LIST = `
  SELECT ${names} FROM chime_account WHERE account_id = $1 AND disabled_at_ms IS NULL AND (created_at_ms, chime_account_id) < ($2, $3)
  ORDER BY created_at_ms DESC, chime_account_id DESC LIMIT $4`;
const FIRST_DISABLED = `
  SELECT ${names} FROM chime_account WHERE disabled_at_ms IS NOT NULL AND disabled_at_ms <= $1 ORDER BY disabled_at_ms LIMIT 1`;
const LIST_DISABLED = `
  SELECT ${names} FROM chime_account WHERE disabled_at_ms IS NOT NULL AND disabled_at_ms > $1 ORDER BY disabled_at_ms DESC LIMIT $2`;
const FIND = `SELECT ${names} FROM chime_account WHERE chime_account_id = $1`;
const put = CHIME_ACCOUNT.update('name', 'accountType', 'disabledAt', 'document');

/** Creates the repository of one transaction. */
export function accounts(sql: Sql): Accounts {
  return {
    add: (account) => CHIME_ACCOUNT.insert(sql, account),
    get: (accountId, chimeAccountId) => CHIME_ACCOUNT.get(sql, accountId, chimeAccountId),
    find: (chimeAccountId) => CHIME_ACCOUNT.row(sql, FIND, [chimeAccountId]),
    put: (account) => put(sql, account),
    list: (accountId, limit, after) =>
      CHIME_ACCOUNT.rows(sql, LIST, [accountId, after?.createdAt ?? Number.MAX_SAFE_INTEGER, after?.chimeAccountId ?? '', limit]),
    firstDisabled: (before) => CHIME_ACCOUNT.row(sql, FIRST_DISABLED, [before]),
    listDisabled: (after, limit) => CHIME_ACCOUNT.rows(sql, LIST_DISABLED, [after, limit]),
    remove: (accountId, chimeAccountId) => CHIME_ACCOUNT.remove(sql, accountId, chimeAccountId),
  };
}
