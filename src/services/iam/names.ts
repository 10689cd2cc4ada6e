/**
 * Names in IAM: store keys, unique IDs and ARNs. Does not check who may use a name.
 */
import { type AccountId, type Arn, arn } from '#core/arn.ts';

/** Prefixes of unique IDs. Source: IAM User Guide, "IAM identifiers", table of prefixes. */
export const ID_PREFIXES = { user: 'AIDA', group: 'AGPA', role: 'AROA', policy: 'ANPA', accessKey: 'AKIA' } as const;

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Returns a new unique ID: the prefix and 17 random characters. A user or role with a reused name is therefore another principal. */
export function uniqueId(prefix: string, random: (bytes: number) => Uint8Array): string {
  let id = prefix;
  for (const byte of random(17)) id += BASE32[byte & 31];
  return id;
}

/**
 * Returns a new access key ID: the prefix and 16 characters in base32, which encode the account ID.
 *
 * Assumed: the account ID occupies 40 of the 80 bits, after the first one, as in observed keys of the real service. Nothing depends on it.
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

/** Returns the store key of a name. Names are unique regardless of case. Requirement IAM-3. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

/** Returns `arn:aws:iam::<account>:<type><path><name>`. */
export function iamArn(
  accountId: AccountId,
  type: 'user' | 'group' | 'role' | 'policy' | 'mfa' | 'server-certificate',
  path: string,
  name: string,
): Arn {
  return arn('iam', '', accountId, `${type}${path}${name}`);
}

/** Start of the ARNs of AWS managed policies. */
export const AWS_MANAGED_PREFIX = 'arn:aws:iam::aws:policy/';

/** Returns the name in the ARN of a user, group, role or policy: the part after the last slash. */
export function nameOfArn(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1);
}
