/** Organizations, as trails use them: which account may own an organization trail, and its administrators. */
import type { AccountId } from '#core/arn.ts';
import type { CloudtrailApi } from '#model/generated/cloudtrail.ts';
import { ORGANIZATION_KEY, type OrganizationRecord } from '#store/identity/organization-records.ts';
import type { Tx } from '#store/store.ts';
import type { Call, Caller, ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';

/** Service principal that needs trusted access to an organization. */
const SERVICE_PRINCIPAL = 'cloudtrail.amazonaws.com';

/** Maximum number of delegated administrators. Source: CloudTrail User Guide, "Organization delegated administrator". */
const ADMINISTRATORS_MAX = 3;

/** Returns the organization of an account, or `undefined`. */
export async function organizationOf(tx: Tx, accountId: AccountId): Promise<OrganizationRecord | undefined> {
  const member = await tx.identity.get(accountId, 'organization-member', ORGANIZATION_KEY);
  return member && (await tx.identity.get(member.managementAccountId, 'organization', ORGANIZATION_KEY));
}

/** Reports whether an account manages the trails of an organization: the management account, or a delegated administrator. */
export function managesTrails(organization: OrganizationRecord, accountId: AccountId): boolean {
  return accountId === organization.accountId || organization.trailAdministrators?.[accountId] !== undefined;
}

/**
 * Returns the account that owns an organization trail which the caller creates: the management account.
 * The caller's own account if it may not create one. Then the operation fails after the authorization.
 */
export async function organizationTrailOwner(tx: Tx, { accountId }: Pick<Caller, 'accountId'>): Promise<AccountId> {
  const organization = await organizationOf(tx, accountId);
  return organization !== undefined && managesTrails(organization, accountId) ? organization.accountId : accountId;
}

/**
 * Returns the organization whose trails the caller may create and change.
 *
 * @throws OrganizationsNotInUseException             the account is not in an organization
 * @throws NotOrganizationMasterAccountException      the account is neither its management account nor an administrator
 * @throws OrganizationNotInAllFeaturesModeException  the organization has only consolidated billing
 * @throws CloudTrailAccessNotEnabledException        CloudTrail has no trusted access
 *
 * Source: CloudTrail API reference, the descriptions of the exceptions. Assumed: their order and messages. Belfry needs no
 * service-linked role, because delivery does not read the member accounts with a role.
 */
export async function requireManagedOrganization({ tx, accountId }: Pick<Call, 'tx' | 'accountId'>): Promise<OrganizationRecord> {
  const organization = await organizationOf(tx, accountId);
  if (organization === undefined) throw notInUse();
  if (!managesTrails(organization, accountId)) throw notManagement();
  requireTrustedAccess(organization);
  return organization;
}

function notInUse(): Error {
  return new AwsError('OrganizationsNotInUseException', 'Your account is not a member of an organization.');
}

/** Returns the error for an account that must not change organization trails. */
export function notManagement(): Error {
  return new AwsError(
    'NotOrganizationMasterAccountException',
    'Only the management account or a delegated administrator of an organization can create or change an organization trail.',
  );
}

function requireTrustedAccess({ featureSet, serviceAccess }: OrganizationRecord): void {
  if (featureSet !== 'ALL') {
    throw new AwsError('OrganizationNotInAllFeaturesModeException', 'The organization is not configured to support all features.');
  }
  if (serviceAccess?.[SERVICE_PRINCIPAL] === undefined) {
    throw new AwsError(
      'CloudTrailAccessNotEnabledException',
      'Trusted access is not enabled between CloudTrail and AWS Organizations. Enable trusted access, and then try again.',
    );
  }
}

/**
 * Returns the organization that the caller manages.
 *
 * @throws OrganizationsNotInUseException             the account is not in an organization
 * @throws NotOrganizationManagementAccountException  the account is not its management account
 * @throws OrganizationNotInAllFeaturesModeException, CloudTrailAccessNotEnabledException  as for organization trails
 */
async function requireOwnOrganization({ tx, accountId }: Call): Promise<OrganizationRecord> {
  const organization = await organizationOf(tx, accountId);
  if (organization === undefined) throw notInUse();
  if (organization.accountId !== accountId) {
    throw new AwsError('NotOrganizationManagementAccountException', 'Only the management account can manage delegated administrators.');
  }
  requireTrustedAccess(organization);
  return organization;
}

/** @throws AccountNotFoundException  the account is not in the organization */
async function requireMember({ tx }: Call, { accountId }: OrganizationRecord, memberId: string): Promise<void> {
  if ((await tx.identity.get(accountId, 'organization-account', memberId)) === undefined) {
    throw new AwsError('AccountNotFoundException', `The account ${memberId} is not a member of your organization.`);
  }
}

/** Operations on delegated administrators. They require permission on `*`. */
export const administratorOperations = {
  /**
   * Registers an administrator of organization trails.
   *
   * @throws OrganizationsNotInUseException, NotOrganizationManagementAccountException,
   *   OrganizationNotInAllFeaturesModeException, CloudTrailAccessNotEnabledException  as `requireOwnOrganization`
   * @throws CannotDelegateManagementAccountException      the account is the management account
   * @throws AccountNotFoundException                      the account is not in the organization
   * @throws AccountRegisteredException                    the account is registered already
   * @throws DelegatedAdminAccountLimitExceededException   there are 3 administrators
   *
   * Source: CloudTrail API reference, RegisterOrganizationDelegatedAdmin. Assumed: the order of the errors, and the messages.
   */
  RegisterOrganizationDelegatedAdmin: {
    async handle(call, { MemberAccountId }) {
      const organization = await requireOwnOrganization(call);
      if (MemberAccountId === organization.accountId) {
        throw new AwsError('CannotDelegateManagementAccountException', 'The management account cannot be a delegated administrator.');
      }
      await requireMember(call, organization, MemberAccountId);
      const administrators = organization.trailAdministrators ?? {};
      if (administrators[MemberAccountId] !== undefined) {
        throw new AwsError('AccountRegisteredException', `The account ${MemberAccountId} is already a delegated administrator.`);
      }
      if (Object.keys(administrators).length >= ADMINISTRATORS_MAX) {
        throw new AwsError(
          'DelegatedAdminAccountLimitExceededException',
          `An organization can have at most ${ADMINISTRATORS_MAX} delegated administrators.`,
        );
      }
      await putAdministrators(call, organization, { ...administrators, [MemberAccountId]: call.now });
      return {};
    },
  },

  /**
   * Removes an administrator. The organization trails that it created stay, because the management account owns them.
   *
   * @throws AccountNotRegisteredException  the account is not an administrator. The earlier errors are those of
   *   RegisterOrganizationDelegatedAdmin
   */
  DeregisterOrganizationDelegatedAdmin: {
    async handle(call, { DelegatedAdminAccountId }) {
      const organization = await requireOwnOrganization(call);
      await requireMember(call, organization, DelegatedAdminAccountId);
      const { [DelegatedAdminAccountId]: registered, ...others } = organization.trailAdministrators ?? {};
      if (registered === undefined) {
        throw new AwsError('AccountNotRegisteredException', `The account ${DelegatedAdminAccountId} is not a delegated administrator.`);
      }
      await putAdministrators(call, organization, others);
      return {};
    },
  },
} satisfies Partial<ServiceOperations<CloudtrailApi>>;

async function putAdministrators(
  { tx }: Call,
  organization: OrganizationRecord,
  trailAdministrators: NonNullable<OrganizationRecord['trailAdministrators']>,
): Promise<void> {
  await tx.identity.put(organization.accountId, 'organization', ORGANIZATION_KEY, { ...organization, trailAdministrators });
}
