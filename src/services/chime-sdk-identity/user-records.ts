import type { ResourceKey, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { changeUserCount } from '../chime-kit/app-instance-users.ts';
import { APP_INSTANCE_ADMIN, APP_INSTANCE_USER, type AppInstanceUserDocument, memberArn } from '../chime-kit/app-instances.ts';
import type { IdentityEvent } from '../chime-kit/events.ts';
import { removeEndpoints } from './endpoint-records.ts';

export type UserRecord = ResourceRecord<AppInstanceUserDocument>;

/** Deletes a user, its administrator record, and its endpoints. Returns false if the user does not exist. */
export async function removeUser(tx: Tx, user: ResourceKey): Promise<boolean> {
  if ((await tx.resources.remove(APP_INSTANCE_USER, user)) === 'absent') return false;
  await forgetUser(tx, user);
  return true;
}

/** Deletes the administrator record and the endpoints of a deleted user, and decrements the number of users. */
export async function forgetUser(tx: Tx, user: ResourceKey): Promise<void> {
  await changeUserCount(tx, user, -1);
  await tx.resources.remove(APP_INSTANCE_ADMIN, { ...user, id: `user/${user.id}` });
  await removeEndpoints(tx, user);
}

export function userEvent(type: 'AppInstanceUserDeleted' | 'AppInstanceUserExpired', user: ResourceKey): IdentityEvent {
  const { accountId, region, parent: appInstanceId, id } = user;
  return { type, accountId, region, appInstanceId, id, arn: memberArn('user', user) };
}
