/**
 * Random operations on an organization. Afterwards the test reads, with the List operations, the policies that apply to
 * each account. There is one list of policies for each level: the root, each unit and the account. The test compares
 * these lists with the lists that decisions use.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { organizationFacts, serviceControlLevels } from '#access/service-control.ts';
import { newSnapshot } from '#access/snapshot.ts';
import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import { compilePolicy } from '#policy/engine.ts';
import { MANAGEMENT, type Organization, openOrganization, STRANGER } from './fixture.ts';

const SCP = 'SERVICE_CONTROL_POLICY';

/** A step: the index of its operation, and three numbers that choose the arguments. */
type Step = readonly [kind: number, first: number, second: number, third: number];

interface Items {
  readonly parents: string[];
  readonly policies: string[];
  readonly accounts: AccountId[];
}

const pick = <Item>(items: readonly Item[], number: number): Item => items[number % items.length] as Item;

/** Operations of the steps. A step may fail. */
const KINDS: readonly ((org: Organization, items: Items, first: number, second: number, third: number) => Promise<unknown>)[] = [
  async ({ run }, { parents }, first, second) => {
    const { OrganizationalUnit } = await run('CreateOrganizationalUnit', { ParentId: pick(parents, first), Name: `unit ${second}` });
    parents.push(OrganizationalUnit?.Id ?? '');
  },
  async ({ run }, { parents }, first) => run('DeleteOrganizationalUnit', { OrganizationalUnitId: pick(parents, first) }),
  async ({ run }, { parents, accounts }, first, second, third) =>
    run('MoveAccount', {
      AccountId: pick(accounts, first),
      SourceParentId: pick(parents, second),
      DestinationParentId: pick(parents, third),
    }),
  async ({ run }, { parents, accounts }, first, second) => {
    const AccountId = pick(accounts, first);
    const SourceParentId = (await run('ListParents', { ChildId: AccountId })).Parents?.[0]?.Id ?? '';
    await run('MoveAccount', { AccountId, SourceParentId, DestinationParentId: pick(parents, second) });
  },
  async ({ run }, { parents, accounts, policies }, first, second) =>
    run('AttachPolicy', { PolicyId: pick(policies, first), TargetId: pick([...parents, ...accounts], second) }),
  async ({ run }, { parents, accounts, policies }, first, second) =>
    run('DetachPolicy', { PolicyId: pick(policies, first), TargetId: pick([...parents, ...accounts], second) }),
  async ({ run }, { policies }, first) => run('DeletePolicy', { PolicyId: pick(policies, first) }),
  async ({ run, rootId }, _, first) => run(first % 3 === 0 ? 'DisablePolicyType' : 'EnablePolicyType', { RootId: rootId, PolicyType: SCP }),
  async ({ run }, { accounts }, first) => run('RemoveAccountFromOrganization', { AccountId: pick(accounts, first) }),
  async ({ run }, { accounts }, first, second) =>
    second % 4 === 0 ? run('CloseAccount', { AccountId: pick(accounts, first) }) : undefined,
  async ({ run }, { accounts }, first) => {
    const accountId = pick(accounts, first);
    const { Handshake } = await run('InviteAccountToOrganization', { Target: { Id: accountId, Type: 'ACCOUNT' } });
    await run('AcceptHandshake', { HandshakeId: Handshake?.Id ?? '' }, { accountId });
  },
];

/** Returns the path of an account and its policies at each level, according to the List operations. */
async function audited({ run }: Organization, accountId: AccountId) {
  const { Accounts } = await run('ListAccounts', {});
  const account = Accounts?.find(({ Id }) => Id === accountId);
  if (account === undefined) return { path: undefined, levels: undefined };
  const ids: string[] = [accountId];
  for (;;) {
    const { Parents } = await run('ListParents', { ChildId: ids[0] ?? '' });
    ids.unshift(Parents?.[0]?.Id ?? '');
    if (Parents?.[0]?.Type === 'ROOT') break;
  }
  const { Organization } = await run('DescribeOrganization', {});
  const path = `${[Organization?.Id, ...ids.slice(0, -1)].join('/')}/`;
  const { Roots } = await run('ListRoots', {});
  if (accountId === MANAGEMENT) return { path, levels: undefined };
  if (account.Status === 'SUSPENDED') return { path, levels: [[]] };
  if (Roots?.[0]?.PolicyTypes?.length === 0) return { path, levels: undefined };
  const levels: string[][] = [];
  for (const TargetId of ids) {
    const { Policies }: OrganizationsApi['ListPoliciesForTarget']['output'] = await run('ListPoliciesForTarget', { TargetId, Filter: SCP });
    levels.push((Policies ?? []).map(({ Id }) => Id ?? '').sort());
  }
  return { path, levels };
}

test('Service control levels: the levels match the List operations after any operations (EVAL-6)', async () => {
  const step = fc.tuple(fc.nat(KINDS.length - 1), fc.nat(11), fc.nat(11), fc.nat(11));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps: readonly Step[]) => {
      const org = await openOrganization();
      await org.makeStandalone(org.memberId);
      const items: Items = {
        parents: [org.rootId, org.unitId],
        policies: ['p-FullAWSAccess', await org.policy('a'), await org.policy('b')],
        accounts: [org.memberId, STRANGER, MANAGEMENT],
      };
      const snapshot = newSnapshot();
      for (const [kind, first, second, third] of steps) {
        await KINDS[kind]?.(org, items, first, second, third).catch((error: unknown) =>
          assert.ok(error instanceof AwsError, String(error)),
        );
      }
      const { version, changes } = await org.store.transaction((tx) => tx.identity.changesSince(0));
      snapshot.apply(version, changes);
      for (const accountId of items.accounts) {
        const { path, levels } = await audited(org, accountId);
        const decidedBy = serviceControlLevels(snapshot, accountId, (_, __, text) => compilePolicy(text));
        assert.deepEqual(
          decidedBy?.map((level) => level.map(({ policyId }) => policyId).sort()),
          levels,
        );
        assert.equal(organizationFacts(snapshot, accountId)?.paths[0], path);
      }
      await org.store.close();
    }),
    { numRuns: 60 },
  );
});
