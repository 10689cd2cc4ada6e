import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import { type Heard, membership, membershipRecord, message, openSessions, user } from './fixture.ts';
import { SLICE_STEPS } from './messaging-sessions.ts';
import { channelEvents } from './tables/channel-events.ts';

const contents = ({ frames }: Heard) => frames.flatMap(({ payload }) => (payload?.['Content'] === undefined ? [] : [payload['Content']]));
const types = ({ frames }: Heard) => frames.map(({ type }) => type);
const established =
  (...all: readonly Heard[]) =>
  () =>
    all.every(({ frames }) => frames.length > 0);

/** A server on which ada and bob are in `general`, eve is in nothing, and all three are connected. */
async function withThree(limits: Parameters<typeof openSessions>[0] = {}) {
  const chat = await openSessions(limits);
  for (const id of ['ada', 'bob', 'eve']) await chat.addUser(id);
  const general = await chat.addChannel('general', ['ada', ''], ['bob', '']);
  const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((id) => chat.connect(user(id))) as [Heard, Heard, Heard];
  await chat.until(established(ada, bob, eve));
  return { chat, general, ada, bob, eve };
}

test('A messaging session: SESSION_ESTABLISHED is first, then members hear what happens, in order, and nobody else does', async () => {
  const { chat, ada, bob, eve } = await withThree();
  await chat.addChannel('of eve', ['eve', '']);
  for (const content of ['one', 'two', 'three']) await chat.happens(message('general', content));
  await chat.until(() => contents(bob).length === 3);
  assert.deepEqual(types(ada), ['SESSION_ESTABLISHED', ...Array(3).fill('CREATE_CHANNEL_MESSAGE')]);
  assert.deepEqual([contents(ada), contents(bob)], [Array.of('one', 'two', 'three'), Array.of('one', 'two', 'three')]);
  assert.deepEqual(types(eve), ['SESSION_ESTABLISHED']);
  await chat.stop();
});

test('A messaging session: what was committed before it was opened is not told, and every session of a user hears each event once', async () => {
  const { chat, ada } = await withThree();
  await chat.happens(message('general', 'before'));
  const later = chat.connect(user('ada'));
  await chat.until(established(later));
  await chat.happens(message('general', 'after'));
  await chat.until(() => contents(later).length === 1 && contents(ada).length === 2);
  assert.deepEqual([contents(ada), contents(later)], [['before', 'after'], ['after']]);
  await chat.stop();
});

test('A messaging session: who comes hears of it and of what follows, who goes hears of it and of nothing more', async () => {
  const { chat, general, ada, bob, eve } = await withThree();
  await chat.happens(membership('CREATE', 'general', 'eve'), (tx) => tx.of(memberships).add(membershipRecord(general, 'eve')));
  await chat.happens(message('general', 'all three'));
  await chat.happens(membership('DELETE', 'general', 'bob'), (tx) => tx.of(memberships).remove(general.channelKey, '', 'user/bob'));
  await chat.happens(message('general', 'without bob'));
  await chat.until(() => contents(ada).length === 2 && contents(eve).length === 2);
  assert.deepEqual(types(bob), ['SESSION_ESTABLISHED', 'CREATE_CHANNEL_MEMBERSHIP', 'CREATE_CHANNEL_MESSAGE', 'DELETE_CHANNEL_MEMBERSHIP']);
  assert.deepEqual([contents(bob), contents(eve)], [['all three'], ['all three', 'without bob']]);
  await chat.stop();
});

test('A messaging session: a membership that an event speaks of and that is gone again lets nobody hear anything', async () => {
  const { chat, general, ada, eve } = await withThree();
  // Both are read at once: that the first made a member is not true any more.
  await chat.store.transaction(async (tx) => {
    const append = (event: object) =>
      tx
        .of(channelEvents)
        .append({ appInstanceId: general.appInstanceId, channelId: 'general', document: JSON.stringify(event) }, chat.now());
    await append(membership('CREATE', 'general', 'eve'));
    await append(message('general', 'secret'));
  });
  await chat.happens(message('general', 'last'));
  await chat.until(() => contents(ada).length === 2);
  assert.deepEqual(contents(eve), []);
  await chat.stop();
});

test('A messaging session: nothing is told by a permission that was withdrawn, however late all sessions are decided again', async () => {
  const { chat, ada, bob } = await withThree({ decideWithinMs: 3_600_000 });
  await chat.mayConnect({ Effect: 'Allow', Action: 'chime:Connect', Resource: user('bob') });
  await chat.happens(message('general', 'after the withdrawal'));
  await chat.until(() => contents(bob).length === 1);
  assert.deepEqual([contents(ada), ada.closed?.code, bob.closed], [[], 4401, undefined]);
  await chat.stop();
});

test('A messaging session: one without anything to hear is closed by a withdrawal too', async () => {
  const { chat, ada, bob, eve } = await withThree();
  await chat.mayConnect({ Effect: 'Allow', Action: 'chime:Connect', Resource: user('bob') });
  await chat.until(() => ada.closed !== undefined && eve.closed !== undefined);
  assert.deepEqual([ada.closed?.code, bob.closed, eve.closed?.code], [4401, undefined, 4401]);
  await chat.stop();
});

