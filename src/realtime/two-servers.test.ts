import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openPostgres } from '#store/engine/postgres.ts';
import { testPostgres } from '../../test/store/test-postgres.ts';
import { type Heard, message, openSessions, user } from './fixture.ts';

const database = await testPostgres();
const stores = await Promise.all([openPostgres(database.url), openPostgres(database.url)]);
// No server hints to the other: each finds what it was not told of.
const here = await openSessions({ pollEveryMs: 50 }, stores[0]);
const there = await openSessions({ pollEveryMs: 50 }, stores[1]);
after(async () => {
  await Promise.all([here.stop(), there.stop()]);
  await database.stop();
});

const contents = ({ frames }: Heard) => frames.flatMap(({ payload }) => (payload?.['Content'] === undefined ? [] : [payload['Content']]));
for (const id of ['ada', 'bob']) await here.addUser(id);
await here.addChannel('general', ['ada', ''], ['bob', '']);
await here.addChannel('other', ['ada', ''], ['bob', '']);
const ada = here.connect(user('ada'));
const bob = there.connect(user('bob'));
await here.until(() => ada.frames.length > 0);
await there.until(() => bob.frames.length > 0);

test('Two servers on one database: what follows from another is told after it, on whichever server each was done', async () => {
  const said = Array.from({ length: 40 }, (_, i) => `in turn ${i}`);
  for (const [i, content] of said.entries()) await (i % 2 === 0 ? here : there).happens(message('general', content));
  await here.until(() => contents(ada).length >= said.length);
  await there.until(() => contents(bob).length >= said.length);
  assert.deepEqual([contents(ada), contents(bob)], [said, said]);
});

test('Two servers on one database: what is done at once on both is told once on both', async () => {
  const before = contents(ada).length;
  const said = Array.from({ length: 200 }, (_, i) => `at once ${i}`);
  await Promise.all(said.map((content, i) => (i % 2 === 0 ? here : there).happens(message(i % 3 === 0 ? 'general' : 'other', content))));
  await here.until(() => contents(ada).length >= before + said.length);
  await there.until(() => contents(bob).length >= before + said.length);
  for (const one of [ada, bob]) assert.deepEqual(contents(one).slice(before).sort(), said.toSorted());
});

test('Two servers on one database: a session that is opened again on the other is closed here', async () => {
  const sessionId = 'same';
  const first = here.connect(user('bob'), { sessionId });
  await here.until(() => first.frames.length > 0);
  const second = there.connect(user('bob'), { sessionId });
  await there.openElsewhere(user('bob'), sessionId);
  await here.until(() => first.closed !== undefined);
  await there.until(() => second.frames.length > 0);
  assert.deepEqual([first.closed?.code, second.closed], [4003, undefined]);
});

test('Two servers on one database: a user who is deleted on one is gone from the other', async () => {
  await here.deleteUser('bob');
  await there.until(() => bob.closed !== undefined);
  assert.equal(bob.closed?.code, 4401);
});
