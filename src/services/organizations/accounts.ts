/**
 * Accounts of an organization. `account-creation.ts` creates accounts, and `handshakes.ts` invites existing accounts.
 */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Account, OrganizationsApi } from '#model/generated/organizations.ts';
import type { OrganizationRecord } from '#store/identity/organization-records.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import type { Read } from '../kit/page.ts';
import { ensureParent, managedOrganization, memberAccount, ownOrganization } from './lookup.ts';
import { emitChanged, leave } from './membership.ts';
import { type Page, pageOfStored } from './page.ts';
import { constraintViolation, refusal } from './refusals.ts';
import { onResources } from './resources.ts';
import { toAccount } from './shapes.ts';

/** Operations on accounts of an organization. */
export const accountOperations = {
  DescribeAccount: {
    access: (input, caller) => onResources(caller, [input.AccountId]),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      return { Account: await toAccount(call.tx, organization, await memberAccount(call.tx, organization, input.AccountId)) };
    },
  },

  ListAccounts: {
    async handle(call, input) {
      const organization = await managedOrganization(call);
      return toAccountList(call, organization, await pageOfStored(call.tx.identity, input, accountsOf(call)));
    },
  },

  ListAccountsForParent: {
    access: (input, caller) => onResources(caller, [input.ParentId]),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      await ensureParent(call.tx, organization, input.ParentId);
      const page = await pageOfStored(call.tx.identity, input, accountsOf(call), (account) => account.parentId === input.ParentId);
      return toAccountList(call, organization, page);
    },
  },

  /** Moves an account between parents. The policies of the new parent apply to the account from the next request on. */
  MoveAccount: {
    access: (input, caller) => onResources(caller, [input.AccountId, input.SourceParentId, input.DestinationParentId]),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const account = await memberAccount(call.tx, organization, input.AccountId);
      await ensureParent(call.tx, organization, input.SourceParentId, 'SourceParentNotFoundException');
      await ensureParent(call.tx, organization, input.DestinationParentId, 'DestinationParentNotFoundException');
      if (account.parentId === input.DestinationParentId) throw refusal('DuplicateAccountException');
      if (account.parentId !== input.SourceParentId) throw refusal('AccountNotFoundException');
      await call.tx.identity.put(call.accountId, 'organization-account', account.memberId, {
        ...account,
        parentId: input.DestinationParentId,
      });
      return {};
    },
  },

  RemoveAccountFromOrganization: {
    access: (input, caller) => onResources(caller, [input.AccountId]),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      await leave(call, organization, await memberAccount(call.tx, organization, input.AccountId));
      return {};
    },
  },

  /** Removes the caller's own account from its organization. */
  LeaveOrganization: {
    async handle(call) {
      const organization = await ownOrganization(call);
      await leave(call, organization, await memberAccount(call.tx, organization, call.accountId));
      return {};
    },
  },

  /** Closes an account permanently. Assumed: it is suspended at once, without the waiting period of the real service. */
  CloseAccount: {
    access: (input, caller) => onResources(caller, [input.AccountId]),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const account = await memberAccount(call.tx, organization, input.AccountId);
      if (account.memberId === organization.accountId) {
        throw constraintViolation('CANNOT_CLOSE_MANAGEMENT_ACCOUNT', 'You cannot close the management account of an organization.');
      }
      if (account.status === 'SUSPENDED') throw refusal('AccountAlreadyClosedException');
      await call.tx.identity.put(call.accountId, 'organization-account', account.memberId, { ...account, status: 'SUSPENDED' });
      await emitChanged(call, organization);
      return {};
    },
  },
} satisfies Partial<ServiceOperations<OrganizationsApi>>;

type AccountSummary = IdentitySummaries['organization-account'];

function accountsOf(call: Call): Read<AccountSummary> {
  return (after, limit) => call.tx.identity.summaries(call.accountId, 'organization-account', omitUndefined({ after, limit }));
}

async function toAccountList(
  call: Call,
  organization: OrganizationRecord,
  page: Page<AccountSummary>,
): Promise<OrganizationsApi['ListAccounts']['output']> {
  const accounts: Account[] = [];
  for (const account of page.records) accounts.push(await toAccount(call.tx, organization, account));
  return { Accounts: accounts, ...page.rest };
}
