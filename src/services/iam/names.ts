/**
 * Names in IAM: store keys, prefixes of unique IDs, and ARNs. The functions here do not check permissions.
 */
import { type AccountId, type Arn, arn } from '#core/arn.ts';

/** Prefixes of unique IDs. Source: IAM User Guide, "IAM identifiers", table of prefixes. */
export const ID_PREFIXES = { user: 'AIDA', group: 'AGPA', role: 'AROA', policy: 'ANPA', accessKey: 'AKIA' } as const;

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

/** Prefix of the ARNs of AWS managed policies. */
export const AWS_MANAGED_PREFIX = 'arn:aws:iam::aws:policy/';

/** Returns the name in the ARN of a user, group, role or policy: the part after the last slash. */
export function nameOfArn(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1);
}
