import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Work } from '../kit/events.ts';
import { type LinkedServicePrincipal, linkedRole } from './service-linked-roles.ts';
import { recordAssumedRole } from './service-sessions.ts';
import { serviceMayAssume } from './service-trust.ts';

/**
 * Assumes a service-linked role of an account on behalf of the service that the role is linked to. Only the role's
 * trust policy decides whether the service may assume the role. Requirements SLR-10, ROLE-16.
 *
 * Writes: the CloudTrail event of AssumeRole.
 * @throws ForbiddenException  the role does not exist, or does not trust its service
 */
export async function assumeLinkedRole(
  { tx, now, newId }: Work,
  { accountId, region }: { readonly accountId: AccountId; readonly region: string },
  service: LinkedServicePrincipal,
  roleSessionName: string,
): Promise<void> {
  const role = await linkedRole(tx, accountId, service);
  if (role === undefined || !serviceMayAssume(role, service, now))
    throw new AwsError('ForbiddenException', `The service-linked role for '${service}' does not exist in this account.`);
  await recordAssumedRole({ tx, now, newId }, { service, role, region, roleSessionName });
}
