/** Groups of a directory or an OpenID provider that give licenses. */
import type { ChimeApi, LicensedGroup } from '#model/generated/chime.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { isManaged, requireLicense } from './account-types.ts';
import { endCredentialsOfAccount } from './end-credentials.ts';
import { applyReports } from './provisioned-users.ts';
import { accountOrNotFound, badRequest, limitExceeded } from './stored-accounts.ts';
import type { AccountRecord } from './tables/accounts.ts';
import { directorySyncs } from './tables/directory-syncs.ts';
import { LICENSED_GROUPS_MAX, type LicensedGroupRecord, licensedGroups } from './tables/licensed-groups.ts';
import { scimGroups, scimUsers } from './tables/scim.ts';
import { requireName } from './texts.ts';

/**
 * Source: Administration Guide, "Managing user permissions and access"; recorded response with `Groups:[{GroupId, License}]`. Assumed: inputs,
 * outputs and errors, as AWS publishes none.
 */
export const groupOperations = {
  /**
   * Adds groups, or changes their licenses. Members of several groups have the best license.
   *
   * Assumed: a group can be added before the provider has reported it.
   * @throws BadRequestException             a name is invalid or repeated · the account has neither a directory nor an OpenID provider · it does
   *   not support a license
   * @throws NotFoundException               the account does not exist
   * @throws ResourceLimitExceededException  the account would have more than 500 groups
   */
  AddOrUpdateGroups: {
    async handle(call, { AccountId, Groups }) {
      const names = Groups.map(({ GroupName }) => GroupName);
      for (const name of names) requireName(name);
      const account = await accountOrNotFound(call, AccountId);
      if (!isManaged(account)) throw badRequest('The account has no directory and no OpenID provider.');
      if (new Set(names).size < names.length) throw badRequest('A group is in the list twice.');
      for (const { License } of Groups) requireLicense(account, License);
      const { chimeAccountId } = account;
      const repository = call.tx.of(licensedGroups);
      const before = new Map((await repository.named(chimeAccountId, names)).map((group) => [group.groupName, group]));
      if ((await repository.count(chimeAccountId)) + names.length - before.size > LICENSED_GROUPS_MAX) throw limitExceeded();
      const groups: LicensedGroupRecord[] = [];
      for (const { GroupName, License } of Groups) {
        const known = before.get(GroupName);
        const isReported = known?.reportedAt === undefined && (await call.tx.of(scimGroups).named(chimeAccountId, GroupName)) !== undefined;
        const group: LicensedGroupRecord = {
          ...(known ?? { chimeAccountId, groupName: GroupName, groupId: call.newId() }),
          license: License,
          ...(isReported && { reportedAt: call.now }),
        };
        await repository.put(group);
        groups.push(group);
      }
      await applyGroups(call, account, names);
      return { Groups: groups.map(toGroup) };
    },
  },

  /**
   * Removes groups. Members without another licensed group cannot sign in, and the sessions end at once.
   *
   * @throws NotFoundException  the account does not exist
   */
  DeleteGroups: {
    async handle(call, { AccountId, GroupIds }) {
      const account = await accountOrNotFound(call, AccountId);
      const groups = await call.tx.of(licensedGroups).withIds(account.chimeAccountId, GroupIds);
      const names = groups.map(({ groupName }) => groupName);
      for (const name of names) await call.tx.of(licensedGroups).remove(account.chimeAccountId, name);
      await endCredentialsOfAccount(call.tx, account.chimeAccountId);
      await applyGroups(call, account, names);
      return {};
    },
  },

  /** @throws NotFoundException  the account does not exist · BadRequestException  the token is invalid */
  ListGroups: {
    async handle(call, input) {
      const { chimeAccountId } = await accountOrNotFound(call, input.AccountId);
      const { items, rest } = await pageOf(
        `ListGroups ${chimeAccountId}`,
        input,
        (limit, after) => call.tx.of(licensedGroups).list(chimeAccountId, limit, after),
        ({ groupName }) => groupName,
      );
      return { Groups: items.map(toGroup), ...rest };
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;

/**
 * Applies a change of licensed groups to provisioned members. The sweep applies it to the members after the first 50. The people of a directory
 * are read again.
 */
async function applyGroups(call: Call, account: AccountRecord, names: readonly string[]): Promise<void> {
  await call.tx.of(directorySyncs).restart(account.chimeAccountId, call.now);
  for (const name of names) await call.tx.of(scimUsers).setDueOfGroup(account.chimeAccountId, name);
  await applyReports(call, account);
}

function toGroup({ groupId, groupName, license, reportedAt }: LicensedGroupRecord): LicensedGroup {
  return { GroupId: groupId, GroupName: groupName, License: license, SyncStatus: reportedAt === undefined ? 'Pending' : 'Synced' };
}
