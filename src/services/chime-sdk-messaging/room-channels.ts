/**
 * Channels of rooms of Amazon Chime. A room has a channel in the app instance of its AWS account, with the same ID, name and users. The
 * administrators of the room moderate the channel.
 */
import type { Identity } from '#model/generated/chime-sdk-messaging.ts';
import { CHIME_USER_ID, type ChimeAppInstance, chimeAppInstance, ensureChimeUsers } from '../chime-kit/chime-app-instance.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import type { ChimeRoom, ChimeRoomEvent, ChimeRoomMember } from '../chime-kit/room-events.ts';
import { subscription, type Work } from '../kit/events.ts';
import { inAppInstanceArn } from './kinds.ts';
import { membershipEvent } from './membership-events.ts';
import { channelArn, named, toChannel, toIdentity } from './stored-channels.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';
import { type MembershipRecord, memberships } from './tables/memberships.ts';
import { type StandingRecord, standings } from './tables/standings.ts';

/** Member key of the creator of the channels of rooms. */
const CREATOR = `user/${CHIME_USER_ID}`;

/** Returns the channel of a room, or undefined if it does not exist yet. */
function findRoomChannel({ tx }: Pick<Work, 'tx'>, { accountId, roomId }: ChimeRoom): Promise<ChannelRecord | undefined> {
  const { region, appInstanceId } = chimeAppInstance(accountId);
  return tx.of(channels).get(accountId, region, appInstanceId, roomId);
}

/** Creates or changes the channel of a room, and adds the members of the event to it. */
export const storeRoomChannel = subscription<ChimeRoomEvent>()(['ChimeRoomStored'], async (work, { room, members }) => {
  const people = members.map(({ userId, name }) => ({ userId, name }));
  const appInstance = await ensureChimeUsers(work, room.accountId, people);
  const before = await findRoomChannel(work, room);
  const channel = before === undefined ? await createChannel(work, appInstance, room) : await rename(work, before, room.name);
  if (members.length === 0) return;
  await addMembers(work, channel, members);
  await setModerators(work, channel, members);
});

async function createChannel(
  work: Work,
  appInstance: ChimeAppInstance,
  { roomId, name, chimeAccountId }: ChimeRoom,
): Promise<ChannelRecord> {
  const { tx, now } = work;
  const channel: ChannelRecord = {
    ...appInstance,
    channelId: roomId,
    channelKey: work.newId(),
    privacy: 'PRIVATE',
    createdAt: now,
    updatedAt: now,
    tags: [],
    document: { name, mode: 'RESTRICTED', createdBy: CREATOR, room: { chimeAccountId } },
  };
  if ((await tx.of(channels).add(channel)) === 'exists') throw new Error(`the ID of the room '${roomId}' is the ID of another channel`);
  await work.emit<ChannelEvent>({ type: 'CREATE_CHANNEL', ...named(channel), channel: await toChannel(tx, channel) });
  return channel;
}

async function rename(work: Work, before: ChannelRecord, name: string): Promise<ChannelRecord> {
  if (before.document.name === name) return before;
  const channel: ChannelRecord = { ...before, updatedAt: work.now, document: { ...before.document, name } };
  await work.tx.of(channels).put(channel);
  await work.emit<ChannelEvent>({ type: 'UPDATE_CHANNEL', ...named(channel), channel: await toChannel(work.tx, channel) });
  return channel;
}

/** Adds the members that are not in the channel. The number of statements does not grow with their number. */
async function addMembers(work: Work, channel: ChannelRecord, members: readonly ChimeRoomMember[]): Promise<void> {
  const { tx, now } = work;
  const { channelKey, appInstanceId } = channel;
  const present = new Set((await tx.of(memberships).getSome(channelKey, members.map(keyOf))).map(({ member }) => member));
  const added = members.filter((member) => !present.has(keyOf(member)));
  const records = added.map(
    (member): MembershipRecord => ({
      ...{ channelKey, subChannelId: '', member: keyOf(member), appInstanceId, type: 'DEFAULT' },
      ...{ invitedBy: CREATOR, createdAt: now, updatedAt: now },
    }),
  );
  await tx.of(memberships).addAll(records);
  const [first] = records;
  if (first === undefined) return;
  if (records.length === 1) {
    await work.emit<ChannelEvent>(await membershipEvent(tx, 'CREATE_CHANNEL_MEMBERSHIP', channel, first));
    return;
  }
  const InvitedBy = await toIdentity(tx, channel, CREATOR);
  const batch = {
    InvitedBy,
    Type: 'DEFAULT',
    Members: added.map((member) => identityOf(channel, member)),
    ChannelArn: channelArn(channel),
  } as const;
  await work.emit<ChannelEvent>({ type: 'BATCH_CREATE_CHANNEL_MEMBERSHIP', ...named(channel), memberships: batch });
}

