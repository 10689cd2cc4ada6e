/** Hidden members of channels. Only moderators and app instance admins can add, list and remove hidden members. Uses unmodified clients. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { CreateAppInstanceAdminCommand } from '@aws-sdk/client-chime-sdk-identity';
import {
  BatchCreateChannelMembershipCommand,
  CreateChannelBanCommand,
  CreateChannelCommand,
  CreateChannelMembershipCommand,
  DeleteChannelMembershipCommand,
  DescribeChannelMembershipCommand,
  ListChannelMembershipsCommand,
  SearchChannelsCommand,
  SendChannelMessageCommand,
} from '@aws-sdk/client-chime-sdk-messaging';
import { startChat } from '../kit/chat.ts';
import { refusalOf } from '../kit/outcome.ts';
import { connect } from '../messaging-sessions/client.ts';

const chat = await startChat();
const messaging = chat.messaging();
const [moderator, member, outsider, admin, hidden, second, banned] = (await Promise.all(
  ['moderator', 'member', 'outsider', 'admin', 'hidden', 'second', 'banned'].map(chat.appUser),
)) as [string, string, string, string, string, string, string];
let open = '';

type Send = (ChannelArn: string, ChimeBearer: string) => Promise<unknown>;
const named = (MemberArn: string) => ({ ChannelArn: open, MemberArn });

before(async () => {
  await chat.identity.send(new CreateAppInstanceAdminCommand({ AppInstanceArn: chat.chat, AppInstanceAdminArn: admin }));
  // In an UNRESTRICTED channel, a member may add and remove other members. So a denial is due to the membership type HIDDEN.
  ({ ChannelArn: open = '' } = await messaging.send(
    new CreateChannelCommand({
      AppInstanceArn: chat.chat,
      Name: 'open',
      ChimeBearer: moderator,
      MemberArns: [member],
      Mode: 'UNRESTRICTED',
      Privacy: 'PUBLIC',
    }),
  ));
  await messaging.send(new CreateChannelMembershipCommand({ ...named(hidden), Type: 'HIDDEN', ChimeBearer: moderator }));
});

const create: Send = (ChannelArn, ChimeBearer) =>
  messaging.send(new CreateChannelMembershipCommand({ ChannelArn, MemberArn: second, Type: 'HIDDEN', ChimeBearer }));
const batch: Send = (ChannelArn, ChimeBearer) =>
  messaging.send(new BatchCreateChannelMembershipCommand({ ChannelArn, MemberArns: [second], Type: 'HIDDEN', ChimeBearer }));
const list: Send = (ChannelArn, ChimeBearer) =>
  messaging.send(new ListChannelMembershipsCommand({ ChannelArn, Type: 'HIDDEN', ChimeBearer }));
const describe: Send = (ChannelArn, ChimeBearer) =>
  messaging.send(new DescribeChannelMembershipCommand({ ChannelArn, MemberArn: hidden, ChimeBearer }));
const remove: Send = (ChannelArn, ChimeBearer) =>
  messaging.send(new DeleteChannelMembershipCommand({ ChannelArn, MemberArn: hidden, ChimeBearer }));
const target: Send = (ChannelArn, ChimeBearer) =>
  messaging.send(
    new SendChannelMessageCommand({
      ChannelArn,
      ChimeBearer,
      Content: 'psst',
      Type: 'STANDARD',
      Persistence: 'PERSISTENT',
      Target: [{ MemberArn: hidden }],
    }),
  );

// biome-ignore format: a table
const REFUSED: readonly [operation: string, send: Send, bearer: string, code: string][] = [
  // Operation (in an UNRESTRICTED and PUBLIC channel), command, bearer, result.
  ['CreateChannelMembership, HIDDEN',      create,   member,   'ForbiddenException'],
  ['CreateChannelMembership, HIDDEN',      create,   outsider, 'ForbiddenException'],
  ['BatchCreateChannelMembership, HIDDEN', batch,    member,   'ForbiddenException'],
  ['ListChannelMemberships, HIDDEN',       list,     member,   'ForbiddenException'],
  ['ListChannelMemberships, HIDDEN',       list,     outsider, 'ForbiddenException'],
  ['ListChannelMemberships, HIDDEN',       list,     hidden,   'ForbiddenException'],
  ['DescribeChannelMembership',            describe, member,   'NotFoundException'],
  ['DescribeChannelMembership',            describe, outsider, 'NotFoundException'],
  ['DeleteChannelMembership',              remove,   member,   'ForbiddenException'],
  ['SendChannelMessage, Target',           target,   member,   'ForbiddenException'],
];

for (const [operation, send, bearer, code] of REFUSED) {
  const by = bearer.split('/').at(-1);
  test(`Hidden members: ${operation} of a hidden member by '${by}' is ${code}`, async () => {
    assert.equal((await refusalOf(send(open, bearer))).name, code);
    // Afterwards the channel still has exactly one hidden member.
    const { ChannelMemberships = [] } = await messaging.send(
      new ListChannelMembershipsCommand({ ChannelArn: open, Type: 'HIDDEN', ChimeBearer: moderator }),
    );
    assert.deepEqual(
      ChannelMemberships.map(({ Member }) => Member?.Arn),
      [hidden],
    );
  });
}

test('Hidden members: the error for a hidden member is the same as for a non-member', async () => {
  for (const send of [
    (MemberArn: string) => messaging.send(new DescribeChannelMembershipCommand({ ...named(MemberArn), ChimeBearer: member })),
    (MemberArn: string) => messaging.send(new DeleteChannelMembershipCommand({ ...named(MemberArn), ChimeBearer: member })),
  ]) {
    const [ofHidden, ofNone] = [await refusalOf(send(hidden)), await refusalOf(send(outsider))];
    assert.deepEqual({ ...ofHidden, message: ofHidden.message.replaceAll(hidden, outsider) }, ofNone);
  }
});

// Adding an existing member is ConflictException. A bearer that cannot see hidden members must not detect a hidden member by this error.
test('Hidden members: the error for adding a hidden member is the same as for a banned user', async () => {
  await messaging.send(new CreateChannelBanCommand({ ...named(banned), ChimeBearer: moderator }));
  const [ofHidden, ofBanned] = await Promise.all(
    [hidden, banned].map(async (MemberArn) => {
      const { BatchChannelMemberships, Errors = [] } = await messaging.send(
        new BatchCreateChannelMembershipCommand({ ChannelArn: open, MemberArns: [MemberArn], ChimeBearer: member }),
      );
      const add = new CreateChannelMembershipCommand({ ...named(MemberArn), Type: 'DEFAULT', ChimeBearer: member });
      const { name, status, message } = await refusalOf(messaging.send(add));
      return JSON.stringify([name, status, message, BatchChannelMemberships?.Members, Errors]).replaceAll(MemberArn, '');
    }),
  );
  assert.equal(ofHidden, ofBanned);
  assert.match(ofHidden ?? '', /ForbiddenException/);
  for (const ChimeBearer of [moderator, admin, hidden]) {
    const again = new CreateChannelMembershipCommand({ ...named(hidden), Type: 'DEFAULT', ChimeBearer });
    assert.equal((await refusalOf(messaging.send(again))).name, 'ConflictException');
  }
});

const found = async (ChimeBearer: string, Operator: 'EQUALS' | 'INCLUDES', Values: string[]) =>
  (await messaging.send(new SearchChannelsCommand({ ChimeBearer, Fields: [{ Key: 'MEMBERS', Operator, Values }] }))).Channels?.length;

// biome-ignore format: a table
const SEARCHES: readonly [by: string, operator: 'EQUALS' | 'INCLUDES', members: string[], channels: number][] = [
  [member, 'INCLUDES', [hidden],                    0],
  [member, 'EQUALS',   [moderator, member],         1],
  [member, 'EQUALS',   [moderator, member, hidden], 0],
  [hidden, 'EQUALS',   [moderator, member, hidden], 1],
  [admin,  'INCLUDES', [hidden],                    1],
  [admin,  'EQUALS',   [moderator, member],         0],
];

for (const [by, operator, members, channels] of SEARCHES) {
  const name = (arn: string) => arn.split('/').at(-1);
  test(`Hidden members: SearchChannels ${operator} ${members.map(name).join(', ')} by '${name(by)}' finds ${channels}`, async () => {
    assert.equal(await found(by, operator, members), channels);
  });
}

test('Hidden members: moderators and admins can manage hidden members, and a hidden member sees itself', async () => {
  assert.ok(await describe(open, hidden));
  for (const bearer of [moderator, admin]) {
    await create(open, bearer);
    assert.ok(await describe(open, bearer));
    const { ChannelMemberships = [] } = (await list(open, bearer)) as { ChannelMemberships?: { Member?: { Arn?: string } }[] };
    assert.deepEqual(ChannelMemberships.map(({ Member }) => Member?.Arn).sort(), [hidden, second].sort());
    await messaging.send(new DeleteChannelMembershipCommand({ ...named(second), ChimeBearer: bearer }));
  }
  await messaging.send(new DeleteChannelMembershipCommand({ ...named(hidden), ChimeBearer: hidden }));
  await messaging.send(new CreateChannelMembershipCommand({ ...named(hidden), Type: 'HIDDEN', ChimeBearer: moderator }));
});

test('Hidden members: if a batch adds hidden members, each of them receives only its own membership event', async () => {
  const { ChannelArn = '' } = await messaging.send(
    new CreateChannelCommand({ AppInstanceArn: chat.chat, Name: 'batch', ChimeBearer: moderator, MemberArns: [member] }),
  );
  const sessions = await Promise.all([hidden, second, member].map((arn) => connect(messaging, arn)));
  const [ofHidden, ofSecond, ofMember] = sessions;
  await messaging.send(
    new BatchCreateChannelMembershipCommand({ ChannelArn, MemberArns: [hidden, second], Type: 'HIDDEN', ChimeBearer: moderator }),
  );
  // Sends a last message. Frames arrive in order, so all earlier frames have arrived when the message arrives.
  await messaging.send(
    new SendChannelMessageCommand({ ChannelArn, ChimeBearer: moderator, Content: 'all', Type: 'STANDARD', Persistence: 'PERSISTENT' }),
  );
  for (const session of sessions) await session.find(({ type }) => type === 'CREATE_CHANNEL_MESSAGE');
  const membershipFrames = (session: (typeof sessions)[number] | undefined) =>
    (session?.received ?? []).filter(({ type, payload }) => type.includes('MEMBERSHIP') && payload?.['ChannelArn'] === ChannelArn);
  for (const [session, own, other] of [
    [ofHidden, hidden, second],
    [ofSecond, second, hidden],
  ] as const) {
    const text = JSON.stringify(membershipFrames(session));
    assert.deepEqual([text.includes(own), text.includes(other)], [true, false]);
  }
  assert.deepEqual(membershipFrames(ofMember), []);
  for (const session of sessions) session.stop();
});
