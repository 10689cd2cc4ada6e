/**
 * The app instance in which Amazon Chime has its people and rooms. An AWS account has one for all its Chime accounts, because a room can have
 * members from several of them.
 *
 * Its ID and the IDs in it are derived, so that no table maps one to the other: a person has their user ID, and a room has its room ID.
 */
import { createHash } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import type { ResourceKey } from '#store/resources.ts';
import type { Work } from '../kit/events.ts';
import { changeUserCount } from './app-instance-users.ts';
import { APP_INSTANCE, APP_INSTANCE_USER, inAppInstance, memberArn, type Where } from './app-instances.ts';

/** Region of accounts, people and rooms. Source: Amazon Chime endpoints: only us-east-1. */
export const CHIME_REGION = 'us-east-1';

/** User that creates the channels of rooms. It is in no channel, so that it has no rights there. */
export const CHIME_USER_ID = 'amazon-chime';

const NAME = 'Amazon Chime';
/** Source: chime-sdk-identity 2021-04-20, the shape UserName. */
const NAME_MAX = 100;
/** Maximum number of people that `ensureChimeUsers` accepts. */
export const CHIME_USERS_MAX = 50;

/** The app instance of an AWS account. */
export interface ChimeAppInstance extends Where {
  readonly accountId: AccountId;
  readonly appInstanceId: string;
}

/** Person in an app instance. */
export interface ChimeAppInstanceUser {
  readonly userId: string;
  readonly name: string;
}

/** Returns the app instance that Amazon Chime uses in an AWS account, also if it does not exist yet. */
export function chimeAppInstance(accountId: AccountId): ChimeAppInstance {
  const bytes = createHash('sha256').update(`app instance of Amazon Chime ${accountId}`).digest().subarray(0, 16);
  // Version 8 and the variant of RFC 9562.
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const appInstanceId = bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { accountId, region: CHIME_REGION, appInstanceId };
}

/** Reports whether Amazon Chime uses an app instance of the caller. */
export function isChimeAppInstance({ accountId, region }: Where, appInstanceId: string): boolean {
  return region === CHIME_REGION && chimeAppInstance(accountId as AccountId).appInstanceId === appInstanceId;
}

/** Returns the key of the app instance user of a person. */
export function chimeUserKey(accountId: AccountId, userId: string): ResourceKey {
  const where = chimeAppInstance(accountId);
  return { ...inAppInstance(where, where.appInstanceId), id: userId };
}

/** Returns the ARN of the app instance user of a person. */
export function chimeUserArn(accountId: AccountId, userId: string): string {
  return memberArn('user', chimeUserKey(accountId, userId));
}

/** Returns the app instance of an AWS account. Creates it at its first use. */
export async function ensureChimeAppInstance({ tx, now }: Pick<Work, 'tx' | 'now'>, accountId: AccountId): Promise<ChimeAppInstance> {
  const found = chimeAppInstance(accountId);
  const times = { createdAt: now, updatedAt: now, tags: [] };
  const record = { ...inAppInstance(found, ''), id: found.appInstanceId, ...times, document: { Name: NAME } };
  if ((await tx.resources.add(APP_INSTANCE, record)) === 'exists') return found;
  await tx.resources.add(APP_INSTANCE_USER, { ...chimeUserKey(accountId, CHIME_USER_ID), ...times, document: { Name: NAME } });
  await changeUserCount(tx, inAppInstance(found, found.appInstanceId), 1);
  return found;
}

/**
 * Creates the app instance users of people, at most `CHIME_USERS_MAX`, or gives them their current names. Creates the app instance at its
 * first use. The number of statements does not grow with the number of people who have a user with this name.
 */
export async function ensureChimeUsers(
  work: Pick<Work, 'tx' | 'now'>,
  accountId: AccountId,
  people: readonly ChimeAppInstanceUser[],
): Promise<ChimeAppInstance> {
  const { tx, now } = work;
  const appInstance = await ensureChimeAppInstance(work, accountId);
  const place = inAppInstance(appInstance, appInstance.appInstanceId);
  const ids = people.map(({ userId }) => userId);
  const before = new Map((await tx.resources.getSome(APP_INSTANCE_USER, place, ids)).map((user) => [user.id, user]));
  const added = [];
  for (const { userId, name } of people) {
    const Name = [...name].slice(0, NAME_MAX).join('');
    const user = before.get(userId);
    if (user === undefined) added.push({ ...place, id: userId, createdAt: now, updatedAt: now, tags: [], document: { Name } });
    else if (user.document.Name !== Name)
      await tx.resources.put(APP_INSTANCE_USER, { ...user, updatedAt: now, document: { ...user.document, Name } });
  }
  await tx.resources.addAll(APP_INSTANCE_USER, added);
  if (added.length > 0) await changeUserCount(tx, place, added.length);
  return appInstance;
}
