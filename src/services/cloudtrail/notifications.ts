/** Status of the notifications of trails. The delivery of log files adds the notifications (`delivery/notifications.ts`). */
import type { AccountId } from '#core/arn.ts';
import { parseArn } from '#core/arn.ts';
import { type Subscription, subscription, type Work } from '../kit/events.ts';
import type { OutgoingFailed, OutgoingMessage, OutgoingSent } from '../kit/outgoing.ts';
import { type DeliveryRecord, trails } from './tables/trails.ts';

/**
 * Stores the result of each notification in the status of its trail, in the region of the log file.
 *
 * Source: cloudtrail 2013-11-01, GetTrailStatus. Assumed: (1) the error of the last notification, in words; (2) an attempt that is tried again
 * does not change the status.
 */
export const notificationStatus: Subscription = subscription<OutgoingSent | OutgoingFailed>()(
  ['OutgoingSent', 'OutgoingFailed'],
  async (work, event) => {
    const failed = event.type === 'OutgoingFailed' ? { notificationError: event.reason } : { notifiedAt: work.now };
    if (event.message.sender.service === 'cloudtrail.amazonaws.com') await store(work, event.message, failed);
  },
);

async function store(
  { tx, now }: Work,
  { sender, region, createdAt }: OutgoingMessage,
  result: Pick<DeliveryRecord, 'notifiedAt' | 'notificationError'>,
): Promise<void> {
  const { accountId = '', region: homeRegion = '', resource = '' } = parseArn(sender.sourceArn) ?? {};
  const name = { accountId: accountId as AccountId, homeRegion, name: resource.slice('trail/'.length) };
  const trail = await tx.of(trails).get(name);
  // A later trail can have the same name.
  if (trail === undefined || trail.createdAt > createdAt) return;
  const { trailId } = trail;
  const { notificationError: _, ...status } = (await tx.of(trails).delivery(trailId, region)) ?? { trailId, region };
  await tx.of(trails).putDelivery({ ...status, ...result, notificationAttemptedAt: now });
}
