import type { ChimeAccountEvent } from '../chime-kit/account-events.ts';
import { APP_INSTANCE_USER } from '../chime-kit/app-instances.ts';
import { chimeUserKey } from '../chime-kit/chime-app-instance.ts';
import type { IdentityEvent } from '../chime-kit/events.ts';
import { recordServiceEvent } from '../chime-kit/service-events.ts';
import { subscription, type Work } from '../kit/events.ts';
import { removeUser, userEvent } from './user-records.ts';

/** Maximum users that one transaction of the sweep deletes. Other requests wait for this transaction. */
const SWEPT_AT_ONCE = 100;

/**
 * Deletes expired users. An expired user exists until this sweep deletes it. AWS also deletes expired users later,
 * within six hours.
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
 * Records the deletion of an expired user in the trail. No API call records this deletion, because the sweep deletes
 * the user. Requirement LOG-5.
 *
 * Writes: the trail event ExpireAppInstanceUser.
 * Source: Chime SDK Developer Guide, "AWS CloudTrail events for expired resource deletion".
 * Assumed: the names of the members of `serviceEventDetails`.
 */
export const recordExpiredUser = subscription<IdentityEvent>()(['AppInstanceUserExpired'], (work, event) =>
  recordServiceEvent(work, event, 'ExpireAppInstanceUser', { appInstanceUserArn: event.arn }, event.arn),
);

/** Deletes the app instance users of people that Amazon Chime deleted for good. Emits: AppInstanceUserDeleted. */
export const removeForgottenPeople = subscription<ChimeAccountEvent>()(['ChimeUsersForgotten'], async (work, { accountId, userIds }) => {
  for (const userId of userIds) {
    const user = chimeUserKey(accountId, userId);
    if (!(await removeUser(work.tx, user))) continue;
    await work.emit<IdentityEvent>(userEvent('AppInstanceUserDeleted', user));
  }
});
