/** Who may do what in channels: IAM first, for the bearer and for the channel, and then the bearer's role. By unmodified clients. */
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
import { allow, trust } from '../guide/rig.ts';
import { startChat } from '../messaging-sessions/rig.ts';
import { refusalOf } from '../sdk/policy.ts';

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

/** The channel of `ada`, who moderates it, and its member `bert`; `carl` is in none. */
async function newChannel(name: string, more: object = {}): Promise<string> {
  const { ChannelArn = '' } = await messaging.send(
    new CreateChannelCommand({ AppInstanceArn: chat.chat, Name: name, ChimeBearer: ada, MemberArns: [bert], ...more }),
  );
  return ChannelArn;
}
const send = (ChannelArn: string, ChimeBearer: string, client = messaging) =>
  client.send(new SendChannelMessageCommand({ ChannelArn, ChimeBearer, Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT' }));
/** Name and status of a refusal. */
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

test('CHM-4: the bearer and the channel are both asked for, and a refusal names the one that is not allowed', async () => {
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

test('CHM-5: a bearer who is nobody is 401, whatever IAM allows; somebody in the input who is nobody is 403', async () => {
  const nobody = `${chat.chat}/user/nobody`;
  const { name, status, message: text } = await refusalOf(send(closed, nobody));
  assert.deepEqual(
    [name, status, text],
    ['UnauthorizedClientException', 401, 'An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.'],
  );
  const add = new CreateChannelMembershipCommand({ ChannelArn: closed, MemberArn: nobody, Type: 'DEFAULT', ChimeBearer: ada });
  assert.deepEqual(await refused(messaging.send(add)), ['ForbiddenException', 403]);
});

// biome-ignore format: a table
const RIGHTS: readonly (readonly [title: string, sent: () => Promise<unknown>, outcome: 'done' | 'refused'])[] = [
  ['a member of a RESTRICTED channel adds nobody',          () => add(closed, bert, carl),                      'refused'],
  ['a member of an UNRESTRICTED channel adds others',       () => add(open, bert, carl),                        'done'],
  ['who is in no channel sends nothing to it',              () => send(closed, carl),                           'refused'],
  ['who is in no private channel does not see it',          () => describe(closed, carl),                       'refused'],
  ['everybody sees a public channel',                       () => describe(open, dora),                         'done'],
  ['an administrator sees every channel',                   () => describe(closed, root),                       'done'],
  ['an administrator sends only where he is a member',      () => send(closed, root),                           'refused'],
  ['a member reads its messages',                           () => list(closed, bert),                           'done'],
  ['a member changes no message of another',                () => update(closed, ada),                          'refused'],
  ['a member changes his own message',                      () => update(closed, bert),                         'done'],
  ['a moderator deletes no message',                        () => remove(closed, ada),                          'refused'],
  ['a moderator redacts a message',                         () => redact(closed, ada),                          'done'],
  ['a member bans nobody',                                  () => ban(closed, bert, carl),                      'refused'],
  ['a moderator bans',                                      () => ban(closed, ada, carl),                       'done'],
  ['who is banned is not added',                            () => add(closed, ada, carl),                       'refused'],
  ['an administrator makes moderators',                     () => moderate(closed, root, bert),                 'done'],
  ['an administrator deletes a message',                    () => remove(closed, root),                         'done'],
  ['who is no administrator lists no private channels',     () => channels(ada, 'PRIVATE'),                     'refused'],
  ['an administrator lists private channels',               () => channels(root, 'PRIVATE'),                    'done'],
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

test('CHM-8: a policy with a session tag gives each session exactly its own user', async () => {
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
