import type { Instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { APP_INSTANCE_USER } from '../chime/app-instances.ts';
import type { Tell } from './deps.ts';
import { removeUser, userEvent } from './user-records.ts';

/** Removed in one transaction: it holds up others for as long as it takes. */
const SWEPT_AT_ONCE = 100;

/**
 * Removes users whose time is over, and tells that they have expired. They are there until then, as on AWS, which takes up to six hours.
 * Resolves to whether there may be more: call again at once.
 *
 * Source: Chime SDK Developer Guide, "Using ExpirationSettings".
 */
export async function sweepExpiredUsers(tx: Tx, now: Instant, tell?: Tell): Promise<boolean> {
  const expired = await tx.resources.listExpired(APP_INSTANCE_USER, now, SWEPT_AT_ONCE);
  for (const user of expired) {
    await removeUser(tx, user);
    await tell?.(tx, userEvent('AppInstanceUserExpired', user));
  }
  return expired.length === SWEPT_AT_ONCE;
}
