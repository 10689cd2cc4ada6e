/**
 * Lookup of managed policies by ARN. Customer managed policies are in the store. AWS managed policies are in a
 * generated file, which `model/managed-policies.ts` reads.
 */
import { createHash } from 'node:crypto';
import { uniqueId } from '#core/base32.ts';
import { type ManagedPolicy, managedPolicies } from '#model/managed-policies.ts';
import type { PolicyRecord } from '#store/identity/identity.ts';
import type { Call } from '../kit/operation.ts';
import type { Reading } from './entities.ts';
import { AwsError } from './errors.ts';
import { AWS_MANAGED_PREFIX, ID_PREFIXES, nameKey, nameOfArn } from './names.ts';
import { BOUNDARY_SUFFIX } from './reverse-index.ts';

/**
 * Numbers of entities in the caller's account that use a policy. `attachmentCount` counts the entities that have the
 * policy attached. `boundaryCount` counts the entities that have the policy as their permissions boundary.
 */
export interface PolicyUse {
  readonly attachmentCount: number;
  readonly boundaryCount: number;
}

/** Returns a customer or AWS managed policy as a record, or `undefined`. An AWS managed policy has one version. */
export async function managedPolicy(call: Reading, policyArn: string): Promise<PolicyRecord | undefined> {
  if (policyArn.startsWith(AWS_MANAGED_PREFIX)) {
    const policy = managedPolicies().find((one) => one.arn === policyArn);
    return policy && toAwsRecord(policy, call);
  }
  const record = await call.tx.identity.get(call.accountId, 'policy', nameKey(nameOfArn(policyArn)));
  return record?.arn === policyArn ? record : undefined;
}

/** Returns a customer or AWS managed policy. @throws NoSuchEntityException  the policy does not exist. Requirement ERR-1 */
export async function managedPolicyToRead(call: Reading, policyArn: string): Promise<PolicyRecord> {
  const policy = await managedPolicy(call, policyArn);
  if (policy === undefined) throw new AwsError('NoSuchEntityException', `Policy ${policyArn} was not found.`);
  return policy;
}

/**
 * Returns a policy that its account may change.
 *
 * @throws AccessDenied           the policy is an AWS managed policy, which no caller may change. Requirement ERR-6
 * @throws NoSuchEntityException  the policy does not exist
 *
 * Assumed: the message is the same as that of other denials.
 */
export async function managedPolicyToChange(call: Call, action: string, policyArn: string): Promise<PolicyRecord> {
  if (policyArn.startsWith(AWS_MANAGED_PREFIX)) {
    throw new AwsError(
      'AccessDenied',
      `User: ${call.principal.arn} is not authorized to perform: ${action} on resource: policy ${policyArn}`,
    );
  }
  return managedPolicyToRead(call, policyArn);
}

/**
 * Returns a policy that can be attached to users, to groups, and to roles that are not service-linked.
 *
 * @throws NoSuchEntityException         the policy does not exist
 * @throws PolicyNotAttachableException  the policy is for a service-linked role. Requirement EX-6
 */
export async function managedPolicyToAttach(
  call: Call,
  policyArn: string,
  missingText: (policyArn: string) => string = (missing) => `Policy ${missing} does not exist or is not attachable.`,
): Promise<PolicyRecord> {
  const policy = await managedPolicy(call, policyArn);
  if (policy === undefined) throw new AwsError('NoSuchEntityException', missingText(policyArn));
  if (isServiceRolePolicy(policy)) {
    throw new AwsError('PolicyNotAttachableException', 'Cannot attach a Service Role Policy to a Customer Role.');
  }
  return policy;
}

/**
 * Returns a policy that can be a permissions boundary. Throws the same errors as `managedPolicyToAttach`, but with
 * another message if the policy does not exist.
 *
 * Source: message of the real service as quoted in public reports of Terraform ("Scope ARN: … does not exist or is not attachable.").
 */
export function managedPolicyToBound(call: Call, policyArn: string): Promise<PolicyRecord> {
  return managedPolicyToAttach(call, policyArn, (missing) => `Scope ARN: ${missing} does not exist or is not attachable.`);
}

/** Reports whether a policy is for service-linked roles only. */
export function isServiceRolePolicy(policy: Pick<PolicyRecord, 'arn'>): boolean {
  return policy.arn.startsWith(`${AWS_MANAGED_PREFIX}aws-service-role/`);
}

/** Counts the uses of a policy in the caller's account. */
export async function policyUse(call: Call, policyArn: string): Promise<PolicyUse> {
  const prefix = `${policyArn} `;
  const all = await call.tx.identity.count(call.accountId, 'attachment', { prefix });
  const boundaryCount = all === 0 ? 0 : await call.tx.identity.count(call.accountId, 'attachment', { prefix, suffix: BOUNDARY_SUFFIX });
  return { attachmentCount: all - boundaryCount, boundaryCount };
}

/** Returns the AWS managed policies as records, in the order of their names. */
export function awsPolicies(call: Call): { readonly key: string; readonly record: PolicyRecord }[] {
  return managedPolicies().map((policy) => ({ key: nameKey(policy.name), record: toAwsRecord(policy, call) }));
}

/**
 * Converts an AWS managed policy to a record. Assumed: the unique ID. It is derived from the ARN, because the generated
 * file contains no unique IDs.
 */
function toAwsRecord(policy: ManagedPolicy, call: Pick<Call, 'accountId'>): PolicyRecord {
  return {
    accountId: call.accountId,
    arn: policy.arn,
    path: policy.path,
    policyName: policy.name,
    policyId: uniqueId(ID_PREFIXES.policy, (bytes) => createHash('sha256').update(policy.arn).digest().subarray(0, bytes)),
    createdAt: policy.createdAt,
    updatedAt: policy.updatedAt,
    defaultVersionId: policy.versionId,
    nextVersion: Number(policy.versionId.slice(1)) + 1,
    versions: [{ versionId: policy.versionId, document: policy.document, createdAt: policy.updatedAt }],
    tags: [],
  };
}
