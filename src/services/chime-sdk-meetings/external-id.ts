import { AwsError } from './errors.ts';

/**
 * Valid external IDs. The expression is a single character class, so that matching takes one step per character.
 * Source: Chime SDK API reference, ExternalMeetingId and ExternalUserId.
 */
const EXTERNAL_ID = /^[-_&@+=,(){}[\]/«».:|'"#a-zA-Z0-9À-ÿ\s]*$/;

/** Valid characters of external IDs other than letters, digits and white space, as the error message lists them. */
const PUNCTUATION = `-_&@+=,(){}[]/«».:|'"#`;

/**
 * Checks rules for external IDs that the model omits.
 *
 * Source: Chime SDK API reference, ExternalMeetingId and ExternalUserId: the allowed characters, and the prefix `aws:`,
 * which is reserved in any case.
 * Assumed: (1) The error code is BadRequestException. (2) The wording of the messages, which omit the ID because the
 * model marks it as sensitive.
 * @throws BadRequestException
 */
export function requireExternalId(name: 'ExternalMeetingId' | 'ExternalUserId', id: string): void {
  if (id.toLowerCase().startsWith('aws:')) throw new AwsError('BadRequestException', `${name} must not begin with aws:`);
  if (!EXTERNAL_ID.test(id))
    throw new AwsError(
      'BadRequestException',
      `${name} contains an invalid character. It can contain Latin letters, digits, white space and these characters: ${PUNCTUATION}`,
    );
}
