import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { unrecordedCounts, unrecordedRow } from './unrecorded.ts';

const [ANN, BEN, CAT, NONE] = ['111111111111', '222222222222', '333333333333', '000000000000'] as unknown as readonly [
  AccountId,
  AccountId,
  AccountId,
  AccountId,
];
const second = (seconds: number) => instant(seconds * 1000);

test('Unrecorded requests: each account has the number and the times of its answers and refusals', () => {
  const counts = unrecordedCounts();
  counts.add(ANN, 'answered', second(1));
  counts.add(ANN, 'refused', second(2));
  counts.add(BEN, 'refused', second(3));
  counts.add(ANN, 'answered', second(4));
  const ofAnn = {
    accountId: ANN,
    answered: { requests: 2, from: second(1), to: second(4) },
    refused: { requests: 1, from: second(2), to: second(2) },
  };
  assert.deepEqual(counts.take(1), [ofAnn]);
  assert.equal(counts.isEmpty(), false);
  counts.putBack([ofAnn]);
  counts.add(ANN, 'refused', second(5));
  assert.deepEqual(counts.take(9), [
    { accountId: BEN, refused: { requests: 1, from: second(3), to: second(3) } },
    { ...ofAnn, refused: { requests: 2, from: second(2), to: second(5) } },
  ]);
  assert.equal(counts.isEmpty(), true);
});

test('Unrecorded requests: accounts over the limit share one count, which belongs to no account', () => {
  const counts = unrecordedCounts(1);
  for (const accountId of [ANN, BEN, CAT, ANN]) counts.add(accountId, 'refused', second(1));
  const numbers = counts.take(9).map(({ accountId, refused }) => [accountId, refused?.requests]);
  assert.deepEqual(numbers, [
    [ANN, 2],
    [NONE, 2],
  ]);
});

test('Unrecorded requests: the record is a service event with the counts', () => {
  const answered = { requests: 2, from: second(1), to: second(4) };
  const { accountId, eventName, document } = unrecordedRow({ accountId: ANN, answered }, 'eu-west-1', second(5), 'id');
  const { serviceEventDetails, eventType, eventTime } = JSON.parse(document);
  assert.deepEqual([accountId, eventName, eventType, eventTime], [ANN, 'UnrecordedRequests', 'AwsServiceEvent', '1970-01-01T00:00:05Z']);
  assert.deepEqual(serviceEventDetails, { answeredReads: { requests: 2, from: '1970-01-01T00:00:01Z', to: '1970-01-01T00:00:04Z' } });
});
