import { hash } from 'node:crypto';
import { hmacSha256 } from '#core/hmac.ts';
import { lruMap } from '#core/lru-map.ts';
import { ownText, TERMINATOR } from './canonical.ts';

/** Credential scope, without its terminator. */
export interface Scope {
  /** Day in UTC: `20261122`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** Signing key of one scope, as a function. It returns the signature of a string to sign, in lower-case hexadecimal. */
export type SigningKey = (stringToSign: string) => string;

/** Derives the signing key of one day, region and service. Source: "Signature Version 4", "Calculate a signature". */
export function deriveSigningKey(secret: string, scope: Scope): SigningKey {
  return hmacKey(signingKeyBytes(secret, scope));
}

/** Returns the bytes of a signing key. They are as secret as the secret access key: they sign any request of that day, region and service. */
export function signingKeyBytes(secret: string, { date, region, service }: Scope): Uint8Array {
  const whole = Buffer.from(`AWS4${secret}`, 'utf8');
  const first = whole.length <= KEY_MAX ? whole : Buffer.from(hash('sha256', whole, 'hex'), 'hex');
  return [date, region, service, TERMINATOR].reduce<Uint8Array>((key, part) => Buffer.from(hmacKey(key)(part), 'hex'), first);
}

/** Longest key of an HMAC, in bytes. A longer key is hashed. Source: RFC 2104. */
const KEY_MAX = 64;

/**
 * Largest input of an HMAC, in bytes. A string to sign has at most 250 bytes, with the longest region and service that
 * `readSignature` accepts.
 */
const TEXT_MAX = 256;

function hmacKey(key: Uint8Array): SigningKey {
  const hmac = hmacSha256(key, TEXT_MAX);
  return (text) => hmac(text, 'hex');
}

/** Cache of derived signing keys. With a cached key, a signature takes one HMAC instead of five. */
export interface SigningKeyCache {
  /** Returns the key of a scope if it was derived from the same secret. */
  find(accessKeyId: string, scope: Scope, secret: string): SigningKey | undefined;
  keep(accessKeyId: string, scope: Scope, secret: string, key: SigningKey): void;
}

/** Cached signing keys of one access key. A new day or a new secret replaces all these signing keys. */
interface CacheEntry {
  readonly date: string;
  readonly secret: string;
  readonly keys: readonly { readonly region: string; readonly service: string; readonly key: SigningKey }[];
}

/** Maximum number of cached scopes for one access key. */
const KEYS_MAX = 8;

/**
 * Creates a cache for at most `max` access keys. A new access key replaces the least recently used one.
 *
 * Store only keys that verified a signature. Otherwise an unauthenticated client could send invented regions and evict
 * other keys from the cache.
 */
export function signingKeyCache(max = 10_000): SigningKeyCache {
  const entries = lruMap<string, CacheEntry>(max);
  return {
    find(accessKeyId, { date, region, service }, secret) {
      const entry = entries.get(accessKeyId);
      if (entry === undefined || entry.date !== date || entry.secret !== secret) return undefined;
      return entry.keys.find((each) => each.region === region && each.service === service)?.key;
    },
    keep(accessKeyId, { date, region, service }, secret, key) {
      const previous = entries.get(accessKeyId);
      const others = previous?.date === date && previous.secret === secret ? previous.keys.slice(0, KEYS_MAX - 1) : [];
      const added = { region: ownText(region), service: ownText(service), key };
      entries.set(ownText(accessKeyId), { date: ownText(date), secret, keys: [added, ...others] });
    },
  };
}
