/** Tags of buses and rules, the only resources of EventBridge with tags. */
import type { EventsApi, Tag } from '#model/generated/events.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { mergedTags, requestTagKeys, requestTags, TAG_RULES, type TagContext, tagsWithout } from '../kit/tag-rules.ts';
import { busOrNotFound, busToChange, onBus, onRule, ruleOrNotFound } from './bus-access.ts';
import { busOfArn, ruleOfArn } from './bus-names.ts';
import { invalidArn, limitExceeded } from './errors.ts';
import { eventBuses } from './tables/event-buses.ts';

/** Source: AWS General Reference, "Tag naming limits and requirements". */
const TAGS_MAX = 50;

/** Returns the condition keys of a request that adds tags. @throws ValidationException  as `newEventTags` */
export function requestEventTags(tags: readonly Tag[] | undefined): TagContext {
  return requestTags(TAG_RULES.events, tags);
}

/**
 * Adds the tags of a request to tags.
 *
 * @throws ValidationException     a key is repeated, ignoring case, or begins with `aws:`
 * @throws LimitExceededException  the result has more than 50 tags
 */
export function newEventTags(present: readonly TagRecord[], added: readonly Tag[] | undefined): readonly TagRecord[] {
  const tags = mergedTags(TAG_RULES.events, present, added);
  if (tags.length > TAGS_MAX) throw limitExceeded();
  return tags;
}

/**
 * Returns the permissions to create a resource: `access` and, if the request has tags, `events:TagResource` on the same resource.
 *
 * Source: EventBridge API reference, PutRule: "To use the PutRule operation and assign tags, you must have both the events:PutRule and
 * events:TagResource permissions". Assumed: the same for CreateEventBus.
 */
export function withTagResource(access: DeclaredAccess, tags: readonly Tag[] | undefined): readonly DeclaredAccess[] {
  return tags === undefined || tags.length === 0 ? [access] : [access, { ...access, action: 'events:TagResource' }];
}

/** Returns the permission on the resource that a tag operation names. @throws ValidationException  the ARN is not that of a bus or rule */
function onArn(arn: string, context: TagContext = []): DeclaredAccess {
  const rule = ruleOfArn(arn);
  if (rule !== undefined) return onRule(rule, context);
  const bus = busOfArn(arn);
  if (bus === undefined) throw invalidArn(arn);
  return onBus(bus, context);
}

/** Tags of a resource, with a function that replaces them. */
interface Tagged {
  readonly tags: readonly TagRecord[];
  readonly keep: (tags: readonly TagRecord[]) => Promise<void>;
}

/**
 * @throws ValidationException        the ARN is not that of a bus or rule
 * @throws ResourceNotFoundException  the bus or rule does not exist in the caller's region
 */
async function taggedOrNotFound(call: Call, arn: string, use: 'read' | 'change'): Promise<Tagged> {
  const repository = call.tx.of(eventBuses);
  const key = ruleOfArn(arn);
  if (key !== undefined) {
    const rule = await ruleOrNotFound(call, key);
    return { tags: rule.tags, keep: (tags) => repository.putRule({ ...rule, tags }) };
  }
  const busKey = busOfArn(arn);
  if (busKey === undefined) throw invalidArn(arn);
  const bus = await (use === 'read' ? busOrNotFound : busToChange)(call, busKey);
  return { tags: bus.tags, keep: (tags) => repository.putBus({ ...bus, tags }) };
}

/** Operations on tags. The errors are those of `taggedOrNotFound` and `newEventTags`, in this order. */
export const tagOperations = {
  TagResource: {
    access: ({ ResourceARN, Tags }, _caller: Caller) => onArn(ResourceARN, requestEventTags(Tags)),
    async handle(call, { ResourceARN, Tags }) {
      const { tags, keep } = await taggedOrNotFound(call, ResourceARN, 'change');
      await keep(newEventTags(tags, Tags));
      return {};
    },
  },

  /** Ignores keys that the resource does not have. */
  UntagResource: {
    access: ({ ResourceARN, TagKeys }) => onArn(ResourceARN, requestTagKeys(TagKeys)),
    async handle(call, { ResourceARN, TagKeys }) {
      const { tags, keep } = await taggedOrNotFound(call, ResourceARN, 'change');
      await keep(tagsWithout(TAG_RULES.events, tags, TagKeys));
      return {};
    },
  },

  ListTagsForResource: {
    access: ({ ResourceARN }) => onArn(ResourceARN),
    async handle(call, { ResourceARN }) {
      const { tags } = await taggedOrNotFound(call, ResourceARN, 'read');
      return { Tags: tags.map(({ key, value }) => ({ Key: key, Value: value })) };
    },
  },
} satisfies Partial<ServiceOperations<EventsApi>>;
