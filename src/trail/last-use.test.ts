import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, Arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { lastUseRecorder } from './last-use.ts';

const ACCOUNT = '111122223333' as AccountId;
const QUARTER = 15 * 60_000;
const START = instant(QUARTER * 1_000_000);
const ADA: Principal = {
  type: 'IAMUser',
  accountId: ACCOUNT,
  arn: `arn:aws:iam::${ACCOUNT}:user/ada` as Arn,
  principalId: 'AIDAADA',
  userName: 'ada',
};

function useAt(now: Instant, action = 'chime:CreateMeeting') {
  return { principal: ADA, accessKeyId: 'AKIAADA', action, region: 'us-east-1', now };
}

test('lastUseRecorder: a request is a use of its principal and of its access key', async () => {
  const store = await openSqlite(':memory:');
  const note = lastUseRecorder();
  await store.transaction(async (tx) => note(tx, useAt(START)));
  const [principal, key] = await store.transaction(async (tx) => [
    await tx.lastUses.of(ACCOUNT, 'AIDAADA'),
    await tx.lastUses.of(ACCOUNT, 'AKIAADA'),
  ]);
  const use = { service: 'chime', at: START, region: 'us-east-1' };
  assert.deepEqual(principal, [{ holder: 'AIDAADA', action: 'CreateMeeting', ...use }]);
  assert.deepEqual(key, [{ holder: 'AKIAADA', action: '', ...use }]);
});

test('lastUseRecorder: a use is written at most once in 15 minutes', async () => {
  const store = await openSqlite(':memory:');
  const note = lastUseRecorder();
  for (const now of [START, instant(START + QUARTER - 1)]) await store.transaction(async (tx) => note(tx, useAt(now)));
  const at = () => store.transaction(async (tx) => (await tx.lastUses.of(ACCOUNT, 'AKIAADA'))[0]?.at);
  assert.equal(await at(), START);
  await store.transaction(async (tx) => note(tx, useAt(instant(START + QUARTER))));
  assert.equal(await at(), START + QUARTER);
});

test('lastUseRecorder: a use that was rolled back is written by the next request', async () => {
  const store = await openSqlite(':memory:');
  const note = lastUseRecorder();
  await assert.rejects(
    store.transaction(async (tx) => {
      await note(tx, useAt(START));
      throw new Error('undone');
    }),
  );
  await store.transaction(async (tx) => note(tx, useAt(START)));
  assert.equal((await store.transaction((tx) => tx.lastUses.of(ACCOUNT, 'AKIAADA'))).length, 1);
});

test('lastUseRecorder: a use is written again after the full cache has dropped it', async () => {
  const store = await openSqlite(':memory:');
  const note = lastUseRecorder(2);
  await store.transaction(async (tx) => note(tx, useAt(START)));
  for (const action of ['chime:A', 'chime:B', 'chime:C']) await store.transaction(async (tx) => note(tx, useAt(START, action)));
  await store.transaction(async (tx) => note(tx, useAt(instant(START + 1))));
  const uses = await store.transaction((tx) => tx.lastUses.of(ACCOUNT, 'AIDAADA'));
  assert.equal(uses.find((use) => use.action === 'CreateMeeting')?.at, START + 1);
});
