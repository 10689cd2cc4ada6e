/** What the operations on channels and on who is in them refuse, in the order in which they look, and that nothing changes then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { Store } from '#store/store.ts';
import { BOT, CHAT, openFixture, userArn } from './fixture.ts';

type Api = ChimeSdkMessagingApi;
const [ada, bert, carl, root, nobody] = (['ada', 'bert', 'carl', 'root', 'nobody'] as const).map(userArn) as [
  string,
  string,
  string,
  string,
  string,
];
const UNKNOWN = `${CHAT}/channel/none`;
const ELASTIC = { MaximumSubChannels: 2, TargetMembershipsPerSubChannel: 2, MinimumMembershipPercentage: 1 };

/** Everything that is kept of channels. */
const kept = (store: Store) =>
  store.transaction(async ({ sql }) => {
    const tables = ['channel', 'channel_membership', 'channel_standing', 'sub_channel', 'channel_message', 'idempotency'];
    const rows: unknown[] = [];
    for (const table of tables) rows.push(await sql.rows(`SELECT * FROM ${table}`));
    return rows;
  });

/**
 * The channel of each row: made by `ada`, who moderates it; `bert` is a member, `carl` is banned, and four members are all that there
 * may be. `{channel}` in an input is its ARN, `{elastic}` that of one with sub-channels.
 */
// biome-ignore format: a table
const REFUSED: readonly { readonly [Name in keyof Api]: readonly [name: Name, title: string, input: Api[Name]['input'], code: string] }[keyof Api][] = [
  ['CreateChannel',               'a bearer who is nobody',                  { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't1', ChimeBearer: nobody },                                              'UnauthorizedClientException'],
  ['CreateChannel',               'another app instance',                    { AppInstanceArn: CHAT.replace('b7', 'b8'), Name: 'n', ClientRequestToken: 't2', ChimeBearer: ada },                           'ForbiddenException'],
  ['CreateChannel',               'a tag that is reserved',                  { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't3', ChimeBearer: ada, Tags: [{ Key: 'aws:x', Value: '' }] },         'BadRequestException'],
  ['CreateChannel',               'a member who is nobody',                  { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't4', ChimeBearer: ada, MemberArns: [nobody] },                         'ForbiddenException'],
  ['CreateChannel',               'a moderator who is nobody',               { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't5', ChimeBearer: ada, ModeratorArns: [nobody] },                      'ForbiddenException'],
  ['CreateChannel',               'more members than there may be',          { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't6', ChimeBearer: ada, MemberArns: [bert, carl, root, BOT] },          'ResourceLimitExceededException'],
  ['CreateChannel',               'an elastic one that is UNRESTRICTED',     { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't7', ChimeBearer: ada, Mode: 'UNRESTRICTED', ElasticChannelConfiguration: ELASTIC }, 'BadRequestException'],
  ['CreateChannel',               'an elastic one with members',             { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't8', ChimeBearer: ada, MemberArns: [bert], ElasticChannelConfiguration: ELASTIC },   'BadRequestException'],
  ['CreateChannel',               'another request by the same token',       { AppInstanceArn: CHAT, Name: 'other', ClientRequestToken: 'token-1', ChimeBearer: ada },                                       'ConflictException'],
  ['CreateChannel',               'an id that is taken',                     { AppInstanceArn: CHAT, Name: 'n', ClientRequestToken: 't9', ChimeBearer: ada, ChannelId: 'taken' },                           'ConflictException'],
  ['UpdateChannel',               'by a member',                             { ChannelArn: '{channel}', Name: 'n', ChimeBearer: bert },                                                                       'ForbiddenException'],
  ['UpdateChannel',               'an elastic one to UNRESTRICTED',          { ChannelArn: '{elastic}', Mode: 'UNRESTRICTED', ChimeBearer: ada },                                                             'BadRequestException'],
  ['DeleteChannel',               'by a member',                             { ChannelArn: '{channel}', ChimeBearer: bert },                                                                                  'ForbiddenException'],
  ['SearchChannels',              'who is nobody',                           { ChimeBearer: ada, Fields: [{ Key: 'MEMBERS', Operator: 'INCLUDES', Values: [nobody] }] },                                      'ForbiddenException'],
  ['PutChannelExpirationSettings', 'by a member',                            { ChannelArn: '{channel}', ChimeBearer: bert },                                                                                  'ForbiddenException'],
  ['CreateChannelMembership',     'a bearer who is nobody',                  { ChannelArn: UNKNOWN, ChimeBearer: nobody, MemberArn: nobody, Type: 'DEFAULT' },                                                'UnauthorizedClientException'],
  ['CreateChannelMembership',     'no such channel',                         { ChannelArn: UNKNOWN, ChimeBearer: ada, MemberArn: nobody, Type: 'DEFAULT' },                                                   'NotFoundException'],
  ['CreateChannelMembership',     'by a member of a RESTRICTED channel',     { ChannelArn: '{channel}', ChimeBearer: bert, MemberArn: nobody, Type: 'DEFAULT' },                                              'ForbiddenException'],
  ['CreateChannelMembership',     'who is nobody',                           { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: nobody, Type: 'DEFAULT' },                                               'ForbiddenException'],
  ['CreateChannelMembership',     'who is banned',                           { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: carl, Type: 'DEFAULT' },                                                 'ForbiddenException'],
  ['CreateChannelMembership',     'a sub-channel where there are none',      { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: root, Type: 'DEFAULT', SubChannelId: 'sub' },                            'BadRequestException'],
  ['CreateChannelMembership',     'who is a member, by another type',        { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: bert, Type: 'HIDDEN' },                                                  'ConflictException'],
  ['CreateChannelMembership',     'a hidden member of an elastic channel',   { ChannelArn: '{elastic}', ChimeBearer: ada, MemberArn: root, Type: 'HIDDEN' },                                                  'BadRequestException'],
  ['CreateChannelMembership',     'a sub-channel for who is no moderator',   { ChannelArn: '{elastic}', ChimeBearer: ada, MemberArn: root, Type: 'DEFAULT', SubChannelId: 'sub' },                            'BadRequestException'],
  ['DescribeChannelMembership',   'who is no member',                        { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: root },                                                                  'NotFoundException'],
  ['ListChannelMemberships',      'a token of nobody',                       { ChannelArn: '{channel}', ChimeBearer: ada, NextToken: 'none' },                                                                'BadRequestException'],
  ['DeleteChannelMembership',     'who is no member',                        { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: root },                                                                  'ForbiddenException'],
  ['DeleteChannelMembership',     'another by a member',                     { ChannelArn: '{channel}', ChimeBearer: bert, MemberArn: ada },                                                                  'ForbiddenException'],
  ['CreateChannelModerator',      'by a member',                             { ChannelArn: '{channel}', ChimeBearer: bert, ChannelModeratorArn: bert },                                                       'ForbiddenException'],
  ['CreateChannelModerator',      'who is nobody',                           { ChannelArn: '{channel}', ChimeBearer: ada, ChannelModeratorArn: nobody },                                                      'ForbiddenException'],
  ['CreateChannelModerator',      'who is one already',                      { ChannelArn: '{channel}', ChimeBearer: ada, ChannelModeratorArn: ada },                                                         'ConflictException'],
  ['DescribeChannelModerator',    'who is none',                             { ChannelArn: '{channel}', ChimeBearer: ada, ChannelModeratorArn: bert },                                                        'NotFoundException'],
  ['DeleteChannelModerator',      'by a member',                             { ChannelArn: '{channel}', ChimeBearer: bert, ChannelModeratorArn: ada },                                                        'ForbiddenException'],
  ['CreateChannelBan',            'who is nobody',                           { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: nobody },                                                                'ForbiddenException'],
  ['CreateChannelBan',            'who is banned already',                   { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: carl },                                                                  'ConflictException'],
  ['DescribeChannelBan',          'who is not banned',                       { ChannelArn: '{channel}', ChimeBearer: ada, MemberArn: bert },                                                                  'NotFoundException'],
  ['DeleteChannelBan',            'by a member',                             { ChannelArn: '{channel}', ChimeBearer: bert, MemberArn: carl },                                                                 'ForbiddenException'],
  ['ListSubChannels',             'of a channel that is not elastic',        { ChannelArn: '{channel}', ChimeBearer: ada },                                                                                   'BadRequestException'],
  ['SendChannelMessage',          'a target who is no member',               { ChannelArn: '{channel}', ChimeBearer: ada, Content: 'c', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 's1', Target: [{ MemberArn: root }] }, 'ForbiddenException'],
  ['SendChannelMessage',          'an elastic channel without sub-channel',  { ChannelArn: '{elastic}', ChimeBearer: root, Content: 'c', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 's2' },                             'ForbiddenException'],
  ['GetChannelMessage',           'one that is not there',                   { ChannelArn: '{channel}', ChimeBearer: ada, MessageId: 'none' },                                                                'NotFoundException'],
  ['DeleteChannelMessage',        'one that is not there',                   { ChannelArn: '{channel}', ChimeBearer: root, MessageId: 'none' },                                                               'ForbiddenException'],
  ['AssociateChannelFlow',        'one that is not there',                   { ChannelArn: '{channel}', ChimeBearer: ada, ChannelFlowArn: `${CHAT}/channel-flow/none` },                                      'NotFoundException'],
  ['TagResource',                 'what is not there',                       { ResourceARN: UNKNOWN, Tags: [{ Key: 'k', Value: 'v' }] },                                                                      'ForbiddenException'],
  ['TagResource',                 'more tags than there may be',             { ResourceARN: '{channel}', Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })) },                         'ResourceLimitExceededException'],
];

