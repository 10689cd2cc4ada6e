/** Permissions of messaging: the operation's own action on each ARN that a request names. */
import type { ResourceKind } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import {
  APP_INSTANCE,
  APP_INSTANCE_BOT,
  APP_INSTANCE_USER,
  inAppInstance,
  parseAppInstanceArn,
  type Where,
} from '../chime-kit/app-instances.ts';
import { onNew, type Tag, tagValues } from '../chime-kit/tags.ts';
import type { Caller, DeclaredAccess } from '../kit/operation.ts';
import { CHANNEL_FLOW } from './kinds.ts';
import { channels } from './tables/channels.ts';

/**
 * Requires the operation's action on several ARNs, such as the ARNs of the bearer and the channel. The permission on
 * each ARN is evaluated with the tags of the resource that the ARN identifies. Requirements CHM-3, CHM-4. In the older
 * service `chime` (the profile is 'classic'), requires the action on `*`, without tags (CHM-1, TAG-2). Undefined ARNs
 * are omitted. If all ARNs are undefined, the action is required on `*`.
 */
export function onArns(caller: Caller, ...named: readonly (string | undefined)[]): DeclaredAccess {
  if (caller.profile === 'classic') return { resources: ['*'] };
  const resources = named.filter((arn) => arn !== undefined);
  return { resources, resourceTags: (tx) => tagsOf(tx, caller, resources) };
}

/** Requires the operation's action on the bearer. */
export function onBearer({ ChimeBearer }: { readonly ChimeBearer?: string }, caller: Caller): DeclaredAccess {
  return onArns(caller, ChimeBearer);
}

/** Requires the operation's action on the bearer and the channel. */
export function onChannel(input: { readonly ChimeBearer?: string; readonly ChannelArn: string }, caller: Caller): DeclaredAccess {
  return onArns(caller, input.ChimeBearer, input.ChannelArn);
}

/**
 * Returns the permissions that creating a channel or a channel flow requires. The operation's action is required on the
 * ARN `existing`. This is the bearer that creates a channel, or the app instance of a new channel flow. If the request
 * has tags, `chime:TagResource` is also required on `pattern`, the ARN pattern of the new resource.
 */
export function onNewIn(
  caller: Caller,
  existing: string,
  pattern: string,
  tags: readonly Tag[] | undefined,
): readonly [create: DeclaredAccess, ...tag: DeclaredAccess[]] {
  const [create, ...tag] = onNew(caller, pattern, tags);
  return [{ ...create, ...onArns(caller, existing) }, ...tag];
}

const IN_APP_INSTANCE: Readonly<Record<string, ResourceKind<unknown>>> = {
  user: APP_INSTANCE_USER,
  bot: APP_INSTANCE_BOT,
  'channel-flow': CHANNEL_FLOW,
};

type Tags = Readonly<Record<string, string>> | undefined;

async function tagsOf(tx: Tx, caller: Where, arns: readonly string[]): Promise<readonly Tags[]> {
  const tags: Tags[] = [];
  for (const arn of arns) tags.push(await tagsOfOne(tx, caller, arn));
  return tags;
}

async function tagsOfOne(tx: Tx, caller: Where, arn: string): Promise<Tags> {
  const parts = parseAppInstanceArn(arn);
  if (parts === undefined || parts.accountId !== caller.accountId || parts.region !== caller.region) return undefined;
  const { appInstanceId } = parts;
  const [type, id = '', more] = parts.rest;
  if (more !== undefined) return undefined;
  if (type === undefined)
    return tagValues((await tx.resources.get(APP_INSTANCE, { ...inAppInstance(caller, ''), id: appInstanceId }))?.tags);
  if (type === 'channel') return tagValues((await tx.of(channels).get(caller.accountId, caller.region, appInstanceId, id))?.tags);
  const kind = Object.hasOwn(IN_APP_INSTANCE, type) ? IN_APP_INSTANCE[type] : undefined;
  return kind && tagValues((await tx.resources.get(kind, { ...inAppInstance(caller, appInstanceId), id }))?.tags);
}
