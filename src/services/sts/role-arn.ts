import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import { tagValues } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';

/** A role as an ARN names it. */
interface RoleName {
  readonly accountId: AccountId;
  readonly roleName: string;
}

/**
 * Reads a role's ARN.
 *
 * @throws AwsError ValidationError it is none. Requirement STS-8.
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

/** The role with exactly this ARN, path and case included; undefined where there is none. */
export async function findRole(tx: Tx, roleArn: string): Promise<RoleRecord | undefined> {
  const { accountId, roleName } = readRoleArn(roleArn);
  const role = await tx.identity.get(accountId, 'role', roleName.toLowerCase());
  return role?.arn === roleArn ? role : undefined;
}

/** What a role is tagged with, for `iam:ResourceTag/…`; one entry, in the order of the one resource. */
export async function roleTags(tx: Tx, roleArn: string): Promise<readonly (Readonly<Record<string, string>> | undefined)[]> {
  const role = await findRole(tx, roleArn);
  return [role && tagValues(role.tags)];
}
