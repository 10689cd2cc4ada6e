/** Tags of Chime's resources. Five services have the same operations, with different error codes. */
import type { AwsError } from '#core/aws-error.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Empty } from '#model/model.ts';
import type { Tx } from '#store/store.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Call, Caller, DeclaredAccess, DeclaredOperation } from '../kit/operation.ts';
import { withTagAccess } from '../kit/resource-access.ts';
import { findByArn, type Kind, type Where } from '../kit/resource-kind.ts';
import { mergedTags, newTags, requestTagKeys, requestTags, TAG_RULES, tagsWithout, tagValues as valuesOf } from '../kit/tag-rules.ts';

/** A tag as the models of all five services have it. */
export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/**
 * Maximum number of tags of a resource.
 * Source: chime-sdk-meetings 2021-07-15, TagList; AWS General Reference, "Tag naming limits and requirements".
 */
export const TAGS_MAX = 50;

/** Time before every expiration. With this time as `now`, `find` treats no resource as ended. */
const BEGINNING = instant(0);

/** Tags of a resource, with a function that replaces them. */
export interface Tagged {
  readonly tags: readonly TagRecord[];
  readonly keep: (tags: readonly TagRecord[]) => Promise<void>;
}

export interface TagRules {
  /**
   * Returns the tags of the resource with an ARN. Returns undefined if the caller's account and region have no such
   * resource. Also returns undefined if the resource, such as a meeting, has ended at `now`. Access decisions pass a
   * `now` before every expiration, so that they read the tags of ended resources that the server has not yet deleted.
   */
  readonly find: (
    tx: Tx,
    caller: Pick<Caller, 'accountId' | 'region' | 'legacy'>,
    resourceArn: string,
    now: Instant,
  ) => Promise<Tagged | undefined>;
  readonly notFound: (resourceArn: string) => AwsError;
  readonly tooMany: (resourceArn: string, most: number) => AwsError;
}

interface TagOperations {
  readonly TagResource: DeclaredOperation<{ readonly ResourceARN: string; readonly Tags: readonly Tag[] }, Empty>;
  readonly UntagResource: DeclaredOperation<{ readonly ResourceARN: string; readonly TagKeys: readonly string[] }, Empty>;
  readonly ListTagsForResource: DeclaredOperation<{ readonly ResourceARN: string }, { readonly Tags: readonly Tag[] }>;
}

/**
 * Returns the three tag operations of a service. The caller needs the permission for exactly the ARN that the operation
 * looks up.
 *
 * Source: TagResource, UntagResource, ListTagsForResource of the five models. TAG-6.
 * @throws AwsError `notFound`           the resource does not exist
 * @throws AwsError BadRequestException  a key is reserved, occurs twice, or differs only in case from a key of the
 *   resource
 * @throws AwsError `tooMany`            the resource would have more than 50 tags
 */
export function tagOperations({ find, notFound, tooMany }: TagRules): TagOperations {
  function onArn(caller: Caller, resourceArn: string, context?: ConditionContext): DeclaredAccess {
    if (caller.profile === 'classic') return { resources: ['*'] };
    const resourceTags = async (tx: Tx) => [tagValues((await find(tx, caller, resourceArn, BEGINNING))?.tags)];
    return omitUndefined({ resources: [resourceArn], resourceTags, context });
  }
  async function taggedOrNotFound(call: Call, resourceArn: string): Promise<Tagged> {
    const tagged = await find(call.tx, call, resourceArn, call.now);
    if (tagged === undefined) throw notFound(resourceArn);
    return tagged;
  }
  return {
    TagResource: {
      access: (input, caller) => onArn(caller, input.ResourceARN, new Map(requestTags(TAG_RULES.chime, input.Tags))),
      async handle(call, input) {
        const { tags, keep } = await taggedOrNotFound(call, input.ResourceARN);
        const after = withTags(tags, input.Tags);
        if (after.length > TAGS_MAX) throw tooMany(input.ResourceARN, TAGS_MAX);
        await keep(after);
        return {};
      },
    },

    /** Ignores keys that the resource does not have. */
    UntagResource: {
      access: (input, caller) => onArn(caller, input.ResourceARN, new Map(requestTagKeys(input.TagKeys))),
      async handle(call, input) {
        const { tags, keep } = await taggedOrNotFound(call, input.ResourceARN);
        await keep(tagsWithout(TAG_RULES.chime, tags, input.TagKeys));
        return {};
      },
    },

    ListTagsForResource: {
      access: (input, caller) => onArn(caller, input.ResourceARN),
      async handle(call, input) {
        const { tags } = await taggedOrNotFound(call, input.ResourceARN);
        return { Tags: tags.map(({ key, value }) => ({ Key: key, Value: value })) };
      },
    },
  };
}

/**
 * Returns the permissions to create a resource: the operation's action and, if the request has tags,
 * `chime:TagResource`. `pattern` is the ARN that represents the new resource: `arn:…:meeting/*`. The classic profile,
 * the rules of the older Amazon Chime API, has neither ARNs nor tags (CHM-1, TAG-2).
 *
 * Source: denials of CreateMeeting name `meeting/*` (security.md CHM-3).
 */
export function onNew(caller: Caller, pattern: string, tags: readonly Tag[] | undefined): readonly DeclaredAccess[] {
  return withTagAccess(TAG_RULES.chime, caller, [pattern], tags);
}

/** Returns the function `find` of `TagRules`, for a service that stores its taggable resources as these kinds. */
export function findTaggedOf(
  ...kinds: readonly Kind<unknown>[]
): (tx: Tx, caller: Where, resourceArn: string) => Promise<Tagged | undefined> {
  return async (tx, caller, resourceArn) => {
    for (const kind of kinds) {
      const record = await findByArn(tx, caller, kind, resourceArn);
      if (record) return { tags: record.tags, keep: async (tags) => void (await tx.resources.put(kind, { ...record, tags })) };
    }
    return undefined;
  };
}

/**
 * Converts the tags of a resource to the form that access decisions read. For a resource that does not exist, callers
 * pass `undefined`, and the function returns `undefined`.
 */
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
 * Returns the tags of a resource with added tags. An added tag replaces a present tag with the same key, at the same
 * position of the list.
 *
 * @throws BadRequestException  in the cases of `requireTags`, and if a key differs only in case from a present key
 */
export function withTags(present: readonly TagRecord[], added: readonly Tag[]): readonly TagRecord[] {
  return mergedTags(TAG_RULES.chime, present, added);
}
