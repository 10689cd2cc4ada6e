import type { ChannelMessageType, MessageAttributeValue } from '#model/generated/chime-sdk-messaging.ts';
import { AwsError } from './errors.ts';

/**
 * Maximum size of a message's content, by message type. Source: API reference, SendChannelMessage, Type: a STANDARD
 * message has up to 4 KB. A CONTROL message has up to 30 bytes and no metadata.
 */
export const CONTENT_MAX_BYTES = { STANDARD: 4096, CONTROL: 30 } as const;

/**
 * Maximum size of a message's attributes. Source: Chime SDK Developer Guide, "Using filter rules to filter messages",
 * limits.
 */
const ATTRIBUTES_MAX_BYTES = 1024;

/**
 * Checks the content and metadata of a message. Recorded: the error message about the size,
 * aws-samples/amazon-chime-sdk issue 247. Assumed: the wording of the other error message.
 */
export function requireContent(type: ChannelMessageType, content: string, metadata: string | undefined): void {
  if (Buffer.byteLength(content) > CONTENT_MAX_BYTES[type]) {
    throw new AwsError('BadRequestException', 'Channel Messages size limit exceeded');
  }
  if (type === 'CONTROL' && metadata !== undefined && metadata !== '') {
    throw new AwsError('BadRequestException', 'A CONTROL message cannot have Metadata.');
  }
}

/**
 * Checks the size of a message's attributes. Assumed: (1) The size is the sum of the sizes of all names and strings.
 * (2) The wording of the error message.
 */
export function requireAttributes(attributes: Readonly<Record<string, MessageAttributeValue>> = {}): void {
  const texts = Object.entries(attributes).flatMap(([name, { StringValues = [] }]) => [name, ...StringValues]);
  const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (size > ATTRIBUTES_MAX_BYTES)
    throw new AwsError('BadRequestException', `Message attributes can have at most ${ATTRIBUTES_MAX_BYTES} bytes.`);
}
