/** Errors of operations on channels and their members, in the order of the checks. A failed operation changes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { Store } from '#store/store.ts';
import { ACCOUNT, OTHER_ACCOUNT } from '../kit/fixture.ts';
import { BOT, CHAT, openFixture, userArn } from './fixture.ts';

type Api = ChimeSdkMessagingApi;
const [ada, bert, carl, root, unknown] = (['ada', 'bert', 'carl', 'root', 'unknown'] as const).map(userArn) as [
  string,
  string,
  string,
  string,
  string,
];
const UNKNOWN = `${CHAT}/channel/none`;
const LAMBDA = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:filter`;
/** Returns the processors of a channel flow: one processor, which invokes one Lambda function. */
const processors = (ResourceArn: string) => [
  {
    Name: 'filter',
    ExecutionOrder: 1,
    FallbackAction: 'ABORT' as const,
    Configuration: { Lambda: { ResourceArn, InvocationType: 'ASYNC' as const } },
  },
];
const ELASTIC = { MaximumSubChannels: 2, TargetMembershipsPerSubChannel: 2, MinimumMembershipPercentage: 1 };

/** Returns everything that is stored about channels. */
const stored = (store: Store) =>
  store.transaction(async ({ sql }) => {
    const tables = ['channel', 'channel_membership', 'channel_standing', 'sub_channel', 'channel_message', 'idempotency', 'resource'];
    const rows: unknown[] = [];
    for (const table of tables) rows.push(await sql.rows(`SELECT * FROM ${table}`));
    return rows;
  });

/**
 * Each row has a new channel: `ada` created and moderates it, `bert` is a member, `carl` is banned, and the limit is
 * four members. In an input, `{channel}` is the ARN of this channel, `{elastic}` is the ARN of an elastic channel, and
 * `{flow}` is the ARN of a flow.
 */
