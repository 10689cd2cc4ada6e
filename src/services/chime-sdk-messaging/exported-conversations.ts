/** Conversations of Amazon Chime, for exports of its data. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Tx } from '#store/store.ts';
import { chimeAppInstance } from '../chime-kit/chime-app-instance.ts';
import { chimePeople } from '../chime-kit/chime-people.ts';
import { isConversation } from './chime-retention.ts';
import { peopleOf } from './conversation-members.ts';
import { idOf, isoOf, messageLine, visibleMessages } from './exported-messages.ts';
import type { MessagePlace } from './tables/channel-messages.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';
import { type MembershipRecord, memberships } from './tables/memberships.ts';
import { subChannels } from './tables/sub-channels.ts';

/** Rows of one page, and channels that one page examines. */
const PAGE_ROWS = 200;
const SCANNED_MAX = 50;

/** Account whose conversations are exported, or one of its users. */
export interface ConversationOwner {
  readonly accountId: AccountId;
  readonly chimeAccountId: string;
  readonly userId?: string | undefined;
}

/** Position in the conversations of an owner: after `last`, or in the sub-channel `inside` of the conversation `last`. */
export interface ConversationPlace {
  readonly last?: string;
  readonly inside?: { readonly subChannelId: string; readonly after?: MessagePlace | string };
}

/** Data of conversations. */
export type ConversationPart = 'conversations' | 'conversation-memberships' | 'conversation-messages';

/** Page of objects for JSON. `next` is the position after it. Undefined: the page is the last one. A page can be empty although more follow. */
export interface ExportedConversations {
  readonly lines: readonly object[];
  readonly next: ConversationPlace | undefined;
}

type Work = { readonly tx: Tx; readonly now: Instant };

/**
 * Returns a page of the conversations of an owner, of their members, or of their messages.
 *
 * A conversation belongs to each Enterprise account that has one of its members. A user has only the conversations that the user is in, the own
 * memberships and the own messages. Messages that the retention hides, and those that only some members see, are omitted.
 *
 *     { ConversationId: 'c', Name: 'Ada, Bob', Privacy: 'PRIVATE', CreatedBy: 'u', CreatedTimestamp: '2026-11-30T12:00:00.000Z', … }
 *     { ConversationId: 'c', MemberId: 'u', MemberType: 'User', Type: 'DEFAULT', InvitedBy: 'v', … }
 *     { ConversationId: 'c', MessageId: 'm', SenderId: 'u', Content: 'Hello', … }
 */
export async function exportedConversations(
  work: Work,
  owner: ConversationOwner,
  part: ConversationPart,
  place: ConversationPlace = {},
): Promise<ExportedConversations> {
  if (part === 'conversations') {
    const { found, last } = await scan(work.tx, owner, place.last);
    const lines = found.map(({ channel }) => conversationLine(channel));
    return { lines, next: last === undefined ? undefined : { last } };
  }
  const current = await currentConversation(work.tx, owner, place);
  if (current.channel === undefined) return { lines: [], next: current.last === undefined ? undefined : { last: current.last } };
  const { channel, last, subChannelId, after } = current;
  const read = part === 'conversation-memberships' ? membersOf : messagesOf;
  const { lines, end } = await read(work, owner, channel, subChannelId, after);
  if (end !== undefined) return { lines, next: { last, inside: { subChannelId, after: end } } };
  const [following] = channel.document.elastic === undefined ? [] : await work.tx.of(subChannels).list(channel.channelKey, 1, subChannelId);
  const inside = following === undefined ? undefined : { subChannelId: following.subChannelId };
  return { lines, next: omitUndefined({ last, inside }) };
}

interface Scanned {
  readonly channel: ChannelRecord;
  /** Position of the channel. */
  readonly key: string;
}

interface ScannedPage {
  readonly scanned: readonly Scanned[];
  /** Whether no channel follows. */
  readonly isLast: boolean;
}

/** Examines channels after a position. `last` is the position of the last examined channel, if more may follow. */
async function scan(tx: Tx, owner: ConversationOwner, after: string | undefined, most = SCANNED_MAX) {
  const { scanned, isLast } = await (owner.userId === undefined ? ofAppInstance : ofUser)(tx, owner, after);
  const found: Scanned[] = [];
  for (const [i, each] of scanned.entries()) {
    if (await belongsTo(tx, owner, each.channel)) found.push(each);
    if (found.length === most && i < scanned.length - 1) return { found, last: each.key };
  }
  return { found, last: isLast ? undefined : scanned.at(-1)?.key };
}

async function ofAppInstance(tx: Tx, { accountId }: ConversationOwner, after: string | undefined): Promise<ScannedPage> {
  const { appInstanceId } = chimeAppInstance(accountId);
  const list = await tx.of(channels).list(appInstanceId, undefined, SCANNED_MAX, after);
  return { scanned: list.map((channel) => ({ channel, key: channel.channelId })), isLast: list.length < SCANNED_MAX };
}

