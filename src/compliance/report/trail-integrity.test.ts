import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { type DigestChain, digestChains } from '#delivery/tables/digest-chains.ts';
import { ALICE, BOB, NOON } from '#store/conformance-fixtures.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { type TrailIntegrity, trailSection } from './trail-integrity.ts';

/** Number of chains of each account, which is more than the report lists. */
const CHAINS = 130;

function chain(accountId: AccountId, number: number): DigestChain {
  const bucket = `logs-${accountId}`;
  return {
    trailArn: `arn:aws:cloudtrail:us-east-1:${accountId}:trail/t${number}`,
    ...{ accountId, region: 'us-east-1', trailId: `${accountId} ${number}`, place: { bucket }, periodStartedAt: NOON },
    ...{ active: true, coveredUntil: NOON, starting: false, failures: 0 },
    last: { bucket, key: 'k', hash: 'h', signature: 's' },
  };
}

test('trailSection: a report on one account lists only the chains of digests of this account', async () => {
  const store = await openSqlite(':memory:');
  await store.transaction(async (tx) => {
    for (let i = 0; i < CHAINS; i++) for (const each of [ALICE, BOB]) await tx.of(digestChains).put(chain(each, i));
  });
  const sectionOf = (accountId: AccountId | undefined): Promise<TrailIntegrity> =>
    store.transaction(({ sql }) => {
      const database = { sql, second: async () => sql, close: async () => {} };
      return trailSection(database, { accountId, witnesses: [], acceptedEpochs: new Set() });
    });
  const own = await sectionOf(BOB);
  assert.deepEqual([own.digestChains.length, own.moreDigestChains], [100, CHAINS - 100]);
  assert.ok(!JSON.stringify(own).includes(ALICE));
  const all = await sectionOf(undefined);
  assert.deepEqual([all.digestChains.length, all.moreDigestChains], [100, 2 * CHAINS - 100]);
  await store.close();
});