for (const [name, title, input, code] of REFUSED) {
  test(`${name}: ${title} is ${code}, and nothing changes`, async () => {
    const { store, run, channel } = await openFixture({ membershipsOfChannel: 4 });
    const made = await channel([bert], { ChannelId: 'taken' });
    await run('CreateChannelBan', { ChannelArn: made, ChimeBearer: ada, MemberArn: carl });
    const elastic = await channel([], { ElasticChannelConfiguration: ELASTIC });
    const before = await kept(store);
    const spelt = JSON.parse(JSON.stringify(input).replaceAll('{channel}', made).replaceAll('{elastic}', elastic)) as never;
    await assert.rejects(run(name, spelt), { code });
    assert.deepEqual(await kept(store), before);
  });
}

test('BatchCreateChannelMembership: who cannot be added is told apart, and the others are in', async () => {
  const { emitted, run, channel } = await openFixture();
  const ChannelArn = await channel([bert]);
  const { Errors, BatchChannelMemberships } = await run('BatchCreateChannelMembership', {
    ChannelArn,
    ChimeBearer: ada,
    MemberArns: [bert, nobody, carl, BOT],
  });
  assert.deepEqual(
    Errors?.map(({ MemberArn, ErrorCode }) => [MemberArn, ErrorCode]),
    [
      [bert, 'Conflict'],
      [nobody, 'Forbidden'],
    ],
  );
  assert.deepEqual(
    BatchChannelMemberships?.Members?.map(({ Arn }) => Arn),
    [carl, BOT],
  );
  assert.equal(emitted.at(-1)?.type, 'BATCH_CREATE_CHANNEL_MEMBERSHIP');
});

test('Channels: what is done to them is told in the order in which it is done', async () => {
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
