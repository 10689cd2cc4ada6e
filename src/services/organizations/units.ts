/**
 * Organizational units, and the tree of the organization.
 */

import type { Child, OrganizationalUnit, OrganizationsApi } from '#model/generated/organizations.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import type { OrganizationalUnitRecord, OrganizationRecord } from '#store/identity/organization-records.ts';
import type { Tx } from '#store/store.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { allAccounts, allUnits, ensureParent, managedOrganization, organizationalUnit, unitsDownTo } from './lookup.ts';
import { newUnitId } from './names.ts';
import { pageOf } from './page.ts';
import { QUOTAS } from './quotas.ts';
import { constraintViolation, refusal } from './refusals.ts';
import { onResources, requestTags, withTagging } from './resources.ts';
import { toUnit } from './shapes.ts';
import { mergedTags } from './tag-rules.ts';

/** Operations on organizational units and the tree of the organization. */
export const unitOperations = {
  CreateOrganizationalUnit: {
    access: (input, caller) => withTagging(onResources(caller, [input.ParentId], requestTags(input.Tags)), input.Tags),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const { tx, accountId } = call;
      await ensureParent(tx, organization, input.ParentId);
      if ((await unitsDownTo(tx, organization, input.ParentId)).length >= QUOTAS.unitDepth) {
        throw constraintViolation(
          'OU_DEPTH_LIMIT_EXCEEDED',
          'You cannot add an organizational unit to the specified parent because it would exceed the max depth allowed.',
        );
      }
      await ensureNameIsFree(tx, organization, input.ParentId, input.Name);
      if ((await tx.identity.count(accountId, 'organizational-unit')) >= QUOTAS.units) {
        throw constraintViolation('OU_NUMBER_LIMIT_EXCEEDED', `You have exceeded the number of OUs: ${QUOTAS.units}.`);
      }
      const unit: OrganizationalUnitRecord = {
        accountId,
        unitId: newUnitId(organization.root.rootId, call.random),
        name: input.Name,
        parentId: input.ParentId,
        createdAt: call.now,
        attachedPolicyIds: initialPolicyIds(organization),
        tags: mergedTags([], input.Tags),
      };
      const outcome = await tx.identity.add(accountId, 'organizational-unit', unit.unitId, unit);
      // The probability is 1 in 2^40 per existing unit. The client retries.
      if (outcome === 'exists') throw new AwsError('ServiceException', 'The identifier of the OU is taken. Try again.');
      return { OrganizationalUnit: await toUnit(tx, organization, unit) };
    },
  },

  UpdateOrganizationalUnit: {
    access: (input, caller) => onResources(caller, [input.OrganizationalUnitId]),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const unit = await organizationalUnit(call.tx, organization, input.OrganizationalUnitId);
      const name = input.Name ?? unit.name;
      if (name !== unit.name) await ensureNameIsFree(call.tx, organization, unit.parentId, name);
      const changed = { ...unit, name };
      await call.tx.identity.put(call.accountId, 'organizational-unit', unit.unitId, changed);
      return { OrganizationalUnit: await toUnit(call.tx, organization, changed) };
    },
  },

  DeleteOrganizationalUnit: {
    access: (input, caller) => onResources(caller, [input.OrganizationalUnitId]),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const { unitId } = await organizationalUnit(call.tx, organization, input.OrganizationalUnitId);
      const inside = [...(await allUnits(call.tx, organization)), ...(await allAccounts(call.tx, organization))];
      if (inside.some((one) => one.parentId === unitId)) throw refusal('OrganizationalUnitNotEmptyException');
      await call.tx.identity.remove(call.accountId, 'organizational-unit', unitId);
      return {};
    },
  },

  DescribeOrganizationalUnit: {
    access: (input, caller) => onResources(caller, [input.OrganizationalUnitId]),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const unit = await organizationalUnit(call.tx, organization, input.OrganizationalUnitId);
      return { OrganizationalUnit: await toUnit(call.tx, organization, unit) };
    },
  },

  ListOrganizationalUnitsForParent: {
    access: (input, caller) => onResources(caller, [input.ParentId]),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      await ensureParent(call.tx, organization, input.ParentId);
      const units = (await allUnits(call.tx, organization)).filter((unit) => unit.parentId === input.ParentId);
      const page = pageOf(
        input,
        units.map((record) => ({ key: record.unitId, record })),
      );
      const shown: OrganizationalUnit[] = [];
      for (const unit of page.records) shown.push(await toUnit(call.tx, organization, unit));
      return { OrganizationalUnits: shown, ...page.rest };
    },
  },

  ListChildren: {
    access: (input, caller) => onResources(caller, [input.ParentId]),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      await ensureParent(call.tx, organization, input.ParentId);
      const ids =
        input.ChildType === 'ACCOUNT'
          ? (await allAccounts(call.tx, organization)).filter((one) => one.parentId === input.ParentId).map((one) => one.memberId)
          : (await allUnits(call.tx, organization)).filter((one) => one.parentId === input.ParentId).map((one) => one.unitId);
      const page = pageOf<Child>(
        input,
        ids.map((Id) => ({ key: Id, record: { Id, Type: input.ChildType } })),
      );
      return { Children: page.records, ...page.rest };
    },
  },

  /** Lists the parent. There is always exactly one. */
  ListParents: {
    access: (input, caller) => onResources(caller, [input.ChildId]),
    async handle(call, input) {
      await managedOrganization(call);
      const { tx, accountId } = call;
      const child = input.ChildId.startsWith('ou-')
        ? await tx.identity.get(accountId, 'organizational-unit', input.ChildId)
        : await tx.identity.get(accountId, 'organization-account', input.ChildId);
      if (child === undefined) throw refusal('ChildNotFoundException');
      const { parentId } = child;
      const page = pageOf(input, [
        { key: parentId, record: { Id: parentId, Type: parentId.startsWith('ou-') ? 'ORGANIZATIONAL_UNIT' : 'ROOT' } as const },
      ]);
      return { Parents: page.records, ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<OrganizationsApi>>;

/** Returns the policies attached to a new unit or account. Source: AWS Organizations User Guide, "Service control policies (SCPs)". */
export function initialPolicyIds(organization: OrganizationRecord): readonly string[] {
  return organization.serviceControl === 'enabled' ? [FULL_AWS_ACCESS.policyId] : [];
}

/** @throws DuplicateOrganizationalUnitException  the parent has a unit with this name */
async function ensureNameIsFree(tx: Tx, organization: OrganizationRecord, parentId: string, name: string): Promise<void> {
  const units = await allUnits(tx, organization);
  if (units.some((unit) => unit.parentId === parentId && unit.name === name)) throw refusal('DuplicateOrganizationalUnitException');
}
