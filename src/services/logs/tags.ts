/** Tags of log groups. */
import { parseArn } from '#core/arn.ts';
import type { LogsApi } from '#model/generated/logs.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { mergedTags, requestTagKeys, requestTags, TAG_RULES, type TagContext, tagsWithout } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';
import { type GroupName, groupOrNotFound, onGroup, onGroupTags, parseGroupArn } from './names.ts';
import { logGroups } from './tables/groups.ts';

/** Source: logs 2014-03-28, TooManyTagsException: at most 50 tags. */
const TAGS_MAX = 50;

const RULES = TAG_RULES.logs;

type TagMap = Readonly<Record<string, string>>;

const entriesOf = (tags: TagMap = {}) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const mapOf = (tags: readonly TagRecord[]): TagMap => Object.fromEntries(tags.map(({ key, value }) => [key, value]));

/** Returns the condition keys of a request that adds tags. @throws InvalidParameterException  as `newGroupTags` */
export function requestGroupTags(tags?: TagMap): TagContext {
  return requestTags(RULES, entriesOf(tags));
}

/**
 * Adds tags to tags.
 *
 * @throws InvalidParameterException  two keys are equal ignoring case, or a key begins with `aws:`
 * @throws TooManyTagsException       the result has more than 50 tags. Assumed: the message
 */
export function newGroupTags(present: readonly TagRecord[], added?: TagMap): readonly TagRecord[] {
  const tags = mergedTags(RULES, present, entriesOf(added));
  if (tags.length > TAGS_MAX) throw new AwsError('TooManyTagsException', `A resource can have no more than ${TAGS_MAX} tags.`);
  return tags;
}

/**
 * Operations on tags, with the ARN of the log group or, in the older operations, its name.
 *
 * @throws ResourceNotFoundException  the group does not exist, or the ARN is of another type, of which this server has no resources
 */
export const tagOperations = {
  TagResource: {
    access: ({ resourceArn, tags }) => onGroupTags(tagged(resourceArn), requestGroupTags(tags)),
    handle: (call, { resourceArn, tags }) => changeTags(call, tagged(resourceArn), (present) => newGroupTags(present, tags)),
  },

  UntagResource: {
    access: ({ resourceArn, tagKeys }) => onGroupTags(tagged(resourceArn), requestTagKeys(tagKeys)),
    handle: (call, { resourceArn, tagKeys }) => changeTags(call, tagged(resourceArn), (present) => tagsWithout(RULES, present, tagKeys)),
  },

  ListTagsForResource: {
    access: ({ resourceArn }) => onGroupTags(tagged(resourceArn)),
    handle: async (call, { resourceArn }) => ({ tags: mapOf((await groupOrNotFound(call, tagged(resourceArn))).tags) }),
  },

  TagLogGroup: {
    access: ({ logGroupName, tags }, caller) => onGroup({ ...caller, name: logGroupName }, '', requestGroupTags(tags)),
    handle: (call, { logGroupName, tags }) => changeTags(call, { ...call, name: logGroupName }, (present) => newGroupTags(present, tags)),
  },

  UntagLogGroup: {
    access: ({ logGroupName, tags }, caller) => onGroup({ ...caller, name: logGroupName }, '', requestTagKeys(tags)),
    handle: (call, { logGroupName, tags }) =>
      changeTags(call, { ...call, name: logGroupName }, (present) => tagsWithout(RULES, present, tags)),
  },

  ListTagsLogGroup: {
    access: ({ logGroupName }, caller) => onGroup({ ...caller, name: logGroupName }),
    handle: async (call, { logGroupName }) => ({ tags: mapOf((await groupOrNotFound(call, { ...call, name: logGroupName })).tags) }),
  },
} satisfies Partial<ServiceOperations<LogsApi>>;

/** Types of resources that have tags on AWS, and that this server does not have. Source: Service Authorization Reference, "Amazon CloudWatch Logs". */
const OTHER_TYPES = /^(?:anomaly-detector|delivery|delivery-destination|delivery-source|destination|lookup-table|scheduled-query):./;

function tagged(resourceArn: string): GroupName {
  const parts = parseArn(resourceArn);
  if (parts?.service === 'logs' && OTHER_TYPES.test(parts.resource)) {
    throw new AwsError('ResourceNotFoundException', 'The specified resource does not exist.');
  }
  return parseGroupArn(resourceArn);
}

async function changeTags(call: Call, name: GroupName, change: (tags: readonly TagRecord[]) => readonly TagRecord[]) {
  const group = await groupOrNotFound(call, name);
  await call.tx.of(logGroups).setTags({ ...group, tags: change(group.tags) });
  return {};
}
