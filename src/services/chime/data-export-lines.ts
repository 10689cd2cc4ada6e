/** Lines of exports: the data of an account in pages, without PINs, tokens and other secrets. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Tx } from '#store/store.ts';
import { botsOf, CHIME_BOT, type ChimeBotRecord } from '../chime-kit/chime-bots.ts';
import { QUOTAS_MAX } from '../chime-kit/quotas.ts';
import { toAccount, toListedUser } from './stored-accounts.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import type { ConversationPart, ConversationPlace, DataExportRecord, ExportCursor, MessagePlace } from './tables/data-exports.ts';
import { LICENSED_GROUPS_MAX, type LicensedGroupRecord, licensedGroups } from './tables/licensed-groups.ts';
import { type RoomMembershipRecord, roomMemberships } from './tables/room-memberships.ts';
import { type RoomPlace, type RoomRecord, rooms } from './tables/rooms.ts';
import { placeOf, type UserRecord, users } from './tables/users.ts';

/** Rows of one page, which one transaction reads. */
const PAGE_ROWS = 200;

/** Reads messages of a room. Messaging has them (`chime-sdk-messaging/exported-messages.ts`). */
export type ReadMessages = (
  work: { readonly tx: Tx; readonly now: Instant },
  room: { readonly accountId: AccountId; readonly chimeAccountId: string; readonly roomId: string },
  limit: number,
  after: MessagePlace | undefined,
) => Promise<{ readonly lines: readonly { readonly SenderId: string }[]; readonly last: MessagePlace | undefined }>;

/** Reads conversations. Messaging has them (`chime-sdk-messaging/exported-conversations.ts`). */
export type ReadConversations = (
  work: { readonly tx: Tx; readonly now: Instant },
  owner: { readonly accountId: AccountId; readonly chimeAccountId: string; readonly userId?: string | undefined },
  part: ConversationPart,
  place: ConversationPlace | undefined,
) => Promise<{ readonly lines: readonly object[]; readonly next: ConversationPlace | undefined }>;

/** Data of messaging. */
export interface MessagingReads {
  readonly exportedMessages: ReadMessages;
  readonly exportedConversations: ReadConversations;
}

/** Page of an export. */
export interface ExportPage {
  /** Objects for JSON. */
  readonly lines: readonly object[];
  /** Position after the page. Absent: the page is the last one. */
  readonly next: ExportCursor | undefined;
}

type Work = { readonly tx: Tx; readonly now: Instant };

/** Returns the page at a position, or undefined if the account was deleted. An export of one user has only the rooms and conversations that the user is in, the messages that the user wrote there, and no groups and bots. */
export async function exportPage(
  work: Work,
  dataExport: DataExportRecord,
  cursor: ExportCursor,
  { exportedMessages, exportedConversations }: MessagingReads,
): Promise<ExportPage | undefined> {
  const { tx } = work;
  const { chimeAccountId, userId } = dataExport;
  const account = await tx.of(accounts).get(dataExport.accountId, chimeAccountId);
  if (account === undefined || account.disabledAt !== undefined) return undefined;
  switch (cursor.part) {
    case 'account':
      return { lines: [accountLine(account)], next: { part: 'users' } };
    case 'users': {
      const repository = tx.of(users);
      const found =
        userId === undefined
          ? await repository.list(chimeAccountId, undefined, PAGE_ROWS, cursor.after)
          : [await repository.get(chimeAccountId, userId)].filter((user) => user !== undefined);
      const last = userId === undefined && found.length === PAGE_ROWS ? found.at(-1) : undefined;
      return { lines: found.map(userLine), next: last === undefined ? { part: 'groups' } : { part: 'users', after: placeOf(last) } };
    }
    case 'groups': {
      const found = userId === undefined ? await tx.of(licensedGroups).list(chimeAccountId, LICENSED_GROUPS_MAX) : [];
      return { lines: found.map(groupLine), next: { part: 'bots' } };
    }
    case 'bots': {
      const found = userId === undefined ? await tx.resources.list(CHIME_BOT, botsOf(account), QUOTAS_MAX.bots) : [];
      return { lines: found.map(botLine), next: { part: 'rooms' } };
    }
    case 'rooms': {
      const found = await roomsAfter(tx, dataExport, PAGE_ROWS, cursor.after);
      const last = found.length === PAGE_ROWS ? found.at(-1) : undefined;
      return { lines: found.map(roomLine), next: last === undefined ? { part: 'memberships' } : { part: 'rooms', after: toPlace(last) } };
    }
    case 'memberships': {
      const { room, after } = await currentRoom(tx, dataExport, cursor);
      if (room === undefined) return { lines: [], next: { part: 'messages' } };
      const repository = tx.of(roomMemberships);
      const found =
        userId === undefined
          ? await repository.list(room.roomId, PAGE_ROWS, after)
          : [await repository.get(room.roomId, userId)].filter((membership) => membership !== undefined);
      const last = userId === undefined && found.length === PAGE_ROWS ? found.at(-1) : undefined;
      return { lines: found.map(membershipLine), next: omitUndefined({ part: cursor.part, room: toPlace(room), after: last?.memberId }) };
    }
    case 'messages': {
      const { room, after } = await currentRoom(tx, dataExport, cursor);
      if (room === undefined) return { lines: [], next: { part: 'conversations' } };
      const { lines, last } = await exportedMessages(work, room, PAGE_ROWS, after);
      const own = userId === undefined ? lines : lines.filter(({ SenderId }) => SenderId === userId);
      return { lines: own, next: omitUndefined({ part: cursor.part, room: toPlace(room), after: last }) };
    }
    case 'conversations':
    case 'conversation-memberships':
    case 'conversation-messages': {
      const { part, place } = cursor;
      const { lines, next } = await exportedConversations(work, dataExport, part, place);
      return { lines, next: next === undefined ? AFTER[part] : { part, place: next } };
    }
  }
}

