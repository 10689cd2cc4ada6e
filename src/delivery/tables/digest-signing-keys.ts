/** Private keys that sign digests. No operation reads this table. */
import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import type { Tx } from '#store/store.ts';
import { instant, type Row, table, text } from '#store/table.ts';

/** Private keys by region, encrypted for `keyOwner`. The public part of each key is in the table `digest_key`. */
export const DIGEST_SIGNING_KEY = table('digest_signing_key', {
  columns: {
    region: text,
    fingerprint: text,
    /** RSA private key in PKCS #8 form, as DER in base64, encrypted by the vault. */
    sealedPrivateKey: text,
    /** Time from which another key signs. The row is deleted some time later. */
    validUntil: instant,
  },
  key: ['region', 'fingerprint'],
});
export type DigestSigningKey = Row<typeof DIGEST_SIGNING_KEY>;

/** Returns the owner for which the vault encrypts a private key. */
export function keyOwner({ region, fingerprint }: Pick<DigestSigningKey, 'region' | 'fingerprint'>): string {
  return `digest key ${region} ${fingerprint}`;
}

export interface DigestSigningKeys {
  add(key: DigestSigningKey): Promise<void>;
  get(region: string, fingerprint: string): Promise<DigestSigningKey | undefined>;
  /** Returns all keys: at most some for each region, because old ones are deleted. */
  list(): Promise<readonly DigestSigningKey[]>;
  setPrivateKey(key: Pick<DigestSigningKey, 'region' | 'fingerprint' | 'sealedPrivateKey'>): Promise<void>;
  /** Deletes the private keys of a region that have been invalid since a time. */
  forget(region: string, before: Instant): Promise<void>;
}

/** Limit for the list of all keys. It is above every number of keys. */
const EVERY = 1_000_000;

const FORGET = 'DELETE FROM digest_signing_key WHERE region = $1 AND valid_until_ms < $2';
const setPrivateKey = DIGEST_SIGNING_KEY.update('sealedPrivateKey');

/** Creates the repository of one transaction. */
export function digestSigningKeys(sql: Sql): DigestSigningKeys {
  return {
    add: (key) => DIGEST_SIGNING_KEY.insert(sql, key),
    get: (region, fingerprint) => DIGEST_SIGNING_KEY.get(sql, region, fingerprint),
    list: () => DIGEST_SIGNING_KEY.page(sql, [], ['', ''], EVERY),
    async setPrivateKey(key) {
      await setPrivateKey(sql, key);
    },
    async forget(region, before) {
      await sql.run(FORGET, [region, before]);
    },
  };
}

/** Encrypted private keys, for a rotation of the operator key. The key of a row is the region and the fingerprint. */
export const SEALED_DIGEST_KEYS = {
  list: async (tx: Tx) => (await tx.of(digestSigningKeys).list()).map(sealedOf),
  async get(tx: Tx, key: string) {
    const [region = '', fingerprint = ''] = key.split(' ');
    const found = await tx.of(digestSigningKeys).get(region, fingerprint);
    return found && sealedOf(found);
  },
  put(tx: Tx, key: string, sealedPrivateKey: string) {
    const [region = '', fingerprint = ''] = key.split(' ');
    return tx.of(digestSigningKeys).setPrivateKey({ region, fingerprint, sealedPrivateKey });
  },
};

function sealedOf(key: DigestSigningKey) {
  return { key: `${key.region} ${key.fingerprint}`, sealed: key.sealedPrivateKey, boundTo: keyOwner(key) };
}
