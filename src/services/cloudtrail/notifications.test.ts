import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instant, instant } from '#core/instant.ts';
import { ACCOUNT, START, workFor } from '../kit/fixture.ts';
import { OUTGOING, type OutgoingFailed, type OutgoingSent, outgoing } from '../kit/outgoing.ts';
import { ARN, openTrails, REQUEST } from './fixture.ts';
import { notificationStatus } from './notifications.ts';

/** Reports a notification of a trail as sent, or as failed with a reason. */
async function report(
  { store }: Pick<Awaited<ReturnType<typeof openTrails>>, 'store'>,
  now: number,
  { reason, service = 'cloudtrail.amazonaws.com', createdAt = START }: { reason?: string; service?: string; createdAt?: Instant } = {},
): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.of(outgoing).add({
      ...{ id: 'm', accountId: ACCOUNT, region: 'eu-west-1', lane: 'l', ordered: false, body: '{}', createdAt },
      target: { kind: 'sns', arn: `arn:aws:sns:us-east-1:${ACCOUNT}:files` },
      sender: { service, sourceArn: ARN, sourceAccount: ACCOUNT },
      ...{ maximumAttempts: 1, expiresAt: createdAt },
    });
    const message = (await OUTGOING.page(tx.sql, [], [0], 100)).at(-1) ?? assert.fail('there is a message');
    const event: OutgoingSent | OutgoingFailed =
      reason === undefined
        ? { type: 'OutgoingSent', message }
        : { type: 'OutgoingFailed', message, code: 'NO_RESOURCE', reason, gone: false };
    await notificationStatus.handle(workFor(tx, instant(START + now)), event as never);
  });
}

test('GetTrailStatus: it has the last notification and the error of the last one in the region of the file', async () => {
  const opened = await openTrails();
  const { run } = opened;
  await run('CreateTrail', { ...REQUEST, IsMultiRegionTrail: true, SnsTopicName: 'files' });
  const status = async (region: string) => {
    const found = await run('GetTrailStatus', { Name: ARN }, { region });
    return [
      found.LatestNotificationTime,
      found.LatestNotificationError,
      found.LatestNotificationAttemptTime,
      found.LatestNotificationAttemptSucceeded,
    ];
  };
  const NEVER = [undefined, undefined, '', ''];
  await report(opened, 1000, { service: 'events.amazonaws.com' });
  await report(opened, 1000, { createdAt: instant(START - 1) });
  assert.deepEqual(await status('eu-west-1'), NEVER);
  await report(opened, 1000);
  assert.deepEqual(await status('eu-west-1'), [START + 1000, undefined, '2026-11-22T00:00:01Z', '2026-11-22T00:00:01Z']);
  await report(opened, 2000, { reason: 'the topic refused' });
  assert.deepEqual(await status('eu-west-1'), [START + 1000, 'the topic refused', '2026-11-22T00:00:02Z', '2026-11-22T00:00:01Z']);
  await report(opened, 3000);
  assert.deepEqual(await status('eu-west-1'), [START + 3000, undefined, '2026-11-22T00:00:03Z', '2026-11-22T00:00:03Z']);
  assert.deepEqual(await status('us-east-1'), NEVER);
});
