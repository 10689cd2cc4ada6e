/** Tags of the resources of CloudWatch. */
import { parseArn } from '#core/arn.ts';
import type { CloudwatchApi, Tag } from '#model/generated/cloudwatch.ts';
import type { Tx } from '#store/store.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { mergedTags, requestTagKeys, requestTags, TAG_RULES, type TagContext, tagsWithout, tagValues } from '../kit/tag-rules.ts';
import { parseAlarmArn } from './alarms/alarm-names.ts';
import { alarms } from './alarms/tables/alarms.ts';
import { DASHBOARD, dashboardArn, dashboardKey } from './dashboards.ts';
import { AwsError } from './errors.ts';

/** A type of resources with tags. */
export interface Tagged {
  /** Returns the name in the ARN of such a resource of the caller's account and region, or undefined for other ARNs. */
  readonly nameIn: (resourceArn: string, caller: Caller) => string | undefined;
  /** Returns the tags, or undefined if the resource does not exist. */
  readonly get: (tx: Tx, caller: Caller, name: string) => Promise<readonly TagRecord[] | undefined>;
  readonly put: (call: Call, name: string, tags: readonly TagRecord[]) => Promise<void>;
}

/** Tags of dashboards. */
const DASHBOARD_TAGS: Tagged = {
  nameIn(resourceArn, { accountId }) {
    const prefix = dashboardArn(accountId, '');
    return resourceArn.startsWith(prefix) ? resourceArn.slice(prefix.length) : undefined;
  },
  get: async (tx, caller, name) => (await tx.resources.get(DASHBOARD, dashboardKey(caller, name)))?.tags,
  async put(call, name, tags) {
    const found = await call.tx.resources.get(DASHBOARD, dashboardKey(call, name));
    if (found !== undefined) await call.tx.resources.put(DASHBOARD, { ...found, tags });
  },
};

/** Tags of alarms. */
const ALARM_TAGS: Tagged = {
  nameIn(resourceArn, { accountId, region }) {
    const key = parseAlarmArn(resourceArn);
    return key?.accountId === accountId && key.region === region ? key.name : undefined;
  },
  get: async (tx, { accountId, region }, name) => (await tx.of(alarms).get({ accountId, region, name }))?.tags,
  async put({ tx, accountId, region }, name, tags) {
    await tx.of(alarms).setTags({ accountId, region, name, tags });
  },
};

const ALL: readonly Tagged[] = [DASHBOARD_TAGS, ALARM_TAGS];
const RULES = TAG_RULES.cloudwatch;
/** Source: cloudwatch 2010-08-01, TagResource. */
const TAGS_MAX = 50;

/**
 * Operations on tags.
 *
 * @throws InvalidParameterValueException  the ARN is invalid, or of another service; a key is repeated or reserved; there would be more
 *   than 50 tags
 * @throws ResourceNotFoundException       the resource does not exist in the caller's account and region
 *
 * Assumed: the messages.
 */
export const tagOperations = {
  TagResource: {
    access: ({ ResourceARN, Tags }, caller) => onTagged(ResourceARN, caller, requestTags(RULES, Tags)),
    async handle(call, { ResourceARN, Tags }) {
      await changeTags(call, ResourceARN, (present) => withTags(present, Tags));
      return {};
    },
  },

  /** Removes tags. Ignores unknown keys. */
  UntagResource: {
    access: ({ ResourceARN, TagKeys }, caller) => onTagged(ResourceARN, caller, requestTagKeys(TagKeys)),
    async handle(call, { ResourceARN, TagKeys }) {
      await changeTags(call, ResourceARN, (present) => tagsWithout(RULES, present, TagKeys));
      return {};
    },
  },

  ListTagsForResource: {
    access: ({ ResourceARN }, caller) => onTagged(ResourceARN, caller),
    async handle(call, { ResourceARN }) {
      const { tags } = await taggedOrNotFound(call, ResourceARN);
      return { Tags: tags.map(({ key, value }) => ({ Key: key, Value: value })) };
    },
  },
} satisfies Partial<ServiceOperations<CloudwatchApi>>;

function withTags(present: readonly TagRecord[], added: readonly Tag[]): readonly TagRecord[] {
  const tags = mergedTags(RULES, present, added);
  if (tags.length > TAGS_MAX) throw new AwsError('InvalidParameterValueException', `A resource can have at most ${TAGS_MAX} tags.`);
  return tags;
}

/** Returns the permission for an action on a tagged resource, which need not exist. @throws InvalidParameterValueException  see above */
function onTagged(resourceArn: string, caller: Caller, context: TagContext = []): DeclaredAccess {
  if (parseArn(resourceArn)?.service !== 'cloudwatch')
    throw new AwsError('InvalidParameterValueException', `The value ${resourceArn} for parameter ResourceARN is invalid.`);
  return {
    resources: [resourceArn],
    ...(context.length > 0 && { context: new Map(context) }),
    async resourceTags(tx) {
      const found = await find(tx, caller, resourceArn);
      return [found && tagValues(found.tags)];
    },
  };
}

interface Found {
  readonly kind: Tagged;
  readonly name: string;
  readonly tags: readonly TagRecord[];
}

async function find(tx: Tx, caller: Caller, resourceArn: string): Promise<Found | undefined> {
  for (const kind of ALL) {
    const name = kind.nameIn(resourceArn, caller);
    if (name === undefined) continue;
    const tags = await kind.get(tx, caller, name);
    return tags && { kind, name, tags };
  }
  return undefined;
}

async function taggedOrNotFound(call: Call, resourceArn: string): Promise<Found> {
  const found = await find(call.tx, call, resourceArn);
  if (found !== undefined) return found;
  const ResourceType = parseArn(resourceArn)?.resource.split(/[:/]/)[0];
  throw new AwsError('ResourceNotFoundException', `The resource '${resourceArn}' does not exist.`, {
    ResourceType,
    ResourceId: resourceArn,
  });
}

async function changeTags(call: Call, resourceArn: string, change: (tags: readonly TagRecord[]) => readonly TagRecord[]): Promise<void> {
  const { kind, name, tags } = await taggedOrNotFound(call, resourceArn);
  await kind.put(call, name, change(tags));
}
