import type { AccountId, Arn } from '#core/arn.ts';
import type { CompiledPolicy, SourcedPolicy } from '#policy/engine.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import {
  attachedPolicyIds,
  ORGANIZATION_KEY,
  type OrganizationAccountRecord,
  type OrganizationRecord,
} from '#store/identity/organization-records.ts';
import type { Snapshot } from './snapshot.ts';

/** Position of an account in an organization. */
export interface OrganizationFacts {
  readonly organizationId: string;
  /**
   * Path to the account's parent: `o-…/r-…/ou-…/`. It is a list of one element, because the condition key is
   * multivalued.
   */
  readonly paths: readonly string[];
  readonly managementAccountId: AccountId;
}

type Compiled = (holder: object, name: string, text: string) => CompiledPolicy;

/**
 * Returns the service control policies that apply to an account: one list per level, from the root of the organization down to the account.
 *
 * A level with an empty list allows nothing. Returns `undefined` if the account is in no organization or is the management account, or if
 * the policy type is disabled. Requirement EVAL-6.
 *
 * @throws Error  the snapshot lacks records of the organization. Evaluation then fails closed (EVAL-12).
 *
 * Source: AWS Organizations User Guide, "SCP evaluation".
 * Assumed: a closed account has no permissions, as if it had a level without a policy.
 */
export function serviceControlLevels(
  snapshot: Snapshot,
  accountId: AccountId,
  compiled: Compiled,
): readonly (readonly SourcedPolicy[])[] | undefined {
  const place = placeOf(snapshot, accountId);
  if (place === undefined || place.organization.accountId === accountId) return undefined;
  const { organization, account, unitIds } = place;
  if (account.status === 'SUSPENDED') return [[]];
  if (organization.serviceControl === 'disabled') return undefined;
  const units = unitIds.map((unitId) => present(snapshot.record(organization.accountId, 'organizational-unit', unitId), unitId));
  const levels = [
    organization.root.attachedPolicyIds,
    ...[...units, account].map((target) => attachedPolicyIds(organization, target, [FULL_AWS_ACCESS.policyId])),
  ];
  return levels.map((policyIds) => policyIds.map((policyId) => sourced(snapshot, organization, policyId, compiled)));
}

/**
 * Returns the targets of the levels that `serviceControlLevels` returns: IDs of the root, the organizational units and the account. Empty if
 * the account is in no organization or is closed.
 */
export function serviceControlTargets(snapshot: Snapshot, accountId: AccountId): readonly string[] {
  const place = placeOf(snapshot, accountId);
  if (place === undefined || place.account.status === 'SUSPENDED') return [];
  return [place.organization.root.rootId, ...place.unitIds, accountId];
}

/**
 * Returns an account's organization and path, for `aws:PrincipalOrgID` and `aws:PrincipalOrgPaths`. Returns `undefined`
 * if the account is in no organization.
 */
export function organizationFacts(snapshot: Snapshot, accountId: AccountId): OrganizationFacts | undefined {
  const place = placeOf(snapshot, accountId);
  if (place === undefined) return undefined;
  const { organizationId, root, accountId: managementAccountId } = place.organization;
  return { organizationId, paths: [`${[organizationId, root.rootId, ...place.unitIds].join('/')}/`], managementAccountId };
}

interface Place {
  readonly organization: OrganizationRecord;
  readonly account: OrganizationAccountRecord;
  /** Organizational units from the root down to the account. */
  readonly unitIds: readonly string[];
}

/** Maximum depth of organizational units (`services/organizations/units.ts`). A longer chain of parents is a bug. */
const UNITS_MAX = 5;

function placeOf(snapshot: Snapshot, accountId: AccountId): Place | undefined {
  const member = snapshot.record(accountId, 'organization-member', ORGANIZATION_KEY);
  if (member === undefined) return undefined;
  const { managementAccountId } = member;
  const organization = present(snapshot.record(managementAccountId, 'organization', ORGANIZATION_KEY), managementAccountId);
  const account = present(snapshot.record(managementAccountId, 'organization-account', accountId), accountId);
  const unitIds: string[] = [];
  for (let parentId = account.parentId; parentId !== organization.root.rootId; ) {
    const unit = present(snapshot.record(managementAccountId, 'organizational-unit', parentId), parentId);
    unitIds.unshift(unit.unitId);
    if (unitIds.length > UNITS_MAX) throw new Error(`the account ${accountId} is in more than ${UNITS_MAX} nested organizational units`);
    parentId = unit.parentId;
  }
  return { organization, account, unitIds };
}

function sourced(snapshot: Snapshot, organization: OrganizationRecord, policyId: string, compiled: Compiled): SourcedPolicy {
  if (policyId === FULL_AWS_ACCESS.policyId) {
    return { policyId, policyArn: FULL_AWS_ACCESS.arn, policy: compiled(FULL_AWS_ACCESS, 'content', FULL_AWS_ACCESS.content) };
  }
  const { accountId, organizationId } = organization;
  const record = present(snapshot.record(accountId, 'service-control-policy', policyId), policyId);
  const policyArn = `arn:aws:organizations::${accountId}:policy/${organizationId}/service_control_policy/${policyId}` as Arn;
  return { policyId, policyArn, policy: compiled(record, 'content', record.content) };
}

function present<Item>(item: Item | undefined, name: string): Item {
  if (item === undefined) throw new Error(`an organization refers to '${name}', which does not exist`);
  return item;
}
