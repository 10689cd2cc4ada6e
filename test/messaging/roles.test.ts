/** Authorization in channels: first IAM for the bearer and the channel, then the bearer's role in the channel. Uses unmodified clients. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { CreateAppInstanceAdminCommand } from '@aws-sdk/client-chime-sdk-identity';
import {
  CreateChannelBanCommand,
  CreateChannelCommand,
  CreateChannelMembershipCommand,
  CreateChannelModeratorCommand,
  DeleteChannelMessageCommand,
  DescribeChannelCommand,
  ListChannelMessagesCommand,
  ListChannelsCommand,
  RedactChannelMessageCommand,
  SendChannelMessageCommand,
  UpdateChannelMessageCommand,
} from '@aws-sdk/client-chime-sdk-messaging';
import { startChat } from '../kit/chat.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow, trust } from '../kit/policy.ts';

const chat = await startChat();
const messaging = chat.messaging();
const [ada, bert, carl, dora, root] = (await Promise.all(['ada', 'bert', 'carl', 'dora', 'root'].map(chat.appUser))) as [
  string,
  string,
  string,
  string,
  string,
];
let open = '';
let closed = '';
let message = '';

/** Creates a channel with the moderator `ada` and the member `bert`. `carl` is not a member of any channel. */
async function newChannel(name: string, more: object = {}): Promise<string> {
  const { ChannelArn = '' } = await messaging.send(
    new CreateChannelCommand({ AppInstanceArn: chat.chat, Name: name, ChimeBearer: ada, MemberArns: [bert], ...more }),
  );
  return ChannelArn;
}
const send = (ChannelArn: string, ChimeBearer: string, client = messaging) =>
  client.send(new SendChannelMessageCommand({ ChannelArn, ChimeBearer, Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT' }));
/** Returns the name and the status of the error with which a call fails. */
const refused = async (sent: Promise<unknown>) => {
  const { name, status } = await refusalOf(sent);
  return [name, status];
};

before(async () => {
  await chat.identity.send(new CreateAppInstanceAdminCommand({ AppInstanceArn: chat.chat, AppInstanceAdminArn: root }));
  open = await newChannel('open', { Mode: 'UNRESTRICTED', Privacy: 'PUBLIC' });
  closed = await newChannel('closed');
  ({ MessageId: message = '' } = await send(closed, bert));
});

test('CHM-4: a call requires permission for bearer and channel, and a denial names the denied resource', async () => {
  const users = await chat.user('users', allow('chime:SendChannelMessage', `${chat.chat}/user/*`));
  const channels = await chat.user('channels', allow('chime:SendChannelMessage', `${chat.chat}/channel/*`));
  for (const [keys, missing] of [
    [users, closed],
    [channels, bert],
  ] as const) {
    const { name, message: text } = await refusalOf(send(closed, bert, chat.messaging(keys)));
    assert.equal(name, 'AccessDeniedException');
    assert.ok(text.includes(`chime:SendChannelMessage on resource: ${missing} because no identity-based policy`), text);
  }
});

test('CHM-5: an unknown bearer is 401 even if IAM allows the call, and an unknown user in the input is 403', async () => {
  const unknown = `${chat.chat}/user/nobody`;
  const { name, status, message: text } = await refusalOf(send(closed, unknown));
  assert.deepEqual(
    [name, status, text],
    ['UnauthorizedClientException', 401, 'An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.'],
  );
  const add = new CreateChannelMembershipCommand({ ChannelArn: closed, MemberArn: unknown, Type: 'DEFAULT', ChimeBearer: ada });
  assert.deepEqual(await refused(messaging.send(add)), ['ForbiddenException', 403]);
});

// biome-ignore format: a table
const RIGHTS: readonly (readonly [title: string, sent: () => Promise<unknown>, outcome: 'done' | 'refused'])[] = [
  ['a member of a RESTRICTED channel cannot add members',   () => add(closed, bert, carl),                      'refused'],
  ['a member of an UNRESTRICTED channel can add members',   () => add(open, bert, carl),                        'done'],
  ['a non-member cannot send messages',                     () => send(closed, carl),                           'refused'],
  ['a non-member cannot see a private channel',             () => describe(closed, carl),                       'refused'],
  ['every user can see a public channel',                   () => describe(open, dora),                         'done'],
  ['an administrator can see every channel',                () => describe(closed, root),                       'done'],
  ['an administrator who is not a member cannot send',      () => send(closed, root),                           'refused'],
  ['a member can read messages',                            () => list(closed, bert),                           'done'],
  ['a user cannot update a message of another user',        () => update(closed, ada),                          'refused'],
  ['a member can update their own message',                 () => update(closed, bert),                         'done'],
  ['a moderator cannot delete a message',                   () => remove(closed, ada),                          'refused'],
  ['a moderator can redact a message',                      () => redact(closed, ada),                          'done'],
  ['a member cannot ban users',                             () => ban(closed, bert, carl),                      'refused'],
  ['a moderator can ban users',                             () => ban(closed, ada, carl),                       'done'],
  ['a banned user cannot be added',                         () => add(closed, ada, carl),                       'refused'],
  ['an administrator can create moderators',                () => moderate(closed, root, bert),                 'done'],
  ['an administrator can delete a message',                 () => remove(closed, root),                         'done'],
  ['a user cannot list private channels',                   () => channels(ada, 'PRIVATE'),                     'refused'],
  ['an administrator can list private channels',            () => channels(root, 'PRIVATE'),                    'done'],
];

const add = (ChannelArn: string, ChimeBearer: string, MemberArn: string) =>
  messaging.send(new CreateChannelMembershipCommand({ ChannelArn, ChimeBearer, MemberArn, Type: 'DEFAULT' }));
const describe = (ChannelArn: string, ChimeBearer: string) => messaging.send(new DescribeChannelCommand({ ChannelArn, ChimeBearer }));
const list = (ChannelArn: string, ChimeBearer: string) => messaging.send(new ListChannelMessagesCommand({ ChannelArn, ChimeBearer }));
const update = (ChannelArn: string, ChimeBearer: string) =>
  messaging.send(new UpdateChannelMessageCommand({ ChannelArn, ChimeBearer, MessageId: message, Content: 'changed' }));
const remove = (ChannelArn: string, ChimeBearer: string) =>
  messaging.send(new DeleteChannelMessageCommand({ ChannelArn, ChimeBearer, MessageId: message }));
const redact = (ChannelArn: string, ChimeBearer: string) =>
  messaging.send(new RedactChannelMessageCommand({ ChannelArn, ChimeBearer, MessageId: message }));
const ban = (ChannelArn: string, ChimeBearer: string, MemberArn: string) =>
  messaging.send(new CreateChannelBanCommand({ ChannelArn, ChimeBearer, MemberArn }));
const moderate = (ChannelArn: string, ChimeBearer: string, ChannelModeratorArn: string) =>
  messaging.send(new CreateChannelModeratorCommand({ ChannelArn, ChimeBearer, ChannelModeratorArn }));
const channels = (ChimeBearer: string, Privacy: 'PRIVATE') =>
  messaging.send(new ListChannelsCommand({ AppInstanceArn: chat.chat, ChimeBearer, Privacy }));

for (const [title, sent, outcome] of RIGHTS) {
  test(`CHM-6: ${title}`, async () => {
    if (outcome === 'done') await sent();
    else assert.deepEqual(await refused(sent()), ['ForbiddenException', 403]);
  });
}

test('CHM-8: with a session tag in the policy, each role session can act only as its own app instance user', async () => {
  const maker = await chat.user('maker', allow(['sts:AssumeRole', 'sts:TagSession']));
  const role = await chat.role(
    'Chat',
    trust(chat.userArn('maker'), ['sts:AssumeRole', 'sts:TagSession']),
    allow('chime:*', [`${chat.chat}/user/\${aws:PrincipalTag/uid}`, `${chat.chat}/channel/*`]),
  );
  const asAda = chat.messaging(await chat.assume(maker, role, { Tags: [{ Key: 'uid', Value: 'ada' }] }));
  await send(closed, ada, asAda);
  const { name, message: text } = await refusalOf(send(closed, bert, asAda));
  assert.equal(name, 'AccessDeniedException');
  assert.ok(text.includes(`on resource: ${bert} `), text);
});
