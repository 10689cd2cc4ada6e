import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import { serviceEventRow } from '#trail/service-event.ts';
import type { Work } from '../kit/events.ts';
import { type LinkedServicePrincipal, linkedRole } from './service-linked-roles.ts';
import { serviceMayAssume } from './service-trust.ts';

/**
 * Assumes a service-linked role of an account as its service. The role's own trust policy decides. Requirements SLR-10, ROLE-16.
 *
 * Writes: the trail event of AssumeRole.
 * @throws ForbiddenException  the role does not exist, or does not trust its service
 * Source: CloudTrail User Guide, "userIdentity element": `invokedBy` of a service's own calls.
 */
export async function assumeLinkedRole(
  { tx, now, newId }: Work,
  { accountId, region }: { readonly accountId: AccountId; readonly region: string },
  service: LinkedServicePrincipal,
  roleSessionName: string,
): Promise<void> {
  const role = await linkedRole(tx, accountId, service);
  if (role === undefined || !serviceMayAssume(role, service, now))
    throw new AwsError('ForbiddenException', `The service-linked role of ${service} is missing.`);
  await tx.trail.append(
    serviceEventRow({
      accountId,
      region,
      now,
      eventId: newId(),
      eventName: 'AssumeRole',
      eventSource: 'sts.amazonaws.com',
      invokedBy: service,
      details: { roleArn: role.arn, roleSessionName },
      resources: [role.arn],
    }),
  );
}
