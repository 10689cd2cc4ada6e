import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateChannelCommand,
  CreateChannelMembershipCommand,
  SendChannelMessageCommand,
  UpdateChannelReadMarkerCommand,
} from '@aws-sdk/client-chime-sdk-messaging';
import { startChat } from '../kit/chat.ts';
import { allow } from '../kit/policy.ts';
import { connect } from './client.ts';

const chat = await startChat();
const ada = await chat.appUser('ada');
const bob = await chat.appUser('bob');
const keys = await chat.user('chatter', allow('chime:*'));
const messaging = chat.messaging(keys);

test('Prefetch: the unmodified client receives the details of each channel after SESSION_ESTABLISHED', async () => {
  const names = ['one', 'two', 'three'];
  for (const Name of names) {
    const channel = { AppInstanceArn: chat.chat, Name, ChimeBearer: ada };
    const { ChannelArn } = await messaging.send(new CreateChannelCommand(channel));
    await messaging.send(new CreateChannelMembershipCommand({ ChannelArn, ChimeBearer: ada, MemberArn: bob, Type: 'DEFAULT' }));
    const message = { Type: 'STANDARD', Persistence: 'PERSISTENT', Content: `in ${Name}`, ChimeBearer: bob } as const;
    await messaging.send(new SendChannelMessageCommand({ ChannelArn, ...message }));
    if (Name === 'two') await messaging.send(new UpdateChannelReadMarkerCommand({ ChannelArn, ChimeBearer: ada }));
  }
  const client = await connect(messaging, ada, { prefetch: true });
  const isDetails = ({ type }: { readonly type: string }) => type === 'CHANNEL_DETAILS';
  await client.find(() => client.received.filter(isDetails).length === names.length);
  assert.equal(client.received[0]?.type, 'SESSION_ESTABLISHED');
  const details = client.received.filter(isDetails);
  // Channels with unread messages are before all other channels. Among the unread channels, and among the other
  // channels, the channel with the latest message is first.
  assert.deepEqual(
    details.map(({ payload }) => (payload?.['Channel'] as { readonly Name: string } | undefined)?.Name),
    ['three', 'one', 'two'],
  );
  const [first] = details;
  assert.equal(first?.headers['x-amz-chime-message-type'], 'SYSTEM');
  const { ChannelMessages, ChannelMemberships, ChannelMessagesHasMore } = (first?.payload ?? {}) as Record<
    string,
    readonly Record<string, unknown>[]
  >;
  assert.deepEqual(
    [ChannelMessages?.map(({ Content, Sender }) => [Content, Sender]), ChannelMessagesHasMore],
    [[['in three', { Arn: bob, Name: 'bob' }]], false],
  );
  assert.deepEqual(ChannelMemberships?.map(({ Member }) => (Member as { readonly Arn: string }).Arn).sort(), [ada, bob].sort());
  assert.deepEqual(
    details.map(({ payload }) => 'ReadMarkerTimestamp' in (payload ?? {})),
    [false, false, true],
  );
  client.stop();
});
