import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { bytes, instant, type Row, table, text } from '#store/table.ts';

/**
 * Public keys of digests, by region. Private keys are in a table of the delivery. A row stays while a digest that its key signed may exist.
 */
export const DIGEST_KEY = table('digest_key', {
  columns: {
    region: text,
    /** 32 hexadecimal digits. */
    fingerprint: text,
    /** RSA public key in PKCS #1 form, as DER. */
    publicKey: bytes,
    validFrom: instant,
    validUntil: instant,
  },
  key: ['region', 'fingerprint'],
});
export type DigestKey = Row<typeof DIGEST_KEY>;

export interface DigestKeys {
  add(key: DigestKey): Promise<'added' | 'exists'>;
  /** Returns the keys of a region that are valid at some time in a range, both ends included, the oldest key first. */
  overlapping(region: string, from: Instant, to: Instant): Promise<readonly DigestKey[]>;
  /** Returns the keys of all regions: at most some dozen for each region and year. */
  all(): Promise<readonly DigestKey[]>;
}

const SELECT = `
  SELECT ${DIGEST_KEY.names} FROM digest_key
  WHERE region = $1 AND valid_until_ms >= $2 AND valid_from_ms <= $3 ORDER BY valid_from_ms, fingerprint`;

/** Limit for the list of all keys. It is above every number of keys. */
const EVERY = 1_000_000;

/** Creates the repository of one transaction. */
export function digestKeys(sql: Sql): DigestKeys {
  return {
    add: (key) => DIGEST_KEY.add(sql, key),
    overlapping: (region, from, to) => DIGEST_KEY.rows(sql, SELECT, [region, from, to]),
    all: () => DIGEST_KEY.page(sql, [], ['', ''], EVERY),
  };
}
