/** Keys that sign digests: RSA with 2,048 bits, one after the other in each region. Requirements LOG-14, LOG-17. */
import { constants, createHash, createPrivateKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import { type DigestKey, digestKeys } from '#services/cloudtrail/tables/digest-keys.ts';
import type { Tx } from '#store/store.ts';
import { digestSigningKeys, keyOwner } from './tables/digest-signing-keys.ts';

const KEY_BITS = 2_048;
/** Time for which a key signs. Assumed: AWS does not publish how often it rotates its keys. */
export const KEY_VALID_MS = 30 * DAY_MS;
/** Time after which the private part of an old key is deleted. Until then, it signs digests that are late. */
const OLD_KEY_MS = DAY_MS;

const generate = promisify(generateKeyPair);

/** A key with which the server signs. */
export interface SigningKey {
  readonly fingerprint: string;
  readonly privateKey: KeyObject;
}

export interface SigningKeyParts {
  readonly vault: Pick<Vault, 'open' | 'seal'>;
  readonly transaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  readonly keyValidMs?: number | undefined;
}

/** A digest that needs a key: its region and its times. */
export interface SignedRange {
  readonly region: string;
  readonly start: Instant;
  readonly end: Instant;
}

/**
 * Returns the function that finds the key for a digest. The key is valid at the end time of the digest, which may be long ago if its target
 * failed. If no such key exists, creates one that is valid from the start of the digest.
 *
 * Writes: a new key. Deletes private keys that have been invalid for a day. Public keys stay, because their digests stay.
 */
export function signingKeys({ vault, transaction, keyValidMs = KEY_VALID_MS }: SigningKeyParts) {
  /** Private keys that were decrypted, by region and fingerprint. */
  const opened = new Map<string, KeyObject>();

  async function stored({ region, end }: SignedRange): Promise<SigningKey | undefined> {
    return await transaction(async (tx) => {
      const valid = await tx.of(digestKeys).overlapping(region, end, end);
      for (const { fingerprint } of valid.toReversed()) {
        const found = await tx.of(digestSigningKeys).get(region, fingerprint);
        if (found === undefined) continue;
        const name = keyOwner(found);
        let privateKey = opened.get(name);
        if (privateKey === undefined) {
          const der = Buffer.from(vault.open(found.sealedPrivateKey, name), 'base64');
          opened.set(name, (privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })));
        }
        return { fingerprint, privateKey };
      }
      return undefined;
    });
  }

  async function create({ region, start }: SignedRange): Promise<SigningKey> {
    const { publicKey, privateKey } = await generate('rsa', { modulusLength: KEY_BITS });
    const key = publicPart(publicKey, { region, validFrom: start, validUntil: instant(start + keyValidMs) });
    const { fingerprint, validUntil } = key;
    const plain = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
    const sealedPrivateKey = vault.seal(plain, keyOwner(key));
    await transaction(async (tx) => {
      await tx.of(digestKeys).add(key);
      await tx.of(digestSigningKeys).add({ region, fingerprint, sealedPrivateKey, validUntil });
      await tx.of(digestSigningKeys).forget(region, instant(start - OLD_KEY_MS));
    });
    opened.set(keyOwner(key), privateKey);
    return { fingerprint, privateKey };
  }

  // One key is created at a time, so that chains that need the same key do not create two.
  let creating: Promise<unknown> = Promise.resolve();
  return async (range: SignedRange): Promise<SigningKey> => {
    const found = await stored(range);
    if (found !== undefined) return found;
    const created = creating.then(async () => (await stored(range)) ?? (await create(range)));
    creating = created.catch(() => undefined);
    return await created;
  };
}

/**
 * Returns the public part of a key, as ListPublicKeys returns it.
 *
 * Source: CloudTrail API reference, PublicKey. Assumed: the fingerprint is the MD5 of the DER. AWS documents only its form, and clients
 * compare it with the fingerprint in the digest.
 */
export function publicPart(publicKey: KeyObject, rest: Pick<DigestKey, 'region' | 'validFrom' | 'validUntil'>): DigestKey {
  const der = publicKey.export({ type: 'pkcs1', format: 'der' });
  return { ...rest, publicKey: der, fingerprint: createHash('md5').update(der).digest('hex') };
}

/** Signs a text. Returns the signature in lower-case hexadecimal. Runs outside this thread. */
export function signature(text: string, privateKey: KeyObject): Promise<string> {
  const key = { key: privateKey, padding: constants.RSA_PKCS1_PADDING };
  return new Promise((resolve, reject) => {
    sign('sha256', Buffer.from(text, 'utf8'), key, (error, signed) => (error === null ? resolve(signed.toString('hex')) : reject(error)));
  });
}