/** Returns the channels that a user is in. In a channel with several of its sub-channels, a user is once. */
async function ofUser(tx: Tx, { accountId, userId }: ConversationOwner, after: string | undefined): Promise<ScannedPage> {
  const { appInstanceId } = chimeAppInstance(accountId);
  // Sub-channels have UUIDs, so this one is after all of them.
  const start = after === undefined ? undefined : { channelKey: after, subChannelId: '~' };
  const joined = await tx.of(memberships).listOfMember(appInstanceId, `user/${userId}`, SCANNED_MAX, start);
  const found: Scanned[] = [];
  for (const channelKey of new Set(joined.map((each) => each.channelKey))) {
    const channel = await tx.of(channels).getByKey(channelKey);
    if (channel !== undefined) found.push({ channel, key: channelKey });
  }
  return { scanned: found, isLast: joined.length < SCANNED_MAX };
}

async function belongsTo(tx: Tx, { accountId, chimeAccountId, userId }: ConversationOwner, channel: ChannelRecord): Promise<boolean> {
  if (!isConversation(channel)) return false;
  if (userId !== undefined) return true;
  for await (const userIds of peopleOf(tx, channel)) {
    const owners = await tx.of(chimePeople).enterpriseAccounts(accountId, userIds);
    if ([...owners.values()].includes(chimeAccountId)) return true;
  }
  return false;
}

interface Current {
  readonly channel: ChannelRecord;
  readonly last: string;
  readonly subChannelId: string;
  readonly after: MessagePlace | string | undefined;
}

/** Returns the conversation of a position, or the next one. Without one, `last` is the position after the examined channels. */
async function currentConversation(
  tx: Tx,
  owner: ConversationOwner,
  { last, inside }: ConversationPlace,
): Promise<Current | { readonly channel: undefined; readonly last: string | undefined }> {
  if (inside !== undefined && last !== undefined) {
    const channel = await byKey(tx, owner, last);
    // A member can have left since the last page.
    if (channel !== undefined && (await belongsTo(tx, owner, channel)))
      return { channel, last, after: inside.after, subChannelId: inside.subChannelId };
  }
  const scanned = await scan(tx, owner, last, 1);
  const [next] = scanned.found;
  if (next === undefined) return { channel: undefined, last: scanned.last };
  const { channel, key } = next;
  const [first] = channel.document.elastic === undefined ? [] : await tx.of(subChannels).list(channel.channelKey, 1);
  return { channel, last: key, subChannelId: first?.subChannelId ?? '', after: undefined };
}

async function byKey(tx: Tx, { accountId, userId }: ConversationOwner, key: string): Promise<ChannelRecord | undefined> {
  const { region, appInstanceId } = chimeAppInstance(accountId);
  return userId === undefined ? await tx.of(channels).get(accountId, region, appInstanceId, key) : await tx.of(channels).getByKey(key);
}

interface Read {
  readonly lines: readonly object[];
  /** Position of the last row, if more may follow in the sub-channel. */
  readonly end: MessagePlace | string | undefined;
}

async function membersOf(
  { tx }: Work,
  { userId }: ConversationOwner,
  channel: ChannelRecord,
  subChannelId: string,
  after: MessagePlace | string | undefined,
): Promise<Read> {
  const repository = tx.of(memberships);
  if (userId !== undefined) {
    const own = await repository.get(channel.channelKey, subChannelId, `user/${userId}`);
    return { lines: own === undefined ? [] : [membershipLine(channel, own)], end: undefined };
  }
  const found = await repository.page(channel.channelKey, subChannelId, PAGE_ROWS, typeof after === 'string' ? after : '');
  return { lines: found.map((each) => membershipLine(channel, each)), end: found.length < PAGE_ROWS ? undefined : found.at(-1)?.member };
}

async function messagesOf(
  work: Work,
  { userId }: ConversationOwner,
  channel: ChannelRecord,
  subChannelId: string,
  after: MessagePlace | string | undefined,
): Promise<Read> {
  const place = typeof after === 'string' ? undefined : after;
  const { records, last } = await visibleMessages(work, channel, subChannelId, PAGE_ROWS, place);
  const lines = records.map((record) => ({ ...inConversation(channel, subChannelId), ...messageLine(record) }));
  return { lines: userId === undefined ? lines : lines.filter(({ SenderId }) => SenderId === userId), end: last };
}

function inConversation({ channelId }: ChannelRecord, subChannelId: string) {
  return { ConversationId: channelId, ...(subChannelId !== '' && { SubChannelId: subChannelId }) };
}

function conversationLine({ channelId, privacy, createdAt, updatedAt, document }: ChannelRecord): object {
  const { name, mode, metadata, createdBy } = document;
  const times = { CreatedTimestamp: isoOf(createdAt), UpdatedTimestamp: isoOf(updatedAt) };
  return omitUndefined({
    ...{ ConversationId: channelId, Name: name, Privacy: privacy, Mode: mode, Metadata: metadata },
    ...{ CreatedBy: idOf(createdBy), ...times },
  });
}

function membershipLine(channel: ChannelRecord, { subChannelId, member, type, invitedBy, createdAt, updatedAt }: MembershipRecord): object {
  return {
    ...inConversation(channel, subChannelId),
    ...{ MemberId: idOf(member), MemberType: member.startsWith('bot/') ? 'Bot' : 'User', Type: type, InvitedBy: idOf(invitedBy) },
    ...{ CreatedTimestamp: isoOf(createdAt), UpdatedTimestamp: isoOf(updatedAt) },
  };
}
