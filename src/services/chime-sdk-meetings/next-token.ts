import { AwsError } from '#core/aws-error.ts';

/** Where a page of attendees ended. Not secret: it says what its bearer was answered, and is bound to the meeting he asked about. */
export function attendeeToken(meetingId: string, lastAttendeeId: string): string {
  return Buffer.from(`${meetingId}/${lastAttendeeId}`).toString('base64url');
}

/**
 * The id after which the next page begins.
 *
 * Assumed: the text.
 * @throws BadRequestException the token is none of this meeting
 */
export function attendeeTokenAfter(token: string, meetingId: string): string {
  const [ofMeeting, attendeeId, ...rest] = Buffer.from(token, 'base64url').toString().split('/');
  if (ofMeeting !== meetingId || !attendeeId || rest.length > 0 || attendeeToken(ofMeeting, attendeeId) !== token) {
    throw new AwsError('BadRequestException', 'Invalid NextToken');
  }
  return attendeeId;
}
