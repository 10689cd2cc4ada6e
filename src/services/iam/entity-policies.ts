/**
 * The permissions policies of a user, group or role, with where each comes from: for simulations and reports, which must say so.
 */
import { type Arn, parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { GroupRecord, RoleRecord, UserRecord } from '#store/identity.ts';
import type { Call } from '../operation.ts';
import { entity, type HolderKind, type HolderRecord, nameOf } from './entities.ts';
import { managedPolicyToRead } from './managed-policies.ts';
import { nameKey, nameOfArn } from './names.ts';
import { defaultDocument } from './policy-versions.ts';

/** A policy as it reaches an entity: its own, or that of a group it is in. */
export interface EntityPolicy {
  readonly policyName: string;
  /** Absent: inline. */
  readonly policyArn?: Arn;
  readonly document: string;
  /** Whose policy it is. */
  readonly holder: { readonly kind: HolderKind; readonly name: string };
}

export type FoundEntity =
  | { readonly kind: 'user'; readonly record: UserRecord }
  | { readonly kind: 'group'; readonly record: GroupRecord }
  | { readonly kind: 'role'; readonly record: RoleRecord };

/**
 * The user, group or role of an ARN.
 *
 * @throws AwsError InvalidInput it is the ARN of something else
 * @throws AwsError NoSuchEntity
 *
 * Assumed: the texts.
 */
export async function entityOfArn(call: Call, entityArn: string): Promise<FoundEntity> {
  const parts = parseArn(entityArn);
  const kind = parts?.resource.slice(0, parts.resource.indexOf('/')) as HolderKind | undefined;
  if (parts?.service !== 'iam' || (kind !== 'user' && kind !== 'group' && kind !== 'role')) {
    throw new AwsError('InvalidInputException', `${entityArn} is not the ARN of a user, group or role.`);
  }
  const record = await call.tx.identity.get(call.accountId, kind, nameKey(nameOfArn(entityArn)));
  if (record?.arn !== entityArn) throw new AwsError('NoSuchEntityException', `The ${kind} with ARN ${entityArn} cannot be found.`);
  return { kind, record } as FoundEntity;
}

/** All policies that say what an entity may do: inline first, then attached; its own first, then those of its groups. */
export async function policiesOf(call: Call, found: FoundEntity): Promise<EntityPolicy[]> {
  const policies = await heldBy(call, found.kind, found.record);
  if (found.kind !== 'user') return policies;
  for (const name of found.record.groupNames) policies.push(...(await heldBy(call, 'group', await entity(call, 'group', name))));
  return policies;
}

/** The policy that bounds an entity, where there is one. */
export async function boundaryOf(call: Call, found: FoundEntity): Promise<EntityPolicy | undefined> {
  if (found.kind === 'group' || found.record.permissionsBoundaryArn === undefined) return undefined;
  return attached(call, found.kind, nameOf(found.record), found.record.permissionsBoundaryArn);
}

async function heldBy(call: Call, kind: HolderKind, record: HolderRecord): Promise<EntityPolicy[]> {
  const name = nameOf(record);
  const policies: EntityPolicy[] = Object.entries(record.inlinePolicies).map(([policyName, document]) => ({
    policyName,
    document,
    holder: { kind, name },
  }));
  for (const policyArn of record.attachedPolicyArns) policies.push(await attached(call, kind, name, policyArn));
  return policies;
}

async function attached(call: Call, kind: HolderKind, name: string, policyArn: Arn): Promise<EntityPolicy> {
  const policy = await managedPolicyToRead(call, policyArn);
  return { policyName: policy.policyName, policyArn, document: defaultDocument(policy), holder: { kind, name } };
}
