/**
 * Organizational units, and the tree of the organization.
 */

import { omitUndefined } from '#core/omit-undefined.ts';
import type { Child, OrganizationalUnit, OrganizationsApi } from '#model/generated/organizations.ts';
import type { OrganizationalUnitRecord, OrganizationRecord } from '#store/identity/organization-records.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Tx } from '#store/store.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { ensureParent, everyAccount, everyUnit, managedOrganization, newTarget, organizationalUnit, unitsDownTo } from './lookup.ts';
import { newUnitId } from './names.ts';
import { pageOf, pageOfStored } from './page.ts';
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
        ...newTarget(organization),
        tags: mergedTags([], input.Tags),
      };
      const outcome = await tx.identity.add(accountId, 'organizational-unit', unit.unitId, unit);
      // A random ID is in use with a probability of 1 in 2^40 per existing unit. The client can retry.
      if (outcome === 'exists') throw new AwsError('ServiceException', 'The new OU ID is in use. Try again.');
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
      for await (const { parentId } of everyUnit(call.tx, organization)) {
        if (parentId === unitId) throw refusal('OrganizationalUnitNotEmptyException');
      }
      for await (const { parentId } of everyAccount(call.tx, organization)) {
        if (parentId === unitId) throw refusal('OrganizationalUnitNotEmptyException');
      }
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
      const page = await pageOfStored<IdentitySummaries['organizational-unit']>(
        call.tx.identity,
        input,
        (after, limit) => call.tx.identity.summaries(call.accountId, 'organizational-unit', omitUndefined({ after, limit })),
        (unit) => unit.parentId === input.ParentId,
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
      const kind = input.ChildType === 'ACCOUNT' ? 'organization-account' : 'organizational-unit';
      const page = await pageOfStored(
        call.tx.identity,
        input,
        async (after, limit) => {
          const summaries = await call.tx.identity.summaries(call.accountId, kind, omitUndefined({ after, limit }));
          return summaries.map(({ key, record }) => ({ key, record: { id: key, parentId: record.parentId } }));
        },
        ({ parentId }) => parentId === input.ParentId,
      );
      return { Children: page.records.map(({ id }): Child => ({ Id: id, Type: input.ChildType })), ...page.rest };
    },
  },

  /** Returns the parent of an account or unit, in a list with one entry. */
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

/** Checks that the name of a unit is not in use. @throws DuplicateOrganizationalUnitException  the parent has a unit with this name */
async function ensureNameIsFree(tx: Tx, organization: OrganizationRecord, parentId: string, name: string): Promise<void> {
  for await (const unit of everyUnit(tx, organization)) {
    if (unit.parentId === parentId && unit.name === name) throw refusal('DuplicateOrganizationalUnitException');
  }
}