// biome-ignore format: a table
const REFUSED: readonly { readonly [Name in keyof Api]: readonly [name: Name, title: string, input: Api[Name]['input'], code: string] }[keyof Api][] = [
  ['CreateChannel',               'an unknown bearer',                       { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't1', ChimeBearer: unknown },                                              'UnauthorizedClientException'],
  ['CreateChannel',               'another app instance',                    { AppInstanceArn: CHAT.replace('b7', 'b8'), Name: 'n', ClientRequestToken: 't2', ChimeBearer: ada },                           'ForbiddenException'],
  ['CreateChannel',               'a reserved tag key',                      { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't3', ChimeBearer: ada, Tags: [{ Key: 'aws:x', Value: '' }] },         'BadRequestException'],
  ['CreateChannel',               'an unknown member',                       { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't4', ChimeBearer: ada, MemberArns: [unknown] },                         'ForbiddenException'],
  ['CreateChannel',               'an unknown moderator',                    { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't5', ChimeBearer: ada, ModeratorArns: [unknown] },                      'ForbiddenException'],
  ['CreateChannel',               'more members than the limit',             { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't6', ChimeBearer: ada, MemberArns: [bert, carl, root, BOT] },          'ResourceLimitExceededException'],
  ['CreateChannel',               'an elastic one that is UNRESTRICTED',     { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't7', ChimeBearer: ada, Mode: 'UNRESTRICTED', ElasticChannelConfiguration: ELASTIC }, 'BadRequestException'],
  ['CreateChannel',               'an elastic one with members',             { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't8', ChimeBearer: ada, MemberArns: [bert], ElasticChannelConfiguration: ELASTIC },   'BadRequestException'],
  ['CreateChannel',               'a used token with other parameters',      { AppInstanceArn: CHAT, Name: 'other', ClientRequestToken: 'token-1', ChimeBearer: ada },                                       'ConflictException'],
  ['CreateChannel',               'an ID in use',                            { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't9', ChimeBearer: ada, ChannelId: 'taken' },                           'ConflictException'],
  ['UpdateChannel',               'by a member',                             { ChannelArn: '{channel}', Name: 'n', ChimeBearer: bert },                                                                       'ForbiddenException'],
  ['UpdateChannel',               'an elastic one to UNRESTRICTED',          { ChannelArn: '{elastic}', Mode: 'UNRESTRICTED', ChimeBearer: ada },                                                             'BadRequestException'],
  ['DeleteChannel',               'by a member',                             { ChannelArn: '{channel}', ChimeBearer: bert },                                                                                  'ForbiddenException'],
  ['SearchChannels',              'an unknown user',                         { ChimeBearer: ada, Fields: [{ Key: 'MEMBERS', Operator: 'INCLUDES', Values: [unknown] }] },                                      'ForbiddenException'],
  ['PutChannelExpirationSettings', 'by a member',                            { ChannelArn: '{channel}', ChimeBearer: bert },                                                                                  'ForbiddenException'],
  ['CreateChannelMembership',     'an unknown bearer',                       { ChannelArn: UNKNOWN, ChimeBearer: unknown, MemberArn: unknown, Type: 'DEFAULT' },                                                'UnauthorizedClientException'],
  ['CreateChannelMembership',     'an unknown channel',                      { ChannelArn: UNKNOWN, ChimeBearer: ada, MemberArn: unknown, Type: 'DEFAULT' },                                                   'NotFoundException'],
  ['CreateChannelMembership',     'by a member of a RESTRICTED channel',     { ChannelArn: '{channel}', ChimeBearer: bert, MemberArn: unknown, Type: 'DEFAULT' },                                              'ForbiddenException'],
  ['CreateChannelMembership',     'an unknown user',                         { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: unknown, Type: 'DEFAULT' },                                               'ForbiddenException'],
  ['CreateChannelMembership',     'a banned user',                           { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: carl, Type: 'DEFAULT' },                                                 'ForbiddenException'],
  ['CreateChannelMembership',     'a sub-channel of a plain channel',        { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: root, Type: 'DEFAULT', SubChannelId: 'sub' },                            'BadRequestException'],
  ['CreateChannelMembership',     'a member of another type',                { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: bert, Type: 'HIDDEN' },                                                  'ConflictException'],
  ['CreateChannelMembership',     'a hidden member of an elastic channel',   { ChannelArn: '{elastic}', ChimeBearer: ada, MemberArn: root, Type: 'HIDDEN' },                                                  'BadRequestException'],
  ['CreateChannelMembership',     'a sub-channel without moderation',        { ChannelArn: '{elastic}', ChimeBearer: ada, MemberArn: root, Type: 'DEFAULT', SubChannelId: 'sub' },                            'BadRequestException'],
  ['DescribeChannelMembership',   'a user who is not a member',              { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: root },                                                                  'NotFoundException'],
  ['ListChannelMemberships',      'an invalid page token',                   { ChannelArn: '{channel}', ChimeBearer: ada, NextToken: 'none' },                                                                'BadRequestException'],
  ['DeleteChannelMembership',     'a user who is not a member',              { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: root },                                                                  'ForbiddenException'],
  ['DeleteChannelMembership',     'another user, by a member',               { ChannelArn: '{channel}', ChimeBearer: bert, MemberArn: ada },                                                                  'ForbiddenException'],
  ['CreateChannelModerator',      'by a member',                             { ChannelArn: '{channel}', ChimeBearer: bert, ChannelModeratorArn: bert },                                                       'ForbiddenException'],
  ['CreateChannelModerator',      'an unknown user',                         { ChannelArn: '{channel}', ChimeBearer: ada, ChannelModeratorArn: unknown },                                                      'ForbiddenException'],
  ['CreateChannelModerator',      'a moderator',                             { ChannelArn: '{channel}', ChimeBearer: ada, ChannelModeratorArn: ada },                                                         'ConflictException'],
  ['DescribeChannelModerator',    'a user who is not a moderator',           { ChannelArn: '{channel}', ChimeBearer: ada, ChannelModeratorArn: bert },                                                        'NotFoundException'],
  ['DeleteChannelModerator',      'by a member',                             { ChannelArn: '{channel}', ChimeBearer: bert, ChannelModeratorArn: ada },                                                        'ForbiddenException'],
  ['CreateChannelBan',            'an unknown user',                         { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: unknown },                                                                'ForbiddenException'],
  ['CreateChannelBan',            'a banned user',                           { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: carl },                                                                  'ConflictException'],
  ['DescribeChannelBan',          'a user who is not banned',                { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: bert },                                                                  'NotFoundException'],
  ['DeleteChannelBan',            'by a member',                             { ChannelArn: '{channel}', ChimeBearer: bert, MemberArn: carl },                                                                 'ForbiddenException'],
  ['ListSubChannels',             'of a channel that is not elastic',        { ChannelArn: '{channel}', ChimeBearer: ada },                                                                                   'BadRequestException'],
  ['SendChannelMessage',          'a target who is not a member',            { ChannelArn: '{channel}', ChimeBearer: ada, Content: 'c', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 's1', Target: [{ MemberArn: root }] }, 'ForbiddenException'],
  ['SendChannelMessage',          'an elastic channel without sub-channel',  { ChannelArn: '{elastic}', ChimeBearer: ada, Content: 'c', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 's2' },                             'ForbiddenException'],
  ['GetChannelMessage',           'an unknown message',                      { ChannelArn: '{channel}', ChimeBearer: ada, MessageId: 'none' },                                                                'NotFoundException'],
  ['DeleteChannelMessage',        'an unknown message',                      { ChannelArn: '{channel}', ChimeBearer: root, MessageId: 'none' },                                                               'ForbiddenException'],
  ['CreateChannelFlow',           'a function of another region',            { AppInstanceArn: CHAT, Name: 'f', ClientRequestToken: 'f1', Processors: processors(LAMBDA.replace('us-east-1', 'eu-west-1')) },            'BadRequestException'],
  ['CreateChannelFlow',           'a function of another account',           { AppInstanceArn: CHAT, Name: 'f', ClientRequestToken: 'f2', Processors: processors(LAMBDA.replace(ACCOUNT, OTHER_ACCOUNT)) },              'BadRequestException'],
  ['UpdateChannelFlow',           'a function of another region',            { ChannelFlowArn: '{flow}', Name: 'f', Processors: processors(LAMBDA.replace('us-east-1', 'eu-west-1')) },                                 'BadRequestException'],
  ['ChannelFlowCallback',         'a message that does not wait',            { CallbackId: 'c', ChannelArn: '{channel}', ChannelMessage: { MessageId: 'm' } },                                                           'ForbiddenException'],
  ['AssociateChannelFlow',        'an unknown flow',                         { ChannelArn: '{channel}', ChimeBearer: ada, ChannelFlowArn: `${CHAT}/channel-flow/none` },                                      'NotFoundException'],
  ['TagResource',                 'an unknown resource',                     { ResourceARN: UNKNOWN, Tags: [{ Key: 'k', Value: 'v' }] },                                                                      'ForbiddenException'],
  ['TagResource',                 'more tags than the limit',                { ResourceARN: '{channel}', Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })) },                         'ResourceLimitExceededException'],
];

