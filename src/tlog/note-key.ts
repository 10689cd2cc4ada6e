/** Keys of logs and witnesses: Ed25519 keys with a name, and their text forms. */
import { createPublicKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import { ED25519_PKCS8, ed25519Key } from '#core/ed25519.ts';
import { decodeBase64 } from './strict.ts';

/**
 * Types of signatures.
 *
 * - `log`: Ed25519 over the text of a note
 * - `witness`: a cosignature, which is Ed25519 over a time and the text of a checkpoint
 *
 * The value is the byte that identifies the type. Source: C2SP signed-note 1.0.0, "Signature types".
 */
export const SIGNATURE_TYPES = { log: 0x01, witness: 0x04 } as const;
export type SignatureType = keyof typeof SIGNATURE_TYPES;

/** Public key with its name. */
export interface NoteKey {
  /** Name without spaces and `+`, such as `log.example.com/belfry`. The name of a log's key is the origin of the log. */
  readonly name: string;
  readonly type: SignatureType;
  /** The first 4 bytes of a hash of name, type and public key, in hexadecimal. Not a secure identifier. */
  readonly id: string;
  /** The 32 bytes of the public key, in base64. */
  readonly publicKey: string;
  readonly verifyKey: KeyObject;
}

/** Key pair. */
export interface SigningKey {
  readonly key: NoteKey;
  readonly privateKey: KeyObject;
}

/** Text that is not a note, a key, a checkpoint or a proof in the exact format. The message says what is wrong. */
export class FormatError extends Error {}

const NAME_BYTES_MAX = 255;
const RAW_KEY_BYTES = 32;
/** DER structure around a raw public key of Ed25519. Source: RFC 8410, section 4. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const PRIVATE = 'PRIVATE+KEY+';

/** Reports whether a name is valid: 1 to 255 bytes without spaces, control characters and `+`. Assumed: the limit, which C2SP's cosignature format has for names. */
export function isKeyName(name: string): boolean {
  return name !== '' && Buffer.byteLength(name) <= NAME_BYTES_MAX && name.isWellFormed() && !/[\s\u0000-\u001f\u007f-\u009f+]/u.test(name);
}

/** Creates a key pair. @throws FormatError  the name is invalid */
export function createSigningKey(name: string, type: SignatureType): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { key: noteKey(name, type, rawPublicKey(publicKey)), privateKey };
}

/**
 * Returns the text of a public key: `NAME+HEX(ID)+BASE64(TYPE ‖ KEY)`.
 *
 *     'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
 */
export function formatVkey({ name, type, id, publicKey }: NoteKey): string {
  return `${name}+${id}+${typed(type, Buffer.from(publicKey, 'base64'))}`;
}

/** Parses the text of a public key. @throws FormatError  the text is not exactly in the format, or its ID is wrong */
export function parseVkey(vkey: string): NoteKey {
  const [name, id, encoded] = parts(vkey, 'a vkey');
  const { type, raw } = untyped(encoded, 'a vkey');
  const key = noteKey(name, type, raw);
  if (key.id !== id) throw new FormatError(`the key ID of vkey '${vkey}' must be '${key.id}'`);
  return key;
}

/** Returns the text of a key pair: `PRIVATE+KEY+NAME+HEX(ID)+BASE64(TYPE ‖ SEED)`. It is a secret. */
export function formatSigningKey({ key, privateKey }: SigningKey): string {
  const seed = (privateKey.export({ type: 'pkcs8', format: 'der' }) as Buffer).subarray(ED25519_PKCS8.length);
  return `${PRIVATE}${key.name}+${key.id}+${typed(key.type, seed)}`;
}

/** Parses the text of a key pair. @throws FormatError  the text is not exactly in the format; the message does not contain it */
export function parseSigningKey(text: string): SigningKey {
  if (!text.startsWith(PRIVATE)) throw new FormatError(`a signing key starts with '${PRIVATE}'`);
  const [name, id, encoded] = parts(text.slice(PRIVATE.length), 'a signing key');
  const { type, raw } = untyped(encoded, 'a signing key');
  const privateKey = ed25519Key(raw);
  const key = noteKey(name, type, rawPublicKey(createPublicKey(privateKey)));
  if (key.id !== id) throw new FormatError(`the key ID of the signing key of '${name}' must be '${key.id}'`);
  return { key, privateKey };
}

function noteKey(name: string, type: SignatureType, raw: Buffer): NoteKey {
  if (!isKeyName(name)) throw new FormatError(`'${name}' is not a key name: 1 to ${NAME_BYTES_MAX} bytes without spaces and '+'`);
  const id = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([SIGNATURE_TYPES[type]]), raw]), 'buffer').subarray(0, 4);
  const verifyKey = createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' });
  return { name, type, id: id.toString('hex'), publicKey: raw.toString('base64'), verifyKey };
}

function rawPublicKey(publicKey: KeyObject): Buffer {
  return (publicKey.export({ type: 'spki', format: 'der' }) as Buffer).subarray(SPKI.length);
}

function typed(type: SignatureType, raw: Uint8Array): string {
  return Buffer.concat([Buffer.from([SIGNATURE_TYPES[type]]), raw]).toString('base64');
}

/** Splits at the first two `+`. The base64 of the third part may contain further ones. */
function parts(text: string, what: string): [name: string, id: string, encoded: string] {
  const [first, second] = [text.indexOf('+'), text.indexOf('+', text.indexOf('+') + 1)];
  if (first < 0 || second <= first) throw new FormatError(`${what} has three parts, which are separated by '+'`);
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)];
}

function untyped(encoded: string, what: string): { type: SignatureType; raw: Buffer } {
  const bytes = decodeBase64(encoded);
  const type = (Object.keys(SIGNATURE_TYPES) as SignatureType[]).find((each) => SIGNATURE_TYPES[each] === bytes?.[0]);
  if (bytes === undefined || type === undefined || bytes.length !== 1 + RAW_KEY_BYTES)
    throw new FormatError(`${what} ends with the base64 of an Ed25519 key of type 01 or 04`);
  return { type, raw: bytes.subarray(1) };
}
