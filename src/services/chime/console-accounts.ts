/** Tasks of the console on accounts and their users. `docs/own-operations.md` describes the operations. */
import type { ChimeApi } from '#model/generated/chime.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { IS_TEAM, supportsLicense } from './account-types.ts';
import { accountOperations } from './accounts.ts';
import { AwsError } from './errors.ts';
import { accountOrNotFound, badRequest, toAccount, toUser } from './stored-accounts.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { users } from './tables/users.ts';
import { normalizedEmail } from './texts.ts';
import { userBatchOperations } from './user-batches.ts';

/** Source: Service Authorization Reference, Amazon Chime: the actions; chime.md §6. Assumed: inputs, outputs and errors, as AWS publishes none. */
export const consoleAccountOperations = {
  /** As UpdateAccount. @throws NotFoundException  the account does not exist · BadRequestException  the name has a line break */
  RenameAccount: {
    handle: (call, { AccountId, Name }) => accountOperations.UpdateAccount.handle(call, { AccountId, Name }),
  },

  /**
   * Sets the supported licenses. Assumed: users keep a license that the account no longer supports.
   *
   * @throws NotFoundException    the account does not exist
   * @throws BadRequestException  the default license is not among them, or ProTrial is
   */
  UpdateSupportedLicenses: {
    async handle(call, { AccountId, SupportedLicenses }) {
      const before = await accountOrNotFound(call, AccountId);
      const document = { ...before.document, SupportedLicenses: [...new Set(SupportedLicenses)] };
      const account: AccountRecord = { ...before, document };
      if (SupportedLicenses.includes('ProTrial')) throw badRequest('Users of an account cannot have the license ProTrial.');
      if (!supportsLicense(account, document.DefaultLicense))
        throw badRequest('The default license of the account must be among the supported licenses.');
      await call.tx.of(accounts).put(account);
      return { Account: toAccount(account) };
    },
  },

  /** As BatchUpdateUser. @throws NotFoundException  the account does not exist */
  UpdateUserLicenses: {
    handle: (call, { AccountId, UserIds, License }) =>
      userBatchOperations.BatchUpdateUser.handle(call, {
        AccountId,
        UpdateUserRequestItems: UserIds.map((UserId) => ({ UserId, LicenseType: License })),
      }),
  },

  /** @throws BadRequestException  the address is invalid · NotFoundException  the account does not exist, or has no such user */
  GetUserByEmail: {
    async handle(call, { AccountId, UserEmail }) {
      const email = normalizedEmail(UserEmail);
      const account = await accountOrNotFound(call, AccountId);
      const user = await call.tx.of(users).getByEmail(account.chimeAccountId, email);
      // The message is in the trail, so it does not contain the address.
      if (user === undefined) throw new AwsError('NotFoundException', 'Could not find User with this email address');
      return { User: toUser(user) };
    },
  },

  /**
   * As BatchSuspendUser. Source: the description of the action names Enterprise accounts only.
   *
   * @throws NotFoundException    the account does not exist
   * @throws BadRequestException  the account is a Team account
   * Emits: ChimeUserSuspended.
   */
  SuspendUsers: {
    async handle(call, { AccountId, UserIds }) {
      const account = await accountOrNotFound(call, AccountId);
      if (account.accountType === 'Team') throw badRequest(IS_TEAM);
      return await userBatchOperations.BatchSuspendUser.handle(call, { AccountId, UserIdList: UserIds });
    },
  },

  /** As BatchUnsuspendUser. Emits: ChimeUserUnsuspended. */
  ActivateUsers: {
    handle: (call, { AccountId, UserIds }) => userBatchOperations.BatchUnsuspendUser.handle(call, { AccountId, UserIdList: UserIds }),
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;
