/**
 * App instances and who is in them: what chime-sdk-identity keeps, and chime-sdk-messaging asks about.
 *
 * Source: service authorization reference of Amazon Chime, ARN formats: `app-instance/<id>`, `app-instance/<id>/user/<id>`, `…/bot/<id>`.
 */
import { type AccountId, arn, parseArn } from '#core/arn.ts';
import type { ResourceKind, ResourcePlace, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import type { Caller } from './operation.ts';

export interface AppInstanceDocument {
  readonly name: string;
  readonly metadata?: string;
  /** Days that messages of its channels are kept; absent: for ever. */
  readonly channelRetentionDays?: number;
}

export interface AppInstanceUserDocument {
  readonly name: string;
  readonly metadata?: string;
  readonly expiration?: { readonly days: number; readonly criterion: string };
}

export interface AppInstanceBotDocument {
  readonly name?: string;
  readonly metadata?: string;
  /** The model's `Configuration`, as given. */
  readonly configuration: unknown;
}

/** Its id is the UUID of its ARN, its parent `''`. */
export const APP_INSTANCE: ResourceKind<AppInstanceDocument> = { name: 'app-instance' };
/** Its parent is the id of its app instance, as that of every kind below. */
export const APP_INSTANCE_USER: ResourceKind<AppInstanceUserDocument> = { name: 'app-instance-user' };
export const APP_INSTANCE_BOT: ResourceKind<AppInstanceBotDocument> = { name: 'app-instance-bot' };
/** That a user or a bot administers its app instance: its id is `user/<id>` or `bot/<id>`. */
export const APP_INSTANCE_ADMIN: ResourceKind<Readonly<Record<string, never>>> = { name: 'app-instance-admin' };

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

/** The user or bot of an ARN, in the caller's account and region; undefined where there is none. */
export async function findMember(tx: Tx, caller: Where, text: string): Promise<AppInstanceMember | undefined> {
  const parts = partsIn(caller, text);
  if (parts === undefined) return undefined;
  const [type, id, more] = parts.rest;
  if ((type !== 'user' && type !== 'bot') || id === undefined || id === '' || more !== undefined) return undefined;
  const { appInstanceId } = parts;
  const key = { ...inAppInstance(caller, appInstanceId), id };
  const found = type === 'user' ? await tx.resources.get(APP_INSTANCE_USER, key) : await tx.resources.get(APP_INSTANCE_BOT, key);
  if (found === undefined) return undefined;
  const { name } = found.document;
  return { arn: text, appInstanceId, type, id, ...(name !== undefined && { name }) };
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
