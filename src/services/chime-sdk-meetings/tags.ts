import { tagOperations } from '../chime/tags.ts';
import { meetingIdOf } from './access.ts';
import { AwsError } from './errors.ts';
import { meetings } from './tables/meetings.ts';

/**
 * Tags of meetings.
 *
 * Source: chime-sdk-meetings 2021-07-15: ResourceNotFoundException and TooManyTagsException, with `ResourceName`. TAG-6.
 * Assumed: the messages.
 */
export const meetingTagOperations = tagOperations({
  async find(tx, caller, resourceArn, now) {
    const meetingId = meetingIdOf(caller, resourceArn);
    const meeting = meetingId === undefined ? undefined : await tx.of(meetings).get(caller.accountId, caller.region, meetingId, now);
    return meeting && { tags: meeting.tags, keep: (tags) => tx.of(meetings).setTags(meeting.meetingId, tags) };
  },
  notFound: (ResourceName) => new AwsError('ResourceNotFoundException', `Resource '${ResourceName}' not found`, { ResourceName }),
  tooMany: (ResourceName, most) => new AwsError('TooManyTagsException', `A resource can have at most ${most} tags.`, { ResourceName }),
});
