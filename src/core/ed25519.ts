import { createPrivateKey, type KeyObject } from 'node:crypto';

/** Length of a seed, from which the private key is computed. Source: RFC 8032, 5.1.5. */
export const ED25519_SEED_BYTES = 32;

/** Bytes before the seed in PKCS #8. Source: RFC 8410, section 7. */
export const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Returns the private key of a seed. */
export function ed25519Key(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, seed]), format: 'der', type: 'pkcs8' });
}
