/** Chains of digests: how far each one is, its last digest, and the digest that is being written. */
import type { AccountId } from '#core/arn.ts';
import type { Sql } from '#store/sql.ts';
import { bytes, flag, instant, int, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { DigestPlace, WrittenDigest } from '../digest.ts';

/** A digest that is stored, but possibly not written. `end` is its end time in milliseconds, and `isLast` marks the last one of a chain. */
export interface PendingDigest extends WrittenDigest {
  readonly end: number;
  readonly isLast: boolean;
  /** Place from which the digest was created. */
  readonly place: DigestPlace;
  /** Keys of the log files that it lists. */
  readonly files: readonly string[];
}

/**
 * Chains of digests, one for each trail, account and region of records. A row stays after the deletion of the trail, because a trail with
 * the same name writes to the same folder, and its digests must end later.
 */
export const DIGEST_CHAIN = table('digest_chain', {
  columns: {
    trailArn: text,
    /** Account and region of the records. */
    accountId: textOf<AccountId>(),
    region: text,
    /** ID of the trail that the chain belongs to. Another trail with the same name starts a new chain. */
    trailId: text,
    /** Place of the next digest. It is read from the trail again for each digest, as long as the trail exists. */
    place: json<DigestPlace>(),
    /** Start of the logging period that the chain belongs to, in milliseconds. The chain ends when the period is delivered. */
    periodStartedAt: instant,
    /** False after the last digest of a chain. */
    active: flag,
    /** End of the last digest, or start of the chain. A whole second. It never decreases. */
    coveredUntil: instant,
    /** Whether the chain has no digest yet. Its first digest does not refer to an earlier one. */
    starting: flag,
    /** Last digest that was written for this trail, account and region. */
    last: optional(json<WrittenDigest>()),
    /** Digest that is being written, and its compressed bytes. Both are set, or neither. */
    pending: optional(json<PendingDigest>()),
    pendingBody: optional(bytes),
    /** Number of failures since the last success, and the time of the first of them. */
    failures: int,
    failingSince: optional(instant),
    retryAt: optional(instant),
  },
  key: ['trailArn', 'accountId', 'region'],
  indexes: [{ columns: ['active', 'trailArn', 'accountId', 'region'], where: 'active = 1' }],
});
export type DigestChain = Row<typeof DIGEST_CHAIN>;

/**
 * Last digests of chains that ended, and of chains that continued in another bucket. No later digest in their bucket names them, so only
 * this table shows that they existed.
 */
export const DIGEST_END = table('digest_end', {
  columns: { trailArn: text, accountId: textOf<AccountId>(), region: text, key: text, digest: json<WrittenDigest>() },
  key: ['trailArn', 'accountId', 'region', 'key'],
});
export type DigestEnd = Row<typeof DIGEST_END>;

/** Name before all ends. */
export const FIRST_END: Omit<DigestEnd, 'digest'> = { trailArn: '', accountId: '' as AccountId, region: '', key: '' };

/** Trail, account and region of a chain. */
export type ChainName = Pick<DigestChain, 'trailArn' | 'accountId' | 'region'>;

/** Name before all others. */
export const FIRST_CHAIN: ChainName = { trailArn: '', accountId: '' as AccountId, region: '' };

export interface DigestChains {
  get(name: ChainName): Promise<DigestChain | undefined>;
  put(chain: DigestChain): Promise<void>;
  /** Returns a page of the active chains after a name, in the order of names. */
  active(after: ChainName, limit: number): Promise<readonly DigestChain[]>;
  /** Returns a page of all chains after a name, in the order of names. */
  all(after: ChainName, limit: number): Promise<readonly DigestChain[]>;
  /** Stores the last digest of a chain in its bucket. */
  addEnd(chain: ChainName, digest: WrittenDigest): Promise<void>;
  /** Returns a page of the ends of all chains after a name, in the order of names. */
  ends(after: Omit<DigestEnd, 'digest'>, limit: number): Promise<readonly DigestEnd[]>;
}

const ACTIVE = `
  SELECT ${DIGEST_CHAIN.names} FROM digest_chain
  WHERE active = 1 AND (trail_arn, account_id, region) > ($1, $2, $3) ORDER BY trail_arn, account_id, region LIMIT $4`;

/** Creates the repository of one transaction. */
export function digestChains(sql: Sql): DigestChains {
  return {
    get: ({ trailArn, accountId, region }) => DIGEST_CHAIN.get(sql, trailArn, accountId, region),
    put: (chain) => DIGEST_CHAIN.put(sql, chain),
    active: ({ trailArn, accountId, region }, limit) => DIGEST_CHAIN.rows(sql, ACTIVE, [trailArn, accountId, region, limit]),
    all: ({ trailArn, accountId, region }, limit) => DIGEST_CHAIN.page(sql, [], [trailArn, accountId, region], limit),
    addEnd: ({ trailArn, accountId, region }, digest) => DIGEST_END.put(sql, { trailArn, accountId, region, key: digest.key, digest }),
    ends: ({ trailArn, accountId, region, key }, limit) => DIGEST_END.page(sql, [], [trailArn, accountId, region, key], limit),
  };
}
