/** Notifications of trails: a message to the topic of the trail for each delivered log file. */
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { laneOf, outgoing } from '#services/kit/outgoing.ts';
import type { Tx } from '#store/store.ts';
import type { DeliveringPeriod } from './delivering-trail.ts';
import type { DeliveredFile } from './tables/delivered-files.ts';

/** Limits of the attempts. Assumed: those of EventBridge, because AWS documents none for trails. */
const RETRY = { lifetimeMs: DAY_MS, attempts: 185 } as const;

/**
 * Adds the notification of each file of a period, if the trail had a topic in the period. Call it in the transaction that stores that the
 * files are delivered, so that each delivered file has its notification.
 *
 * Source: CloudTrail User Guide, "Configuring Amazon SNS notifications for CloudTrail"; record.md B2, the members of the message. Assumed: one
 * notification has one file.
 */
export async function addNotifications(
  tx: Tx,
  { trail, configuration, arn }: DeliveringPeriod,
  files: readonly DeliveredFile[],
  newId: () => string,
): Promise<void> {
  const { SnsTopicARN } = configuration;
  if (SnsTopicARN === undefined) return;
  for (const { bucket, key, region, deliveredAt } of files) {
    await tx.of(outgoing).add({
      ...{ id: newId(), accountId: trail.accountId, region, lane: laneOf('trail', trail.trailId, SnsTopicARN), ordered: false },
      target: { kind: 'sns', arn: SnsTopicARN },
      sender: { service: 'cloudtrail.amazonaws.com', sourceArn: arn, sourceAccount: trail.accountId },
      body: JSON.stringify({ s3Bucket: bucket, s3ObjectKey: [key] }),
      createdAt: deliveredAt,
      maximumAttempts: RETRY.attempts,
      expiresAt: expiryOf(deliveredAt),
    });
  }
}

function expiryOf(at: Instant): Instant {
  return instant(at + RETRY.lifetimeMs);
}
