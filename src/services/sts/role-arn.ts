import { isAccountId, parseArn } from '#core/arn.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import { tagValues } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';

/**
 * Checks that a string is an ARN. If no role has the ARN, the request is denied later, like a request for a role that does not trust the
 * caller.
 *
 * @throws AwsError ValidationError  the string is not an ARN. Requirement STS-8.
 *
 * Source: recordings of STS in localstack/localstack, tests/aws/services/sts, `test_sts_invalid_parameters` (2025-07-21);
 * amzn/selling-partner-api-models, issue 2523: AccessDenied for the ARN of a user in an account of eight digits.
 */
export function requireArn(text: string): void {
  if (parseArn(text) === undefined) throw new AwsError('ValidationError', `${text} is invalid`);
}

/** Returns the role with exactly this ARN, including path and case, or undefined. */
export async function findRole(tx: Tx, roleArn: string): Promise<RoleRecord | undefined> {
  const { accountId, resource } = parseArn(roleArn) ?? {};
  if (accountId === undefined || !isAccountId(accountId) || !resource?.startsWith('role/')) return undefined;
  const role = await tx.identity.get(accountId, 'role', resource.slice(resource.lastIndexOf('/') + 1).toLowerCase());
  return role?.arn === roleArn ? role : undefined;
}

/** Returns the tags of a role for `iam:ResourceTag/…`. The list has one entry, because the request has one resource. */
export async function roleTags(tx: Tx, roleArn: string): Promise<readonly (Readonly<Record<string, string>> | undefined)[]> {
  const role = await findRole(tx, roleArn);
  return [role && tagValues(role.tags)];
}
