import { APP_INSTANCE_USER } from '../chime/app-instances.ts';
import type { IdentityEvent } from '../chime/events.ts';
import { recordServiceEvent } from '../chime/service-events.ts';
import { subscription, type Work } from '../kit/events.ts';
import { removeUser, userEvent } from './user-records.ts';

/** Users that one transaction deletes. Other requests wait for it. */
const SWEPT_AT_ONCE = 100;

/**
 * Deletes expired users. Until then they exist, as on AWS, which takes up to six hours.
 *
 * Source: Chime SDK Developer Guide, "Using ExpirationSettings".
 * Emits: AppInstanceUserExpired.
 */
export async function sweepExpiredUsers(work: Work): Promise<'more' | 'done'> {
  const expired = await work.tx.resources.listExpired(APP_INSTANCE_USER, work.now, SWEPT_AT_ONCE);
  for (const user of expired) {
    await removeUser(work.tx, user);
    await work.emit<IdentityEvent>(userEvent('AppInstanceUserExpired', user));
  }
  return expired.length === SWEPT_AT_ONCE ? 'more' : 'done';
}

/**
 * Records the expiration of a user, because no call records it. Requirement LOG-5.
 *
 * Writes: the trail event ExpireAppInstanceUser.
 * Source: Chime SDK Developer Guide, "AWS CloudTrail events for expired resource deletion".
 * Assumed: the names in `serviceEventDetails`.
 */
export const recordExpiredUser = subscription<IdentityEvent>()(['AppInstanceUserExpired'], (work, event) =>
  recordServiceEvent(work, event, 'ExpireAppInstanceUser', { appInstanceUserArn: event.arn }, event.arn),
);
