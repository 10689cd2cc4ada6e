/**
 * App instances and who is in them: what chime-sdk-identity keeps, and chime-sdk-messaging asks about.
 *
 * Source: service authorization reference of Amazon Chime, ARN formats: `app-instance/<id>`, `app-instance/<id>/user/<id>`, `…/bot/<id>`.
 */
import { type AccountId, arn, parseArn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { AllowMessages, AppInstanceUserEndpointType, ExpirationCriterion } from '#model/generated/chime-sdk-identity.ts';
import type { ResourceKey, ResourceKind, ResourcePlace, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import type { Caller } from '../kit/operation.ts';

export interface AppInstanceDocument {
  readonly name: string;
  readonly metadata?: string;
  /** Days that messages of its channels are kept; absent: for ever. */
  readonly channelRetentionDays?: number;
  /** When its retention was last set: 30 days later, and not before, messages go by it. */
  readonly retentionSetAt?: Instant;
}

export interface AppInstanceUserDocument {
  readonly name: string;
  readonly metadata?: string;
  readonly expiration?: { readonly days: number; readonly criterion: ExpirationCriterion };
}

export interface AppInstanceBotDocument {
  readonly name?: string;
  readonly metadata?: string;
  /** The model's `Configuration`, as given. */
  readonly configuration: unknown;
}

/** A device of a user that wants to be told of messages. */
export interface AppInstanceUserEndpointDocument {
  readonly name?: string;
  readonly type: AppInstanceUserEndpointType;
  /** The ARN of the Pinpoint project that would tell it. */
  readonly resourceArn: string;
  readonly allowMessages: AllowMessages;
  /** The model's `EndpointAttributes`, which are secret, as JSON sealed for the id of the record. */
  readonly sealedAttributes: string;
}

/** Its id is the UUID of its ARN, its parent `''`. */
export const APP_INSTANCE: ResourceKind<AppInstanceDocument> = { name: 'app-instance' };
/** Its parent is the id of its app instance, as that of every kind below. */
export const APP_INSTANCE_USER: ResourceKind<AppInstanceUserDocument> = { name: 'app-instance-user' };
export const APP_INSTANCE_BOT: ResourceKind<AppInstanceBotDocument> = { name: 'app-instance-bot' };
/** That a user or a bot administers its app instance: its id is `user/<id>` or `bot/<id>`. */
export const APP_INSTANCE_ADMIN: ResourceKind<Readonly<Record<string, never>>> = { name: 'app-instance-admin' };
/** Its id is `<user id>/<endpoint id>`: no user id has a slash. */
export const APP_INSTANCE_USER_ENDPOINT: ResourceKind<AppInstanceUserEndpointDocument> = { name: 'app-instance-user-endpoint' };

/** Whose resources are meant: an account, and the region of its control plane. */
export type Where = Pick<Caller, 'accountId' | 'region'>;

/** What an ARN of an app instance says; `rest` is what comes after the app instance: `['user', 'ada']`. */
export interface AppInstanceArnParts extends Where {
  readonly appInstanceId: string;
  readonly rest: readonly string[];
}

/** Takes the ARN of an app instance, or of something in one, apart; undefined where it is none. */
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

/** The ARN of a user or a bot as it is kept. */
export function memberArn(type: AppInstanceMember['type'], { id, parent, ...where }: ResourceKey): string {
  return `${appInstanceArn(where, parent)}/${type}/${id}`;
}

/** Where what belongs to an app instance is kept. */
export function inAppInstance({ accountId, region }: Where, appInstanceId: string): ResourcePlace {
  return { accountId, region, parent: appInstanceId };
}

/** The app instance of an ARN, in the caller's account and region; undefined for every other ARN. */
export async function findAppInstance(tx: Tx, caller: Where, text: string): Promise<ResourceRecord<AppInstanceDocument> | undefined> {
  const parts = partsIn(caller, text);
  if (parts === undefined || parts.rest.length > 0) return undefined;
  return await tx.resources.get(APP_INSTANCE, { ...inAppInstance(caller, ''), id: parts.appInstanceId });
}

/** A user or a bot of an app instance: who can be a member, a moderator, an administrator, a bearer. */
export interface AppInstanceMember {
  readonly arn: string;
  readonly appInstanceId: string;
  readonly type: 'user' | 'bot';
  readonly id: string;
  /** Absent: a bot that was given none. */
  readonly name?: string;
}

/** The user of an ARN, in the caller's account and region; undefined for every other ARN. One that has expired is there until it is removed. */
export async function findUser(tx: Tx, caller: Where, text: string): Promise<ResourceRecord<AppInstanceUserDocument> | undefined> {
  const key = memberKey(caller, text, 'user');
  return key && (await tx.resources.get(APP_INSTANCE_USER, key));
}

/** The bot of an ARN, in the caller's account and region; undefined for every other ARN. */
export async function findBot(tx: Tx, caller: Where, text: string): Promise<ResourceRecord<AppInstanceBotDocument> | undefined> {
  const key = memberKey(caller, text, 'bot');
  return key && (await tx.resources.get(APP_INSTANCE_BOT, key));
}

/** The user or bot of an ARN, in the caller's account and region; undefined where there is none. */
export async function findMember(tx: Tx, caller: Where, text: string): Promise<AppInstanceMember | undefined> {
  const user = await findUser(tx, caller, text);
  const found = user ?? (await findBot(tx, caller, text));
  if (found === undefined) return undefined;
  const { parent, id, document } = found;
  const { name } = document;
  return { arn: text, appInstanceId: parent, type: user ? 'user' : 'bot', id, ...(name !== undefined && { name }) };
}

/** Whether a member administers its app instance. */
export async function isAppInstanceAdmin(tx: Tx, caller: Where, { appInstanceId, type, id }: AppInstanceMember): Promise<boolean> {
  const key = { ...inAppInstance(caller, appInstanceId), id: `${type}/${id}` };
  return (await tx.resources.get(APP_INSTANCE_ADMIN, key)) !== undefined;
}

function partsIn(caller: Where, text: string): AppInstanceArnParts | undefined {
  const parts = parseAppInstanceArn(text);
  return parts?.accountId === caller.accountId && parts.region === caller.region ? parts : undefined;
}

function memberKey(caller: Where, text: string, type: AppInstanceMember['type']): ResourceKey | undefined {
  const parts = partsIn(caller, text);
  if (parts === undefined) return undefined;
  const [given, id, more] = parts.rest;
  return given === type && id && more === undefined ? { ...inAppInstance(caller, parts.appInstanceId), id } : undefined;
}
