/**
 * Permissions policies of a user, group or role, with the origin of each policy. Simulations and reports show the origin.
 */
import { type Arn, parseArn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { GroupRecord, RoleRecord, UserRecord } from '#store/identity/identity.ts';
import { entity, groupOfId, type HolderKind, type HolderRecord, nameOf, type Reading } from './entities.ts';
import { AwsError } from './errors.ts';
import { managedPolicyToRead } from './managed-policies.ts';
import { nameKey, nameOfArn } from './names.ts';
import { defaultDocument } from './policy-versions.ts';

/** A policy that applies to an entity: its own policy, or a policy of one of its groups. */
export interface EntityPolicy {
  readonly policyName: string;
  /** Absent for an inline policy. */
  readonly policyArn?: Arn;
  readonly document: string;
  /** Time of the last change of a managed policy. */
  readonly updatedAt?: Instant;
  /** Entity that has the policy. */
  readonly holder: { readonly kind: HolderKind; readonly name: string };
}

/** A user, group or role with its kind. */
export type FoundEntity =
  | { readonly kind: 'user'; readonly record: UserRecord }
  | { readonly kind: 'group'; readonly record: GroupRecord }
  | { readonly kind: 'role'; readonly record: RoleRecord };

/**
 * Returns the user, group or role with an ARN.
 *
 * @throws InvalidInputException  the ARN is not the ARN of a user, group or role
 * @throws NoSuchEntityException  the user, group or role does not exist. `missing` replaces the default message
 *
 * Assumed: the messages.
 */
export async function entityOfArn(call: Reading, entityArn: string, missing?: string): Promise<FoundEntity> {
  const parts = parseArn(entityArn);
  const kind = parts?.resource.slice(0, parts.resource.indexOf('/')) as HolderKind | undefined;
  if (parts?.service !== 'iam' || (kind !== 'user' && kind !== 'group' && kind !== 'role')) {
    throw new AwsError('InvalidInputException', `'${entityArn}' is not the ARN of a user, group or role.`);
  }
  const record = await call.tx.identity.get(call.accountId, kind, nameKey(nameOfArn(entityArn)));
  if (record?.arn !== entityArn) {
    throw new AwsError('NoSuchEntityException', missing ?? `The ${kind} with ARN ${entityArn} cannot be found.`);
  }
  return { kind, record } as FoundEntity;
}

/** Returns all permissions policies of an entity: first its own, then those of its groups. Inline policies precede attached ones. */
export async function policiesOf(call: Reading, found: FoundEntity): Promise<EntityPolicy[]> {
  const policies = await heldBy(call, found.kind, found.record);
  if (found.kind !== 'user') return policies;
  for (const groupId of found.record.groupIds) {
    const { groupName } = await groupOfId(call, groupId);
    policies.push(...(await heldBy(call, 'group', await entity(call, 'group', groupName))));
  }
  return policies;
}

/** Returns the permissions boundary of an entity, if it has one. */
export async function boundaryOf(call: Reading, found: FoundEntity): Promise<EntityPolicy | undefined> {
  if (found.kind === 'group' || found.record.permissionsBoundaryArn === undefined) return undefined;
  return attached(call, found.kind, nameOf(found.record), found.record.permissionsBoundaryArn);
}

async function heldBy(call: Reading, kind: HolderKind, record: HolderRecord): Promise<EntityPolicy[]> {
  const name = nameOf(record);
  const policies: EntityPolicy[] = Object.entries(record.inlinePolicies).map(([policyName, document]) => ({
    policyName,
    document,
    holder: { kind, name },
  }));
  for (const policyArn of record.attachedPolicyArns) policies.push(await attached(call, kind, name, policyArn));
  return policies;
}

async function attached(call: Reading, kind: HolderKind, name: string, policyArn: Arn): Promise<EntityPolicy> {
  const policy = await managedPolicyToRead(call, policyArn);
  return {
    policyName: policy.policyName,
    policyArn,
    document: defaultDocument(policy),
    updatedAt: policy.updatedAt,
    holder: { kind, name },
  };
}
