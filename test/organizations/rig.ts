/**
 * Operations of Organizations over a real store in memory, called as the pipeline calls them once a request is authorized.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { type AccountId, arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import { nothingAside } from '../../src/services/chime-fixture.ts';
import type { Access, Call, Caller } from '../../src/services/operation.ts';
import { organizationsOperations } from '../../src/services/organizations/operations.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Tx } from '../../src/store/store.ts';

/** The management account of `organizationRig`. */
export const MANAGEMENT = '111122223333' as AccountId;
/** An account that is in no organization, made at the machine. */
export const STRANGER = '444455556666' as AccountId;
export const START = instant(Date.UTC(2026, 10, 22));
export const ALLOW_ALL = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });

export interface As {
  readonly accountId?: AccountId;
  readonly now?: Instant;
}

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
    now: as.now ?? START,
    newId: () => randomUUID(),
    random: (bytes) => randomBytes(bytes),
    tx,
    requestId: randomUUID(),
    aside: nothingAside,
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
    /** What an operation asks for, with what it reads from the store. */
    asked<Name extends keyof OrganizationsApi>(name: Name, input: OrganizationsApi[Name]['input'], as: As = {}) {
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
    /** Lets an account leave the organization that created it, as the operator does. */
    async makeStandalone(accountId: AccountId): Promise<void> {
      await store.transaction(async (tx) => {
        const account = await tx.identity.get(accountId, 'account', accountId);
        assert.ok(account);
        await tx.identity.put(accountId, 'account', accountId, { ...account, standalone: true });
      });
    },
    /** Everything of identity, to compare before and after. */
    state: () => store.transaction(async (tx) => JSON.stringify(await tx.identity.changesSince(0))),
  };
}
export type OrganizationsRig = Awaited<ReturnType<typeof organizationsRig>>;

/** With an organization, service control policies enabled, one unit, and one member that the organization has made. */
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
    /** Makes a policy; resolves to its id. */
    async policy(name: string, content = ALLOW_ALL): Promise<string> {
      const { Policy } = await run('CreatePolicy', { Name: name, Description: '', Type: 'SERVICE_CONTROL_POLICY', Content: content });
      return Policy?.PolicySummary?.Id ?? '';
    },
  };
}
export type OrganizationRig = Awaited<ReturnType<typeof organizationRig>>;
