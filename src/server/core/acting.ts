import { randomUUID } from 'node:crypto';
import { AwsError } from '#core/aws-error.ts';
import type { Instant } from '#core/instant.ts';
import { appInstanceArn } from '#services/chime/app-instances.ts';
import type { Tell as TellIdentity } from '#services/chime-sdk-identity/deps.ts';
import type { MeetingEvent, Tell } from '#services/chime-sdk-meetings/deps.ts';
import type { Tell as TellChannels } from '#services/chime-sdk-messaging/deps.ts';
import { type LinkedServicePrincipal, linkedRole } from '#services/iam/service-linked-roles.ts';
import { serviceMayAssume } from '#services/iam/service-trust.ts';
import type { Call } from '#services/kit/operation.ts';
import type { Tx } from '#store/store.ts';
import { forwardedCallRow, serviceEventRow } from '#trail/service-event.ts';

/**
 * Acts for an account through a service-linked role, as the linked service: the role's own trust policy decides, and the trail
 * shows that the service assumed it. Requirements SLR-10, ROLE-16.
 *
 * Writes: the record of AssumeRole, in the transaction of what is done.
 * @throws AwsError ForbiddenException there is no such role, or it does not trust its service
 * Source: CloudTrail User Guide, "userIdentity element": `invokedBy` of a service's own calls.
 */
async function assumeLinkedRole(
  tx: Tx,
  { accountId, region }: Pick<MeetingEvent, 'accountId' | 'region'>,
  service: LinkedServicePrincipal,
  sessionName: string,
  now: Instant,
): Promise<void> {
  const role = await linkedRole(tx, accountId, service);
  if (role === undefined || !serviceMayAssume(role, service, now))
    throw new AwsError('ForbiddenException', `The service-linked role of ${service} is missing.`);
  await tx.trail.append(
    serviceEventRow({
      accountId,
      region,
      now,
      eventId: randomUUID(),
      eventName: 'AssumeRole',
      eventSource: 'sts.amazonaws.com',
      invokedBy: service,
      details: { roleArn: role.arn, roleSessionName: sessionName },
      resources: [role.arn],
    }),
  );
}

/** What the server does for a customer when it hears what happened in a meeting. */
export function actingOnMeetings(now: () => Instant): Tell {
  return async (tx, event) => {
    if (event.type !== 'TranscriptionStarted') return;
    await assumeLinkedRole(tx, event, 'transcription.chime.amazonaws.com', event.meetingId, now());
  };
}

/** Records what Chime did by itself in an account. */
async function recordOfChime(
  tx: Tx,
  { accountId, region }: Pick<MeetingEvent, 'accountId' | 'region'>,
  eventName: string,
  details: Readonly<Record<string, unknown>>,
  resource: string,
  now: Instant,
): Promise<void> {
  const chime = 'chime.amazonaws.com';
  await tx.trail.append(
    serviceEventRow({
      accountId,
      region,
      now,
      eventId: randomUUID(),
      eventName,
      eventSource: chime,
      invokedBy: chime,
      details,
      resources: [resource],
    }),
  );
}

/**
 * What the server does when it hears who is gone from an app instance, of operations and of the sweep alike: that a user has expired
 * stands in the trail, where no call says so. Requirement LOG-5.
 *
 * Writes: the record of ExpireAppInstanceUser, in the transaction that removed the user.
 * Source: Chime SDK Developer Guide, "AWS CloudTrail events for expired resource deletion".
 * Assumed: the names in `serviceEventDetails`.
 */
export function actingOnIdentity(now: () => Instant): TellIdentity {
  return async (tx, event) => {
    if (event.type !== 'AppInstanceUserExpired') return;
    await recordOfChime(tx, event, 'ExpireAppInstanceUser', { appInstanceUserArn: event.arn }, event.arn, now());
  };
}

/**
 * What the server does when it hears what happened in a channel, of operations and of the sweep alike: what no call says stands in the
 * trail, that a channel has expired and that a function of a channel flow could not be invoked. Requirements LOG-5, RBP-4.
 *
 * Writes: the record of ExpireChannel or ProcessorInvocationFailure, in the transaction in which it happened.
 * Source: Chime SDK Developer Guide, "AWS CloudTrail events for expired resource deletion"; LOG-24 for what is told of a failed invocation.
 * Assumed: a failed invocation is a service event of the trail, because there is no event bus that would carry it; the names in `serviceEventDetails`.
 */
export function actingOnChannels(now: () => Instant): TellChannels {
  return async (tx, event) => {
    if (event.type !== 'ExpireChannel' && event.type !== 'ProcessorInvocationFailure') return;
    const inAppInstance = appInstanceArn(event, event.appInstanceId);
    const channelArn = `${inAppInstance}/channel/${event.channelId}`;
    const details =
      event.type === 'ExpireChannel'
        ? { channelArn }
        : {
            appInstanceArn: inAppInstance,
            channelArn,
            messageId: event.messageId,
            processorResourceArn: event.processorResourceArn,
            failureReason: event.failureReason,
          };
    await recordOfChime(tx, event, event.type, details, channelArn, now());
  };
}

/**
 * Records that a service made its role with the permission of who called it. Requirement SLR-6.
 *
 * Writes: the record of CreateServiceLinkedRole, in the transaction in which the role was made.
 */
export async function recordLinkedRole(call: Call, service: LinkedServicePrincipal): Promise<void> {
  const role = await linkedRole(call.tx, call.accountId, service);
  if (role === undefined) throw new Error(`the role of ${service} was not made`);
  await call.tx.trail.append(
    forwardedCallRow({
      principal: call.principal,
      region: call.region,
      now: call.now,
      eventId: randomUUID(),
      requestId: randomUUID(),
      eventName: 'CreateServiceLinkedRole',
      eventSource: 'iam.amazonaws.com',
      invokedBy: service,
      requestParameters: { aWSServiceName: service },
      responseElements: { role: { roleName: role.roleName, roleId: role.roleId, arn: role.arn, path: role.path } },
      resources: [{ type: 'AWS::IAM::Role', name: role.roleName }],
    }),
  );
}