/** Position after the last conversation of a part. */
const AFTER: Readonly<Record<ConversationPart, ExportCursor | undefined>> = {
  conversations: { part: 'conversation-memberships' },
  'conversation-memberships': { part: 'conversation-messages' },
  'conversation-messages': undefined,
};

function roomsAfter(tx: Tx, { accountId, chimeAccountId, userId }: DataExportRecord, limit: number, after: RoomPlace | undefined) {
  return userId === undefined
    ? tx.of(rooms).list(chimeAccountId, limit, after)
    : tx.of(rooms).withMember({ accountId, chimeAccountId }, userId, limit, after);
}

/**
 * Returns the room of a position, with the position inside it. If nothing more of the room follows or if it was deleted, returns the next room
 * from its beginning.
 */
async function currentRoom<After>(
  tx: Tx,
  dataExport: DataExportRecord,
  { room, after }: { readonly room?: RoomPlace; readonly after?: After },
): Promise<{ readonly room: RoomRecord | undefined; readonly after?: After }> {
  const begun = room === undefined || after === undefined ? undefined : await tx.of(rooms).get(dataExport.chimeAccountId, room.roomId);
  if (begun !== undefined && after !== undefined) return { room: begun, after };
  return { room: (await roomsAfter(tx, dataExport, 1, room))[0] };
}

function toPlace({ createdAt, roomId }: RoomPlace): RoomPlace {
  return { createdAt, roomId };
}

function accountLine(account: AccountRecord): object {
  const { Domains, AccountSettings, RetentionSettings } = account.document;
  return withTimes(omitUndefined({ ...toAccount(account), Domains, AccountSettings, RetentionSettings }));
}

function userLine(user: UserRecord): object {
  return withTimes(omitUndefined({ ...toListedUser(user), UserSettings: user.document.UserSettings }));
}

function groupLine({ groupId, groupName, license, reportedAt }: LicensedGroupRecord): object {
  const reported = reportedAt === undefined ? undefined : isoOf(reportedAt);
  return omitUndefined({ GroupId: groupId, GroupName: groupName, License: license, ReportedTimestamp: reported });
}

/** Returns the line of a bot, without its security token and its endpoint, whose URL can contain a secret. */
function botLine({ id, createdAt, updatedAt, document: { DisplayName, BotEmail, Disabled } }: ChimeBotRecord): object {
  return { BotId: id, DisplayName, BotEmail, Disabled, CreatedTimestamp: isoOf(createdAt), UpdatedTimestamp: isoOf(updatedAt) };
}

function roomLine({ roomId, name, chimeAccountId, createdBy, createdAt, updatedAt }: RoomRecord): object {
  const times = { CreatedTimestamp: isoOf(createdAt), UpdatedTimestamp: isoOf(updatedAt) };
  return { RoomId: roomId, Name: name, AccountId: chimeAccountId, CreatedBy: createdBy, ...times };
}

function membershipLine({ roomId, memberId, memberType, role, invitedBy, updatedAt }: RoomMembershipRecord): object {
  const member = { RoomId: roomId, MemberId: memberId, MemberType: memberType, Role: role };
  return { ...member, InvitedBy: invitedBy, UpdatedTimestamp: isoOf(updatedAt) };
}

const TIMES: ReadonlySet<string> = new Set(['CreatedTimestamp', 'RegisteredOn', 'InvitedOn']);

/** Returns a shape of the model with its times in ISO 8601. */
function withTimes(shape: object): object {
  return Object.fromEntries(
    Object.entries(shape).map(([name, value]) => [name, TIMES.has(name) ? isoOf(value as Instant) : (value as unknown)]),
  );
}

function isoOf(at: Instant): string {
  return new Date(at).toISOString();
}
