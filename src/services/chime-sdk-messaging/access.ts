import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { ResourceKind } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import {
  APP_INSTANCE,
  APP_INSTANCE_BOT,
  APP_INSTANCE_USER,
  appInstanceArn,
  inAppInstance,
  parseAppInstanceArn,
  type Where,
} from '../chime/app-instances.ts';
import { onNew, type Tag, tagValues } from '../chime/tags.ts';
import type { Access, Caller } from '../kit/operation.ts';
import { CHANNEL_FLOW } from './flow-documents.ts';
import { channels } from './tables/channels.ts';

/** `arn:aws:chime:us-east-1:111122223333:app-instance/<id>/channel/<id>`, or of whatever else is in an app instance. */
export function inAppInstanceArn(where: Where & { readonly appInstanceId: string }, type: string, id: string): string {
  return `${appInstanceArn(where, where.appInstanceId)}/${type}/${id}`;
}

/** What is in an app instance, by its ARN. */
export interface Named {
  readonly appInstanceId: string;
  readonly id: string;
}

/** What an ARN of one type names in the caller's account and region; undefined for every other ARN. */
export function namedBy(caller: Where, type: 'channel' | 'channel-flow', text: string): Named | undefined {
  const parts = parseAppInstanceArn(text);
  if (parts === undefined || parts.accountId !== caller.accountId || parts.region !== caller.region) return undefined;
  const [given, id, more] = parts.rest;
  return given === type && id !== undefined && id !== '' && more === undefined ? { appInstanceId: parts.appInstanceId, id } : undefined;
}

/**
 * Asks for an operation's own action on each of some ARNs: the bearer is one resource, the channel another. Requirement CHM-3, CHM-4; in
 * the classic profile on `*`, without tags (CHM-1, TAG-2). What the input leaves out is left out; where nothing remains, it is asked about `*`.
 */
export function onArns<Input>(
  operation: keyof ChimeSdkMessagingApi,
  arnsOf: (input: Input) => readonly (string | undefined)[],
): (input: Input, caller: Caller) => Access {
  return (input, caller) =>
    onEach(
      caller,
      `chime:${operation}`,
      arnsOf(input).filter((given) => given !== undefined),
    );
}

/** Asks on the bearer alone. */
export function onBearer(operation: keyof ChimeSdkMessagingApi): (input: { readonly ChimeBearer?: string }, caller: Caller) => Access {
  return onArns(operation, ({ ChimeBearer }) => [ChimeBearer]);
}

/** Asks on the bearer and on the channel. */
export function onChannel(
  operation: keyof ChimeSdkMessagingApi,
): (input: { readonly ChimeBearer?: string; readonly ChannelArn: string }, caller: Caller) => Access {
  return onArns(operation, ({ ChimeBearer, ChannelArn }) => [ChimeBearer, ChannelArn]);
}

/** An action on some ARNs, with the tags of what they name. */
export function onEach(caller: Caller, action: Access['action'], arns: readonly string[]): Access {
  if (caller.profile === 'classic') return { action, resources: ['*'] };
  return { action, resources: arns, resourceTags: (tx) => tagsOf(tx, caller, arns) };
}

/** As `onNew`, but that the making is asked about what is there already: the bearer or the app instance. */
export function onMaking(
  caller: Caller,
  operation: keyof ChimeSdkMessagingApi,
  there: string,
  pattern: string,
  tags: readonly Tag[] | undefined,
): readonly Access[] {
  const [making, ...tagging] = onNew(caller, `chime:${operation}`, pattern, tags);
  return [{ ...making, ...onEach(caller, `chime:${operation}`, [there]) }, ...tagging];
}

const IN_APP_INSTANCE: Readonly<Record<string, ResourceKind<unknown>>> = {
  user: APP_INSTANCE_USER,
  bot: APP_INSTANCE_BOT,
  'channel-flow': CHANNEL_FLOW,
};

async function tagsOf(tx: Tx, caller: Where, arns: readonly string[]): Promise<readonly (Readonly<Record<string, string>> | undefined)[]> {
  const tags: (Readonly<Record<string, string>> | undefined)[] = [];
  for (const each of arns) tags.push(await tagsOfOne(tx, caller, each));
  return tags;
}

async function tagsOfOne(tx: Tx, caller: Where, text: string): Promise<Readonly<Record<string, string>> | undefined> {
  const parts = parseAppInstanceArn(text);
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
