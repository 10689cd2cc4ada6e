import { hash } from 'node:crypto';
import { ownText, TERMINATOR } from './canonical.ts';

/** The parts of a credential scope before its terminator. */
export interface Scope {
  /** `20261122`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** A key derived for one scope, ready to use: gives the signature of a string to sign, in lower-case hex. */
export type SigningKey = (stringToSign: string) => string;

/** Derives the key of one day, region and service. Source: "Signature Version 4", "Calculate a signature". */
export function deriveSigningKey(secret: string, { date, region, service }: Scope): SigningKey {
  const whole = Buffer.from(`AWS4${secret}`, 'utf8');
  const first = whole.length <= BLOCK ? whole : Buffer.from(hash('sha256', whole, 'hex'), 'hex');
  return [date, region, service, TERMINATOR].reduce((key, part) => hmacKey(Buffer.from(key(part), 'hex')), hmacKey(first));
}

const BLOCK = 64;

/** A string to sign is 250 bytes at most, with the longest region and service that `readSignature` takes. */
const TEXT_MAX = 256;

/**
 * HMAC-SHA-256 as two one-shot hashes over buffers kept with the key: `createHmac` costs nearly twice as much a call
 * (2.3 against 1.3 µs on Node 24), because it builds an object each time. The key is at most one block.
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
    if (text.length > TEXT_MAX) throw new Error('a string to sign is never this long');
    const length = inner.write(text, BLOCK, 'latin1');
    outer.write(hash('sha256', inner.subarray(0, BLOCK + length), 'hex'), BLOCK, 'hex');
    return hash('sha256', outer, 'hex');
  };
}

/** Remembers derived keys, so that a signature costs one HMAC instead of five. */
export interface SigningKeyCache {
  /** The key derived before from this very secret; one kept from an earlier secret of the same access key is not given. */
  find(accessKeyId: string, scope: Scope, secret: string): SigningKey | undefined;
  keep(accessKeyId: string, scope: Scope, secret: string, key: SigningKey): void;
}

/** Of the day and the secret an access key was last used with: both change seldom, and what belongs to others is dropped with them. */
interface Kept {
  readonly date: string;
  readonly secret: string;
  readonly keys: readonly { readonly region: string; readonly service: string; readonly key: SigningKey }[];
}

/** Regions and services of one access key. */
const KEYS_MAX = 8;

/**
 * Keys of at most `max` access keys, the oldest leaving first. Keep only keys that have verified something: a stranger can then not push
 * others out by inventing regions.
 */
export function signingKeyCache(max = 10_000): SigningKeyCache {
  const kept = new Map<string, Kept>();
  return {
    find(accessKeyId, { date, region, service }, secret) {
      const of = kept.get(accessKeyId);
      if (of === undefined || of.date !== date || of.secret !== secret) return undefined;
      return of.keys.find((one) => one.region === region && one.service === service)?.key;
    },
    keep(accessKeyId, { date, region, service }, secret, key) {
      const before = kept.get(accessKeyId);
      const others = before?.date === date && before.secret === secret ? before.keys.slice(0, KEYS_MAX - 1) : [];
      kept.delete(accessKeyId);
      if (kept.size >= max) kept.delete(kept.keys().next().value as string);
      const mine = { region: ownText(region), service: ownText(service), key };
      kept.set(ownText(accessKeyId), { date: ownText(date), secret, keys: [mine, ...others] });
    },
  };
}
