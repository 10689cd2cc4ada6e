/**
 * How IAM names things: keys, unique ids, ARNs. Owns no rule about who may use a name.
 */
import { type AccountId, type Arn, arn } from '#core/arn.ts';

/** The unique id prefixes. Source: IAM User Guide, "IAM identifiers", table of prefixes. */
export const ID_PREFIXES = { user: 'AIDA', group: 'AGPA', role: 'AROA', policy: 'ANPA', accessKey: 'AKIA' } as const;

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A new unique id: the prefix and 17 characters that nobody can foresee, so a name used again is another principal. */
export function uniqueId(prefix: string, random: (bytes: number) => Uint8Array): string {
  let id = prefix;
  for (const byte of random(17)) id += BASE32[byte & 31];
  return id;
}

/**
 * A new access key id: the prefix and 16 characters of base 32, in which the account id stands, so that the account can be read from the id.
 *
 * Assumed: the place of the account's 40 bits (after the first of 80) is as observed in keys of the real service; nothing here depends on it.
 */
export function newAccessKeyId(
  accountId: AccountId,
  random: (bytes: number) => Uint8Array,
  prefix: string = ID_PREFIXES.accessKey,
): string {
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

/** The key of a name in the store: names are unique ignoring case. Requirement IAM-3. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

/** `arn:aws:iam::<account>:<type><path><name>`. */
export function iamArn(
  accountId: AccountId,
  type: 'user' | 'group' | 'role' | 'policy' | 'mfa' | 'server-certificate',
  path: string,
  name: string,
): Arn {
  return arn('iam', '', accountId, `${type}${path}${name}`);
}

/** The account of AWS managed policies in their ARNs. */
export const AWS_MANAGED_PREFIX = 'arn:aws:iam::aws:policy/';

/** What follows the last slash: the name in the ARN of a user, group, role or policy. */
export function nameOfArn(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1);
}
