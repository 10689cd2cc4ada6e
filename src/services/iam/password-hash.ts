/**
 * Passwords as they are kept: hashed by scrypt, which needs memory and time to try.
 *
 * A user keeps one salt for all passwords, so a new one is compared with those before it at the price of one hash.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** 32 MiB and some 80 ms a password. Source: RFC 7914; OWASP Password Storage Cheat Sheet, scrypt with N = 2^15. */
const COST = { logN: 15, r: 8, p: 1 } as const;
const HASH_BYTES = 32;
export const SALT_BYTES = 16;

const scryptAside = promisify(scrypt) as (
  password: string,
  salt: Uint8Array,
  bytes: number,
  options: { readonly N: number; readonly r: number; readonly p: number; readonly maxmem: number },
) => Promise<Buffer>;

/** `scrypt$15$8$1$<salt>$<hash>`: all that is needed to compare, whatever the cost will be later. */
export async function hashPassword(password: string, salt: Uint8Array): Promise<string> {
  const { logN, r, p } = COST;
  return spelt(logN, r, p, salt, await hash(password, logN, r, p, salt));
}

/** Nobody's password, to spend the same time on where there is none. */
const NO_PASSWORD = spelt(COST.logN, COST.r, COST.p, new Uint8Array(SALT_BYTES), new Uint8Array(HASH_BYTES));

/** Whether it is the password; in the same time for every wrong one. Without a kept one false, as late. */
export async function isPassword(kept: string | undefined, password: string): Promise<boolean> {
  const { logN, r, p, salt, hash: wanted } = parse(kept ?? NO_PASSWORD);
  return timingSafeEqual(await hash(password, logN, r, p, salt), wanted) && kept !== undefined;
}

/** The salt of a kept password. */
export function saltOf(kept: string): Uint8Array {
  return parse(kept).salt;
}

/** Compares two kept passwords of one salt. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Beside the thread, whose every request would wait for it. Characters that look alike are one: a password is the same whatever keyboard it
 * is typed on. Source: RFC 8265, OpaqueString.
 */
function hash(password: string, logN: number, r: number, p: number, salt: Uint8Array): Promise<Buffer> {
  return scryptAside(password.normalize('NFC'), salt, HASH_BYTES, { N: 2 ** logN, r, p, maxmem: 256 * 2 ** logN * r });
}

function spelt(logN: number, r: number, p: number, salt: Uint8Array, hashed: Uint8Array): string {
  return ['scrypt', logN, r, p, Buffer.from(salt).toString('base64url'), Buffer.from(hashed).toString('base64url')].join('$');
}

/** @throws Error the text is none of ours */
function parse(kept: string) {
  const [scheme, logN, r, p, salt, hashed] = kept.split('$');
  if (scheme !== 'scrypt' || salt === undefined || hashed === undefined)
    throw new Error('a password is kept in a form this program does not know');
  return {
    logN: Number(logN),
    r: Number(r),
    p: Number(p),
    salt: new Uint8Array(Buffer.from(salt, 'base64url')),
    hash: Buffer.from(hashed, 'base64url'),
  };
}
