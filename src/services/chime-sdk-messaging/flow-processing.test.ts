import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instant } from '#core/instant.ts';
import { instant } from '#core/instant.ts';
import type { ChannelMessageCallback } from '#model/generated/chime-sdk-messaging.ts';
import type { DomainEvent } from '../kit/events.ts';
import { ACCOUNT, START, workFor } from '../kit/fixture.ts';
import { OUTGOING, type OutgoingFailed } from '../kit/outgoing.ts';
import { CHAT, type Fixture, openFixture, userArn } from './fixture.ts';
import { endUninvoked, sweepUnanswered } from './flow-processing.ts';

const ada = userArn('ada');
const bert = userArn('bert');
const lambda = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`;

/** A channel of ada and bert with a flow of processors, each with its fallback. */
async function openFlow(...fallbacks: readonly ('CONTINUE' | 'ABORT')[]) {
  const chat = await openFixture();
  const ChannelArn = await chat.channel([bert]);
  const Processors = fallbacks.map((FallbackAction, i) => ({
    ...{ Name: `p${i + 1}`, ExecutionOrder: i + 1, FallbackAction },
    Configuration: { Lambda: { ResourceArn: lambda(`p${i + 1}`), InvocationType: 'ASYNC' as const } },
  }));
  const flow = { AppInstanceArn: CHAT, Name: 'flow', ClientRequestToken: 'flow', Processors };
  const { ChannelFlowArn = '' } = await chat.run('CreateChannelFlow', flow);
  await chat.run('AssociateChannelFlow', { ChannelArn, ChannelFlowArn, ChimeBearer: ada });
  chat.emitted.length = 0;
  return { ...chat, ChannelArn };
}

/** Returns the invocations of the messages that wait for a processor. */
async function invocations({ store }: Fixture) {
  const rows = await store.transaction((tx) =>
    tx
      .of((sql) => ({
        all: () =>
          OUTGOING.rows(sql, `SELECT ${OUTGOING.names} FROM outgoing WHERE id IN (SELECT callback_id FROM channel_flow_message)`, []),
      }))
      .all(),
  );
  return rows.map((row) => ({ row, name: 'arn' in row.target ? row.target.arn.split(':').at(-1) : '', ...JSON.parse(row.body) }));
}

/** Calls back for the only invocation. */
async function answer(chat: Fixture, ChannelArn: string, changes: Partial<ChannelMessageCallback> = {}, DeleteResource = false) {
  const { CallbackId, ChannelMessage } = (await invocations(chat)).at(-1) ?? assert.fail('nothing was invoked');
  return chat.run('ChannelFlowCallback', {
    CallbackId,
    ChannelArn,
    DeleteResource,
    ChannelMessage: { MessageId: ChannelMessage.MessageId, ...changes },
  });
}

async function contents({ run }: Fixture, ChannelArn: string, ChimeBearer: string) {
  const { ChannelMessages = [] } = await run('ListChannelMessages', { ChannelArn, ChimeBearer });
  return ChannelMessages.map(({ Content, Status }) => [Content, Status?.Value]);
}

const types = ({ emitted }: Fixture) => emitted.map(({ type }) => type);

/** Fails the only invocation, as the sender does when a message ends. Returns the types of the events that follow. */
async function fail(chat: Fixture): Promise<readonly string[]> {
  const { row } = (await invocations(chat)).at(-1) ?? assert.fail('nothing was invoked');
  const emitted: DomainEvent[] = [];
  const failed: OutgoingFailed = { type: 'OutgoingFailed', message: row, code: 'NO_PERMISSIONS', reason: 'no access', gone: false };
  await chat.store.transaction((tx) => endUninvoked.handle(workFor(tx, START, emitted), failed as never));
  return emitted.map(({ type }) => type);
}

test('Channel flows: a message waits for each processor, and members see it as the last one left it', async () => {
  const chat = await openFlow('ABORT', 'CONTINUE');
  const { ChannelArn, send } = chat;
  const MessageId = await send(ChannelArn, 'original', { Metadata: 'm' });
  const [first] = await invocations(chat);
  assert.equal(first?.name, 'p1');
  assert.deepEqual(
    [first.EventType, first.ChannelMessage.MessageId, first.ChannelMessage.Content],
    ['CHANNEL_MESSAGE_EVENT', MessageId, 'original'],
  );
  assert.deepEqual(first.row.sender, { service: 'messaging.chime.amazonaws.com', sourceArn: CHAT, sourceAccount: ACCOUNT });
  assert.deepEqual([await contents(chat, ChannelArn, ada), await contents(chat, ChannelArn, bert)], [[['original', 'PENDING']], []]);

  await answer(chat, ChannelArn, { Content: 'changed' });
  const second = (await invocations(chat)).at(-1);
  assert.deepEqual([second?.name, second?.ChannelMessage.Content, second?.ChannelMessage.Metadata], ['p2', 'changed', 'm']);
  assert.deepEqual(await contents(chat, ChannelArn, bert), []);
  await answer(chat, ChannelArn);
  assert.deepEqual(await contents(chat, ChannelArn, bert), [['changed', 'SENT']]);
  assert.deepEqual(types(chat), ['PENDING_CREATE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE']);
});

test('Channel flows: a denied message is not stored, and only events for its sender follow', async () => {
  const chat = await openFlow('ABORT');
  const MessageId = await chat.send(chat.ChannelArn, 'spam');
  await answer(chat, chat.ChannelArn, {}, true);
  assert.deepEqual(await contents(chat, chat.ChannelArn, ada), []);
  assert.deepEqual(types(chat), ['PENDING_CREATE_CHANNEL_MESSAGE', 'DENIED_CREATE_CHANNEL_MESSAGE']);
  const status = chat.run('GetChannelMessageStatus', { ChannelArn: chat.ChannelArn, MessageId, ChimeBearer: ada });
  await assert.rejects(status, { code: 'ForbiddenException' });
});

// Requirement RBP-4.
for (const [fallback, seen, events] of [
  ['CONTINUE', [['hello', 'SENT']], ['ProcessorInvocationFailure', 'CREATE_CHANNEL_MESSAGE']],
  ['ABORT', [], ['ProcessorInvocationFailure', 'FAILED_CREATE_CHANNEL_MESSAGE']],
] as const) {
  test(`Channel flows: if a function cannot be invoked, ${fallback} decides`, async () => {
    const chat = await openFlow(fallback);
    await chat.send(chat.ChannelArn, 'hello');
    assert.deepEqual(await fail(chat), events);
    assert.deepEqual(await contents(chat, chat.ChannelArn, bert), seen);
    assert.deepEqual(await contents(chat, chat.ChannelArn, ada), seen.length > 0 ? seen : [['hello', 'FAILED']]);
  });
}

test('Channel flows: a processor that does not call back within a minute counts as failed', async () => {
  const chat = await openFlow('ABORT');
  await chat.send(chat.ChannelArn, 'hello');
  const { CallbackId, ChannelMessage } = (await invocations(chat))[0] ?? assert.fail('nothing was invoked');
  const sweep = async (now: Instant) => {
    const emitted: DomainEvent[] = [];
    await chat.store.transaction((tx) => sweepUnanswered(workFor(tx, now, emitted)));
    return emitted.map(({ type }) => type);
  };
  assert.deepEqual(await sweep(instant(START + 59_999)), []);
  assert.deepEqual(await sweep(instant(START + 60_000)), ['ProcessorInvocationFailure', 'FAILED_CREATE_CHANNEL_MESSAGE']);
  const late = { CallbackId, ChannelArn: chat.ChannelArn, ChannelMessage: { MessageId: ChannelMessage.MessageId } };
  await assert.rejects(chat.run('ChannelFlowCallback', late), { code: 'ForbiddenException' });
});

test('Channel flows: the old content of a message stays until its update has passed, and another update is a conflict', async () => {
  const chat = await openFlow('ABORT');
  const { ChannelArn, run } = chat;
  const MessageId = await chat.send(ChannelArn, 'old');
  await answer(chat, ChannelArn);
  const update = (Content: string) => run('UpdateChannelMessage', { ChannelArn, MessageId, Content, ChimeBearer: ada });
  assert.deepEqual((await update('new')).Status, { Value: 'PENDING' });
  await assert.rejects(update('newer'), { code: 'ConflictException' });
  assert.deepEqual(await contents(chat, ChannelArn, bert), [['old', 'SENT']]);
  await answer(chat, ChannelArn);
  assert.deepEqual(await contents(chat, ChannelArn, bert), [['new', 'SENT']]);
  assert.deepEqual((await update('bad')).Status, { Value: 'PENDING' });
  await answer(chat, ChannelArn, {}, true);
  assert.deepEqual(await contents(chat, ChannelArn, bert), [['new', 'SENT']]);
  assert.deepEqual(types(chat).slice(2), [
    ...['PENDING_UPDATE_CHANNEL_MESSAGE', 'UPDATE_CHANNEL_MESSAGE'],
    ...['PENDING_UPDATE_CHANNEL_MESSAGE', 'DENIED_UPDATE_CHANNEL_MESSAGE'],
  ]);
});

test('Channel flows: after its flow, a message with a target is visible to the target only', async () => {
  const chat = await openFlow('ABORT');
  const { ChannelArn, run } = chat;
  await run('CreateChannelMembership', { ChannelArn, MemberArn: userArn('carl'), Type: 'DEFAULT', ChimeBearer: ada });
  await chat.send(ChannelArn, 'psst', { Target: [{ MemberArn: bert }] });
  await answer(chat, ChannelArn);
  const get = (ChimeBearer: string) =>
    run('GetChannelMessage', {
      ChannelArn,
      MessageId: chat.emitted.flatMap((event) => ('message' in event ? [event.message.MessageId ?? ''] : []))[0] ?? '',
      ChimeBearer,
    });
  assert.equal((await get(bert)).ChannelMessage?.Content, 'psst');
  await assert.rejects(get(userArn('carl')), { code: 'NotFoundException' });
});

test('Channel flows: an update of a message with a target has the target, also in its events and for the next processor', async () => {
  const chat = await openFlow('ABORT', 'ABORT');
  const { ChannelArn, run } = chat;
  const Target = [{ MemberArn: bert }];
  const MessageId = await chat.send(ChannelArn, 'psst', { Target });
  await answer(chat, ChannelArn);
  await answer(chat, ChannelArn);
  await run('UpdateChannelMessage', { ChannelArn, MessageId, Content: 'hush', ChimeBearer: ada });
  await answer(chat, ChannelArn);
  const asked = (await invocations(chat)).map(({ ChannelMessage }) => ChannelMessage.Target);
  await answer(chat, ChannelArn);
  const updated = chat.emitted.filter(({ type }) => type.endsWith('UPDATE_CHANNEL_MESSAGE'));
  assert.deepEqual(
    updated.map((event) => 'message' in event && event.message.Target),
    [Target, Target],
  );
  assert.deepEqual(asked, [Target]);
});

test('ChannelFlowCallback: an ID, channel or message that does not match, and a repeated call, are ForbiddenException and change nothing', async () => {
  const chat = await openFlow('ABORT');
  const { ChannelArn, run } = chat;
  const other = await chat.channel([bert]);
  const MessageId = await chat.send(ChannelArn, 'hello');
  const { CallbackId } = (await invocations(chat))[0] ?? assert.fail();
  const call = (more: object) =>
    run('ChannelFlowCallback', { CallbackId, ChannelArn, ChannelMessage: { MessageId, Content: 'x' }, ...more });
  for (const more of [{ CallbackId: 'c'.repeat(46) }, { ChannelArn: other }, { ChannelMessage: { MessageId: 'other' } }]) {
    await assert.rejects(call(more), { code: 'ForbiddenException' });
  }
  await assert.rejects(call({ ChannelMessage: { MessageId, Content: 'x'.repeat(4097) } }), { code: 'BadRequestException' });
  assert.deepEqual(await contents(chat, ChannelArn, bert), []);
  assert.deepEqual(await call({}), { ChannelArn, CallbackId });
  assert.deepEqual(await contents(chat, ChannelArn, bert), [['x', 'SENT']]);
  await assert.rejects(call({}), { code: 'ForbiddenException' });
});
