import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { APP_INSTANCE_USER_ENDPOINT } from '#services/chime-kit/app-instances.ts';
import { pushLane } from '#services/chime-sdk-messaging/push-notifications.ts';
import { channels } from '#services/chime-sdk-messaging/tables/channels.ts';
import { memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import { PUSH_FAN_OUT, type PushFanOut, pushFanOuts } from '#services/chime-sdk-messaging/tables/push-fan-outs.ts';
import { outgoing } from '#services/kit/outgoing.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { START, testClock } from '../delivery-fixture.ts';
import { ACCOUNT, messageOf, outgoingFixture } from './outgoing-fixture.ts';
import { pushFanOut } from './push-fan-out.ts';
import { lanes, NEVER } from './tables/lanes.ts';

const HERE = { accountId: ACCOUNT, region: 'us-east-1', appInstanceId: 'app', channelId: 'team', channelKey: 'key' } as const;
const ROW: PushFanOut = {
  ...{ ...HERE, id: 'a', subChannelId: '', afterMember: 'user/', attributes: {}, createdAt: instant(START), dueAt: instant(START) },
  notification: { Title: 'news', channelArn: 'channel', messageId: 'm' },
};

/** Opens a store with a message whose only member has one device. */
async function open() {
  const clock = testClock(START);
  const store = await openSqlite(':memory:', { now: () => clock.wall() });
  after(() => store.close());
  const { endpoint, reports } = outgoingFixture(store, clock);
  const times = { createdAt: instant(START), updatedAt: instant(START) };
  const member = { channelKey: 'key', subChannelId: '', member: 'user/ada', appInstanceId: 'app', type: 'DEFAULT', invitedBy: 'user/ada' };
  const ResourceArn = `arn:aws:mobiletargeting:us-east-1:${ACCOUNT}:apps/project`;
  const document = { Type: 'GCM', ResourceArn, AllowMessages: 'ALL', sealedAttributes: 'sealed' } as const;
  const { accountId, region } = HERE;
  await store.transaction(async (tx) => {
    const channel = { name: 'team', mode: 'RESTRICTED', createdBy: 'user/ada' };
    await tx.of(channels).add({ ...HERE, ...times, privacy: 'PRIVATE', tags: [], document: channel });
    await tx.of(memberships).add({ ...member, ...times });
    await tx.resources.add(APP_INSTANCE_USER_ENDPOINT, {
      ...{ accountId, region, parent: 'app', id: 'ada/phone' },
      ...{ ...times, tags: [], document },
    });
    await tx.of(pushFanOuts).add(ROW);
  });
  let losses = 0;
  const source = pushFanOut({
    ...{ now: clock.wall, newId: () => 'id', monotonic: () => clock.wall(), report: (line: string) => void reports.push(line) },
    lost: (count) => void (losses += count),
  });
  return {
    ...{ store, clock, reports, endpoint },
    losses: () => losses,
    step: () => source.step((work) => store.transaction(work)),
    rows: () => store.transaction((tx) => PUSH_FAN_OUT.page(tx.sql, [], [''], 10)),
    added: () => store.transaction((tx) => tx.of(lanes).countAdded(5_000)),
  };
}

test('Push fan-out: a message is removed with its last member, and its notifications are added', async () => {
  const { endpoint, step, rows, added } = await open();
  await endpoint('push', 'https://push.example');
  assert.deepEqual([await step(), await added(), await rows()], ['more', 1, []]);
  assert.equal(await step(), 'done');
});

test('Push fan-out: without a push endpoint no notification is added, and the log names the endpoint once', async () => {
  const { store, reports, step, rows, added, losses } = await open();
  await store.transaction((tx) => tx.of(pushFanOuts).add({ ...ROW, id: 'b' }));
  assert.deepEqual([await step(), await added(), await rows()], ['more', 0, []]);
  assert.deepEqual(reports, [
    "there is no endpoint for 'push' of account '111122223333' in 'us-east-1'; add one with 'belfry endpoint add'",
  ]);
  assert.equal(losses(), 2);
});

test('Push fan-out: a message that is an hour old causes no notification, and an account has one line a minute', async () => {
  const { endpoint, store, clock, reports, step, rows, added, losses } = await open();
  await endpoint('push', 'https://push.example');
  clock.set(START + 3_600_000);
  assert.deepEqual([await step(), await added(), await rows()], ['more', 0, []]);
  const line = "push notifications of a message in 'channel' were not sent in time";
  assert.deepEqual(reports, [line]);
  for (const [id, time] of [
    ['b', START + 3_600_001],
    ['c', START + 3_660_000],
  ] as const) {
    await store.transaction((tx) => tx.of(pushFanOuts).add({ ...ROW, id }));
    clock.set(time);
    await step();
  }
  assert.deepEqual([reports, losses()], [[line, `${line}, after 1 other messages of the account`], 3]);
});

test('Push fan-out: a message waits while many notifications of its account wait, and those of other accounts do not', async () => {
  const { store, endpoint, step, rows, added } = await open();
  await endpoint('push', 'https://push.example');
  const lane = { accountId: ACCOUNT, lane: pushLane('us-east-1'), ordered: false, bytes: 1, dueAt: NEVER, failing: false };
  await store.transaction((tx) => tx.of(lanes).put({ ...lane, messages: 2_000 }));
  await store.transaction((tx) => tx.of(pushFanOuts).add({ ...ROW, id: 'b', accountId: '999988887777' as typeof ACCOUNT }));
  assert.equal(await step(), 'more');
  assert.deepEqual(
    (await rows()).map(({ id, dueAt }) => [id, dueAt]),
    [['a', START + 1_000]],
  );
  assert.equal(await added(), 0);
});

test('Push fan-out: nothing is added while many messages wait for their lanes', async () => {
  const { store, endpoint, step, rows } = await open();
  await endpoint('push', 'https://push.example');
  await store.transaction(async (tx) => {
    for (let i = 0; i < 1_000; i++) await tx.of(outgoing).add(messageOf(`message ${i}`));
  });
  assert.deepEqual([await step(), (await rows()).length], ['done', 1]);
});
