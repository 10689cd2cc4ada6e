import { AwsError } from './errors.ts';

/** One class of characters, matched in one step per character. Source: Chime SDK API reference, ExternalMeetingId and ExternalUserId. */
const EXTERNAL_ID = /^[-_&@+=,(){}[\]/«».:|'"#a-zA-Z0-9À-ÿ\s]*$/;

/**
 * Checks rules for external IDs that the model omits.
 *
 * Source: Chime SDK API reference, ExternalMeetingId and ExternalUserId: the characters; the prefix `aws:` is reserved in any case.
 * Assumed: BadRequestException; the messages, which omit the ID because the model marks it as sensitive.
 * @throws BadRequestException
 */
export function requireExternalId(name: 'ExternalMeetingId' | 'ExternalUserId', id: string): void {
  if (id.toLowerCase().startsWith('aws:')) throw new AwsError('BadRequestException', `${name} must not begin with aws:`);
  if (!EXTERNAL_ID.test(id)) throw new AwsError('BadRequestException', `${name} contains an invalid character.`);
}
