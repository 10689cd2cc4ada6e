import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi, SigninDelegateGroup } from '#model/generated/chime.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { accountOrNotFound, badRequest, type Finder } from './stored-accounts.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { requireName } from './texts.ts';

/** Most sign-in delegate groups of an account. Assumed: the number, as the model has no limit. */
const GROUPS_MAX = 100;

/** Settings of an account, and its sign-in delegate groups. Source: chime 2018-05-01; chime.md §1. */
export const accountSettingsOperations = {
  /** Source: Chime API reference, GetAccountSettings: both settings are false at first. @throws NotFoundException  the account does not exist */
  GetAccountSettings: {
    async handle(call, { AccountId }) {
      const { document } = await accountOrNotFound(call, AccountId);
      return { AccountSettings: { DisableRemoteControl: false, EnableDialOut: false, ...document.AccountSettings } };
    },
  },

  /** Changes the settings. Assumed: absent members remain. @throws NotFoundException  the account does not exist */
  UpdateAccountSettings: {
    async handle(call, { AccountId, AccountSettings: { DisableRemoteControl, EnableDialOut } }) {
      const account = await accountOrNotFound(call, AccountId);
      const changed = omitUndefined({ DisableRemoteControl, EnableDialOut });
      await change(call, account, { AccountSettings: { ...account.document.AccountSettings, ...changed } });
      return {};
    },
  },

  /**
   * Adds groups of the directory whose members can sign in shared devices. Source: Administration Guide of 2020: EnterpriseDirectory only.
   * Assumed: the code for other types; a group that the account has already is not an error.
   *
   * @throws NotFoundException    the account does not exist
   * @throws BadRequestException  the account has no directory, a name is absent or invalid, or there are too many groups
   */
  AssociateSigninDelegateGroupsWithAccount: {
    async handle(call, { AccountId, SigninDelegateGroups }) {
      const account = await directoryAccount(call, AccountId);
      const groups = new Set(namesOf(account));
      for (const { GroupName } of SigninDelegateGroups) {
        if (GroupName === undefined) throw badRequest();
        requireName(GroupName);
        groups.add(GroupName);
      }
      if (groups.size > GROUPS_MAX) throw badRequest();
      await change(call, account, { SigninDelegateGroups: toGroups(groups) });
      return {};
    },
  },

  /**
   * Removes groups. Assumed: a group that the account does not have is not an error.
   *
   * @throws NotFoundException    the account does not exist
   * @throws BadRequestException  the account has no directory
   */
  DisassociateSigninDelegateGroupsFromAccount: {
    async handle(call, { AccountId, GroupNames }) {
      const account = await directoryAccount(call, AccountId);
      const removed = new Set(GroupNames);
      const { SigninDelegateGroups: _before, ...rest } = account.document;
      const left = namesOf(account).filter((name) => !removed.has(name));
      await call.tx
        .of(accounts)
        .put({ ...account, document: { ...rest, ...(left.length > 0 && { SigninDelegateGroups: toGroups(left) }) } });
      return {};
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;

async function directoryAccount(call: Finder, id: string): Promise<AccountRecord> {
  const account = await accountOrNotFound(call, id);
  if (account.accountType !== 'EnterpriseDirectory') throw badRequest();
  return account;
}

function namesOf({ document }: AccountRecord): readonly string[] {
  return (document.SigninDelegateGroups ?? []).flatMap(({ GroupName }) => GroupName ?? []);
}

function toGroups(names: Iterable<string>): readonly SigninDelegateGroup[] {
  return Array.from(names, (GroupName) => ({ GroupName }));
}

async function change({ tx }: Finder, account: AccountRecord, changed: Partial<AccountRecord['document']>): Promise<void> {
  await tx.of(accounts).put({ ...account, document: { ...account.document, ...changed } });
}
