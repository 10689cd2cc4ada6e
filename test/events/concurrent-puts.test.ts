/** PutEvents on two servers that share a PostgreSQL database: transactions that run at the same time do not conflict. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import type { EventsApi } from '#model/generated/events.ts';
import { putEventsOperations } from '#services/events/put-events.ts';
import { BUS_EVENT } from '#services/events/tables/bus-events.ts';
import { eventBuses } from '#services/events/tables/event-buses.ts';
import { ACCOUNT, callOf, OTHER_ACCOUNT, START } from '#services/kit/fixture.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
const stores: readonly Store[] = [await openPostgres(postgres.url), await openPostgres(postgres.url)];
after(async () => {
  for (const store of stores) await store.close();
  await postgres.stop();
});
const [first] = stores as [Store, Store];
await first.transaction(async (tx) => {
  for (const accountId of [ACCOUNT, OTHER_ACCOUNT]) {
    const bus = { accountId, region: 'us-east-1', busName: 'default', tags: [], createdAt: START, modifiedAt: START };
    await tx.of(eventBuses).addBus({ ...bus, version: 1, rules: 1, archives: 0, patternsCost: 0 });
  }
});

/** Puts one event on each server at the same time. Returns how often the transactions ran. */
async function putTogether(accounts: readonly [AccountId, AccountId]): Promise<number> {
  let runs = 0;
  let waiting = accounts.length;
  let open: (() => void) | undefined;
  const bothDone = new Promise<void>((resolve) => {
    open = resolve;
  });
  await Promise.all(
    stores.map((store, i) =>
      store.transaction(async (tx) => {
        runs += 1;
        const call = callOf(tx, { accountId: accounts[i] as AccountId });
        const input: EventsApi['PutEvents']['input'] = { Entries: [{ Source: 's', DetailType: 'd', Detail: '{}' }] };
        const { FailedEntryCount } = await putEventsOperations.PutEvents.handle(call, input);
        assert.equal(FailedEntryCount, 0);
        // Neither transaction commits before both have read and written.
        if (--waiting === 0) open?.();
        await bothDone;
      }),
    ),
  );
  return runs;
}

const ROUNDS = 10;
for (const [title, accounts] of [
  ['one account', [ACCOUNT, ACCOUNT]],
  ['two accounts', [ACCOUNT, OTHER_ACCOUNT]],
] as const) {
  test(`PutEvents: concurrent requests of ${title} on two servers run once each`, async () => {
    let runs = 0;
    for (let round = 0; round < ROUNDS; round++) runs += await putTogether(accounts);
    assert.equal(runs, 2 * ROUNDS);
    const stored = await first.transaction((tx) => BUS_EVENT.page(tx.sql, [], [0], 1_000));
    assert.ok(stored.length >= 2 * ROUNDS);
  });
}
