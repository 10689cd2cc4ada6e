import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AlexaForBusinessMetadata, ChimeApi, License, UserSettings, UserType } from '#model/generated/chime.ts';
import type { ChimeAccountEvent } from '../chime-kit/account-events.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { isManaged, requireLicense, requireUnmanaged } from './account-types.ts';
import { newPin } from './personal-pin.ts';
import { knownUserId, storeRegistered } from './registration.ts';
import { accountOrNotFound, badRequest, conflict, toListedUser, toUser, userOrNotFound } from './stored-accounts.ts';
import type { AccountRecord } from './tables/accounts.ts';
import { placeOf, type UserPlace, type UserRecord, users } from './tables/users.ts';
import { domainOf, normalizedEmail, requireName } from './texts.ts';

/** Default page size. Source: Chime API reference, ListUsers. */
const PAGE_RESULTS = 100;
const NO_CALLS: UserSettings = { Telephony: { InboundCalling: false, OutboundCalling: false, SMS: false } };

/** Users. Source: chime 2018-05-01; chime.md §2. */
export const userOperations = {
  /**
   * Adds a registered user to an account with a directory or an OpenID provider. The user has no PIN.
   *
   * Source: recorded response of CreateUser; boto3 issue 2384: other accounts are refused, even for an address in a verified domain. Assumed:
   * (1) the code for an address outside of the verified domains. (2) The display name is `Username`, else the local part of the address.
   * @throws BadRequestException  the address is absent or invalid, or the name is invalid · the account has another type, or has not claimed
   *   the domain of the address
   * @throws NotFoundException    the account does not exist
   * @throws ConflictException    the address is in use
   */
  CreateUser: {
    async handle(call, { AccountId, Username, Email, UserType = 'PrivateUser' }) {
      if (Email === undefined) throw badRequest();
      const email = normalizedEmail(Email);
      const DisplayName = Username ?? email.slice(0, email.lastIndexOf('@'));
      requireName(DisplayName);
      const account = await accountOrNotFound(call, AccountId);
      const { Domains = [], DefaultLicense } = account.document;
      if (!isManaged(account) || !Domains.includes(domainOf(email))) throw badRequest();
      const { chimeAccountId, accountId } = account;
      const repository = call.tx.of(users);
      if (await repository.memberWithEmail(email)) throw conflict();
      if (await repository.getByEmail(chimeAccountId, email)) throw conflict();
      const user: UserRecord = {
        chimeAccountId,
        accountId,
        email,
        userId: (await knownUserId(call, accountId, email)) ?? call.newId(),
        isMember: true,
        registrationStatus: 'Registered',
        registeredAt: call.now,
        userType: UserType,
        licenseType: DefaultLicense,
        document: { PrimaryEmail: Email, DisplayName },
      };
      await storeRegistered(call, user, false);
      return { User: toUser(user) };
    },
  },

  /** @throws NotFoundException  the account or the user does not exist */
  GetUser: {
    handle: async (call, input) => ({ User: toUser((await userOrNotFound(call, input)).user) }),
  },

  /**
   * Lists users without their PINs: those that registered in the order of their registration, then the others in the order of their invitation.
   *
   * Source: recorded response of ListUsers. Assumed: the order of users that are not registered; the case of `UserEmail` does not matter.
   * @throws NotFoundException    the account does not exist
   * @throws BadRequestException  the address or the token is invalid
   */
  ListUsers: {
    async handle(call, input) {
      const { UserEmail, UserType } = input;
      const email = UserEmail === undefined ? undefined : normalizedEmail(UserEmail);
      const { chimeAccountId } = await accountOrNotFound(call, input.AccountId);
      if (email !== undefined) {
        const user = await call.tx.of(users).getByEmail(chimeAccountId, email);
        const matches = user !== undefined && (UserType === undefined || user.userType === UserType);
        return { Users: matches ? [toListedUser(user)] : [] };
      }
      const { items, rest } = await pageOf(
        `ListUsers ${chimeAccountId} ${UserType}`,
        input,
        (limit, after) => call.tx.of(users).list(chimeAccountId, UserType, limit, after === undefined ? undefined : placeIn(after)),
        keyOf,
        PAGE_RESULTS,
      );
      return { Users: items.map(toListedUser), ...rest };
    },
  },

  /**
   * Changes the license, the type and the metadata of a user.
   *
   * Source: Chime API reference, UpdateUser. Assumed: see `updatedUser`; a request without these members changes nothing.
   * @throws NotFoundException    the account or the user does not exist
   * @throws ForbiddenException   a license is set by a group of the directory or the OpenID provider
   * @throws BadRequestException  the account does not support the license or the type, or the user was removed
   */
  UpdateUser: {
    async handle(call, input) {
      const { account, user: before } = await userOrNotFound(call, input);
      const user = updatedUser(account, before, input);
      if (user !== before) await call.tx.of(users).put(user);
      return { User: toUser(user) };
    },
  },

  /**
   * Ends all sessions of a user. Assumed: a user without a session, or that was removed from the account, is not an error.
   *
   * @throws NotFoundException  the account or the user does not exist
   * Emits: ChimeUserSignedOut.
   */
  LogoutUser: {
    async handle(call, input) {
      const { user } = await userOrNotFound(call, input);
      const { accountId, chimeAccountId, userId } = user;
      if (user.isMember) await call.emit<ChimeAccountEvent>({ type: 'ChimeUserSignedOut', accountId, chimeAccountId, userIds: [userId] });
      return {};
    },
  },

  /**
   * Gives a user a new personal PIN.
   *
   * @throws NotFoundException    the account or the user does not exist
   * @throws BadRequestException  the user is not registered. Assumed: the code.
   */
  ResetPersonalPIN: {
    async handle(call, input) {
      const { user: before } = await userOrNotFound(call, input);
      if (before.registrationStatus !== 'Registered') throw badRequest();
      const user: UserRecord = { ...before, personalPin: await newPin(call) };
      await call.tx.of(users).put(user);
      return { User: toUser(user) };
    },
  },

  /** Source: Administration Guide, "Managing user settings": all are false at first. @throws NotFoundException  the account or the user does not exist */
  GetUserSettings: {
    handle: async (call, input) => ({ UserSettings: (await userOrNotFound(call, input)).user.document.UserSettings ?? NO_CALLS }),
  },

  /** Replaces the settings. @throws NotFoundException  the account or the user does not exist */
  UpdateUserSettings: {
    async handle(call, { UserSettings, ...input }) {
      const { user } = await userOrNotFound(call, input);
      await call.tx.of(users).put({ ...user, document: { ...user.document, UserSettings } });
      return {};
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;

/** Members of a user that UpdateUser and BatchUpdateUser set. */
export interface UserChange {
  readonly LicenseType?: License;
  readonly UserType?: UserType;
  readonly AlexaForBusinessMetadata?: AlexaForBusinessMetadata;
}

/**
 * Returns a user with a change. Returns the same object if the change has no members.
 *
 * Source: Administration Guide of 2020: registered profiles of a directory become shared devices. Assumed: (1) other types of accounts refuse
 * `UserType`. (2) A removed user cannot be changed.
 * @throws ForbiddenException   a license is set by a group of the directory or the OpenID provider
 * @throws BadRequestException  the account does not support the license or the type, or the user was removed
 */
export function updatedUser(account: AccountRecord, user: UserRecord, change: UserChange): UserRecord {
  const { LicenseType, UserType, AlexaForBusinessMetadata } = change;
  if (LicenseType !== undefined) {
    requireUnmanaged(account);
    requireLicense(account, LicenseType);
  }
  if (UserType !== undefined && account.accountType !== 'EnterpriseDirectory') throw badRequest();
  if (LicenseType === undefined && UserType === undefined && AlexaForBusinessMetadata === undefined) return user;
  if (user.registrationStatus === 'Suspended' && !user.isMember) throw badRequest();
  return {
    ...user,
    licenseType: LicenseType ?? user.licenseType,
    userType: UserType ?? user.userType,
    document: {
      ...user.document,
      ...(AlexaForBusinessMetadata !== undefined && { AlexaForBusinessMetadata: toMetadata(AlexaForBusinessMetadata) }),
    },
  };
}

function toMetadata({ IsAlexaForBusinessEnabled = false, AlexaForBusinessRoomArn }: AlexaForBusinessMetadata): AlexaForBusinessMetadata {
  if (AlexaForBusinessRoomArn !== undefined) requireName(AlexaForBusinessRoomArn);
  return omitUndefined({ IsAlexaForBusinessEnabled, AlexaForBusinessRoomArn });
}

function keyOf(user: UserRecord): string {
  const { isNew, listedAt, userId } = placeOf(user);
  return `${isNew ? 1 : 0} ${listedAt} ${userId}`;
}

function placeIn(key: string): UserPlace {
  const [, isNew, listedAt, userId = ''] = /^([01]) (\d{1,15}) ([\w-]{1,36})$/.exec(key) ?? [];
  if (listedAt === undefined) throw badRequest();
  return { isNew: isNew === '1', listedAt: instant(Number(listedAt)) as Instant, userId };
}
