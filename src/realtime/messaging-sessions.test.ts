import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import { contentsOf, membership, membershipRecord, message, openSessions, type TestSocket, user } from './fixture.ts';
import type { SocketOrder } from './protocol.ts';
import { SLICE_SESSIONS, SLICE_STEPS } from './reauthorization.ts';
import { channelEvents } from './tables/channel-events.ts';

const types = ({ frames }: TestSocket) => frames.map(({ type }) => type);
const established =
  (...all: readonly TestSocket[]) =>
  () =>
    all.every(({ frames }) => frames.length > 0);

/** Opens a server with three connected users: ada and bob are members of `general`, and eve is in no channel. */
async function withThree(limits: Parameters<typeof openSessions>[0] = {}) {
  const chat = await openSessions(limits);
  for (const id of ['ada', 'bob', 'eve']) await chat.addUser(id);
  const general = await chat.addChannel('general', ['ada', ''], ['bob', '']);
  const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((id) => chat.connect(user(id))) as [TestSocket, TestSocket, TestSocket];
  await chat.until(established(ada, bob, eve));
  return { chat, general, ada, bob, eve };
}

test('MessagingSessions: members receive the events in order, and other users receive no events', async () => {
  const { chat, ada, bob, eve } = await withThree();
  await chat.addChannel('of eve', ['eve', '']);
  for (const content of ['one', 'two', 'three']) await chat.emit(message('general', content));
  await chat.until(() => contentsOf(bob).length === 3);
  assert.deepEqual(types(ada), ['SESSION_ESTABLISHED', ...Array(3).fill('CREATE_CHANNEL_MESSAGE')]);
  assert.deepEqual([contentsOf(ada), contentsOf(bob)], [Array.of('one', 'two', 'three'), Array.of('one', 'two', 'three')]);
  assert.deepEqual(types(eve), ['SESSION_ESTABLISHED']);
  await chat.stop();
});

test('MessagingSessions: each session of a user receives each later event exactly once', async () => {
  const { chat, ada } = await withThree();
  await chat.emit(message('general', 'before'));
  const later = chat.connect(user('ada'));
  await chat.until(established(later));
  await chat.emit(message('general', 'after'));
  await chat.until(() => contentsOf(later).length === 1 && contentsOf(ada).length === 2);
  assert.deepEqual([contentsOf(ada), contentsOf(later)], [['before', 'after'], ['after']]);
  await chat.stop();
});

test('MessagingSessions: a new member receives the next message, and a removed member does not', async () => {
  const { chat, general, ada, bob, eve } = await withThree();
  await chat.emit(membership('CREATE', 'general', 'eve'), (tx) => tx.of(memberships).add(membershipRecord(general, 'eve')));
  await chat.emit(message('general', 'all three'));
  await chat.emit(membership('DELETE', 'general', 'bob'), (tx) => tx.of(memberships).remove(general.channelKey, '', 'user/bob'));
  await chat.emit(message('general', 'without bob'));
  await chat.until(() => contentsOf(ada).length === 2 && contentsOf(eve).length === 2);
  assert.deepEqual(types(bob), ['SESSION_ESTABLISHED', 'CREATE_CHANNEL_MEMBERSHIP', 'CREATE_CHANNEL_MESSAGE', 'DELETE_CHANNEL_MEMBERSHIP']);
  assert.deepEqual([contentsOf(bob), contentsOf(eve)], [['all three'], ['all three', 'without bob']]);
  await chat.stop();
});

test('MessagingSessions: an outdated membership event gives no access to messages', async () => {
  const { chat, general, ada, eve } = await withThree();
  // One reading returns the membership event and the message. The database does not contain the membership, as if it
  // were already deleted.
  await chat.store.transaction(async (tx) => {
    const append = (event: object) =>
      tx
        .of(channelEvents)
        .append({ appInstanceId: general.appInstanceId, channelId: 'general', document: JSON.stringify(event) }, chat.now());
    await append(membership('CREATE', 'general', 'eve'));
    await append(message('general', 'secret'));
  });
  await chat.emit(message('general', 'last'));
  await chat.until(() => contentsOf(ada).length === 2);
  assert.deepEqual(contentsOf(eve), []);
  await chat.stop();
});

