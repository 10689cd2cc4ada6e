import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openPostgres } from '#store/engine/postgres.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../../test/store/test-postgres.ts';
import { newFeed } from './feed.ts';
import { channelEvents } from './tables/channel-events.ts';

const database = await testPostgres();
const [here, there] = await Promise.all([openPostgres(database.url), openPostgres(database.url)]);
after(async () => {
  await Promise.all([here.close(), there.close()]);
  await database.stop();
});
let now = 0;

/** Reads the next events from the feed. Returns the documents of the events. */
async function read(feed: ReturnType<typeof newFeed>, store: Store = here): Promise<string[]> {
  const reading = await store.transaction((tx) => feed.read(tx));
  reading.taken();
  return reading.events.map(({ document }) => document);
}

/** Appends an event in a transaction that commits when `commit` is called. */
async function held(store: Store, document: string) {
  const written = Promise.withResolvers<void>();
  const commit = Promise.withResolvers<void>();
  const done = store.transaction(async (tx) => {
    await append(tx, document);
    written.resolve();
    await commit.promise;
  });
  await written.promise;
  return {
    async commit() {
      commit.resolve();
      await done;
    },
  };
}

function append(tx: Parameters<Parameters<Store['transaction']>[0]>[0], document: string): Promise<void> {
  return tx.of(channelEvents).append({ appInstanceId: 'app', channelId: 'general', document }, 0 as never);
}

const appended = (store: Store, document: string) => store.transaction((tx) => append(tx, document));

test('Feed: events that are committed after the first reading are read', async () => {
  await appended(here, '"before"');
  const feed = newFeed(() => now);
  assert.deepEqual(await read(feed), []);
  await appended(there, '"after"');
  assert.deepEqual([await read(feed), await read(feed)], [['"after"'], []]);
});

test('Feed: an event whose transaction commits late is read once, after events with larger numbers', async () => {
  const feed = newFeed(() => now);
  await read(feed);
  const late = await held(there, '"late"');
  await appended(here, '"early"');
  assert.deepEqual(await read(feed), ['"early"']);
  await late.commit();
  assert.deepEqual([await read(feed), await read(feed)], [['"late"'], []]);
});

test('Feed: an event is read if its transaction was still running during the first reading', async () => {
  const late = await held(there, '"was running"');
  await appended(here, '"before"');
  const feed = newFeed(() => now);
  assert.deepEqual(await read(feed), []);
  await late.commit();
  assert.deepEqual([await read(feed), await read(feed)], [['"was running"'], []]);
});

test('Feed: events that two servers write one after the other are read in that order', async () => {
  const feed = newFeed(() => now);
  await read(feed);
  for (let i = 0; i < 20; i++) await appended(i % 2 === 0 ? here : there, String(i));
  assert.deepEqual(
    await read(feed),
    Array.from({ length: 20 }, (_, i) => String(i)),
  );
});

test('Feed: an event is not read if its number was missing for more than 30 seconds', async () => {
  const feed = newFeed(() => now);
  await read(feed);
  const never = await held(there, '"never"');
  await appended(here, '"one"');
  assert.deepEqual(await read(feed), ['"one"']);
  now += 31_000;
  assert.deepEqual(await read(feed), []);
  await never.commit();
  assert.deepEqual(await read(feed), []);
});

test('Feed: when a reading transaction is retried, it reads the same events', async () => {
  const feed = newFeed(() => now);
  await read(feed);
  await appended(there, '"one"');
  await here.transaction((tx) => feed.read(tx));
  assert.deepEqual(await read(feed), ['"one"']);
});

test('Feed: a reading has at most 500 events, and the next reading has the remaining events', async () => {
  const feed = newFeed(() => now);
  await read(feed);
  await here.transaction(async (tx) => {
    for (let i = 0; i < 501; i++) await append(tx, String(i));
  });
  const first = await here.transaction((tx) => feed.read(tx));
  first.taken();
  const second = await here.transaction((tx) => feed.read(tx));
  assert.deepEqual([first.events.length, first.caughtUp, second.events.length, second.caughtUp], [500, false, 1, true]);
});
