/** Sender of push notifications to the push endpoint of the operator. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AppInstanceUserEndpointType, EndpointAttributes } from '#model/generated/chime-sdk-identity.ts';
import type { PushNotification } from '#services/chime-kit/push-notification.ts';
import type { Failure, Outcome } from '../outcome.ts';
import { outcomeOfStatus } from './failures.ts';

/** Device as the push service addresses it. */
export interface Device {
  readonly type: AppInstanceUserEndpointType;
  /** ID of the Pinpoint project. */
  readonly project: string;
}

export interface PushRequest {
  /** `v1/apps/PROJECT/messages` */
  readonly path: string;
  readonly body: string;
}

/**
 * Returns the request for one notification of a device; undefined if the device cannot show such a notification. The request is that of
 * Pinpoint's SendMessages with one address, whose name is the token of the device:
 *
 *     POST URL/v1/apps/PROJECT/messages
 *     { "Addresses": { "TOKEN": { "ChannelType": "GCM" } },
 *       "MessageConfiguration": { "GCMMessage": { "Action": "OPEN_APP", "Title": "…", "Body": "…", "SilentPush": false,
 *         "Data": { "chime.message_id": "…", "chime.channel_arn": "…" } } } }
 *
 * Source: Pinpoint API reference, SendMessages. Chime SDK Developer Guide, "Receiving push notifications": the data.
 * Assumed: a VOIP notification uses the VoIP token of an APNS device and the channels APNS_VOIP and APNS_VOIP_SANDBOX. An APNS device without
 * that token receives none. A GCM device receives it as any other.
 */
export function pushRequest(
  { type, project }: Device,
  { DeviceToken, VoipDeviceToken }: EndpointAttributes,
  { Title, Body, Type, channelArn, messageId }: PushNotification,
): PushRequest | undefined {
  const isVoip = Type === 'VOIP' && type !== 'GCM';
  const token = isVoip ? VoipDeviceToken : DeviceToken;
  if (token === undefined) return undefined;
  const ChannelType = isVoip ? (type === 'APNS' ? 'APNS_VOIP' : 'APNS_VOIP_SANDBOX') : type;
  const Data = { 'chime.message_id': messageId, 'chime.channel_arn': channelArn };
  const message = omitUndefined({ Action: 'OPEN_APP', Title, Body, SilentPush: false, Data });
  return {
    path: `v1/apps/${encodeURIComponent(project)}/messages`,
    body: JSON.stringify({
      Addresses: { [token]: { ChannelType } },
      MessageConfiguration: { [type === 'GCM' ? 'GCMMessage' : 'APNSMessage']: message },
    }),
  };
}

const GONE: Failure = { code: 'NO_RESOURCE', message: 'the push endpoint reported that the device does not exist', gone: true };

/**
 * Returns the outcome of a response. The statuses 404 and 410 mean that the device does not exist. With the status 200, the body may have the
 * status of the address, as Pinpoint's MessageResponse has it.
 *
 * Source: Pinpoint API reference, SendMessages, MessageResult: `StatusCode` of each address. Chime SDK Developer Guide, "Debugging push
 * notification failures": an endpoint that does not exist is deactivated.
 */
export function pushOutcome(status: number, body: string, retryAfterMs: number | undefined): Outcome {
  const statusOfDevice = status === 200 ? statusIn(body) : status;
  if (statusOfDevice === 404 || statusOfDevice === 410) return { kind: 'failed', ...GONE };
  return outcomeOfStatus(statusOfDevice, '', retryAfterMs);
}

/** Returns the status of the only address in a response; 200 if the body has none. */
function statusIn(body: string): number {
  try {
    const { Result } = JSON.parse(body) as { readonly Result?: Readonly<Record<string, { readonly StatusCode?: unknown }>> };
    const [result] = Object.values(Result ?? {});
    return typeof result?.StatusCode === 'number' ? result.StatusCode : 200;
  } catch {
    return 200;
  }
}
