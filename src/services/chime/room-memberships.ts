import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi, ErrorCode, MemberError, RoomMembership, RoomMembershipRole } from '#model/generated/chime.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { ChimeQuotas } from '../chime-kit/quotas.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { type BotEventType, callerOf, sendBotEvents } from './bot-events.ts';
import type { ChimeDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { emitRoom, removeMember } from './room-channels.ts';
import { type FoundMember, findMembers } from './room-members.ts';
import type { RoomWork } from './room-work.ts';
import { roomOrNotFound } from './rooms.ts';
import { BAD_REQUEST, badRequest, CONFLICT, type Finder, LIMIT_EXCEEDED, notFound, notFoundMessage } from './stored-accounts.ts';
import { type RoomMembershipRecord, roomMemberships } from './tables/room-memberships.ts';
import type { RoomRecord } from './tables/rooms.ts';

/**
 * Members of rooms. Source: chime 2018-05-01; chime.md §3.
 *
 * Every operation throws NotFoundException if the account or the room does not exist, and BadRequestException if the account is a Team account.
 */
export function roomMembershipOperations({ quotas }: Pick<ChimeDeps, 'quotas'>) {
  return {
    /**
     * Adds a member to a room.
     *
     * Source: recorded response of CreateRoomMembership: the default role is Member. Assumed: (1) the member can be a user of another Chime
     * account of the AWS account. (2) The codes of the checks.
     * @throws NotFoundException               the member does not exist
     * @throws BadRequestException             the user is not registered · the bot is disabled, has no endpoint, or would be an administrator
     * @throws ConflictException               the member is in the room already
     * @throws ResourceLimitExceededException  the room has the maximum of members, or the member the maximum of rooms
     * Writes: an outgoing event, if the member is a bot.
     */
    CreateRoomMembership: {
      async handle(call, { MemberId, Role, ...input }) {
        const room = await roomOrNotFound(call, input);
        const [problem] = await addMembers(call, room, [{ memberId: MemberId, role: Role }], quotas);
        if (problem !== undefined) throw new AwsError(`${problem.code}Exception`, problem.message);
        const membership = await membershipOrNotFound(call, room, MemberId);
        return { RoomMembership: await toRoomMembership(call, membership) };
      },
    },

    /**
     * Adds up to 50 members to a room. A member that cannot be added is in `Errors`, and the others are added.
     *
     * Assumed: an empty list, or an item without a member, is a BadRequest; a second item with the same member is a Conflict.
     * @throws BadRequestException  the list is empty, or an item has no member
     * Writes: an outgoing event for each bot.
     */
    BatchCreateRoomMembership: {
      async handle(call, { MembershipItemList, ...input }) {
        if (MembershipItemList.length === 0) throw badRequest();
        const wanted = MembershipItemList.map(({ MemberId, Role }) => {
          if (MemberId === undefined) throw badRequest();
          return { memberId: MemberId, role: Role };
        });
        const room = await roomOrNotFound(call, input);
        const problems = await addMembers(call, room, wanted, quotas);
        return {
          Errors: problems.map(
            ({ memberId, code, message }): MemberError => ({ MemberId: memberId, ErrorCode: code, ErrorMessage: message }),
          ),
        };
      },
    },

    /**
     * Changes the role of a member. Assumed: a request without a role changes nothing.
     *
     * Source: Chime API reference, UpdateRoomMembership: only roles of users change. Assumed: the code for a bot.
     * @throws NotFoundException    the member is not in the room
     * @throws BadRequestException  the member is a bot
     */
    UpdateRoomMembership: {
      async handle(call, { MemberId, Role, ...input }) {
        const room = await roomOrNotFound(call, input);
        const before = await membershipOrNotFound(call, room, MemberId);
        if (before.memberType === 'Bot') throw badRequest();
        const membership = Role === undefined ? before : { ...before, role: Role, updatedAt: call.now };
        if (membership !== before) {
          await call.tx.of(roomMemberships).put(membership);
          await emitRoom(call, room, [membership]);
        }
        return { RoomMembership: await toRoomMembership(call, membership) };
      },
    },

    /**
     * Removes a member from a room. Assumed: also the last administrator.
     *
     * @throws NotFoundException  the member is not in the room
     * Writes: an outgoing event, if the member is a bot.
     */
    DeleteRoomMembership: {
      async handle(call, { MemberId, ...input }) {
        const room = await roomOrNotFound(call, input);
        const membership = await membershipOrNotFound(call, room, MemberId);
        await removeMember(call, room, MemberId);
        await sendToBots(call, room, 'Remove', [membership]);
        return {};
      },
    },

    /** Lists the members of a room. Assumed: in the order of their IDs. @throws BadRequestException  the token is invalid */
    ListRoomMemberships: {
      async handle(call, input) {
        const room = await roomOrNotFound(call, input);
        const { roomId } = room;
        const { items, rest } = await pageOf(
          `ListRoomMemberships ${roomId}`,
          input,
          (limit, after) => call.tx.of(roomMemberships).list(roomId, limit, after),
          ({ memberId }) => memberId,
        );
        const members = await findMembers(
          call,
          room,
          items.map(({ memberId }) => memberId),
        );
        return { RoomMemberships: items.map((item) => toShape(item, members.get(item.memberId))), ...rest };
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}

interface WantedMember {
  readonly memberId: string;
  readonly role: RoomMembershipRole | undefined;
}

interface Problem {
  readonly memberId: string;
  readonly code: ErrorCode & ('NotFound' | 'BadRequest' | 'Conflict' | 'ResourceLimitExceeded');
  readonly message: string;
}

/** Adds members to a room. Returns a problem for each member that was not added. The number of statements does not grow with the list. */
export async function addMembers(
  call: RoomWork,
  room: RoomRecord,
  wanted: readonly WantedMember[],
  { memberships: max }: ChimeQuotas,
): Promise<readonly Problem[]> {
  const { tx, now, principal } = call;
  const { roomId, accountId, chimeAccountId } = room;
  const repository = tx.of(roomMemberships);
  const ids = [...new Set(wanted.map(({ memberId }) => memberId))];
  const found = await findMembers(call, room, ids);
  const present = new Set((await repository.getSome(roomId, ids)).map(({ memberId }) => memberId));
  const roomCounts = await repository.roomCounts(accountId, ids);
  const before = await repository.count(roomId, max);

  const added: RoomMembershipRecord[] = [];
  const problems: Problem[] = [];
  for (const { memberId, role = 'Member' } of wanted) {
    const refuse = (code: Problem['code'], message: string) => problems.push({ memberId, code, message });
    const member = found.get(memberId);
    if (member === undefined) refuse('NotFound', notFoundMessage('User', memberId));
    else if (!member.canJoin || (member.memberType === 'Bot' && role !== 'Member')) refuse('BadRequest', BAD_REQUEST);
    else if (present.has(memberId)) refuse('Conflict', CONFLICT);
    else if (before + added.length >= max || (roomCounts.get(memberId) ?? 0) >= max) refuse('ResourceLimitExceeded', LIMIT_EXCEEDED);
    else {
      present.add(memberId);
      added.push({
        roomId,
        memberId,
        accountId,
        chimeAccountId,
        roomCreatedAt: room.createdAt,
        memberType: member.memberType,
        role,
        invitedBy: principal.arn,
        updatedAt: now,
      });
    }
  }
  await repository.add(added);
  if (added.length > 0) await emitRoom(call, room, added, found);
  await sendToBots(call, room, 'Invite', added);
  return problems;
}

/** Sends an event to those of the members that are bots. Reads nothing if none is a bot. */
async function sendToBots(call: RoomWork, room: RoomRecord, type: BotEventType, members: readonly RoomMembershipRecord[]): Promise<void> {
  const botIds = members.filter(({ memberType }) => memberType === 'Bot').map(({ memberId }) => memberId);
  if (botIds.length > 0) await sendBotEvents(call, room, botIds, { type, sender: callerOf(call) });
}

async function membershipOrNotFound({ tx }: Finder, { roomId }: RoomRecord, memberId: string): Promise<RoomMembershipRecord> {
  const membership = await tx.of(roomMemberships).get(roomId, memberId);
  if (membership === undefined) throw notFound('RoomMembership', memberId);
  return membership;
}

async function toRoomMembership(call: Finder, membership: RoomMembershipRecord): Promise<RoomMembership> {
  return toShape(membership, (await findMembers(call, membership, [membership.memberId])).get(membership.memberId));
}

function toShape({ roomId, memberId, memberType, role, invitedBy, updatedAt }: RoomMembershipRecord, member?: FoundMember): RoomMembership {
  return {
    RoomId: roomId,
    Member: omitUndefined({
      MemberId: memberId,
      MemberType: memberType,
      Email: member?.email,
      FullName: member?.fullName,
      AccountId: member?.chimeAccountId,
    }),
    Role: role,
    InvitedBy: invitedBy,
    UpdatedTimestamp: updatedAt,
  };
}
