import { type AccountId, isAccountId } from './arn.ts';
import { BASE32 } from './base32.ts';

const ACCESS_KEY_ID = /^A[KS]IA([Q-Z2-7][A-Z2-7]{15})$/;

/**
 * Returns a new access key ID: `AKIA` (long-term) or `ASIA` (temporary), then 80 bits in base 32.
 *
 * The first bit is 1. The account ID (40 bits) and 39 random bits follow.
 * `random` returns the requested number of random bytes.
 *
 * Source: IAM User Guide, unique ID prefixes.
 * Assumed: the account ID is at the same position as in observed keys of the real service.
 */
export function newAccessKeyId(prefix: 'AKIA' | 'ASIA', accountId: AccountId, random: (bytes: number) => Uint8Array): string {
  let bits = (1n << 40n) | BigInt(accountId);
  for (const byte of random(5)) bits = (bits << 8n) | BigInt(byte);
  bits >>= 1n;
  let id = '';
  for (let i = 0; i < 16; i++) {
    id = (BASE32[Number(bits & 31n)] as string) + id;
    bits >>= 5n;
  }
  return prefix + id;
}

/**
 * Returns the account ID that an access key ID contains, or `undefined` if the ID has another format.
 *
 * Does not check whether the access key exists.
 */
export function accountOfAccessKeyId(accessKeyId: string): AccountId | undefined {
  const digits = ACCESS_KEY_ID.exec(accessKeyId)?.[1];
  if (digits === undefined) return undefined;
  let bits = 0n;
  for (const digit of digits) bits = (bits << 5n) | BigInt(BASE32.indexOf(digit));
  const account = String((bits >> 39n) & ((1n << 40n) - 1n)).padStart(12, '0');
  return isAccountId(account) ? account : undefined;
}
