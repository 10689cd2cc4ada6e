/** Tags of Chime's resources: the same in five services but for the names of two errors. */
import { parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Empty } from '#model/model.ts';
import type { TagRecord } from '#store/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Access, Call, Caller, Operation } from './operation.ts';

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
 * @throws BadRequestException no ARN, a reserved key, a key twice · what `rules` says where there is no such resource, or more than 50 tags
 */
export function tagOperations({ find, notFound, tooMany }: TagRules): TagOperations {
  function onArn(caller: Caller, action: Access['action'], resourceArn: string, context?: ConditionContext): Access {
    if (parseArn(resourceArn) === undefined) throw new AwsError('BadRequestException', `Invalid resource ARN: ${resourceArn}`);
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
      access: (input, caller) => onArn(caller, 'chime:TagResource', input.ResourceARN, requestTags(input.Tags)),
      async handle(call, input) {
        requireTags(input.Tags);
        const { tags, keep } = await taggedOrNotFound(call, input.ResourceARN);
        const after = withTags(tags, input.Tags);
        if (after.length > TAGS_MAX) throw tooMany(input.ResourceARN, TAGS_MAX);
        await keep(after);
        return {};
      },
    },

    /** Keys it does not have are passed over. */
    UntagResource: {
      access: (input, caller) => onArn(caller, 'chime:UntagResource', input.ResourceARN, requestTagKeys(input.TagKeys)),
      async handle(call, input) {
        const { tags, keep } = await taggedOrNotFound(call, input.ResourceARN);
        await keep(tags.filter(({ key }) => !input.TagKeys.includes(key)));
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
  const context = requestTags(tags);
  return [
    { action, resources, context },
    { action: 'chime:TagResource', resources, context },
  ];
}

/** Tags as a decision reads them. */
export function tagValues(tags: readonly TagRecord[] | undefined): Readonly<Record<string, string>> | undefined {
  return tags && Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}

/**
 * What every list of tags must keep to.
 *
 * Source: AWS General Reference, "Tagging your AWS resources": `aws:` is reserved, whatever its case; keys differ in case.
 * Assumed: the texts.
 * @throws BadRequestException a reserved key, or the same key twice
 */
export function requireTags(tags: readonly Tag[]): void {
  const keys = new Set<string>();
  for (const { Key } of tags) {
    if (Key.toLowerCase().startsWith('aws:')) throw new AwsError('BadRequestException', `Tag keys must not begin with aws: ${Key}`);
    if (keys.has(Key)) throw new AwsError('BadRequestException', `Duplicate tag key: ${Key}`);
    keys.add(Key);
  }
}

/** The tags a resource has after some were given: a key that was there has the new value, and keeps its place. */
export function withTags(present: readonly TagRecord[], given: readonly Tag[]): readonly TagRecord[] {
  const tags = new Map(present.map(({ key, value }) => [key, value]));
  for (const { Key, Value } of given) tags.set(Key, Value);
  return Array.from(tags, ([key, value]) => ({ key, value }));
}

/** `aws:RequestTag/…` and `aws:TagKeys` of tags that are given. */
function requestTags(tags: readonly Tag[]): ConditionContext {
  return new Map<string, string | readonly string[]>([
    ['aws:tagkeys', tags.map(({ Key }) => Key)],
    ...tags.map(({ Key, Value }) => [`aws:requesttag/${Key.toLowerCase()}`, Value] as const),
  ]);
}

/** `aws:TagKeys` of tags that are taken away. */
function requestTagKeys(keys: readonly string[]): ConditionContext {
  return new Map([['aws:tagkeys', keys]]);
}
