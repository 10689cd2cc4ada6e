import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openPostgres } from '#store/engine/postgres.ts';
import { testPostgres } from '../../test/store/test-postgres.ts';
import { contentsOf, message, openSessions, user } from './fixture.ts';

const database = await testPostgres();
const stores = await Promise.all([openPostgres(database.url), openPostgres(database.url)]);
// The servers do not notify each other. Each server polls the database for events.
const here = await openSessions({ pollEveryMs: 50 }, stores[0]);
const there = await openSessions({ pollEveryMs: 50 }, stores[1]);
after(async () => {
  await Promise.all([here.stop(), there.stop()]);
  await database.stop();
});

for (const id of ['ada', 'bob']) await here.addUser(id);
await here.addChannel('general', ['ada', ''], ['bob', '']);
await here.addChannel('other', ['ada', ''], ['bob', '']);
const ada = here.connect(user('ada'));
const bob = there.connect(user('bob'));
await here.until(() => ada.frames.length > 0);
await there.until(() => bob.frames.length > 0);

test('Two servers on one database: messages sent alternately to both servers arrive in order on each', async () => {
  const sent = Array.from({ length: 40 }, (_, i) => `alternating ${i}`);
  for (const [i, content] of sent.entries()) await (i % 2 === 0 ? here : there).emit(message('general', content));
  await here.until(() => contentsOf(ada).length >= sent.length);
  await there.until(() => contentsOf(bob).length >= sent.length);
  assert.deepEqual([contentsOf(ada), contentsOf(bob)], [sent, sent]);
});

test('Two servers on one database: concurrent messages arrive exactly once on both servers', async () => {
  const before = contentsOf(ada).length;
  const sent = Array.from({ length: 200 }, (_, i) => `concurrent ${i}`);
  await Promise.all(sent.map((content, i) => (i % 2 === 0 ? here : there).emit(message(i % 3 === 0 ? 'general' : 'other', content))));
  await here.until(() => contentsOf(ada).length >= before + sent.length);
  await there.until(() => contentsOf(bob).length >= before + sent.length);
  for (const one of [ada, bob]) assert.deepEqual(contentsOf(one).slice(before).sort(), sent.toSorted());
});

test('Two servers on one database: a session that is opened again on one server is closed on the other', async () => {
  const sessionId = 'same';
  const first = here.connect(user('bob'), { sessionId });
  await here.until(() => first.frames.length > 0);
  const second = there.connect(user('bob'), { sessionId });
  await there.storeOpened(user('bob'), sessionId);
  await here.until(() => first.closed !== undefined);
  await there.until(() => second.frames.length > 0);
  assert.deepEqual([first.closed?.code, second.closed], [4003, undefined]);
});

test("Two servers on one database: when one server deletes a user, the other closes the user's session", async () => {
  await here.deleteUser('bob');
  await there.until(() => bob.closed !== undefined);
  assert.equal(bob.closed?.code, 4401);
});
