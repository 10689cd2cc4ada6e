import type { AccountId } from '#core/arn.ts';
import type { Sql } from '#store/sql.ts';
import { instant, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Delegations and invitations with which other AWS accounts manage Chime accounts. An AWS account has at most one of a Chime account. */
export const CHIME_DELEGATE = table('chime_delegate', {
  columns: {
    chimeAccountId: text,
    /** UUID in lower case. */
    delegateId: text,
    /** AWS account that owns the Chime account. */
    accountId: textOf<AccountId>(),
    delegateAccountId: textOf<AccountId>(),
    /** Address to which the token is sent. */
    emailAddress: text,
    /** SHA-256 of the token, in base64url. */
    digest: text,
    createdAt: instant,
    /** Time of the newest token. */
    invitedAt: instant,
    /** Absent: the other AWS account has not accepted, and may do nothing. */
    acceptedAt: optional(instant),
  },
  key: ['chimeAccountId', 'delegateId'],
  indexes: [
    { columns: ['delegateId'], unique: true },
    { columns: ['chimeAccountId', 'delegateAccountId'], unique: true },
  ],
});
export type DelegateRecord = Row<typeof CHIME_DELEGATE>;

/**
 * Delegations of Chime accounts.
 *
 *     stored: (a, d1, to 2222, accepted), (a, d2, to 3333)
 *     acceptedBy('a', '2222') → d1 · acceptedBy('a', '3333') → undefined
 */
export interface Delegates {
  /** Adds an invitation. Returns 'exists', and changes nothing, if the AWS account has one of this Chime account. */
  add(delegate: DelegateRecord): Promise<'added' | 'exists'>;
  get(chimeAccountId: string, delegateId: string): Promise<DelegateRecord | undefined>;
  /** Returns the delegation with an ID, of any account. */
  find(delegateId: string): Promise<DelegateRecord | undefined>;
  /** Returns the delegation that an AWS account has accepted. */
  acceptedBy(chimeAccountId: string, delegateAccountId: AccountId): Promise<DelegateRecord | undefined>;
  /** Replaces the digest, the time of the token and the time of the acceptance. */
  put(delegate: DelegateRecord): Promise<'changed' | 'absent'>;
  remove(chimeAccountId: string, delegateId: string): Promise<'removed' | 'absent'>;
  /** Deletes the delegations of an account. */
  removeOf(chimeAccountId: string): Promise<void>;
  /** Returns the delegations of an account in the order of their creation. `DELEGATES_MAX` limits their number. */
  all(chimeAccountId: string): Promise<readonly DelegateRecord[]>;
}

const { names } = CHIME_DELEGATE;
const OF_ACCOUNT = `SELECT ${names} FROM chime_delegate WHERE chime_account_id = $1 AND delegate_account_id = $2`;
const FIND = `SELECT ${names} FROM chime_delegate WHERE delegate_id = $1`;
const ALL = `SELECT ${names} FROM chime_delegate WHERE chime_account_id = $1 ORDER BY created_at_ms, delegate_id`;
const put = CHIME_DELEGATE.update('digest', 'invitedAt', 'acceptedAt');

/** Creates the repository of one transaction. */
export function delegates(sql: Sql): Delegates {
  return {
    add: (delegate) => CHIME_DELEGATE.add(sql, delegate),
    get: (chimeAccountId, delegateId) => CHIME_DELEGATE.get(sql, chimeAccountId, delegateId),
    find: (delegateId) => CHIME_DELEGATE.row(sql, FIND, [delegateId]),
    async acceptedBy(chimeAccountId, delegateAccountId) {
      const found = await CHIME_DELEGATE.row(sql, OF_ACCOUNT, [chimeAccountId, delegateAccountId]);
      return found?.acceptedAt === undefined ? undefined : found;
    },
    put: (delegate) => put(sql, delegate),
    remove: (chimeAccountId, delegateId) => CHIME_DELEGATE.remove(sql, chimeAccountId, delegateId),
    async removeOf(chimeAccountId) {
      await sql.run('DELETE FROM chime_delegate WHERE chime_account_id = $1', [chimeAccountId]);
    },
    all: (chimeAccountId) => CHIME_DELEGATE.rows(sql, ALL, [chimeAccountId]),
  };
}
