/** Limits of the webhooks of bots. `test/chime/bots.test.ts` uses them over HTTPS. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { ChimeBotMessage } from '../chime-kit/room-events.ts';
import { emitterOf, subscription, type Work } from '../kit/events.ts';
import { workFor } from '../kit/fixture.ts';
import { ACCOUNT, openFixture, START } from './fixture.ts';
import { accounts } from './tables/accounts.ts';
import { type RoomMembershipRecord, roomMemberships } from './tables/room-memberships.ts';
import type { WebhookType } from './tables/webhooks.ts';
import { createWebhook, openWebhook, sweepWebhooks, writeWithWebhook } from './webhooks.ts';

/** Opens a room with a bot. `write` resolves to the status of a message, 404 if the webhook is not open. */
async function openRoom() {
  const fixture = await openFixture();
  const { run, store } = fixture;
  const AccountId = await fixture.account();
  await fixture.become(AccountId, 'EnterpriseLWA');
  const BotId = (await run('CreateBot', { AccountId, DisplayName: 'myBot' })).Bot?.BotId as string;
  const RoomId = (await run('CreateRoom', { AccountId, Name: 'room' })).Room?.RoomId as string;
  const member = (memberId: string, memberType: 'Bot' | 'User'): RoomMembershipRecord => ({
    ...{ roomId: RoomId, memberId, accountId: ACCOUNT, chimeAccountId: AccountId, roomCreatedAt: START, memberType, role: 'Member' },
    ...{ invitedBy: 'x', updatedAt: START },
  });
  const join = (...members: RoomMembershipRecord[]) => store.transaction((tx) => tx.of(roomMemberships).add(members));
  await join(member(BotId, 'Bot'));
  const written: string[] = [];
  const record = subscription<ChimeBotMessage>()(['ChimeBotMessageSent'], async (_, { content }) => void written.push(content));
  const at = <T>(ms: number, work: (context: Work) => Promise<T>) =>
    store.transaction((tx) => work(emitterOf([record])(workFor(tx, instant(START + ms)))));
  let number = 0;
  const create = (ms: number, type: WebhookType) =>
    at(ms, (work) =>
      createWebhook(
        { ...work, newId: () => `webhook-${++number}`, random: (bytes) => new Uint8Array(bytes).fill(number) },
        { accountId: ACCOUNT, chimeAccountId: AccountId, botId: BotId, roomId: RoomId, type },
      ),
    );
  const write = (ms: number, path: string | undefined, content: string) =>
    at(ms, async (work) => {
      const [, id = '', token = ''] = /^\/incomingwebhooks\/(.*)\?token=(.{43})$/.exec(path ?? '') ?? [];
      const opened = await openWebhook(work, id, token);
      return opened === undefined ? 404 : await writeWithWebhook(work, opened, content);
    });
  return { ...fixture, AccountId, written, at, create, write, member, join };
}

test('Webhooks: a webhook of a mention ends after two minutes, and the sweep deletes it', async () => {
  const { create, write, at } = await openRoom();
  const [short, persistent] = [await create(0, 'ShortLived'), await create(0, 'Persistent')];
  assert.deepEqual(
    [await write(119_999, short, 'a'), await write(120_000, short, 'b'), await write(1e10, persistent, 'c')],
    [200, 404, 200],
  );
  assert.equal(await at(120_000, sweepWebhooks), 'done');
  assert.deepEqual([await write(0, short, 'd'), await write(2e10, persistent, 'e')], [404, 200]);
});

test('Webhooks: a second message within a second is 429, and is not written', async () => {
  const { create, write, written } = await openRoom();
  const path = await create(0, 'Persistent');
  const statuses = [await write(0, path, 'a'), await write(999, path, 'b'), await write(1_000, path, 'c')];
  assert.deepEqual(
    [statuses, written],
    [
      [200, 429, 200],
      ['a', 'c'],
    ],
  );
});

test('Webhooks: the newest 3 of the invitations of a bot to a room remain', async () => {
  const { create, write } = await openRoom();
  const paths = [];
  for (const ms of [0, 1, 2, 3]) paths.push(await create(ms, 'Persistent'));
  const short = await create(4, 'ShortLived');
  const statuses = [];
  for (const path of [...paths, short]) statuses.push(await write(10, path, 'x'));
  assert.deepEqual(statuses, [404, 200, 200, 200, 200]);
});

test('Webhooks: a message to all members is 400 in a room with more than 50', async () => {
  const { create, write, member, join } = await openRoom();
  await join(...Array.from({ length: 49 }, (_, i) => member(`user-${i}`, 'User')));
  const path = await create(0, 'Persistent');
  assert.equal(await write(0, path, 'Hello @All'), 200);
  await join(member('another', 'User'));
  const statuses = [await write(5_000, path, '@all'), await write(5_000, path, 'at @Present!'), await write(5_000, path, '@allan')];
  assert.deepEqual(statuses, [400, 400, 200]);
});

test('Webhooks: in a Team account or a deleted account, none is created or opened', async () => {
  const { create, write, become, store, AccountId } = await openRoom();
  const path = await create(0, 'Persistent');
  await become(AccountId, 'Team');
  assert.deepEqual([await write(0, path, 'x'), await create(0, 'Persistent')], [404, undefined]);
  await become(AccountId, 'EnterpriseLWA');
  await store.transaction(async (tx) => {
    const account = await tx.of(accounts).get(ACCOUNT, AccountId);
    assert.ok(account);
    await tx.of(accounts).put({ ...account, disabledAt: START });
  });
  assert.deepEqual([await write(0, path, 'x'), await create(0, 'Persistent')], [404, undefined]);
});
