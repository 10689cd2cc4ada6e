import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, Arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { openSqlite } from '#store/sqlite.ts';
import { lastUseNotes } from './last-use.ts';

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

test('lastUseNotes: a request is noted for its principal and for its key', async () => {
  const store = await openSqlite(':memory:');
  const note = lastUseNotes();
  await store.transaction(async (tx) => note(tx, useAt(START)));
  const [principal, key] = await store.transaction(async (tx) => [
    await tx.lastUses.of(ACCOUNT, 'AIDAADA'),
    await tx.lastUses.of(ACCOUNT, 'AKIAADA'),
  ]);
  const use = { service: 'chime', at: START, region: 'us-east-1' };
  assert.deepEqual(principal, [{ holder: 'AIDAADA', action: 'CreateMeeting', ...use }]);
  assert.deepEqual(key, [{ holder: 'AKIAADA', action: '', ...use }]);
});

test('lastUseNotes: within a quarter of an hour it is noted once, in the next again', async () => {
  const store = await openSqlite(':memory:');
  const note = lastUseNotes();
  for (const now of [START, instant(START + QUARTER - 1)]) await store.transaction(async (tx) => note(tx, useAt(now)));
  const at = () => store.transaction(async (tx) => (await tx.lastUses.of(ACCOUNT, 'AKIAADA'))[0]?.at);
  assert.equal(await at(), START);
  await store.transaction(async (tx) => note(tx, useAt(instant(START + QUARTER))));
  assert.equal(await at(), START + QUARTER);
});

test('lastUseNotes: what a transaction took back with it is noted by the next', async () => {
  const store = await openSqlite(':memory:');
  const note = lastUseNotes();
  await assert.rejects(
    store.transaction(async (tx) => {
      await note(tx, useAt(START));
      throw new Error('undone');
    }),
  );
  await store.transaction(async (tx) => note(tx, useAt(START)));
  assert.equal((await store.transaction((tx) => tx.lastUses.of(ACCOUNT, 'AKIAADA'))).length, 1);
});

test('lastUseNotes: it remembers so many uses and no more, and notes the forgotten again', async () => {
  const store = await openSqlite(':memory:');
  const note = lastUseNotes(2);
  await store.transaction(async (tx) => note(tx, useAt(START)));
  for (const action of ['chime:A', 'chime:B', 'chime:C']) await store.transaction(async (tx) => note(tx, useAt(START, action)));
  await store.transaction(async (tx) => note(tx, useAt(instant(START + 1))));
  const uses = await store.transaction((tx) => tx.lastUses.of(ACCOUNT, 'AIDAADA'));
  assert.equal(uses.find((use) => use.action === 'CreateMeeting')?.at, START + 1);
});
