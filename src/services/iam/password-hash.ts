/**
 * Password hashes. scrypt makes guessing expensive in memory and time.
 *
 * All passwords of a user have the same salt. So the server computes only one hash to compare a new password with all
 * earlier passwords.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** Cost per password: 32 MiB and about 80 ms. Source: RFC 7914; OWASP Password Storage Cheat Sheet, scrypt with N = 2^15. */
const COST = { logN: 15, r: 8, p: 1 } as const;
const HASH_BYTES = 32;
/** Size of a salt, in bytes. */
export const SALT_BYTES = 16;

const scryptAsync = promisify(scrypt) as (
  password: string,
  salt: Uint8Array,
  bytes: number,
  options: { readonly N: number; readonly r: number; readonly p: number; readonly maxmem: number },
) => Promise<Buffer>;

/** Hashes a password. The result `scrypt$15$8$1$<salt>$<hash>` contains all parameters, so it remains valid if the cost changes. */
export async function hashPassword(password: string, salt: Uint8Array): Promise<string> {
  const { logN, r, p } = COST;
  return formatted(logN, r, p, salt, await hash(password, logN, r, p, salt));
}

/** Hash that matches no password. Comparing with it takes the same time as comparing with a real one. */
const NO_PASSWORD = formatted(COST.logN, COST.r, COST.p, new Uint8Array(SALT_BYTES), new Uint8Array(HASH_BYTES));

/** Reports whether a password matches a stored hash. Without a stored hash it returns false after the same time. */
export async function isPassword(storedHash: string | undefined, password: string): Promise<boolean> {
  const { logN, r, p, salt, hash: wanted } = parse(storedHash ?? NO_PASSWORD);
  return timingSafeEqual(await hash(password, logN, r, p, salt), wanted) && storedHash !== undefined;
}

/** Returns the salt of a stored hash. */
export function saltOf(storedHash: string): Uint8Array {
  return parse(storedHash).salt;
}

/** Compares two stored hashes with the same salt, in constant time. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Computes a hash on a thread of Node's thread pool, so that other requests do not wait. Normalizes the password to
 * Unicode NFC, so that the hash does not depend on how a keyboard encodes accents. Source: RFC 8265, OpaqueString.
 */
function hash(password: string, logN: number, r: number, p: number, salt: Uint8Array): Promise<Buffer> {
  return scryptAsync(password.normalize('NFC'), salt, HASH_BYTES, { N: 2 ** logN, r, p, maxmem: 256 * 2 ** logN * r });
}

function formatted(logN: number, r: number, p: number, salt: Uint8Array, hashed: Uint8Array): string {
  return ['scrypt', logN, r, p, Buffer.from(salt).toString('base64url'), Buffer.from(hashed).toString('base64url')].join('$');
}

/** Parses a stored hash. @throws Error  the stored hash has an unknown format */
function parse(storedHash: string) {
  const [scheme, logN, r, p, salt, hashed] = storedHash.split('$');
  if (scheme !== 'scrypt' || salt === undefined || hashed === undefined) throw new Error('the stored password hash has an unknown format');
  return {
    logN: Number(logN),
    r: Number(r),
    p: Number(p),
    salt: new Uint8Array(Buffer.from(salt, 'base64url')),
    hash: Buffer.from(hashed, 'base64url'),
  };
}
