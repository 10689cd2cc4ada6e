import { tagOperations } from '../chime-kit/tags.ts';
import { meetingIdOf } from './access.ts';
import { AwsError } from './errors.ts';
import { meetings } from './tables/meetings.ts';
import { findMeeting } from './visible-meetings.ts';

/**
 * Tags of meetings.
 *
 * Source: chime-sdk-meetings 2021-07-15: the tag operations have ResourceNotFoundException and TooManyTagsException,
 * with the member `ResourceName`. Requirement TAG-6.
 * Assumed: the wording of the error messages.
 */
export const meetingTagOperations = tagOperations({
  async find(tx, caller, resourceArn, now) {
    const meetingId = meetingIdOf(caller, resourceArn);
    const meeting = meetingId === undefined ? undefined : await findMeeting(tx, caller, meetingId, now);
    return meeting && { tags: meeting.tags, keep: (tags) => tx.of(meetings).setTags(meeting.meetingId, tags) };
  },
  notFound: (ResourceName) => new AwsError('ResourceNotFoundException', `Resource '${ResourceName}' not found`, { ResourceName }),
  tooMany: (ResourceName, most) => new AwsError('TooManyTagsException', `A resource can have at most ${most} tags.`, { ResourceName }),
});
