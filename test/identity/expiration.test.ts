import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { openFixture, START } from '#services/chime-sdk-identity/fixture.ts';
import { recordExpiredUser, sweepExpiredUsers } from '#services/chime-sdk-identity/sweep.ts';
import { emitterOf } from '#services/kit/events.ts';
import { workFor } from '#services/kit/fixture.ts';
import type { Tx } from '#store/store.ts';

test('Expiration: the deletion of an expired user has a service event in the trail (LOG-5)', async () => {
  const { appInstance, user, store } = await openFixture();
  const AppInstanceArn = await appInstance();
  const ExpirationSettings = { ExpirationDays: 1, ExpirationCriterion: 'CREATED_TIMESTAMP' } as const;
  const arn = await user(AppInstanceArn, 'ada', { ExpirationSettings });
  const now = instant(START + DAY_MS);
  const sweep = (tx: Tx) => sweepExpiredUsers(emitterOf([recordExpiredUser])(workFor(tx, now)));
  const stopped = store.transaction(async (tx) => {
    await sweep(tx);
    throw new Error('the machine stopped');
  });
  await assert.rejects(stopped, /the machine stopped/);
  await store.transaction(sweep);
  const { rows } = await store.transaction((tx) => tx.trail.since(0, 10));
  assert.deepEqual(
    rows.map(({ document }) => {
      const { eventID: _, ...event } = JSON.parse(document) as Record<string, unknown>;
      return event;
    }),
    [
      {
        eventVersion: '1.08',
        userIdentity: { accountId: '111122223333', invokedBy: 'chime.amazonaws.com' },
        eventTime: '2026-11-23T00:00:00Z',
        eventSource: 'chime.amazonaws.com',
        eventName: 'ExpireAppInstanceUser',
        awsRegion: 'us-east-1',
        sourceIPAddress: 'chime.amazonaws.com',
        userAgent: 'chime.amazonaws.com',
        requestParameters: null,
        responseElements: null,
        readOnly: false,
        eventType: 'AwsServiceEvent',
        managementEvent: true,
        recipientAccountId: '111122223333',
        serviceEventDetails: { appInstanceUserArn: arn },
        eventCategory: 'Management',
      },
    ],
  );
});
