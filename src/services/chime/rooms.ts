import { instant } from '#core/instant.ts';
import type { ChimeApi, Room } from '#model/generated/chime.ts';
import { CHIME_REGION } from '../chime-kit/chime-app-instance.ts';
import { storeRetention } from '../chime-kit/chime-retention.ts';
import { pageOf } from '../chime-kit/page.ts';
import { type ChimeQuotas, QUOTAS_MAX } from '../chime-kit/quotas.ts';
import { once } from '../kit/once.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { requireEnterprise } from './account-types.ts';
import { callerOf, sendBotEvents } from './bot-events.ts';
import type { ChimeDeps } from './deps.ts';
import { emitRoom, removeRoom } from './room-channels.ts';
import type { RoomWork } from './room-work.ts';
import { accountOrNotFound, badRequest, type Finder, limitExceeded, notFound } from './stored-accounts.ts';
import type { AccountRecord } from './tables/accounts.ts';
import { roomMemberships } from './tables/room-memberships.ts';
import { type RoomPlace, type RoomRecord, rooms } from './tables/rooms.ts';
import { requireName } from './texts.ts';

/**
 * Chat rooms of Enterprise accounts. Source: chime 2018-05-01; chime.md §3. Each room has a channel in the app instance of the AWS account.
 *
 * Every operation throws NotFoundException if the account does not exist, and then BadRequestException if it is a Team account.
 */
export function roomOperations({ quotas }: Pick<ChimeDeps, 'quotas'>) {
  return {
    /**
     * Creates a room without members.
     *
     * Source: recorded response of CreateRoom: `CreatedBy` is the ARN of the caller. Assumed: two rooms can have the same name; a token that was
     * used for another request is a BadRequest, as Conflict is not modeled.
     * @throws BadRequestException             the name is invalid · the token was used for another request
     * @throws ResourceLimitExceededException  the account has the maximum number of rooms
     */
    CreateRoom: {
      async handle(call, { ClientRequestToken, ...input }) {
        requireName(input.Name);
        const account = await enterpriseAccount(call, input.AccountId);
        const find = (roomId: string) => call.tx.of(rooms).get(account.chimeAccountId, roomId);
        const create = () => createRoom(call, account, input.Name, quotas);
        if (ClientRequestToken === undefined) return { Room: toRoom((await find(await create())) as RoomRecord) };
        const exists = async (roomId: string) => (await find(roomId)) !== undefined;
        const request = { ...input, ClientRequestToken };
        const roomId = await once({ ...call, region: CHIME_REGION }, 'chime:CreateRoom', request, exists, create, () => badRequest());
        return { Room: toRoom((await find(roomId)) as RoomRecord) };
      },
    },

    /** @throws NotFoundException  the room does not exist */
    GetRoom: {
      handle: async (call, input) => ({ Room: toRoom(await roomOrNotFound(call, input)) }),
    },

    /**
     * Lists the rooms of an account, or those that a member is in, oldest first.
     *
     * Assumed: the order, the default page size, and an empty list for an unknown member.
     * @throws BadRequestException  the token is invalid
     */
    ListRooms: {
      async handle(call, input) {
        const { chimeAccountId, accountId } = await enterpriseAccount(call, input.AccountId);
        const { MemberId } = input;
        const repository = call.tx.of(rooms);
        const { items, rest } = await pageOf(
          `ListRooms ${chimeAccountId} ${MemberId ?? ''}`,
          input,
          (limit, key) => {
            const after = key === undefined ? undefined : placeIn(key);
            return MemberId === undefined
              ? repository.list(chimeAccountId, limit, after)
              : repository.withMember({ accountId, chimeAccountId }, MemberId, limit, after);
          },
          ({ createdAt, roomId }) => `${createdAt} ${roomId}`,
        );
        return { Rooms: items.map(toRoom), ...rest };
      },
    },

    /**
     * Renames a room. Assumed: a request without a name changes nothing.
     *
     * @throws BadRequestException  the name is invalid
     * @throws NotFoundException    the room does not exist
     */
    UpdateRoom: {
      async handle(call, { Name, ...input }) {
        if (Name !== undefined) requireName(Name);
        const before = await roomOrNotFound(call, input);
        if (Name === undefined) return { Room: toRoom(before) };
        const room: RoomRecord = { ...before, name: Name, updatedAt: call.now };
        await call.tx.of(rooms).put(room);
        await emitRoom(call, room);
        return { Room: toRoom(room) };
      },
    },

    /**
     * Deletes a room with its memberships and messages. Assumed: a bot of the room receives the event of its removal.
     *
     * @throws NotFoundException  the room does not exist
     * Writes: an outgoing event for each bot.
     */
    DeleteRoom: {
      async handle(call, input) {
        const room = await roomOrNotFound(call, input);
        const bots = await call.tx.of(roomMemberships).bots(room.roomId, QUOTAS_MAX.bots);
        const botIds = bots.map(({ memberId }) => memberId);
        if (botIds.length > 0) await sendBotEvents(call, room, botIds, { type: 'Remove', sender: callerOf(call) });
        await removeRoom(call, room);
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}

/** Creates a room. Returns its ID. @throws ResourceLimitExceededException  the account has the maximum number of rooms */
export async function createRoom(call: RoomWork, account: AccountRecord, name: string, quotas: ChimeQuotas): Promise<string> {
  const { chimeAccountId, accountId, document } = account;
  const repository = call.tx.of(rooms);
  if ((await repository.count(chimeAccountId, quotas.rooms)) >= quotas.rooms) throw limitExceeded();
  const roomId = call.newId();
  const { now } = call;
  const times = { createdAt: now, updatedAt: now };
  const room: RoomRecord = { chimeAccountId, roomId, accountId, name, createdBy: call.principal.arn, ...times, hasChannel: true };
  await repository.add(room);
  // An earlier version of Belfry stored the retention only in the account.
  if (document.RetentionSettings !== undefined) await storeRetention(call, account, document);
  await emitRoom(call, room);
  return roomId;
}

/** Returns an account that can have rooms. @throws NotFoundException  unknown account @throws BadRequestException  Team account */
export async function enterpriseAccount(call: Finder, accountId: string): Promise<AccountRecord> {
  const account = await accountOrNotFound(call, accountId);
  requireEnterprise(account);
  return account;
}

/** Returns a room of an account of the caller. @throws NotFoundException  the account or the room does not exist */
export async function roomOrNotFound(
  call: Finder,
  { AccountId, RoomId }: { readonly AccountId: string; readonly RoomId: string },
): Promise<RoomRecord> {
  const { chimeAccountId } = await enterpriseAccount(call, AccountId);
  const room = await call.tx.of(rooms).get(chimeAccountId, RoomId);
  if (room === undefined) throw notFound('Room', RoomId);
  return room;
}

function placeIn(key: string): RoomPlace {
  const [, createdAt, roomId = ''] = /^(\d{1,15}) ([\w-]{1,36})$/.exec(key) ?? [];
  if (createdAt === undefined) throw badRequest();
  return { createdAt: instant(Number(createdAt)), roomId };
}

function toRoom({ roomId, name, chimeAccountId, createdBy, createdAt, updatedAt }: RoomRecord): Room {
  return {
    RoomId: roomId,
    Name: name,
    AccountId: chimeAccountId,
    CreatedBy: createdBy,
    CreatedTimestamp: createdAt,
    UpdatedTimestamp: updatedAt,
  };
}
