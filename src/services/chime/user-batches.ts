import type { ChimeApi, UserError } from '#model/generated/chime.ts';
import type { ChimeAccountEvent } from '../chime-kit/account-events.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { isManaged, MANAGED_MESSAGE } from './account-types.ts';
import { AwsError } from './errors.ts';
import { accountOrNotFound, badRequest, notFoundMessage } from './stored-accounts.ts';
import type { AccountRecord } from './tables/accounts.ts';
import { type UserRecord, users } from './tables/users.ts';
import { updatedUser } from './users.ts';

/**
 * Operations on several users. An item that fails is in `UserErrors`, and the other items take effect.
 *
 * Source: chime 2018-05-01; chime.md §2. Assumed: an empty list is a BadRequest; a user that is twice in the list counts once; the codes of
 * the items.
 */
export const userBatchOperations = {
  /**
   * Changes several users. If a user is in several items, they apply in their order.
   *
   * @throws BadRequestException  the list is empty
   * @throws NotFoundException    the account does not exist
   */
  BatchUpdateUser: {
    async handle(call, { AccountId, UpdateUserRequestItems: items }) {
      const { account, found } = await readSome(
        call,
        AccountId,
        items.map(({ UserId }) => UserId),
      );
      const changed = new Map<string, UserRecord>();
      const errors = new Map<string, UserError>();
      for (const { UserId, ...change } of items) {
        const user = changed.get(UserId) ?? found.get(UserId);
        if (user === undefined) errors.set(UserId, unknownUser(UserId));
        else {
          try {
            changed.set(UserId, updatedUser(account, user, change));
          } catch (error) {
            errors.set(UserId, toUserError(UserId, error));
          }
        }
      }
      for (const [userId, user] of changed) if (user !== found.get(userId)) await call.tx.of(users).put(user);
      return { UserErrors: [...errors.values()] };
    },
  },

  /**
   * Suspends users. On a Team account this removes them: they lose their license and can still sign in. On an EnterpriseLWA account they
   * cannot sign in.
   *
   * Source: Chime API reference, BatchSuspendUser. Assumed: (1) a removed user has the license Basic, as people without an account have. (2) An
   * invitation that is suspended cannot be accepted. (3) A suspended user is not an error. (4) A directory or an OpenID provider suspends its users.
   * @throws BadRequestException  the list is empty
   * @throws NotFoundException    the account does not exist
   * Emits: ChimeUserRemoved on a Team account, otherwise ChimeUserSuspended, with the users that were registered.
   */
  BatchSuspendUser: {
    async handle(call, { AccountId, UserIdList }) {
      const { account, found, errors } = await readListed(call, AccountId, UserIdList);
      const { accountId, chimeAccountId } = account;
      const isTeam = account.accountType === 'Team';
      const active = found.filter(({ registrationStatus }) => registrationStatus !== 'Suspended');
      const [registered, invited] = [idsOf(active, 'Registered'), idsOf(active, 'Unregistered')];
      const repository = call.tx.of(users);
      const suspended = { registrationStatus: 'Suspended' } as const;
      await repository.setSome(chimeAccountId, registered, { ...suspended, isMember: !isTeam, ...(isTeam && { licenseType: 'Basic' }) });
      await repository.setSome(chimeAccountId, invited, { ...suspended, isMember: false, ...(isTeam && { licenseType: 'Basic' }) });
      const type = isTeam ? 'ChimeUserRemoved' : 'ChimeUserSuspended';
      if (registered.length > 0) await call.emit<ChimeAccountEvent>({ type, accountId, chimeAccountId, userIds: registered });
      return { UserErrors: errors };
    },
  },

  /**
   * Ends the suspension of users. Users that are not suspended do not change.
   *
   * Source: Chime API reference, BatchUnsuspendUser: EnterpriseLWA only. Assumed: a Team account is a BadRequest for the whole list.
   * @throws BadRequestException  the list is empty, or the account is a Team account
   * @throws NotFoundException    the account does not exist
   * Emits: ChimeUserUnsuspended.
   */
  BatchUnsuspendUser: {
    async handle(call, { AccountId, UserIdList }) {
      const { account, found, errors } = await readListed(call, AccountId, UserIdList);
      if (account.accountType === 'Team') throw badRequest();
      const { accountId, chimeAccountId } = account;
      const suspended = found.filter(({ registrationStatus }) => registrationStatus === 'Suspended');
      const members = suspended.filter(({ isMember }) => isMember).map(({ userId }) => userId);
      const others = suspended.filter(({ registeredAt }) => registeredAt === undefined).map(({ userId }) => userId);
      const repository = call.tx.of(users);
      await repository.setSome(chimeAccountId, members, { isMember: true, registrationStatus: 'Registered' });
      await repository.setSome(chimeAccountId, others, { isMember: false, registrationStatus: 'Unregistered' });
      if (members.length > 0)
        await call.emit<ChimeAccountEvent>({ type: 'ChimeUserUnsuspended', accountId, chimeAccountId, userIds: members });
      return { UserErrors: errors };
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;

/** Reads an account and its users with the given IDs, with two statements. */
async function readSome(
  call: Call,
  accountId: string,
  userIds: readonly string[],
): Promise<{ readonly account: AccountRecord; readonly found: ReadonlyMap<string, UserRecord> }> {
  if (userIds.length === 0) throw badRequest();
  const account = await accountOrNotFound(call, accountId);
  const found = await call.tx.of(users).getSome(account.chimeAccountId, userIds);
  return { account, found: new Map(found.map((user) => [user.userId, user])) };
}

/** Reads the users of a list, each once, with an error for each user that is unknown or that cannot be suspended by API. */
async function readListed(
  call: Call,
  accountId: string,
  userIds: readonly string[],
): Promise<{ readonly account: AccountRecord; readonly found: readonly UserRecord[]; readonly errors: readonly UserError[] }> {
  const { account, found } = await readSome(call, accountId, userIds);
  const listed = [...new Set(userIds)];
  const unknown = listed.filter((userId) => !found.has(userId)).map(unknownUser);
  if (!isManaged(account)) return { account, found: [...found.values()], errors: unknown };
  const forbidden = [...found.keys()].map((UserId) => ({ UserId, ErrorCode: 'Forbidden' as const, ErrorMessage: MANAGED_MESSAGE }));
  return { account, found: [], errors: [...unknown, ...forbidden] };
}

function idsOf(list: readonly UserRecord[], status: UserRecord['registrationStatus']): readonly string[] {
  return list.filter(({ registrationStatus }) => registrationStatus === status).map(({ userId }) => userId);
}

function unknownUser(UserId: string): UserError {
  return { UserId, ErrorCode: 'NotFound', ErrorMessage: notFoundMessage('User', UserId) };
}

/** Returns the error of an item. Rethrows an error that is not one of a single user. */
function toUserError(UserId: string, error: unknown): UserError {
  if (!(error instanceof AwsError)) throw error;
  const ErrorCode = error.code === 'ForbiddenException' ? 'Forbidden' : 'BadRequest';
  return { UserId, ErrorCode, ErrorMessage: error.message };
}
