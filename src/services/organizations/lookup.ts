/**
 * Lookup of organizations, and of their units, accounts and other policy targets, with AWS's errors for missing ones.
 *
 * Almost all operations use `managedOrganization`, so only the management account may call them.
 */
import type { AccountId, Arn } from '#core/arn.ts';
import type { TargetType } from '#model/generated/organizations.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import {
  attachedPolicyIds,
  ORGANIZATION_KEY,
  type OrganizationAccountRecord,
  type OrganizationalUnitRecord,
  type OrganizationRecord,
} from '#store/identity/organization-records.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Tx } from '#store/store.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Call } from '../kit/operation.ts';
import { everySummary } from '../kit/summaries.ts';
import { arnOf } from './names.ts';
import { refusal } from './refusals.ts';

/** Returns the organization of an account, or `undefined`. */
export async function organizationOf(tx: Tx, accountId: AccountId): Promise<OrganizationRecord | undefined> {
  const member = await tx.identity.get(accountId, 'organization-member', ORGANIZATION_KEY);
  return member && (await tx.identity.get(member.managementAccountId, 'organization', ORGANIZATION_KEY));
}

/**
 * Returns the organization of the caller.
 *
 * @throws AWSOrganizationsNotInUseException  the caller's account is not in an organization
 */
export async function ownOrganization(call: Call): Promise<OrganizationRecord> {
  const organization = await organizationOf(call.tx, call.accountId);
  if (organization === undefined) throw refusal('AWSOrganizationsNotInUseException');
  return organization;
}

/**
 * Returns the organization that the caller manages.
 *
 * @throws AWSOrganizationsNotInUseException  the caller's account is not in an organization
 * @throws AccessDeniedException              the caller's account is not the management account of its organization
 */
export async function managedOrganization(call: Call): Promise<OrganizationRecord> {
  const organization = await ownOrganization(call);
  if (organization.accountId !== call.accountId) throw refusal('AccessDeniedException');
  return organization;
}

/** Stores the record of an organization. */
export function putOrganization(tx: Tx, organization: OrganizationRecord): Promise<void> {
  return tx.identity.put(organization.accountId, 'organization', ORGANIZATION_KEY, organization);
}

/** Returns an account of an organization. @throws AccountNotFoundException  the account is not in the organization */
export async function memberAccount(tx: Tx, organization: OrganizationRecord, accountId: string): Promise<OrganizationAccountRecord> {
  const account = await tx.identity.get(organization.accountId, 'organization-account', accountId);
  if (account === undefined) throw refusal('AccountNotFoundException');
  return account;
}

/** Returns a unit of an organization. @throws OrganizationalUnitNotFoundException  the unit is not in the organization */
export async function organizationalUnit(tx: Tx, organization: OrganizationRecord, unitId: string): Promise<OrganizationalUnitRecord> {
  const unit = await tx.identity.get(organization.accountId, 'organizational-unit', unitId);
  if (unit === undefined) throw refusal('OrganizationalUnitNotFoundException');
  return unit;
}

type ParentRefusal = 'ParentNotFoundException' | 'SourceParentNotFoundException' | 'DestinationParentNotFoundException';

/** Checks that an ID is the ID of the root or of a unit. Throws `otherwise` if it is not. */
export async function ensureParent(
  tx: Tx,
  organization: OrganizationRecord,
  parentId: string,
  otherwise: ParentRefusal = 'ParentNotFoundException',
): Promise<void> {
  if (parentId === organization.root.rootId) return;
  if ((await tx.identity.get(organization.accountId, 'organizational-unit', parentId)) === undefined) throw refusal(otherwise);
}

/** Returns the units from the root down to a parent. The list is empty if the parent is the root. */
export async function unitsDownTo(tx: Tx, organization: OrganizationRecord, parentId: string): Promise<OrganizationalUnitRecord[]> {
  const units: OrganizationalUnitRecord[] = [];
  for (let at = parentId; at !== organization.root.rootId; ) {
    const unit = await organizationalUnit(tx, organization, at);
    units.unshift(unit);
    at = unit.parentId;
  }
  return units;
}

/** Returns the path of a root or unit: `o-…/r-…/ou-…/`. The path of a direct child is this path plus the child's ID. */
export async function pathOf(tx: Tx, organization: OrganizationRecord, parentId: string): Promise<string> {
  const units = await unitsDownTo(tx, organization, parentId);
  return `${[organization.organizationId, organization.root.rootId, ...units.map(({ unitId }) => unitId)].join('/')}/`;
}