for (const [name, title, input, code] of REFUSED) {
  test(`${name}: ${title} is ${code}, and nothing changes`, async () => {
    const { store, run, channel } = await openFixture({ membershipsOfChannel: 4 });
    const channelArn = await channel([bert], { ChannelId: 'taken' });
    await run('CreateChannelBan', { ChannelArn: channelArn, ChimeBearer: ada, MemberArn: carl });
    const elastic = await channel([], { ElasticChannelConfiguration: ELASTIC });
    const flow = await run('CreateChannelFlow', {
      AppInstanceArn: CHAT,
      Name: 'f',
      ClientRequestToken: 'f',
      Processors: processors(LAMBDA),
    });
    const before = await stored(store);
    const places = { '{channel}': channelArn, '{elastic}': elastic, '{flow}': flow.ChannelFlowArn as string };
    const text = Object.entries(places).reduce((now, [name, arn]) => now.replaceAll(name, arn), JSON.stringify(input));
    const filled = JSON.parse(text) as never;
    await assert.rejects(run(name, filled), { code });
    assert.deepEqual(await stored(store), before);
  });
}

// Source: aws/amazon-chime-sdk-js issue 1148 has the error message.
test("CreateChannelMembership: the error for an unknown user or bot has AWS's message", async () => {
  const { run, channel } = await openFixture();
  const ChannelArn = await channel();
  for (const MemberArn of [unknown, `${BOT}s`, `${CHAT}/channel/none`]) {
    await assert.rejects(run('CreateChannelMembership', { ChannelArn, ChimeBearer: ada, MemberArn, Type: 'DEFAULT' }), {
      code: 'ForbiddenException',
      message: 'An invalid app instance user ARN was supplied for the input parameter.',
    });
  }
});

