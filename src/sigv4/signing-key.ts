import { hash } from 'node:crypto';
import { lruMap } from '#core/lru-map.ts';
import { ownText, TERMINATOR } from './canonical.ts';

/** Credential scope, without its terminator. */
export interface Scope {
  /** Day in UTC: `20261122`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** Signing key of one scope: returns the signature of a string to sign, in lower-case hexadecimal. */
export type SigningKey = (stringToSign: string) => string;

/** Derives the signing key of one day, region and service. Source: "Signature Version 4", "Calculate a signature". */
export function deriveSigningKey(secret: string, { date, region, service }: Scope): SigningKey {
  const whole = Buffer.from(`AWS4${secret}`, 'utf8');
  const first = whole.length <= BLOCK ? whole : Buffer.from(hash('sha256', whole, 'hex'), 'hex');
  return [date, region, service, TERMINATOR].reduce((key, part) => hmacKey(Buffer.from(key(part), 'hex')), hmacKey(first));
}

const BLOCK = 64;

/** Largest input, in bytes. A string to sign has at most 250 bytes, with the longest region and service that `readSignature` accepts. */
const TEXT_MAX = 256;

/**
 * Returns HMAC-SHA-256 with a key of at most one block (64 bytes).
 *
 * Hashes twice over buffers that belong to the key. `createHmac` takes nearly twice as long (2.3 µs instead of 1.3 µs per call
 * on Node 24), because it creates an object for each call.
 */
function hmacKey(key: Uint8Array): SigningKey {
  const inner = Buffer.allocUnsafe(BLOCK + TEXT_MAX);
  const outer = Buffer.allocUnsafe(BLOCK + 32);
  for (let i = 0; i < BLOCK; i++) {
    const byte = i < key.length ? (key[i] as number) : 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  return (text) => {
    if (text.length > TEXT_MAX) throw new Error(`a string to sign has at most ${TEXT_MAX} bytes`);
    const length = inner.write(text, BLOCK, 'latin1');
    outer.write(hash('sha256', inner.subarray(0, BLOCK + length), 'hex'), BLOCK, 'hex');
    return hash('sha256', outer, 'hex');
  };
}

/** Cache of derived signing keys. With a cached key, a signature takes one HMAC instead of five. */
export interface SigningKeyCache {
  /** Returns the key of a scope if it was derived from the same secret. */
  find(accessKeyId: string, scope: Scope, secret: string): SigningKey | undefined;
  keep(accessKeyId: string, scope: Scope, secret: string, key: SigningKey): void;
}

/** Cached keys of one access key. A new day or secret replaces all of them. */
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
 * Store only keys that verified a signature. Otherwise an unauthenticated client could evict other keys with invented regions.
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