/** Yields the organizational units of an organization without their tags, in the order of their IDs. */
export async function* everyUnit(tx: Tx, organization: OrganizationRecord): AsyncGenerator<IdentitySummaries['organizational-unit']> {
  for await (const { record } of everySummary(tx, organization.accountId, 'organizational-unit')) yield record;
}

/** Yields the accounts of an organization without their tags, in the order of their IDs. */
export async function* everyAccount(tx: Tx, organization: OrganizationRecord): AsyncGenerator<IdentitySummaries['organization-account']> {
  for await (const { record } of everySummary(tx, organization.accountId, 'organization-account')) yield record;
}

/** Returns the IDs of the service control policies attached to a unit or account of an organization. */
export function policyIdsOf(organization: OrganizationRecord, target: Parameters<typeof attachedPolicyIds>[1]): readonly string[] {
  return attachedPolicyIds(organization, target, initialPolicyIds(organization));
}

/**
 * Returns the IDs of the policies attached to a new unit or account.
 * Source: AWS Organizations User Guide, "Service control policies (SCPs)".
 */
function initialPolicyIds(organization: OrganizationRecord): readonly string[] {
  return organization.serviceControl === 'enabled' ? [FULL_AWS_ACCESS.policyId] : [];
}

/** Returns the part of the record of a new unit or account that describes its attached policies. */
export function newTarget(organization: OrganizationRecord) {
  return { attachedPolicyIds: initialPolicyIds(organization), attachedIn: organization.attachmentPeriod ?? 0 };
}

/** A root, unit or account: an entity that can have attached policies and tags. `put` changes the stored record. */
export interface FoundTarget {
  readonly type: TargetType;
  readonly id: string;
  readonly arn: Arn;
  readonly name: string;
  readonly attachedPolicyIds: readonly string[];
  readonly tags: readonly TagRecord[];
  readonly put: (change: { readonly attachedPolicyIds?: readonly string[]; readonly tags?: readonly TagRecord[] }) => Promise<void>;
}

/** Returns the root, unit or account with an ID, or `undefined`. */
export async function targetOf(tx: Tx, organization: OrganizationRecord, id: string): Promise<FoundTarget | undefined> {
  if (id === organization.root.rootId) return rootTarget(tx, organization);
  if (id.startsWith('ou-')) {
    const unit = await tx.identity.get(organization.accountId, 'organizational-unit', id);
    return unit && unitTarget(tx, organization, unit);
  }
  const account = await tx.identity.get(organization.accountId, 'organization-account', id);
  return account && accountTarget(tx, organization, account);
}

function rootTarget(tx: Tx, organization: OrganizationRecord): FoundTarget {
  const { root } = organization;
  return {
    type: 'ROOT',
    id: root.rootId,
    arn: arnOf(organization, root.rootId),
    name: 'Root',
    attachedPolicyIds: root.attachedPolicyIds,
    tags: root.tags,
    put: (change) => putOrganization(tx, { ...organization, root: { ...root, ...change } }),
  };
}

type TargetChange = Parameters<FoundTarget['put']>[0];

/**
 * Adds the number of the current attachment period to a change of attached policies. A period begins when service
 * control policies are enabled or disabled. The function `attachedPolicyIds` ignores attachments of earlier periods.
 */
function changeIn(organization: OrganizationRecord, change: TargetChange): TargetChange & { readonly attachedIn?: number } {
  return change.attachedPolicyIds === undefined ? change : { ...change, attachedIn: organization.attachmentPeriod ?? 0 };
}

function unitTarget(tx: Tx, organization: OrganizationRecord, unit: OrganizationalUnitRecord): FoundTarget {
  return {
    type: 'ORGANIZATIONAL_UNIT',
    id: unit.unitId,
    arn: arnOf(organization, unit.unitId),
    name: unit.name,
    attachedPolicyIds: policyIdsOf(organization, unit),
    tags: unit.tags,
    put: (change) =>
      tx.identity.put(organization.accountId, 'organizational-unit', unit.unitId, { ...unit, ...changeIn(organization, change) }),
  };
}

async function accountTarget(tx: Tx, organization: OrganizationRecord, account: OrganizationAccountRecord): Promise<FoundTarget> {
  return {
    type: 'ACCOUNT',
    id: account.memberId,
    arn: arnOf(organization, account.memberId),
    name: (await tx.identity.get(account.memberId, 'account', account.memberId))?.name ?? account.memberId,
    attachedPolicyIds: policyIdsOf(organization, account),
    tags: account.tags,
    put: (change) =>
      tx.identity.put(organization.accountId, 'organization-account', account.memberId, { ...account, ...changeIn(organization, change) }),
  };
}