test('BatchCreateChannelMembership: lists users that cannot be added, and adds the others', async () => {
  const { emitted, run, channel } = await openFixture();
  const ChannelArn = await channel([bert]);
  const { Errors, BatchChannelMemberships } = await run('BatchCreateChannelMembership', {
    ChannelArn,
    ChimeBearer: ada,
    MemberArns: [bert, unknown, carl, BOT],
  });
  assert.deepEqual(
    Errors?.map(({ MemberArn, ErrorCode }) => [MemberArn, ErrorCode]),
    [
      [bert, 'Conflict'],
      [unknown, 'Forbidden'],
    ],
  );
  assert.deepEqual(
    BatchChannelMemberships?.Members?.map(({ Arn }) => Arn),
    [carl, BOT],
  );
  assert.equal(emitted.at(-1)?.type, 'BATCH_CREATE_CHANNEL_MEMBERSHIP');
});

// Source: API reference, CreateChannelFlow: only STANDARD messages pass through a flow.
test('CONTROL messages: a CONTROL message does not pass through a flow', async () => {
  const { emitted, run, channel } = await openFixture();
  const ChannelArn = await channel();
  const flow = { AppInstanceArn: CHAT, Name: 'f', ClientRequestToken: 'f', Processors: processors(LAMBDA) };
  const { ChannelFlowArn = '' } = await run('CreateChannelFlow', flow);
  await run('AssociateChannelFlow', { ChannelArn, ChannelFlowArn, ChimeBearer: ada });
  const send = async (Type: 'STANDARD' | 'CONTROL') => {
    const message = { Content: 'c', Type, Persistence: 'PERSISTENT', ClientRequestToken: Type } as const;
    return run('SendChannelMessage', { ChannelArn, ChimeBearer: ada, ...message });
  };
  assert.equal((await send('STANDARD')).Status?.Value, 'PENDING');
  const { MessageId = '', Status } = await send('CONTROL');
  assert.deepEqual(Status, { Value: 'SENT' });
  const changed = await run('UpdateChannelMessage', { ChannelArn, MessageId, Content: 'd', ChimeBearer: ada });
  assert.deepEqual(changed.Status, { Value: 'SENT' });
  assert.deepEqual(
    emitted.slice(-3).map(({ type }) => type),
    ['PENDING_CREATE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE', 'UPDATE_CHANNEL_MESSAGE'],
  );
});

test('Channels: operations emit their events in the order of the calls', async () => {
  const { emitted, run, channel, send } = await openFixture();
  const ChannelArn = await channel([bert]);
  const MessageId = await send(ChannelArn, 'hello');
  await run('RedactChannelMessage', { ChannelArn, MessageId, ChimeBearer: ada });
  await run('DeleteChannelMessage', { ChannelArn, MessageId, ChimeBearer: root });
  await run('DeleteChannelMembership', { ChannelArn, MemberArn: bert, ChimeBearer: bert });
  await run('DeleteChannel', { ChannelArn, ChimeBearer: ada });
  assert.deepEqual(
    emitted.map(({ type }) => type),
    [
      'CREATE_CHANNEL',
      'CREATE_CHANNEL_MODERATOR',
      'CREATE_CHANNEL_MEMBERSHIP',
      'CREATE_CHANNEL_MEMBERSHIP',
      'CREATE_CHANNEL_MESSAGE',
      'REDACT_CHANNEL_MESSAGE',
      'DELETE_CHANNEL_MESSAGE',
      'DELETE_CHANNEL_MEMBERSHIP',
      'DELETE_CHANNEL',
    ],
  );
});
