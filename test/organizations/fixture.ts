/** Fixture of this folder: Organizations operations on a store in memory, without authorization. */
import assert from 'node:assert/strict';
import type { AccountId } from '#core/arn.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import { ACCOUNT, type As, OTHER_ACCOUNT, openOperations, type ResolvedAccess, START } from '#services/kit/fixture.ts';
import { organizationsOperations } from '#services/organizations/operations.ts';
import { ALLOW_ALL } from '../kit/policy.ts';

export { type As, START } from '#services/kit/fixture.ts';

/** Management account of the organization that `openOrganization` creates. */
export const MANAGEMENT = ACCOUNT;
/** An account that the operator created and that is not in an organization. */
export const STRANGER = OTHER_ACCOUNT;

/** Creates two accounts without an organization. */
export async function openOrganizations() {
  const opened = await openOperations<OrganizationsApi>(organizationsOperations());
  const { store } = opened;
  await store.transaction(async (tx) => {
    for (const [accountId, name] of [
      [MANAGEMENT, 'management'],
      [STRANGER, 'stranger'],
    ] as const) {
      await tx.identity.put(accountId, 'account', accountId, { accountId, name, createdAt: START });
    }
  });
  return {
    ...opened,
    /** Returns the only permission that an operation requires. */
    async requiredAccess<Name extends keyof OrganizationsApi>(name: Name, input: OrganizationsApi[Name]['input'], as: As = {}) {
      const [access, ...more] = await opened.requiredAccess(name, input, as);
      assert.equal(more.length, 0);
      return access as ResolvedAccess;
    },
    /** Allows an account to leave the organization that created it. On a server, only the operator can allow this. */
    async makeStandalone(accountId: AccountId): Promise<void> {
      await store.transaction(async (tx) => {
        const account = await tx.identity.get(accountId, 'account', accountId);
        assert.ok(account);
        await tx.identity.put(accountId, 'account', accountId, { ...account, standalone: true });
      });
    },
  };
}
/** Organizations operations on one store. */
export type Organizations = Awaited<ReturnType<typeof openOrganizations>>;

/** Creates an organization with enabled service control policies, one unit, and one created member. */
export async function openOrganization() {
  const opened = await openOrganizations();
  const { run } = opened;
  const { Organization } = await run('CreateOrganization', {});
  const { Roots } = await run('ListRoots', {});
  const rootId = Roots?.[0]?.Id ?? '';
  await run('EnablePolicyType', { RootId: rootId, PolicyType: 'SERVICE_CONTROL_POLICY' });
  const { OrganizationalUnit } = await run('CreateOrganizationalUnit', { ParentId: rootId, Name: 'unit' });
  const { CreateAccountStatus } = await run('CreateAccount', { AccountName: 'member', Email: 'member@example.com' });
  assert.equal(CreateAccountStatus?.State, 'SUCCEEDED');
  return {
    ...opened,
    organizationId: Organization?.Id ?? '',
    rootId,
    unitId: OrganizationalUnit?.Id ?? '',
    memberId: CreateAccountStatus.AccountId as AccountId,
    /** Creates a policy and returns its ID. */
    async policy(name: string, content = ALLOW_ALL): Promise<string> {
      const { Policy } = await run('CreatePolicy', { Name: name, Description: '', Type: 'SERVICE_CONTROL_POLICY', Content: content });
      return Policy?.PolicySummary?.Id ?? '';
    },
  };
}
/** Operations on the store of one organization. */
export type Organization = Awaited<ReturnType<typeof openOrganization>>;
