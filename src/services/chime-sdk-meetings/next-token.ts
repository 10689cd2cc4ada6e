import { AwsError } from '#core/aws-error.ts';

/** Where a page of attendees ended. Not secret: it says what its bearer was answered, and is bound to the meeting he asked about. */
export function attendeeToken(meetingId: string, lastAttendeeId: string): string {
  return Buffer.from(`${meetingId}/${lastAttendeeId}`).toString('base64url');
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The id after which the next page begins.
 *
 * Assumed: the text.
 * @throws BadRequestException the token is none of this meeting
 */
export function attendeeTokenAfter(token: string, meetingId: string): string {
  const [ofMeeting, attendeeId = ''] = Buffer.from(token, 'base64url').toString().split('/');
  if (ofMeeting !== meetingId || !UUID.test(attendeeId) || attendeeToken(ofMeeting, attendeeId) !== token) {
    throw new AwsError('BadRequestException', 'Invalid NextToken');
  }
  return attendeeId;
}
