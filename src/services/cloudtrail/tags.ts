/** Tags of trails. */
import { parseArn } from '#core/arn.ts';
import type { CloudtrailApi, Tag } from '#model/generated/cloudtrail.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { mergedTags, requestTagKeys, requestTags, TAG_RULES, type TagContext, tagsWithout } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';
import { onTrail, trailOrNotFound, trailToChange } from './lookup.ts';
import { type TrailRecord, trails } from './tables/trails.ts';
import { parseTrailArn } from './trail-names.ts';

/** Source: cloudtrail 2013-11-01, TagsLimitExceededException and ListTags, ResourceIdList. */
const TAGS_MAX = 50;
const LISTED_MAX = 20;

const RULES = TAG_RULES.cloudtrail;

/** A tag without a value has the empty value. */
const withValues = (tags: readonly Tag[]) => tags.map(({ Key, Value = '' }) => ({ Key, Value }));

/** Returns the condition keys of a request that adds tags. @throws InvalidTagParameterException  as `newTrailTags` */
export function requestTrailTags(tags: readonly Tag[] = []): TagContext {
  return requestTags(RULES, withValues(tags));
}

/**
 * Adds the tags of a request to tags.
 *
 * @throws InvalidTagParameterException  a key is repeated, ignoring case, or begins with `aws:`
 * @throws TagsLimitExceededException    the result has more than 50 tags. Assumed: the message
 */
export function newTrailTags(present: readonly TagRecord[], added: readonly Tag[] = []): readonly TagRecord[] {
  const tags = mergedTags(RULES, present, withValues(added));
  if (tags.length > TAGS_MAX) {
    throw new AwsError('TagsLimitExceededException', `The number of tags exceeds the limit of ${TAGS_MAX} tags for a resource.`);
  }
  return tags;
}

/**
 * Operations on tags. `ResourceId` is the ARN of a trail. Belfry has no other resources of CloudTrail.
 *
 * @throws CloudTrailARNInvalidException       it is not the ARN of a trail, or of another region
 * @throws EventDataStoreNotFoundException, ChannelNotFoundException  it is the ARN of such a resource
 * @throws ResourceTypeNotSupportedException   it is the ARN of another type
 * @throws ResourceNotFoundException           the trail does not exist
 * @throws NotOrganizationMasterAccountException  the trail belongs to the organization of the caller's member account
 */
export const tagOperations = {
  /** Adds tags. @throws InvalidTagParameterException, TagsLimitExceededException  see `newTrailTags` */
  AddTags: {
    access: ({ ResourceId, TagsList }, caller) => onTagged(ResourceId, caller, requestTrailTags(TagsList)),
    async handle(call, { ResourceId, TagsList }) {
      await changeTags(call, ResourceId, (tags) => newTrailTags(tags, TagsList));
      return {};
    },
  },

  /** Removes tags. Ignores unknown keys and the values. */
  RemoveTags: {
    access: ({ ResourceId, TagsList }, caller) => onTagged(ResourceId, caller, requestTagKeys(keysOf(TagsList))),
    async handle(call, { ResourceId, TagsList }) {
      await changeTags(call, ResourceId, (tags) => tagsWithout(RULES, tags, keysOf(TagsList)));
      return {};
    },
  },

  /**
   * Returns the tags of at most 20 trails, in one page.
   *
   * @throws InvalidParameterException  there are more than 20 ARNs. Assumed: the code and the message
   */
  ListTags: {
    access: ({ ResourceIdList }, caller) => onAllTagged(ResourceIdList.slice(0, LISTED_MAX + 1), caller),
    async handle(call, { ResourceIdList }) {
      if (ResourceIdList.length > LISTED_MAX) {
        throw new AwsError('InvalidParameterException', `ResourceIdList has more than ${LISTED_MAX} ARNs.`);
      }
      const ResourceTagList = [];
      for (const ResourceId of ResourceIdList) {
        const trail = await found(ResourceId, () => trailOrNotFound(call, ResourceId));
        const { tags = [] } = (await call.tx.of(trails).settings(trail.trailId)) ?? {};
        ResourceTagList.push({ ResourceId, TagsList: tags.map(({ key, value }) => ({ Key: key, Value: value })) });
      }
      return { ResourceTagList };
    },
  },
} satisfies Partial<ServiceOperations<CloudtrailApi>>;

const keysOf = (tags: readonly Tag[]): readonly string[] => tags.map(({ Key }) => Key);

/** Returns the permission for an action on a tagged resource. */
function onTagged(resourceId: string, caller: Caller, context: TagContext = []): DeclaredAccess {
  const parts = parseArn(resourceId);
  if (parts?.service !== 'cloudtrail' || parts.resource.startsWith('trail/')) {
    parseTrailArn(resourceId);
    return onTrail(resourceId, caller, context);
  }
  return { resources: [resourceId], ...(context.length > 0 && { context: new Map(context) }) };
}

/** Returns the permission for an action on all of some tagged resources. An empty list requires the permission on `*`. */
function onAllTagged(resourceIds: readonly string[], caller: Caller): DeclaredAccess {
  const each = resourceIds.map((id) => onTagged(id, caller));
  if (each.length === 0) return { resources: ['*'] };
  return {
    resources: each.flatMap(({ resources }) => resources),
    async resourceTags(tx) {
      const tags = [];
      for (const { resourceTags } of each) tags.push((await resourceTags?.(tx))?.[0]);
      return tags;
    },
  };
}

async function changeTags(call: Call, resourceId: string, change: (tags: readonly TagRecord[]) => readonly TagRecord[]): Promise<void> {
  const trail = await found(resourceId, async () => {
    const { homeRegion } = parseTrailArn(resourceId);
    if (homeRegion !== call.region) throw otherRegion(call);
    return await trailToChange(call, resourceId);
  });
  const settings = (await call.tx.of(trails).settings(trail.trailId)) ?? { trailId: trail.trailId, tags: [] };
  await call.tx.of(trails).putSettings({ ...settings, tags: change(settings.tags) });
}

/** Source: issue 1309 of aws-sdk-java, the message. */
function otherRegion({ region }: Call): Error {
  return new AwsError('CloudTrailARNInvalidException', `Region in ARN is wrong, you can only access resources in region ${region}.`);
}

/** Returns the trail that `find` finds. Converts the error for an unknown trail to the error of an unknown resource. */
async function found(resourceId: string, find: () => Promise<TrailRecord>): Promise<TrailRecord> {
  const type = parseArn(resourceId)?.resource.split('/')[0];
  if (type === 'eventdatastore') throw new AwsError('EventDataStoreNotFoundException', `Unknown event data store: ${resourceId}`);
  if (type === 'channel') throw new AwsError('ChannelNotFoundException', `Unknown channel: ${resourceId}`);
  if (type !== 'trail') throw new AwsError('ResourceTypeNotSupportedException', `The resource type '${type}' is not supported.`);
  try {
    return await find();
  } catch (error) {
    if ((error as Partial<AwsError>).code !== 'TrailNotFoundException') throw error;
    throw new AwsError('ResourceNotFoundException', `Unknown resource: ${resourceId}`);
  }
}
