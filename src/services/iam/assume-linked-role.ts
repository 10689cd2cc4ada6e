import { newAccessKeyId } from '#core/access-key-id.ts';
import { type AccountId, arn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import { instant } from '#core/instant.ts';
import { trailDate } from '#trail/redact.ts';
import { serviceRoleRow } from '#trail/service-event.ts';
import { serviceForm } from '#trail/service-forms.ts';
import { issuedNames } from '#trail/sts-records.ts';
import type { Work } from '../kit/events.ts';
import { type LinkedServicePrincipal, linkedRole } from './service-linked-roles.ts';
import { serviceMayAssume } from './service-trust.ts';

const SESSION_SECONDS = 3600;

/**
 * Assumes a service-linked role of an account as its service. The role's own trust policy decides. Requirements SLR-10, ROLE-16.
 *
 * The service runs in this server, so the session needs no secret. Its access key ID only identifies the session.
 *
 * Writes: the trail event of AssumeRole.
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
  const accessKeyId = newAccessKeyId('ASIA', accountId, () => Buffer.from(newId().slice(-10), 'hex'));
  const sessionArn = arn('sts', '', accountId, `assumed-role/${role.roleName}/${roleSessionName}`);
  await tx.trail.append(
    serviceRoleRow({
      accountId,
      region,
      now,
      eventId: newId(),
      requestId: newId(),
      sharedEventId: newId(),
      eventName: 'AssumeRole',
      service: 'sts',
      invokedBy: service,
      roleArn: role.arn,
      requestParameters: { roleArn: role.arn, roleSessionName, durationSeconds: SESSION_SECONDS },
      responseElements: {
        credentials: { accessKeyId, expiration: trailDate(instant(now + SESSION_SECONDS * 1000), serviceForm('sts').afterDate) },
        assumedRoleUser: { assumedRoleId: `${role.roleId}:${roleSessionName}`, arn: sessionArn },
      },
      issued: issuedNames({ Credentials: { AccessKeyId: accessKeyId }, AssumedRoleUser: { Arn: sessionArn } }),
    }),
  );
}
