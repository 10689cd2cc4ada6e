import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import type { Vault } from '#core/vault.ts';
import { derivedFrom, type OperatorKeys } from './operator-keys.ts';

/**
 * Authenticated encryption for one purpose. A box cannot decrypt the bytes of a box with another purpose.
 *
 * Format, in bytes: version (1), key ID (4), nonce (24), ciphertext, tag (16).
 */
export interface SealingBox {
  /** Encrypts bytes. They can be decrypted only with the same `boundTo`. */
  seal(plain: Uint8Array, boundTo: string, random?: (bytes: number) => Uint8Array): Buffer;
  /** Decrypts bytes. Returns `undefined` if they were altered, have another `boundTo`, or were encrypted under an unknown key. */
  open(sealed: Uint8Array, boundTo: string): Buffer | undefined;
  /**
   * Derives a secret of 32 bytes from the operator key and the nonce of the encrypted bytes. So the secret is not
   * stored.
   */
  secretOf(sealed: Uint8Array, boundTo: string): Buffer;
}

/** Vault that also encrypts bytes for purposes other than stored secrets. */
export interface OperatorVault extends Vault {
  box(purpose: string): SealingBox;
}

const VERSION = 1;
const KEY_BYTES = 32;
const KEY_ID_AT = 1;
const NONCE_AT = 5;
const SALT_BYTES = 12;
const NONCE_BYTES = 24;
const TEXT_AT = NONCE_AT + NONCE_BYTES;
const TAG_BYTES = 16;

/** Number of bytes that encryption adds. */
export const SEALING_BYTES = TEXT_AT + TAG_BYTES;

/** Keys of one purpose. They are key objects, because each use takes 2 µs in Node 24, but 12 µs with a key in bytes. */
interface PurposeKeys {
  readonly id: Buffer;
  readonly sealing: KeyObject;
  readonly secrets: KeyObject;
}

/**
 * Opens the vault with the operator's keys. Encrypts with the first key, and can decrypt with each key. So a rotation
 * adds a new first key.
 *
 * Encrypts with AES-256-GCM. The nonce of 24 bytes consists of a random salt and a random IV of 12 bytes each. The key
 * of a message is derived from the operator key and the purpose (HKDF), and then from the salt (HMAC). With the IV
 * alone, a key may encrypt only 2^32 messages, which sessions would exceed. Salt and IV together allow an unlimited
 * number.
 *
 * `Vault.open` throws an `Error` if the string was altered, or was encrypted for another owner or under another operator key.
 */
export function openVault(operatorKeys: OperatorKeys): OperatorVault {
  const box = (purpose: string) => sealingBox(derivedFrom(operatorKeys, (keys) => keysFor(keys, purpose)));
  const secrets = box('secrets at rest');
  return {
    box,
    seal: (secret, boundTo) => secrets.seal(Buffer.from(secret, 'utf8'), boundTo).toString('base64url'),
    open(sealed, boundTo) {
      const plain = secrets.open(Buffer.from(sealed, 'base64url'), boundTo);
      if (plain === undefined)
        throw new Error(
          'a secret cannot be decrypted: it was altered, belongs to another record, or was encrypted with another operator key',
        );
      return plain.toString('utf8');
    },
  };
}

function keysFor(keys: readonly Uint8Array[], purpose: string): readonly PurposeKeys[] {
  if (keys.length === 0) throw new Error('The list of operator keys is empty.');
  for (const key of keys) if (key.length !== KEY_BYTES) throw new Error(`An operator key has ${key.length} bytes instead of ${KEY_BYTES}.`);
  return keys.map((key) => purposeKeys(key, purpose));
}

function purposeKeys(operatorKey: Uint8Array, purpose: string): PurposeKeys {
  const derive = (use: string, bytes: number) => Buffer.from(hkdfSync('sha256', operatorKey, '', `belfry ${use}: ${purpose}`, bytes));
  const deriveKey = (use: string) => createSecretKey(derive(use, KEY_BYTES));
  return { id: derive('key id', 4), sealing: deriveKey('sealing'), secrets: deriveKey('derived secrets') };
}

function sealingBox(all: () => readonly PurposeKeys[]): SealingBox {
  function keysOf(sealed: Uint8Array): PurposeKeys | undefined {
    if (sealed.length < SEALING_BYTES || sealed[0] !== VERSION) return undefined;
    return all().find(({ id }) => timingSafeEqual(id, sealed.subarray(KEY_ID_AT, NONCE_AT)));
  }

  return {
    seal(plain, boundTo, random = randomBytes) {
      const newest = all()[0] as PurposeKeys;
      const nonce = random(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', messageKey(newest, nonce), nonce.subarray(SALT_BYTES));
      cipher.setAAD(Buffer.from(boundTo, 'utf8'));
      return Buffer.concat([Uint8Array.of(VERSION), newest.id, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, boundTo) {
      const keys = keysOf(sealed);
      if (keys === undefined) return undefined;
      const nonce = sealed.subarray(NONCE_AT, TEXT_AT);
      const decipher = createDecipheriv('aes-256-gcm', messageKey(keys, nonce), nonce.subarray(SALT_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(boundTo, 'utf8'));
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      const plain = decipher.update(sealed.subarray(TEXT_AT, sealed.length - TAG_BYTES));
      try {
        return Buffer.concat([plain, decipher.final()]);
      } catch {
        // Node reports a wrong tag only by an exception.
        return undefined;
      }
    },
    secretOf(sealed, boundTo) {
      const keys = keysOf(sealed);
      if (keys === undefined) throw new Error('The bytes were encrypted with an unknown key.');
      return createHmac('sha256', keys.secrets).update(sealed.subarray(NONCE_AT, TEXT_AT)).update(boundTo, 'utf8').digest();
    },
  };
}

function messageKey({ sealing }: PurposeKeys, nonce: Uint8Array): KeyObject {
  return createSecretKey(createHmac('sha256', sealing).update(nonce.subarray(0, SALT_BYTES)).digest());
}

const FINGERPRINT = 'operator key';

/**
 * Returns a string to store in a database. `isOwnDatabase` recognizes the operator keys by this string. The string does
 * not reveal a key.
 */
export function vaultFingerprint(vault: Vault): string {
  return vault.seal(FINGERPRINT, FINGERPRINT);
}

/** Reports whether one of the vault's keys created this fingerprint. If not, the secrets in the database cannot be decrypted. */
export function isOwnDatabase(vault: Vault, fingerprint: string): boolean {
  try {
    return vault.open(fingerprint, FINGERPRINT) === FINGERPRINT;
  } catch {
    return false;
  }
}
