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

/** Reads on, and answers what was read. */
async function read(feed: ReturnType<typeof newFeed>, store: Store = here): Promise<string[]> {
  const reading = await store.transaction((tx) => feed.read(tx));
  reading.taken();
  return reading.events.map(({ document }) => document);
}

/** Appends, and holds the commit back until `commit` is called. */
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

test('A feed: it begins with what is committed after its first reading', async () => {
  await appended(here, '"before"');
  const feed = newFeed(() => now);
  assert.deepEqual(await read(feed), []);
  await appended(there, '"after"');
  assert.deepEqual([await read(feed), await read(feed)], [['"after"'], []]);
});

test('A feed: what commits late is read once, though what was numbered after it was read before', async () => {
  const feed = newFeed(() => now);
  await read(feed);
  const late = await held(there, '"late"');
  await appended(here, '"early"');
  assert.deepEqual(await read(feed), ['"early"']);
  await late.commit();
  assert.deepEqual([await read(feed), await read(feed)], [['"late"'], []]);
});

test('A feed: what was running when it began, and commits after, is read', async () => {
  const late = await held(there, '"was running"');
  await appended(here, '"before"');
  const feed = newFeed(() => now);
  assert.deepEqual(await read(feed), []);
  await late.commit();
  assert.deepEqual([await read(feed), await read(feed)], [['"was running"'], []]);
});

test('A feed: of two events the one that could know of the other is read after it, whoever wrote them', async () => {
  const feed = newFeed(() => now);
  await read(feed);
  for (let i = 0; i < 20; i++) await appended(i % 2 === 0 ? here : there, String(i));
  assert.deepEqual(
    await read(feed),
    Array.from({ length: 20 }, (_, i) => String(i)),
  );
});

test('A feed: what was passed over is asked for no longer than it could come', async () => {
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

test('A feed: a transaction that reads twice, because it met a conflict, misses nothing', async () => {
  const feed = newFeed(() => now);
  await read(feed);
  await appended(there, '"one"');
  await here.transaction((tx) => feed.read(tx));
  assert.deepEqual(await read(feed), ['"one"']);
});

test('A feed: more than is read at once is read on, and nothing is caught up with before', async () => {
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
