import { instant } from '#core/instant.ts';
import type { ResourceKey, ResourceKind, ResourcePlace, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { APP_INSTANCE_ADMIN, APP_INSTANCE_USER, type AppInstanceUserDocument, memberArn } from '../chime/app-instances.ts';
import type { IdentityEvent } from '../chime/events.ts';
import { removeEndpoints } from './endpoint-records.ts';

export type UserRecord = ResourceRecord<AppInstanceUserDocument>;

/** Number of users of an app instance. Counting up to 100,000 records for each new user would delay other requests. */
export const APP_INSTANCE_USER_COUNT: ResourceKind<{ readonly users: number }> = { name: 'app-instance-user-count' };

/** Deletes a user, its administration of the app instance, and its endpoints. */
export async function removeUser(tx: Tx, user: ResourceKey): Promise<void> {
  if ((await tx.resources.remove(APP_INSTANCE_USER, user)) === 'removed') await forgetUser(tx, user);
}

/** Deletes the administration and the endpoints of a deleted user, and decrements the number of users. */
export async function forgetUser(tx: Tx, user: ResourceKey): Promise<void> {
  await changeUserCount(tx, user, -1);
  await tx.resources.remove(APP_INSTANCE_ADMIN, { ...user, id: `user/${user.id}` });
  await removeEndpoints(tx, user);
}

export function userEvent(type: 'AppInstanceUserDeleted' | 'AppInstanceUserExpired', user: ResourceKey): IdentityEvent {
  const { accountId, region, parent: appInstanceId, id } = user;
  return { type, accountId, region, appInstanceId, id, arn: memberArn('user', user) };
}

/** Returns the number of users of an app instance. */
export async function countUsers({ resources }: Tx, { accountId, region, parent }: ResourcePlace): Promise<number> {
  return (await resources.get(APP_INSTANCE_USER_COUNT, { accountId, region, parent, id: 'users' }))?.document.users ?? 0;
}

/** Changes the number of users of the app instance that a user belongs to. */
export async function changeUserCount(tx: Tx, { accountId, region, parent }: ResourceKey, change: 1 | -1): Promise<void> {
  const { resources } = tx;
  const key = { accountId, region, parent, id: 'users' };
  const users = (await countUsers(tx, key)) + change;
  const record = { ...key, createdAt: instant(0), updatedAt: instant(0), tags: [], document: { users } };
  if ((await resources.put(APP_INSTANCE_USER_COUNT, record)) === 'absent') await resources.add(APP_INSTANCE_USER_COUNT, record);
}