test('A messaging session: a policy that speaks of times closes it when its time is over', async () => {
  const { chat, ada } = await withThree({ decideEveryMs: 50 });
  const until = new Date(chat.now() + 60_000).toISOString();
  await chat.mayConnect({
    Effect: 'Allow',
    Action: 'chime:Connect',
    Resource: '*',
    Condition: { DateLessThan: { 'aws:CurrentTime': until } },
  });
  await chat.happens(message('general', 'in time'));
  await chat.until(() => contents(ada).length === 1);
  assert.deepEqual([ada.closed], [undefined]);
  chat.setNow(chat.now() + 120_000);
  await chat.until(() => ada.closed !== undefined);
  assert.equal(ada.closed?.code, 4401);
  await chat.stop();
});

test('A messaging session: it is closed when the credentials expire it was opened with, and its client may come back', async () => {
  const { chat, ada } = await withThree();
  const brief = chat.connect(user('ada'), { expiresAt: instant(chat.now() + 200) });
  await chat.until(established(brief));
  chat.setNow(chat.now() + 200);
  await chat.until(() => brief.closed !== undefined);
  assert.deepEqual([brief.closed?.code, ada.closed], [1001, undefined]);
  await chat.stop();
});

test('A messaging session: without a lease nothing is told, and all are closed so that clients try elsewhere', async () => {
  const { chat, ada, bob, eve } = await withThree();
  chat.setHolds(false);
  await chat.happens(message('general', 'nobody knows'));
  await chat.until(() => [ada, bob, eve].every(({ closed }) => closed !== undefined));
  assert.deepEqual([ada.closed?.code, contents(ada)], [1013, []]);
  await chat.stop();
});

test('A messaging session: without a lease it is closed before anything is read again, which may take as long as the database is silent', async () => {
  const { chat, ada } = await withThree({ pollEveryMs: 3_600_000 });
  chat.setHolds(false);
  await chat.until(() => ada.closed !== undefined);
  assert.equal(ada.closed?.code, 1013);
  await chat.stop();
});

test('A messaging session: a deleted user hears nothing more, of what happens in the same moment either', async () => {
  const { chat, ada, bob } = await withThree();
  await chat.deleteUser('ada');
  await chat.happens(message('general', 'ada is gone'));
  await chat.until(() => contents(bob).length === 1);
  assert.deepEqual([ada.closed?.code, contents(ada)], [4401, []]);
  await chat.stop();
});

test('Messaging sessions: a user at the limit can reserve another session after one is closed', async () => {
  const { chat } = await withThree({ sessionsOfUser: 1 });
  assert.deepEqual([chat.sessions.reserve('a', user('ada')), chat.sessions.reserve('b', user('new'))], [false, true]);
  chat.sessions.closed(1);
  assert.equal(chat.sessions.reserve('c', user('ada')), true);
  await chat.stop();
});

test('Messaging sessions: all users of an account together have a limit', async () => {
  const { chat } = await withThree({ sessionsOfAccount: 4 });
  assert.deepEqual([chat.sessions.reserve('a', user('new')), chat.sessions.reserve('b', user('newer'))], [true, false]);
  chat.sessions.closed(1);
  assert.equal(chat.sessions.reserve('b', user('newer')), true);
  await chat.stop();
});

test('Messaging sessions: a Connect request that runs at the same time counts, once for each request, until it is released', async () => {
  const { chat } = await withThree({ sessionsOfUser: 2 });
  const reserve = (request: string) => chat.sessions.reserve(request, user('ada'));
  assert.deepEqual([reserve('a'), reserve('a'), reserve('b')], [true, true, false]);
  chat.sessions.release('a');
  assert.equal(reserve('b'), true);
  await chat.stop();
});

test('A messaging session: who connects when nobody was connected hears what happens from then on', async () => {
  const { chat } = await withThree();
  for (const socket of [1, 2, 3]) chat.sessions.closed(socket);
  await chat.happens(message('general', 'to nobody'));
  const back = chat.connect(user('ada'));
  await chat.until(established(back));
  await chat.happens(message('general', 'to ada'));
  await chat.until(() => contents(back).length === 1);
  assert.deepEqual(contents(back), ['to ada']);
  await chat.stop();
});

test('MessagingSessions: sessions with slow policies are authorized again in slices of bounded steps', async () => {
  const SESSIONS = 40;
  const chat = await openSessions({ sessionsOfUser: SESSIONS });
  await chat.addUser('ada');
  const all = Array.from({ length: SESSIONS }, () => chat.connect(user('ada'), { userAgent: 'a'.repeat(1_000) }));
  await chat.until(established(...all));
  const slow = Array.from({ length: 240 }, (_, i) => `*${'a'.repeat(450)}${i}*`);
  const { most, total } = await chat.stepsDuring(async () => {
    await chat.mayConnect([
      { Effect: 'Deny', Action: 'chime:Connect', Resource: '*', Condition: { StringLike: { 'aws:UserAgent': slow } } },
      { Effect: 'Allow', Action: 'chime:Connect', Resource: user('bob') },
    ]);
    await chat.until(() => all.every(({ closed }) => closed !== undefined));
  });
  // The policy costs what it was made for: all sessions in one turn would exceed the slice by far.
  const one = total / SESSIONS;
  assert.ok(total > 4 * SLICE_STEPS, `${total} steps`);
  assert.ok(most <= SLICE_STEPS + 2 * one, `${most} steps between two turns, ${one} for one session`);
  await chat.stop();
});
