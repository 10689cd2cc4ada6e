import { APP_INSTANCE_USER_ENDPOINT, inAppInstance, memberArn } from '../chime-kit/app-instances.ts';
import { emitChimeEvent } from '../chime-kit/bus-events.ts';
import { subscription } from '../kit/events.ts';
import type { FailureCode, OutgoingFailed } from '../kit/outgoing.ts';

/** Source: Chime SDK Developer Guide, "Debugging push notification failures", the delivery error messages. */
const GONE = 'The specified resource was not found. AppInstanceUserEndpoint will be deactivated.';
const UNKNOWN = 'The request processing has failed because of an unknown error, exception or failure.';
const REASONS: Readonly<Record<FailureCode, string>> = {
  THROTTLING: 'Too many requests sent to Amazon Pinpoint.',
  NO_PERMISSIONS: 'Unable to send messages. Please verify IAM Permissions Policy on ServiceRoleForAmazonChimePushNotification.',
  NO_RESOURCE: UNKNOWN,
  TIMEOUT: UNKNOWN,
  SDK_CLIENT_ERROR: UNKNOWN,
};

/**
 * Tells the event bus of the account that a push notification was not sent. If the device does not exist, deactivates its endpoint.
 *
 * Assumed: the members of the event, which are those of the event of a bot, and the form of `resourceArn`. No source shows this event.
 * Emits: BusEvent.
 */
export const endUnsentPush = subscription<OutgoingFailed>()(['OutgoingFailed'], async (work, { message, code, gone }) => {
  const { target } = message;
  if (target.kind !== 'push') return;
  const { tx, now } = work;
  const place = inAppInstance(message, target.appInstanceId);
  const { userId, endpointId } = target;
  if (gone) {
    const endpoint = await tx.resources.get(APP_INSTANCE_USER_ENDPOINT, { ...place, id: `${userId}/${endpointId}` });
    if (endpoint !== undefined) {
      await tx.resources.put(APP_INSTANCE_USER_ENDPOINT, { ...endpoint, updatedAt: now, document: { ...endpoint.document, isGone: true } });
    }
  }
  await emitChimeEvent(work, message, 'endpointFailure', {
    resourceArn: `${memberArn('user', { ...place, id: userId })}/endpoint/${endpointId}`,
    failureReason: gone ? GONE : REASONS[code],
  });
});
