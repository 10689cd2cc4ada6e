import type { PushNotificationConfiguration } from '#model/generated/chime-sdk-messaging.ts';

/** Push notification of a channel message, as the body of an outgoing message. It has no token of a device. */
export interface PushNotification extends PushNotificationConfiguration {
  readonly channelArn: string;
  readonly messageId: string;
}
