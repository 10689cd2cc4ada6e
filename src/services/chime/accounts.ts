import { instant } from '#core/instant.ts';
import type { ChimeApi, ListAccountsRequest, ListAccountsResponse } from '#model/generated/chime.ts';
import { keyOfToken, tokenOf } from '../chime-kit/page.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { requireLicense } from './account-types.ts';
import { AwsError } from './errors.ts';
import { accountOrNotFound, badRequest, type Finder, notFound, toAccount } from './stored-accounts.ts';
import { type AccountPlace, type AccountRecord, accounts } from './tables/accounts.ts';
import { users } from './tables/users.ts';
import { normalizedEmail, requireName } from './texts.ts';

/** Default page size. Source: Chime API reference, ListAccounts. */
const PAGE_RESULTS = 100;
/** Accounts that a filter by name reads for one page, and accounts of one statement. A page with few matches ends early. */
const SCANNED = { most: 1_000, atOnce: 250 } as const;

/** Accounts. Source: chime 2018-05-01; chime.md §1. */
export const accountOperations = {
  /**
   * Creates a Team account.
   *
   * Source: Chime API reference, CreateAccount: only Team accounts; the recorded response has the licenses. Assumed: two accounts can have
   * the same name.
   * @throws BadRequestException  the name has a line break or another control character
   */
  CreateAccount: {
    async handle({ tx, now, newId, accountId }, { Name }) {
      requireName(Name);
      const account: AccountRecord = {
        accountId,
        chimeAccountId: newId(),
        name: Name,
        accountType: 'Team',
        createdAt: now,
        document: { DefaultLicense: 'Pro', SupportedLicenses: ['Basic', 'Pro'] },
      };
      await tx.of(accounts).add(account);
      return { Account: toAccount(account) };
    },
  },

  /** Returns an account, also if it was deleted in the last 90 days. @throws NotFoundException  the account does not exist */
  GetAccount: {
    async handle({ tx, accountId }, { AccountId }) {
      const account = await tx.of(accounts).get(accountId, AccountId);
      if (account === undefined) throw notFound('Account', AccountId);
      return { Account: toAccount(account) };
    },
  },

  /**
   * Lists accounts, newest first. A page can have fewer accounts than requested although more follow.
   *
   * Source: Chime API reference, ListAccounts: `Name` is a prefix, and `UserEmail` finds the account of that user. Assumed: the case of `Name`
   * matters; both filters together select an account that matches both.
   * @throws BadRequestException  the token or the address is invalid
   */
  ListAccounts: {
    handle: (call, input) => (input.UserEmail === undefined ? listByName(call, input) : listByUser(call, input, input.UserEmail)),
  },

  /**
   * Changes the name and the default license. The default license applies to users that are added later.
   *
   * Source: Chime API reference, UpdateAccount. Assumed: a request without these members changes nothing.
   * @throws NotFoundException    the account does not exist
   * @throws BadRequestException  the name is invalid, or the account does not support the license
   */
  UpdateAccount: {
    async handle(call, { AccountId, Name, DefaultLicense }) {
      if (Name !== undefined) requireName(Name);
      const before = await accountOrNotFound(call, AccountId);
      if (DefaultLicense !== undefined) requireLicense(before, DefaultLicense);
      const account: AccountRecord = {
        ...before,
        name: Name ?? before.name,
        document: { ...before.document, DefaultLicense: DefaultLicense ?? before.document.DefaultLicense },
      };
      await call.tx.of(accounts).put(account);
      return { Account: toAccount(account) };
    },
  },

  /**
   * Disables an account. It is suspended for 90 days, and then deleted for good (`sweepDisabledAccounts`). Until then the operator can restore it
   * (`restoreAccount`).
   *
   * Source: Chime API reference, DeleteAccount: the users of a Team account must be suspended, and the domains of an Enterprise account must
   * be released before. Assumed: the code for both; invited users do not prevent the deletion.
   * @throws NotFoundException             the account does not exist, or was deleted before
   * @throws UnprocessableEntityException  the account has registered users or domains
   */
  DeleteAccount: {
    async handle(call, { AccountId }) {
      const account = await accountOrNotFound(call, AccountId);
      const { Domains = [] } = account.document;
      if (Domains.length > 0) throw unprocessable('Remove the domains of the account before you delete it.');
      const registered = await call.tx.of(users).registered(account.chimeAccountId, 1);
      if (registered.length > 0) throw unprocessable('Suspend the users of the account before you delete it.');
      await call.tx.of(accounts).put({ ...account, disabledAt: call.now });
      return {};
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;

function unprocessable(message: string): AwsError {
  return new AwsError('UnprocessableEntityException', message);
}

/** Returns a page of accounts whose name has the prefix `Name`. Reads at most `SCANNED.most` accounts. */
async function listByName(
  { tx, accountId }: Finder,
  { Name = '', NextToken, MaxResults = PAGE_RESULTS }: ListAccountsRequest,
): Promise<ListAccountsResponse> {
  const scope = `ListAccounts ${accountId} ${Name}`;
  const found: AccountRecord[] = [];
  let after = NextToken === undefined ? undefined : placeIn(keyOfToken(scope, NextToken));
  for (let read = 0; read < SCANNED.most; ) {
    const limit = Name === '' ? MaxResults + 1 - found.length : SCANNED.atOnce;
    const batch = await tx.of(accounts).list(accountId, limit, after);
    for (const account of batch) {
      if (found.length === MaxResults) return page(found, tokenOf(scope, keyOf(after)));
      if (account.name.startsWith(Name)) found.push(account);
      after = account;
    }
    if (batch.length < limit) return page(found, undefined);
    read += batch.length;
  }
  return page(found, tokenOf(scope, keyOf(after)));
}

async function listByUser({ tx, accountId }: Finder, { Name = '' }: ListAccountsRequest, userEmail: string): Promise<ListAccountsResponse> {
  const user = await tx.of(users).memberWithEmail(normalizedEmail(userEmail));
  if (user === undefined || user.accountId !== accountId) return page([], undefined);
  const account = await tx.of(accounts).get(accountId, user.chimeAccountId);
  const matches = account !== undefined && account.disabledAt === undefined && account.name.startsWith(Name);
  return page(matches ? [account] : [], undefined);
}

function page(found: readonly AccountRecord[], NextToken: string | undefined): ListAccountsResponse {
  return { Accounts: found.map(toAccount), ...(NextToken !== undefined && { NextToken }) };
}

function keyOf(place: AccountPlace | undefined): string {
  return `${place?.createdAt} ${place?.chimeAccountId}`;
}

function placeIn(key: string): AccountPlace {
  const [createdAt = '', chimeAccountId] = key.split(' ');
  if (!/^\d{1,15}$/.test(createdAt) || chimeAccountId === undefined) throw badRequest();
  return { createdAt: instant(Number(createdAt)), chimeAccountId };
}
