/**
 * App instances with their users and bots. Chime SDK Identity stores them, and Chime SDK Messaging reads them.
 *
 * Source: service authorization reference of Amazon Chime, ARN formats: `app-instance/<id>`, `app-instance/<id>/user/<id>`, `…/bot/<id>`.
 */
import { type AccountId, arn, parseArn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type {
  AllowMessages,
  AppInstanceRetentionSettings,
  AppInstanceUserEndpointType,
  Configuration,
  ExpirationSettings,
} from '#model/generated/chime-sdk-identity.ts';
import type { ResourceKey, ResourceKind, ResourcePlace, ResourceRecord, StoredDocument } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { renamedMembers } from '../kit/renamed-members.ts';
import type { Where } from '../kit/resource-kind.ts';

export type { Where } from '../kit/resource-kind.ts';

export interface AppInstanceDocument {
  readonly Name: string;
  readonly Metadata?: string;
  /** Retention of messages in channels. Absent: messages never expire. */
  readonly AppInstanceRetentionSettings?: AppInstanceRetentionSettings;
  /** Time of the last change of the retention. The deletion of messages begins 30 days later. */
  readonly retentionSetAt?: Instant;
}

export interface AppInstanceUserDocument {
  readonly Name: string;
  readonly Metadata?: string;
  readonly ExpirationSettings?: ExpirationSettings;
}

export interface AppInstanceBotDocument {
  readonly Name?: string;
  readonly Metadata?: string;
  readonly Configuration: Configuration;
}

/** Device of a user that receives push notifications of messages. */
export interface AppInstanceUserEndpointDocument {
  readonly Name?: string;
  readonly Type: AppInstanceUserEndpointType;
  /** ARN of the Pinpoint project that sends the notifications. */
  readonly ResourceArn: string;
  readonly AllowMessages: AllowMessages;
  /**
   * The model's `EndpointAttributes`, which are secret, as encrypted JSON. The encryption is bound to the ID of the
   * record.
   */
  readonly sealedAttributes: string;
  /** The push endpoint reported that the device does not exist. */
  readonly isGone?: true;
}

const withNewNames = renamedMembers({
  name: 'Name',
  metadata: 'Metadata',
  configuration: 'Configuration',
  type: 'Type',
  resourceArn: 'ResourceArn',
  allowMessages: 'AllowMessages',
});

/** Converts documents that earlier versions of Belfry stored, with camelCase members. */
function upgrade<Document>(stored: StoredDocument): Document {
  return withNewNames(stored) as unknown as Document;
}

/** Converts documents that earlier versions of Belfry stored, with the retention in `channelRetentionDays`. */
function upgradeAppInstance({ channelRetentionDays: RetentionDays, ...stored }: StoredDocument): AppInstanceDocument {
  const document = upgrade<AppInstanceDocument>(stored);
  if (RetentionDays === undefined) return document;
  return { ...document, AppInstanceRetentionSettings: { ChannelRetentionSettings: { RetentionDays: RetentionDays as number } } };
}

/** Converts documents that earlier versions of Belfry stored, with the expiration settings in `expiration`. */
function upgradeUser({ expiration, ...stored }: StoredDocument): AppInstanceUserDocument {
  const document = upgrade<AppInstanceUserDocument>(stored);
  if (expiration === undefined) return document;
  const toSettings = renamedMembers({ days: 'ExpirationDays', criterion: 'ExpirationCriterion' });
  return { ...document, ExpirationSettings: toSettings(expiration as StoredDocument) as unknown as ExpirationSettings };
}

/**
 * App instances. The ID of the stored resource is the UUID in the ARN. App instances have no parent: `parent` is `''`.
 */
export const APP_INSTANCE: ResourceKind<AppInstanceDocument> = { name: 'app-instance', upgrade: upgradeAppInstance };
/** Users of app instances. For this kind and the next three kinds, the parent is the ID of the app instance. */
export const APP_INSTANCE_USER: ResourceKind<AppInstanceUserDocument> = { name: 'app-instance-user', upgrade: upgradeUser };
export const APP_INSTANCE_BOT: ResourceKind<AppInstanceBotDocument> = { name: 'app-instance-bot', upgrade };
/** A user or bot that administers its app instance. The ID is `user/<id>` or `bot/<id>`. */
export const APP_INSTANCE_ADMIN: ResourceKind<Readonly<Record<string, never>>> = { name: 'app-instance-admin' };
/** Endpoints of users. The ID is `<user id>/<endpoint id>`. User IDs have no slash. */
export const APP_INSTANCE_USER_ENDPOINT: ResourceKind<AppInstanceUserEndpointDocument> = { name: 'app-instance-user-endpoint', upgrade };

/**
 * Parts of the ARN of an app instance, or of a resource in it. `rest` has the parts after the ID of the app instance:
 * `['user', 'ada']`.
 */
export interface AppInstanceArnParts extends Where {
  readonly appInstanceId: string;
  readonly rest: readonly string[];
}

/** Parses the ARN of an app instance, or of a resource in it; undefined for other strings. */
export function parseAppInstanceArn(text: string): AppInstanceArnParts | undefined {
  const parts = parseArn(text);
  if (parts === undefined || parts.partition !== 'aws' || parts.service !== 'chime') return undefined;
  const [type, appInstanceId, ...rest] = parts.resource.split('/');
  if (type !== 'app-instance' || appInstanceId === undefined || appInstanceId === '') return undefined;
  return { accountId: parts.accountId as AccountId, region: parts.region, appInstanceId, rest };
}

export function appInstanceArn({ accountId, region }: Where, appInstanceId: string): string {
  return arn('chime', region, accountId, `app-instance/${appInstanceId}`);
}

/** Returns the ARN of a stored user or bot. */
export function memberArn(type: AppInstanceMember['type'], { id, parent, ...where }: ResourceKey): string {
  return `${appInstanceArn(where, parent)}/${type}/${id}`;
}

/** Returns the account, region and parent under which the resources of an app instance are stored. */
export function inAppInstance({ accountId, region }: Where, appInstanceId: string): ResourcePlace {
  return { accountId, region, parent: appInstanceId };
}

/**
 * Returns the store key of the app instance with an ARN. Returns undefined if the ARN is not the ARN of an app instance
 * in the caller's account and region.
 */
export function appInstanceKey(caller: Where, text: string): ResourceKey | undefined {
  const parts = partsIn(caller, text);
  return parts === undefined || parts.rest.length > 0 ? undefined : { ...inAppInstance(caller, ''), id: parts.appInstanceId };
}

/** Returns the app instance with an ARN, or undefined if the caller's account and region have no such app instance. */
export async function findAppInstance(tx: Tx, caller: Where, text: string): Promise<ResourceRecord<AppInstanceDocument> | undefined> {
  const key = appInstanceKey(caller, text);
  return key && (await tx.resources.get(APP_INSTANCE, key));
}

/**
 * A user or bot of an app instance. It can be a member or moderator of a channel, an administrator of the app instance,
 * or the bearer of a request (the `ChimeBearer` on whose behalf the caller acts).
 */
export interface AppInstanceMember {
  readonly arn: string;
  readonly appInstanceId: string;
  readonly type: 'user' | 'bot';
  readonly id: string;
  /** Absent for a bot without a name. */
  readonly name?: string;
}

/**
 * Returns the user with an ARN, or undefined if the caller's account and region have no such user. Also returns an
 * expired user, until the server deletes the user.
 */
export async function findUser(tx: Tx, caller: Where, text: string): Promise<ResourceRecord<AppInstanceUserDocument> | undefined> {
  const key = memberKey(caller, text, 'user');
  return key && (await tx.resources.get(APP_INSTANCE_USER, key));
}

/** Returns the bot with an ARN, or undefined if the caller's account and region have no such bot. */
export async function findBot(tx: Tx, caller: Where, text: string): Promise<ResourceRecord<AppInstanceBotDocument> | undefined> {
  const key = memberKey(caller, text, 'bot');
  return key && (await tx.resources.get(APP_INSTANCE_BOT, key));
}

/** Returns the user or bot with an ARN, or undefined if the caller's account and region have no such user or bot. */
export async function findMember(tx: Tx, caller: Where, text: string): Promise<AppInstanceMember | undefined> {
  const user = await findUser(tx, caller, text);
  const found = user ?? (await findBot(tx, caller, text));
  if (found === undefined) return undefined;
  const { parent, id, document } = found;
  return omitUndefined({ arn: text, appInstanceId: parent, type: user ? ('user' as const) : ('bot' as const), id, name: document.Name });
}

/** Reports whether a user or bot administers its app instance. */
export async function isAppInstanceAdmin(tx: Tx, caller: Where, { appInstanceId, type, id }: AppInstanceMember): Promise<boolean> {
  const key = { ...inAppInstance(caller, appInstanceId), id: `${type}/${id}` };
  return (await tx.resources.get(APP_INSTANCE_ADMIN, key)) !== undefined;
}

function partsIn(caller: Where, text: string): AppInstanceArnParts | undefined {
  const parts = parseAppInstanceArn(text);
  return parts?.accountId === caller.accountId && parts.region === caller.region ? parts : undefined;
}

/**
 * Returns the store key of the user or bot with an ARN. Returns undefined if the ARN does not identify a resource of
 * the type `type` in the caller's account and region.
 */
export function memberKey(caller: Where, text: string, type: AppInstanceMember['type']): ResourceKey | undefined {
  const parts = partsIn(caller, text);
  if (parts === undefined) return undefined;
  const [actualType, id, more] = parts.rest;
  return actualType === type && id && more === undefined ? { ...inAppInstance(caller, parts.appInstanceId), id } : undefined;
}
