import { type AccountId, isAccountId } from './arn.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ACCESS_KEY_ID = /^A[KS]IA([Q-Z2-7][A-Z2-7]{15})$/;

/**
 * A new access key id: `AKIA` (long-term) or `ASIA` (of a session), then 80 bits in base 32: a one, the account's 40 bits,
 * 39 bits by chance.
 *
 * Source: IAM User Guide, unique id prefixes. Assumed: the place of the account, as observed in keys of the real service.
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

/** The account written into an access key id; undefined where the text is no id made so. Whether the key exists is not said. */
export function accountOfAccessKeyId(accessKeyId: string): AccountId | undefined {
  const digits = ACCESS_KEY_ID.exec(accessKeyId)?.[1];
  if (digits === undefined) return undefined;
  let bits = 0n;
  for (const digit of digits) bits = (bits << 5n) | BigInt(BASE32.indexOf(digit));
  const account = String((bits >> 39n) & ((1n << 40n) - 1n)).padStart(12, '0');
  return isAccountId(account) ? account : undefined;
}
