import { hash } from 'node:crypto';

/** HMAC-SHA-256 with one key: returns the MAC of a string. */
export type Hmac = (text: string, encoding: 'hex' | 'base64url') => string;

const BLOCK = 64;

/**
 * Returns HMAC-SHA-256 with a key of at most one block (64 bytes), for strings of at most `textMax` bytes in Latin-1.
 * `prefix` is ASCII. It precedes each string and does not count towards `textMax`.
 *
 * HMAC hashes twice. The buffers for the inner and the outer hash are allocated once per key and reused for every
 * string (Decision 0004).
 *
 * @throws Error  the key or a string is too long
 */
export function hmacSha256(key: Uint8Array, textMax: number, prefix = ''): Hmac {
  if (key.length > BLOCK) throw new Error(`the HMAC key has ${key.length} bytes; the maximum is ${BLOCK}`);
  const begin = BLOCK + prefix.length;
  const inner = Buffer.allocUnsafe(begin + textMax);
  const outer = Buffer.allocUnsafe(BLOCK + 32);
  for (let i = 0; i < BLOCK; i++) {
    const byte = i < key.length ? (key[i] as number) : 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  inner.write(prefix, BLOCK, 'latin1');
  return (text, encoding) => {
    if (text.length > textMax) throw new Error(`the string to sign has ${text.length} bytes; the maximum is ${textMax}`);
    const length = inner.write(text, begin, 'latin1');
    outer.write(hash('sha256', inner.subarray(0, begin + length), 'hex'), BLOCK, 'hex');
    return hash('sha256', outer, encoding);
  };
}