/** Gives each member the right to moderate that its role in the room has. */
async function setModerators(work: Work, channel: ChannelRecord, members: readonly ChimeRoomMember[]): Promise<void> {
  const { tx, now } = work;
  const { channelKey, appInstanceId } = channel;
  const before = new Map((await tx.of(standings).getSome(channelKey, 'moderator', members.map(keyOf))).map((each) => [each.member, each]));
  for (const member of members) {
    const key = keyOf(member);
    const isModerator = member.role === 'Administrator';
    const present = before.get(key);
    if (isModerator === (present !== undefined)) continue;
    const record = present ?? {
      channelKey,
      standing: 'moderator' as const,
      member: key,
      appInstanceId,
      createdBy: CREATOR,
      createdAt: now,
    };
    if (isModerator) await tx.of(standings).add(record);
    else await tx.of(standings).remove(channelKey, 'moderator', key);
    await emitModerator(work, isModerator ? 'CREATE_CHANNEL_MODERATOR' : 'DELETE_CHANNEL_MODERATOR', channel, record);
  }
}

async function emitModerator(
  work: Work,
  type: 'CREATE_CHANNEL_MODERATOR' | 'DELETE_CHANNEL_MODERATOR',
  channel: ChannelRecord,
  { member, createdAt, createdBy }: StandingRecord,
): Promise<void> {
  const moderator = {
    Moderator: await toIdentity(work.tx, channel, member),
    ChannelArn: channelArn(channel),
    CreatedTimestamp: createdAt,
    CreatedBy: await toIdentity(work.tx, channel, createdBy),
  };
  await work.emit<ChannelEvent>({ type, ...named(channel), moderator });
}

/** Removes a member of a room from its channel. */
export const removeFromRoomChannel = subscription<ChimeRoomEvent>()(['ChimeRoomMemberRemoved'], async (work, { room, userId }) => {
  const { tx } = work;
  const channel = await findRoomChannel(work, room);
  if (channel === undefined) return;
  const member = keyOf({ userId });
  const standing = await tx.of(standings).get(channel.channelKey, 'moderator', member);
  if (standing !== undefined) {
    await tx.of(standings).remove(channel.channelKey, 'moderator', member);
    await emitModerator(work, 'DELETE_CHANNEL_MODERATOR', channel, standing);
  }
  const membership = await tx.of(memberships).get(channel.channelKey, '', member);
  if (membership === undefined) return;
  await tx.of(memberships).remove(channel.channelKey, '', member);
  await work.emit<ChannelEvent>(await membershipEvent(tx, 'DELETE_CHANNEL_MEMBERSHIP', channel, membership));
});

/** Deletes the channel of a deleted room, with its messages. */
export const removeRoomChannel = subscription<ChimeRoomEvent>()(['ChimeRoomRemoved'], async (work, { room }) => {
  const channel = await findRoomChannel(work, room);
  if (channel === undefined) return;
  await work.emit<ChannelEvent>({ type: 'DELETE_CHANNEL', ...named(channel), channel: await toChannel(work.tx, channel) });
  await work.tx.of(channels).remove(channel);
});

function keyOf({ userId }: Pick<ChimeRoomMember, 'userId'>): string {
  return `user/${userId}`;
}

function identityOf(channel: ChannelRecord, { userId, name }: ChimeRoomMember): Identity {
  return { Arn: inAppInstanceArn(channel, 'user', userId), Name: name };
}
