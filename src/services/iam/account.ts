/**
 * Account-wide operations: the account alias and GetAccountSummary.
 */

import type { IamApi } from '#model/generated/iam.ts';
import type { AccountRecord } from '#store/identity/identity.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { everySummary } from '../kit/summaries.ts';
import { rootAccessKeys } from './access-keys.ts';
import { AwsError } from './errors.ts';
import { QUOTAS } from './quotas.ts';

/** Operations on the account as a whole. */
export const accountOperations = {
  /**
   * Creates the alias of the account. Replaces an earlier alias.
   *
   * Source: IAM User Guide, "Your AWS account ID and its alias": an account has one alias, which is unique among all accounts.
   */
  CreateAccountAlias: {
    async handle(call, input) {
      const account = await ownAccount(call);
      if (((await call.tx.meta.get(aliasKey(input.AccountAlias))) ?? FREE) !== FREE) {
        throw new AwsError('EntityAlreadyExistsException', `The account alias ${input.AccountAlias} already exists.`);
      }
      if (account.alias !== undefined) await call.tx.meta.put(aliasKey(account.alias), FREE);
      await call.tx.meta.put(aliasKey(input.AccountAlias), account.accountId);
      await saveAccount(call, { ...account, alias: input.AccountAlias });
      return {};
    },
  },

  DeleteAccountAlias: {
    async handle(call, input) {
      const { alias, ...account } = await ownAccount(call);
      if (alias !== input.AccountAlias) {
        throw new AwsError('NoSuchEntityException', `The account alias ${input.AccountAlias} cannot be found.`);
      }
      await call.tx.meta.put(aliasKey(alias), FREE);
      await saveAccount(call, account);
      return {};
    },
  },

  ListAccountAliases: {
    async handle(call) {
      const { alias } = await ownAccount(call);
      return { AccountAliases: alias === undefined ? [] : [alias], IsTruncated: false };
    },
  },

  /** Returns the number of entities in the account, and its quotas. Source: IAM API reference, GetAccountSummary. Requirement COMP-4. */
  GetAccountSummary: {
    async handle(call) {
      const { tx, accountId } = call;
      const account = await ownAccount(call);
      let versionsInUse = 0;
      for await (const { record } of everySummary(tx, accountId, 'policy')) versionsInUse += record.versions.length;
      let devicesInUse = 0;
      for await (const { record } of everySummary(tx, accountId, 'mfa-device')) if (record.enabledAt !== undefined) devicesInUse++;
      // biome-ignore format: a table
      const SummaryMap = {
        Users:                              await tx.identity.count(accountId, 'user'),
        UsersQuota:                         QUOTAS.UsersPerAccount,
        Groups:                             await tx.identity.count(accountId, 'group'),
        GroupsQuota:                        QUOTAS.GroupsPerAccount,
        Roles:                              await tx.identity.count(accountId, 'role'),
        RolesQuota:                         QUOTAS.RolesPerAccount,
        Policies:                           await tx.identity.count(accountId, 'policy'),
        PoliciesQuota:                      QUOTAS.PoliciesPerAccount,
        PolicyVersionsInUse:                versionsInUse,
        PolicyVersionsInUseQuota:           10_000,
        VersionsPerPolicyQuota:             QUOTAS.VersionsPerPolicy,
        PolicySizeQuota:                    QUOTAS.PolicySize,
        UserPolicySizeQuota:                QUOTAS.UserPolicySize,
        GroupPolicySizeQuota:               QUOTAS.GroupPolicySize,
        RolePolicySizeQuota:                QUOTAS.RolePolicySize,
        AssumeRolePolicySizeQuota:          QUOTAS.ACLSizePerRole,
        AttachedPoliciesPerUserQuota:       QUOTAS.PoliciesPerUser,
        AttachedPoliciesPerGroupQuota:      QUOTAS.PoliciesPerGroup,
        AttachedPoliciesPerRoleQuota:       QUOTAS.PoliciesPerRole,
        GroupsPerUserQuota:                 QUOTAS.GroupsPerUser,
        AccessKeysPerUserQuota:             QUOTAS.AccessKeysPerUser,
        SigningCertificatesPerUserQuota:    2,
        MFADevices:                         await tx.identity.count(accountId, 'mfa-device'),
        MFADevicesInUse:                    devicesInUse,
        AccountMFAEnabled:                  (account.mfaSerialNumbers ?? []).length > 0 ? 1 : 0,
        AccountAccessKeysPresent:           (await rootAccessKeys(tx, accountId)).length > 0 ? 1 : 0,
        AccountPasswordPresent:             0,
        AccountSigningCertificatesPresent:  0,
        Providers:                          (await tx.identity.count(accountId, 'saml-provider')) + (await tx.identity.count(accountId, 'oidc-provider')),
        InstanceProfiles:                   0,
        InstanceProfilesQuota:              1000,
        ServerCertificates:                 0,
        ServerCertificatesQuota:            20,
        GlobalEndpointTokenVersion:         1,
      };
      return { SummaryMap };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

/** Key of the global record that maps an alias to the account that owns it. */
const aliasKey = (alias: string): string => `account alias ${alias}`;
const FREE = '';

/** Returns the stored record of the caller's account, or a new record with the account ID as its name. */
export async function ownAccount(call: Call): Promise<AccountRecord> {
  const account = await call.tx.identity.get(call.accountId, 'account', call.accountId);
  return account ?? { accountId: call.accountId, name: call.accountId, createdAt: call.now };
}

/** Stores the record of the caller's account. */
export async function saveAccount(call: Call, account: AccountRecord): Promise<void> {
  await call.tx.identity.put(call.accountId, 'account', call.accountId, account);
}