test('MessagingSessions: a session receives no event after the withdrawal of its permission', async () => {
  const { chat, ada, bob } = await withThree({ reauthorizeWithinMs: 3_600_000 });
  await chat.setRolePolicy({ Effect: 'Allow', Action: 'chime:Connect', Resource: user('bob') });
  await chat.emit(message('general', 'after the withdrawal'));
  await chat.until(() => contentsOf(bob).length === 1 && ada.closed !== undefined);
  assert.deepEqual([contentsOf(ada), ada.closed?.code, bob.closed], [[], 4401, undefined]);
  await chat.stop();
});

test('MessagingSessions: a withdrawn permission closes sessions even if there are no events', async () => {
  const { chat, ada, bob, eve } = await withThree();
  await chat.setRolePolicy({ Effect: 'Allow', Action: 'chime:Connect', Resource: user('bob') });
  await chat.until(() => ada.closed !== undefined && eve.closed !== undefined);
  assert.deepEqual([ada.closed?.code, bob.closed, eve.closed?.code], [4401, undefined, 4401]);
  await chat.stop();
});

test('MessagingSessions: sessions are closed when the end date in a policy has passed', async () => {
  const { chat, ada } = await withThree({ reauthorizeEveryMs: 50 });
  const until = new Date(chat.now() + 60_000).toISOString();
  await chat.setRolePolicy({
    Effect: 'Allow',
    Action: 'chime:Connect',
    Resource: '*',
    Condition: { DateLessThan: { 'aws:CurrentTime': until } },
  });
  await chat.emit(message('general', 'in time'));
  await chat.until(() => contentsOf(ada).length === 1);
  assert.deepEqual([ada.closed], [undefined]);
  chat.setNow(chat.now() + 120_000);
  await chat.until(() => ada.closed !== undefined);
  assert.equal(ada.closed?.code, 4401);
  await chat.stop();
});

test('MessagingSessions: a session is closed with 1001 when its credentials expire', async () => {
  const { chat, ada } = await withThree();
  const brief = chat.connect(user('ada'), { expiresAt: instant(chat.now() + 200) });
  await chat.until(established(brief));
  chat.setNow(chat.now() + 200);
  await chat.until(() => brief.closed !== undefined);
  assert.deepEqual([brief.closed?.code, ada.closed], [1001, undefined]);
  await chat.stop();
});

test('MessagingSessions: without a lease, events are not sent and all sessions are closed with 1013', async () => {
  const { chat, ada, bob, eve } = await withThree();
  chat.setHolds(false);
  await chat.emit(message('general', 'without a lease'));
  await chat.until(() => [ada, bob, eve].every(({ closed }) => closed !== undefined));
  assert.deepEqual([ada.closed?.code, contentsOf(ada)], [1013, []]);
  await chat.stop();
});

test('MessagingSessions: without a lease, a session is closed even before the next reading of events', async () => {
  const { chat, ada } = await withThree({ pollEveryMs: 3_600_000 });
  chat.setHolds(false);
  await chat.until(() => ada.closed !== undefined);
  assert.equal(ada.closed?.code, 1013);
  await chat.stop();
});

test('MessagingSessions: a deleted user receives no message that was sent after the deletion', async () => {
  const { chat, ada, bob } = await withThree();
  await chat.deleteUser('ada');
  await chat.emit(message('general', 'ada is gone'));
  await chat.until(() => contentsOf(bob).length === 1 && ada.closed !== undefined);
  assert.deepEqual([ada.closed?.code, contentsOf(ada)], [4401, []]);
  await chat.stop();
});

test('MessagingSessions: a user at the limit can reserve another session after one is closed', async () => {
  const { chat } = await withThree({ sessionsOfUser: 1 });
  assert.deepEqual([chat.sessions.reserve('a', user('ada')), chat.sessions.reserve('b', user('new'))], [false, true]);
  chat.sessions.receive({ closed: 1 });
  assert.equal(chat.sessions.reserve('c', user('ada')), true);
  await chat.stop();
});

test('MessagingSessions: the number of sessions of all users of an account is limited', async () => {
  const { chat } = await withThree({ sessionsOfAccount: 4 });
  assert.deepEqual([chat.sessions.reserve('a', user('new')), chat.sessions.reserve('b', user('newer'))], [true, false]);
  chat.sessions.receive({ closed: 1 });
  assert.equal(chat.sessions.reserve('b', user('newer')), true);
  await chat.stop();
});

test('MessagingSessions: a running Connect request counts as one session until its reservation is released', async () => {
  const { chat } = await withThree({ sessionsOfUser: 2 });
  const reserve = (request: string) => chat.sessions.reserve(request, user('ada'));
  assert.deepEqual([reserve('a'), reserve('a'), reserve('b')], [true, true, false]);
  chat.sessions.release('a');
  assert.equal(reserve('b'), true);
  await chat.stop();
});

