/**
 * Test rig: Organizations operations with an in-memory store, called without authorization.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { type AccountId, arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import { analyzeAtOnce, noOffload, workFor } from '../../src/services/chime/fixture.ts';
import type { Access, Call, Caller } from '../../src/services/kit/operation.ts';
import { organizationsOperations } from '../../src/services/organizations/operations.ts';
import { openSqlite } from '../../src/store/engine/sqlite.ts';
import type { Tx } from '../../src/store/store.ts';

/** Management account of `organizationRig`. */
export const MANAGEMENT = '111122223333' as AccountId;
/** An account that the operator created and that is not in an organization. */
export const STRANGER = '444455556666' as AccountId;
export const START = instant(Date.UTC(2026, 10, 22));
export const ALLOW_ALL = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });

/** Account and time of a call. The defaults are the management account and `START`. */
export interface As {
  readonly accountId?: AccountId;
  readonly now?: Instant;
}

/** Creates a rig with two accounts and without an organization. */
export async function organizationsRig() {
  const store = await openSqlite(':memory:');
  const operations = organizationsOperations();
  await store.transaction(async (tx) => {
    for (const [accountId, name] of [
      [MANAGEMENT, 'management'],
      [STRANGER, 'stranger'],
    ] as const) {
      await tx.identity.put(accountId, 'account', accountId, { accountId, name, createdAt: START });
    }
  });

  const callerOf = ({ accountId = MANAGEMENT }: As): Caller => ({
    principal: { type: 'Root', accountId, arn: arn('iam', '', accountId, 'root'), principalId: accountId },
    accountId,
    region: 'us-east-1',
    profile: 'sdk',
  });
  const callOf = (tx: Tx, as: As): Call => ({
    ...callerOf(as),
    ...workFor(tx, as.now ?? START),
    random: (bytes) => randomBytes(bytes),
    requestId: randomUUID(),
    offload: noOffload,
    survey: noOffload,
    analyze: analyzeAtOnce,
  });

  async function run<Name extends keyof OrganizationsApi>(
    name: Name,
    input: OrganizationsApi[Name]['input'],
    as: As = {},
  ): Promise<OrganizationsApi[Name]['output']> {
    return store.transaction(
      async (tx) => (await operations[name].handle(callOf(tx, as), input as never)) as OrganizationsApi[Name]['output'],
    );
  }

  return {
    store,
    run,
    /** Returns the access that an operation requires, with the values resolved from the store. */
    requiredAccess<Name extends keyof OrganizationsApi>(name: Name, input: OrganizationsApi[Name]['input'], as: As = {}) {
      return store.transaction(async (tx) => {
        const access = operations[name].access(input as never, callerOf(as)) as Access;
        return {
          action: access.action,
          resources: access.resolve === undefined ? access.resources : await access.resolve(tx),
          context: Object.fromEntries(access.context ?? []),
          tags: (await access.resourceTags?.(tx)) ?? [],
        };
      });
    },
    /** Allows an account to leave the organization that created it, like the operator does. */
    async makeStandalone(accountId: AccountId): Promise<void> {
      await store.transaction(async (tx) => {
        const account = await tx.identity.get(accountId, 'account', accountId);
        assert.ok(account);
        await tx.identity.put(accountId, 'account', accountId, { ...account, standalone: true });
      });
    },
    /** Returns the whole identity state as a string, for comparisons. */
    state: () => store.transaction(async (tx) => JSON.stringify(await tx.identity.changesSince(0))),
  };
}
export type OrganizationsRig = Awaited<ReturnType<typeof organizationsRig>>;

/** Creates a rig with an organization, enabled service control policies, one unit, and one created member. */
export async function organizationRig() {
  const rig = await organizationsRig();
  const { run } = rig;
  const { Organization } = await run('CreateOrganization', {});
  const { Roots } = await run('ListRoots', {});
  const rootId = Roots?.[0]?.Id ?? '';
  await run('EnablePolicyType', { RootId: rootId, PolicyType: 'SERVICE_CONTROL_POLICY' });
  const { OrganizationalUnit } = await run('CreateOrganizationalUnit', { ParentId: rootId, Name: 'unit' });
  const { CreateAccountStatus } = await run('CreateAccount', { AccountName: 'member', Email: 'member@example.com' });
  assert.equal(CreateAccountStatus?.State, 'SUCCEEDED');
  return {
    ...rig,
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
export type OrganizationRig = Awaited<ReturnType<typeof organizationRig>>;
