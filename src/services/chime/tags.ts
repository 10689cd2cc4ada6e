/** Tags of Chime's resources: the same in five services but for the names of two errors. */
import type { AwsError } from '#core/aws-error.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Empty } from '#model/model.ts';
import type { Tx } from '#store/store.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Access, Call, Caller, Operation } from '../kit/operation.ts';
import { mergedTags, newTags, requestTagKeys, requestTags, TAG_RULES, tagsWithout, tagValues as valuesOf } from '../kit/tag-rules.ts';

/** A tag as the models of all five services have it. */
export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** Source: chime-sdk-meetings 2021-07-15, TagList; AWS General Reference, "Tag naming limits and requirements". */
export const TAGS_MAX = 50;

/** Everything ends after it. */
const BEGINNING = instant(0);

/** A resource's tags, and how to replace them. */
export interface Tagged {
  readonly tags: readonly TagRecord[];
  readonly keep: (tags: readonly TagRecord[]) => Promise<void>;
}

export interface TagRules {
  /**
   * The resource of an ARN in the caller's account and region; undefined where there is none, whatever the ARN is. What ends by itself
   * is one as long as it has not ended at `now`; for a decision, until it is removed.
   */
  readonly find: (tx: Tx, caller: Pick<Caller, 'accountId' | 'region'>, resourceArn: string, now: Instant) => Promise<Tagged | undefined>;
  readonly notFound: (resourceArn: string) => AwsError;
  readonly tooMany: (resourceArn: string, most: number) => AwsError;
}

interface TagOperations {
  readonly TagResource: Operation<{ readonly ResourceARN: string; readonly Tags: readonly Tag[] }, Empty>;
  readonly UntagResource: Operation<{ readonly ResourceARN: string; readonly TagKeys: readonly string[] }, Empty>;
  readonly ListTagsForResource: Operation<{ readonly ResourceARN: string }, { readonly Tags: readonly Tag[] }>;
}

/**
 * The three operations on tags of a service. The decision is on exactly the ARN that will be looked for.
 *
 * Source: TagResource, UntagResource, ListTagsForResource of the five models. TAG-6.
 * @throws BadRequestException a reserved key, a key twice or in another case than it has on the resource · what `rules` says where there is no such resource, or more than 50 tags
 */
export function tagOperations({ find, notFound, tooMany }: TagRules): TagOperations {
  function onArn(caller: Caller, action: Access['action'], resourceArn: string, context?: ConditionContext): Access {
    if (caller.profile === 'classic') return { action, resources: ['*'] };
    const resourceTags = async (tx: Tx) => [tagValues((await find(tx, caller, resourceArn, BEGINNING))?.tags)];
    return { action, resources: [resourceArn], resourceTags, ...(context && { context }) };
  }
  async function taggedOrNotFound(call: Call, resourceArn: string): Promise<Tagged> {
    const tagged = await find(call.tx, call, resourceArn, call.now);
    if (tagged === undefined) throw notFound(resourceArn);
    return tagged;
  }
  return {
    TagResource: {
      access: (input, caller) => onArn(caller, 'chime:TagResource', input.ResourceARN, new Map(requestTags(TAG_RULES.chime, input.Tags))),
      async handle(call, input) {
        const { tags, keep } = await taggedOrNotFound(call, input.ResourceARN);
        const after = withTags(tags, input.Tags);
        if (after.length > TAGS_MAX) throw tooMany(input.ResourceARN, TAGS_MAX);
        await keep(after);
        return {};
      },
    },

    /** Keys it does not have are passed over. */
    UntagResource: {
      access: (input, caller) => onArn(caller, 'chime:UntagResource', input.ResourceARN, new Map(requestTagKeys(input.TagKeys))),
      async handle(call, input) {
        const { tags, keep } = await taggedOrNotFound(call, input.ResourceARN);
        await keep(tagsWithout(TAG_RULES.chime, tags, input.TagKeys));
        return {};
      },
    },

    ListTagsForResource: {
      access: (input, caller) => onArn(caller, 'chime:ListTagsForResource', input.ResourceARN),
      async handle(call, input) {
        const { tags } = await taggedOrNotFound(call, input.ResourceARN);
        return { Tags: tags.map(({ key, value }) => ({ Key: key, Value: value })) };
      },
    },
  };
}

/**
 * Asks for the making of a resource, and where it is made with tags, for tagging it. `pattern` is the ARN that stands for what has
 * none yet: `arn:…:meeting/*`. In the classic profile neither is known (CHM-1, TAG-2).
 *
 * Source: denials of CreateMeeting name `meeting/*` (security.md CHM-3).
 * Assumed: tags at creation need chime:TagResource on the same pattern (TAG-5).
 */
export function onNew({ profile }: Caller, action: Access['action'], pattern: string, tags: readonly Tag[] | undefined): readonly Access[] {
  if (profile === 'classic') return [{ action, resources: ['*'] }];
  const resources = [pattern];
  if (tags === undefined || tags.length === 0) return [{ action, resources }];
  const context = new Map(requestTags(TAG_RULES.chime, tags));
  return [
    { action, resources, context },
    { action: 'chime:TagResource', resources, context },
  ];
}

/** Tags as a decision reads them; undefined for a resource that does not exist. */
export function tagValues(tags: readonly TagRecord[] | undefined): Readonly<Record<string, string>> | undefined {
  return tags && valuesOf(tags);
}

/**
 * Checks the tags of a request.
 *
 * @throws BadRequestException a reserved key, or two keys that are equal ignoring case
 */
export function requireTags(tags: readonly Tag[]): void {
  newTags(TAG_RULES.chime, tags);
}

/**
 * Returns the tags of a resource after some were added. A tag whose key is there replaces it, in its place.
 *
 * @throws BadRequestException as `requireTags`, or a key is there in another case
 */
export function withTags(present: readonly TagRecord[], added: readonly Tag[]): readonly TagRecord[] {
  return mergedTags(TAG_RULES.chime, present, added);
}
