import { instant } from '#core/instant.ts';
import type { ResourceKind, ResourcePlace } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';

/**
 * Kind of the record that stores the number of users of an app instance. The number is stored, because counting up to
 * 100,000 users for each new user would delay other requests.
 */
export const APP_INSTANCE_USER_COUNT: ResourceKind<{ readonly users: number }> = { name: 'app-instance-user-count' };

/** Returns the number of users of an app instance. */
export async function countUsers({ resources }: Tx, { accountId, region, parent }: ResourcePlace): Promise<number> {
  return (await resources.get(APP_INSTANCE_USER_COUNT, { accountId, region, parent, id: 'users' }))?.document.users ?? 0;
}

/** Changes the number of users of the app instance that a user belongs to. */
export async function changeUserCount(tx: Tx, { accountId, region, parent }: ResourcePlace, change: number): Promise<void> {
  const { resources } = tx;
  const key = { accountId, region, parent, id: 'users' };
  const users = (await countUsers(tx, key)) + change;
  const record = { ...key, createdAt: instant(0), updatedAt: instant(0), tags: [], document: { users } };
  if ((await resources.put(APP_INSTANCE_USER_COUNT, record)) === 'absent') await resources.add(APP_INSTANCE_USER_COUNT, record);
}
