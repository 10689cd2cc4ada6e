import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { DomainCheckResult } from '#model/generated/chime.ts';
import type { Sql } from '#store/sql.ts';
import { flag, instant, int, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Domains that Chime accounts claim. Several accounts can claim a domain, but only one can verify it. */
export const CHIME_DOMAIN = table('chime_domain', {
  columns: {
    chimeAccountId: text,
    /** The domain, in lower case. */
    domain: text,
    /** AWS account that owns the Chime account. */
    accountId: textOf<AccountId>(),
    /** Value that the TXT record must have. */
    recordValue: text,
    isVerified: flag,
    createdAt: instant,
    verifiedAt: optional(instant),
    /** Time and result of the last look-up. */
    checkedAt: optional(instant),
    checkResult: optional(textOf<DomainCheckResult>()),
    /** Number of look-ups that did not find the record. */
    failures: int,
    /** Time of the next look-up. Absent if none is planned. */
    dueAt: optional(instant),
  },
  key: ['chimeAccountId', 'domain'],
  indexes: [
    { columns: ['domain'], unique: true, where: 'is_verified = 1' },
    { columns: ['dueAt'], where: 'due_at_ms IS NOT NULL' },
  ],
});
export type DomainRecord = Row<typeof CHIME_DOMAIN>;

/** Maximum domains that `owners` accepts: those of an invitation. */
export const DOMAINS_MAX = 50;

/**
 * Claims of domains.
 *
 *     stored: (a, example.com, verified), (b, example.com), (b, example.org, due at 5)
 *     owner('example.com') → (a, example.com) · due(9, 10) → (b, example.org)
 */
export interface Domains {
  /** Adds a claim. Returns 'exists' if the account claims the domain already. */
  add(claim: DomainRecord): Promise<'added' | 'exists'>;
  get(chimeAccountId: string, domain: string): Promise<DomainRecord | undefined>;
  /** Returns the verified claim of a domain, of any account. */
  owner(domain: string): Promise<DomainRecord | undefined>;
  /** Returns the verified claims of domains, at most `DOMAINS_MAX`, in no order. */
  owners(domains: readonly string[]): Promise<readonly DomainRecord[]>;
  /** Replaces a claim. A second verified claim of a domain aborts the transaction: the caller checks `owner`. */
  put(claim: DomainRecord): Promise<'changed' | 'absent'>;
  remove(chimeAccountId: string, domain: string): Promise<'removed' | 'absent'>;
  /** Deletes the claims of an account. */
  removeOf(chimeAccountId: string): Promise<void>;
  /** Returns the number of claims of an account. */
  count(chimeAccountId: string): Promise<number>;
  /** Lists the claims of an account in the order of their domains, starting after the domain `after`. */
  list(chimeAccountId: string, limit: number, after?: string): Promise<readonly DomainRecord[]>;
  /** Returns claims whose look-up is due at `now`, those that have waited longest first. */
  due(now: Instant, limit: number): Promise<readonly DomainRecord[]>;
}

const { names } = CHIME_DOMAIN;
const OWNER = `SELECT ${names} FROM chime_domain WHERE domain = $1 AND is_verified = 1`;
const OWNERS = `
  SELECT ${names} FROM chime_domain WHERE is_verified = 1 AND domain IN (${Array.from({ length: DOMAINS_MAX }, (_, i) => `$${i + 1}`).join(', ')})`;
const COUNT = 'SELECT COUNT(*) AS claims FROM chime_domain WHERE chime_account_id = $1';
const LIST = `SELECT ${names} FROM chime_domain WHERE chime_account_id = $1 AND domain > $2 ORDER BY domain LIMIT $3`;
const DUE = `SELECT ${names} FROM chime_domain WHERE due_at_ms IS NOT NULL AND due_at_ms <= $1 ORDER BY due_at_ms LIMIT $2`;
const put = CHIME_DOMAIN.update('recordValue', 'isVerified', 'verifiedAt', 'checkedAt', 'checkResult', 'failures', 'dueAt');

/** Creates the repository of one transaction. */
export function domains(sql: Sql): Domains {
  return {
    add: async (claim) => ((await CHIME_DOMAIN.addAll(sql, [claim])) === 1 ? 'added' : 'exists'),
    get: (chimeAccountId, domain) => CHIME_DOMAIN.get(sql, chimeAccountId, domain),
    owner: (domain) => CHIME_DOMAIN.row(sql, OWNER, [domain]),
    async owners(list) {
      if (list.length > DOMAINS_MAX) throw new Error(`${list.length} domains for ${DOMAINS_MAX} parameters`);
      const values = Array.from({ length: DOMAINS_MAX }, (_, i) => list[i] ?? '');
      return list.length === 0 ? [] : await CHIME_DOMAIN.rows(sql, OWNERS, values);
    },
    put: (claim) => put(sql, claim),
    remove: (chimeAccountId, domain) => CHIME_DOMAIN.remove(sql, chimeAccountId, domain),
    async removeOf(chimeAccountId) {
      await sql.run('DELETE FROM chime_domain WHERE chime_account_id = $1', [chimeAccountId]);
    },
    async count(chimeAccountId) {
      return Number((await sql.row<{ readonly claims: number }>(COUNT, [chimeAccountId]))?.claims ?? 0);
    },
    list: (chimeAccountId, limit, after = '') => CHIME_DOMAIN.rows(sql, LIST, [chimeAccountId, after, limit]),
    due: (now, limit) => CHIME_DOMAIN.rows(sql, DUE, [now, limit]),
  };
}
