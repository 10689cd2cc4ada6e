import { timingSafeEqual } from 'node:crypto';
import type { SignatureClaim } from './claim.ts';
import { deriveSigningKey, type SigningKeyCache } from './signing-key.ts';

const DUMMY_SECRET = 'dummy-secret-of-an-unknown-access-key-id';

/**
 * Reports whether the signature of a claim is that of a string to sign. A wrong signature always takes one key derivation, so that the
 * time does not reveal whether the access key exists or is cached. Without a secret the result is false.
 */
export function isSignedWith(secret: string | undefined, stringToSign: string, claim: SignatureClaim, keyCache: SigningKeyCache): boolean {
  const cached = secret === undefined ? undefined : keyCache.find(claim.accessKeyId, claim, secret);
  if (cached !== undefined && sameSignature(cached(stringToSign), claim.signature)) return true;
  const derived = deriveSigningKey(secret ?? DUMMY_SECRET, claim);
  const matches = sameSignature(derived(stringToSign), claim.signature);
  if (secret === undefined || !matches) return false;
  keyCache.keep(claim.accessKeyId, claim, secret, derived);
  return true;
}

/** Compares two signatures of 64 hexadecimal digits in constant time. The caller has checked the length of both. */
export function sameSignature(ours: string, theirs: string): boolean {
  OURS.write(ours, 'latin1');
  THEIRS.write(theirs, 'latin1');
  return timingSafeEqual(OURS, THEIRS);
}
const OURS = Buffer.alloc(64);
const THEIRS = Buffer.alloc(64);
