import { instant } from '#core/instant.ts';
import type { ResourceKey, ResourceKind, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { APP_INSTANCE_ADMIN, APP_INSTANCE_USER, type AppInstanceUserDocument, memberArn } from '../chime/app-instances.ts';
import type { IdentityEvent } from '../chime/events.ts';
import { removeEndpoints } from './endpoint-records.ts';

export type UserRecord = ResourceRecord<AppInstanceUserDocument>;

/** How many users an app instance has: counting a hundred thousand records for each new one would hold up everybody else. */
export const APP_INSTANCE_USER_COUNT: ResourceKind<{ readonly users: number }> = { name: 'app-instance-user-count' };

/** Resolves to how many users the app instance has with this one; 'exists' changes nothing. */
export async function addUser(tx: Tx, user: UserRecord): Promise<number | 'exists'> {
  if ((await tx.resources.add(APP_INSTANCE_USER, user)) === 'exists') return 'exists';
  return await counted(tx, user, 1);
}

/** Removes a user with what goes with it. */
export async function removeUser(tx: Tx, user: ResourceKey): Promise<void> {
  if ((await tx.resources.remove(APP_INSTANCE_USER, user)) === 'removed') await counted(tx, user, -1);
  await tx.resources.remove(APP_INSTANCE_ADMIN, { ...user, id: `user/${user.id}` });
  await removeEndpoints(tx, user);
}

export function userEvent(type: 'AppInstanceUserDeleted' | 'AppInstanceUserExpired', user: ResourceKey): IdentityEvent {
  const { accountId, region, parent: appInstanceId, id } = user;
  return { type, accountId, region, appInstanceId, id, arn: memberArn('user', user) };
}

async function counted({ resources }: Tx, { accountId, region, parent }: ResourceKey, change: 1 | -1): Promise<number> {
  const key = { accountId, region, parent, id: 'users' };
  const users = ((await resources.get(APP_INSTANCE_USER_COUNT, key))?.document.users ?? 0) + change;
  const record = { ...key, createdAt: instant(0), updatedAt: instant(0), tags: [], document: { users } };
  if ((await resources.put(APP_INSTANCE_USER_COUNT, record)) === 'absent') await resources.add(APP_INSTANCE_USER_COUNT, record);
  return users;
}
