import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { outgoing } from './outgoing.ts';
import { outgoingDepth } from './outgoing-depth.ts';

export function conformance({ within, fresh }: Suite): void {
  test('outgoingDepth: counts the messages, and returns the time of the oldest one', async () => {
    const accountId = fresh();
    const before = await within((tx) => tx.of(outgoingDepth));
    const age = (hours: number) => instant(NOON - hours * HOUR_MS);
    for (const hours of [3, 2, 1]) {
      await within((tx) =>
        tx.of(outgoing).add({
          // IDs begin with the time, so that their order is the order of the messages.
          id: `${age(hours)}-${accountId}`,
          accountId,
          region: 'us-east-1',
          lane: 'lane',
          ordered: false,
          target: { kind: 'sqs', arn: `arn:aws:sqs:us-east-1:${accountId}:queue` },
          sender: { service: 'events.amazonaws.com', sourceArn: 'arn', sourceAccount: accountId },
          body: '{}',
          createdAt: age(hours),
          maximumAttempts: 3,
          expiresAt: NOON,
        }),
      );
    }
    const { messages, oldestAt } = await within((tx) => tx.of(outgoingDepth));
    assert.equal(messages, before.messages + 3);
    assert.equal(oldestAt, before.oldestAt ?? age(3));
  });
}
