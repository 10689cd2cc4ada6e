import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import { tagValues } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';

/** Account and name of a role ARN. */
interface RoleName {
  readonly accountId: AccountId;
  readonly roleName: string;
}

/**
 * Parses the ARN of a role.
 *
 * @throws AwsError ValidationError  the ARN is invalid. Requirement STS-8.
 */
export function readRoleArn(text: string): RoleName {
  const parts = parseArn(text);
  const roleName = parts?.resource.slice(parts.resource.lastIndexOf('/') + 1);
  if (
    parts?.service !== 'iam' ||
    parts.region !== '' ||
    !isAccountId(parts.accountId) ||
    !parts.resource.startsWith('role/') ||
    !roleName
  ) {
    throw new AwsError('ValidationError', `${text} is invalid`);
  }
  return { accountId: parts.accountId, roleName };
}

/** Returns the role with exactly this ARN, including path and case, or undefined. */
export async function findRole(tx: Tx, roleArn: string): Promise<RoleRecord | undefined> {
  const { accountId, roleName } = readRoleArn(roleArn);
  const role = await tx.identity.get(accountId, 'role', roleName.toLowerCase());
  return role?.arn === roleArn ? role : undefined;
}

/** Returns the tags of a role for `iam:ResourceTag/…`: one entry, for the one resource. */
export async function roleTags(tx: Tx, roleArn: string): Promise<readonly (Readonly<Record<string, string>> | undefined)[]> {
  const role = await findRole(tx, roleArn);
  return [role && tagValues(role.tags)];
}
