import { AwsError } from '#core/aws-error.ts';
import type { ChimeSdkMeetingsApi } from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingRecord } from '#store/meetings.ts';
import type { Call, ServiceOperations } from '../operation.ts';
import { meetingIdOf, onArn, requestTagKeys, requestTags } from './access.ts';
import { requireTags, TAGS_MAX, withoutTags, withTags } from './tag-rules.ts';

type Operations = ServiceOperations<ChimeSdkMeetingsApi>;

/** Tags of meetings. Source: chime-sdk-meetings 2021-07-15, TagResource, UntagResource, ListTagsForResource. TAG-6. */
export const tagOperations: Pick<Operations, 'TagResource' | 'UntagResource' | 'ListTagsForResource'> = {
  /**
   * @throws BadRequestException       no ARN, a reserved key, a key twice
   * @throws ResourceNotFoundException no such meeting
   * @throws TooManyTagsException      it would have more than 50
   */
  TagResource: {
    access: (input, caller) => onArn(caller, 'chime:TagResource', input.ResourceARN, requestTags(input.Tags)),
    async handle(call, input) {
      requireTags(input.Tags);
      const { meetingId, tags } = await meetingOfArn(call, input.ResourceARN);
      const after = withTags(tags, input.Tags);
      if (after.length > TAGS_MAX) {
        throw new AwsError('TooManyTagsException', `A resource can have ${TAGS_MAX} tags.`, { ResourceName: input.ResourceARN });
      }
      await call.tx.meetings.setTags(meetingId, after);
      return {};
    },
  },

  /** @throws ResourceNotFoundException no such meeting. Keys it does not have are passed over. */
  UntagResource: {
    access: (input, caller) => onArn(caller, 'chime:UntagResource', input.ResourceARN, requestTagKeys(input.TagKeys)),
    async handle(call, input) {
      const { meetingId, tags } = await meetingOfArn(call, input.ResourceARN);
      await call.tx.meetings.setTags(meetingId, withoutTags(tags, input.TagKeys));
      return {};
    },
  },

  /** @throws ResourceNotFoundException no such meeting */
  ListTagsForResource: {
    access: (input, caller) => onArn(caller, 'chime:ListTagsForResource', input.ResourceARN),
    async handle(call, input) {
      const { tags } = await meetingOfArn(call, input.ResourceARN);
      return { Tags: tags.map(({ key, value }) => ({ Key: key, Value: value })) };
    },
  },
};

/** Assumed: the text. */
async function meetingOfArn(call: Call, resourceArn: string): Promise<MeetingRecord> {
  const { tx, accountId, region, now } = call;
  const meetingId = meetingIdOf(call, resourceArn);
  const meeting = meetingId === undefined ? undefined : await tx.meetings.get(accountId, region, meetingId, now);
  if (meeting === undefined) {
    throw new AwsError('ResourceNotFoundException', `Resource ${resourceArn} not found`, { ResourceName: resourceArn });
  }
  return meeting;
}
