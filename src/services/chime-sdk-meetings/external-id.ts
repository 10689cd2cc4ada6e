import { AwsError } from './errors.ts';

/** One class of characters, so it takes one step a character. Source: Chime SDK API reference, ExternalMeetingId and ExternalUserId. */
const EXTERNAL_ID = /^[-_&@+=,(){}[\]/«».:|'"#a-zA-Z0-9À-ÿ\s]*$/;

/**
 * What the API reference asks of external ids and the model does not.
 *
 * Source: Chime SDK API reference, ExternalMeetingId and ExternalUserId: the characters; values that begin with `aws:` are reserved, whatever their case.
 * Assumed: BadRequestException, and the texts, which do not repeat the id: the model calls it sensitive.
 * @throws BadRequestException
 */
export function requireExternalId(name: 'ExternalMeetingId' | 'ExternalUserId', id: string): void {
  if (id.toLowerCase().startsWith('aws:')) throw new AwsError('BadRequestException', `${name} must not begin with aws:`);
  if (!EXTERNAL_ID.test(id)) throw new AwsError('BadRequestException', `${name} has characters it must not have.`);
}