test('MessagingSessions: a user that connects to a server without sessions receives later events', async () => {
  const { chat } = await withThree();
  for (const socket of [1, 2, 3]) chat.sessions.receive({ closed: socket });
  await chat.emit(message('general', 'before'));
  const back = chat.connect(user('ada'));
  await chat.until(established(back));
  await chat.emit(message('general', 'to ada'));
  await chat.until(() => contentsOf(back).length === 1);
  assert.deepEqual(contentsOf(back), ['to ada']);
  await chat.stop();
});

/** Opens a server with many sessions of ada, who is a member of `general`. */
async function withMany(count: number, userAgent = 'chat', limits: Parameters<typeof openSessions>[0] = {}) {
  const chat = await openSessions({ sessionsOfUser: count, ...limits });
  await chat.addUser('ada');
  await chat.addChannel('general', ['ada', '']);
  const all = Array.from({ length: count }, () => chat.connect(user('ada'), { userAgent }));
  await chat.until(established(...all));
  return { chat, all };
}

const ALLOW_ALL = { Effect: 'Allow', Action: 'chime:Connect', Resource: '*' };
const sendsTo = (batch: readonly SocketOrder[]) => batch.flatMap((order) => ('send' in order ? [order.to.length] : []));

test('MessagingSessions: one order sends the events of one transaction to all sessions', async () => {
  const SESSIONS = 40;
  const { chat, all } = await withMany(SESSIONS);
  const before = chat.batches.length;
  await chat.store.transaction(async (tx) => {
    for (const content of ['a', 'b', 'c']) await chat.emitIn(tx, message('general', content));
  });
  await chat.until(() => all.every((one) => contentsOf(one).length === 3));
  const batches = chat.batches.slice(before).filter((batch) => batch.length > 0);
  assert.deepEqual(
    batches.map((batch) => batch.map((order) => ('send' in order ? [order.send.length, order.to.length] : order))),
    [[[3, SESSIONS]]],
  );
  await chat.stop();
});

test('MessagingSessions: after an identity change, a session is re-authorized before it gets an event', async () => {
  const SESSIONS = 110;
  const { chat, all } = await withMany(SESSIONS, 'chat', { reauthorizeWithinMs: 3_600_000 });
  const before = chat.batches.length;
  const authorizedAt: number[] = [];
  const counts = await chat.countDuring(async (counted) => {
    await chat.setRolePolicy([ALLOW_ALL, { Effect: 'Allow', Action: 'chime:SendChannelMessage', Resource: '*' }]);
    await chat.emit(message('general', 'later'));
    await chat.until(() => {
      if (authorizedAt.length < chat.batches.length - before) authorizedAt.push(counted.sessions);
      return all.every((one) => contentsOf(one).length === 1);
    });
  });
  const delivered = chat.batches.slice(before).map((batch) => sendsTo(batch).reduce((sum, count) => sum + count, 0));
  const slices = [...Array(4).fill(SLICE_SESSIONS), SESSIONS - 4 * SLICE_SESSIONS];
  assert.deepEqual([counts.sessions, delivered], [SESSIONS, slices]);
  // No session received the event before its authorization.
  assert.deepEqual(authorizedAt, [25, 50, 75, 100, 110]);
  await chat.stop();
});

test('MessagingSessions: if policies are slow, fewer sessions are re-authorized before other work can run', async () => {
  const SESSIONS = 40;
  const { chat, all } = await withMany(SESSIONS, 'a'.repeat(1_000));
  const slow = Array.from({ length: 240 }, (_, i) => `*${'a'.repeat(450)}${i}*`);
  const { steps, mostSteps } = await chat.countDuring(async () => {
    await chat.setRolePolicy([
      { Effect: 'Deny', Action: 'chime:Connect', Resource: '*', Condition: { StringLike: { 'aws:UserAgent': slow } } },
      { Effect: 'Allow', Action: 'chime:Connect', Resource: user('bob') },
    ]);
    await chat.until(() => all.every(({ closed }) => closed !== undefined));
  });
  // Checks that the policy is slow enough for this test. `SLICE_STEPS` is the number of evaluation steps after which
  // the server lets other work run.
  const one = steps / SESSIONS;
  assert.ok(steps > 4 * SLICE_STEPS, `${steps} steps`);
  assert.ok(mostSteps <= SLICE_STEPS + 2 * one, `${mostSteps} steps between two turns, ${one} for one session`);
  await chat.stop();
});
