/** Unused access of single users and roles, on a store in memory: the limits of the period, and a second implementation on generated uses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, MINUTE_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { actionsOf } from '#model/authorization.ts';
import { permissionCache } from '#services/accessanalyzer/external/permission-cache.ts';
import type { FoundAccess } from '#services/accessanalyzer/tables/found-access.ts';
import { principalOf, principalsAfter, unusedAccess } from '#services/accessanalyzer/unused/unused-access.ts';
import { ACCOUNT, openIam, START, TRUST_ROOT } from '../iam/fixture.ts';
import { allow, policy } from '../kit/policy.ts';

const ADA = `arn:aws:iam::${ACCOUNT}:user/ada`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/r`;
const AGE = 30;
const end = instant(START + AGE * DAY_MS);

/** Use of an action at a time. */
type Use = readonly [action: `${string}:${string}`, at: Instant];

/** Creates a user with a key and a password, and a role, at the time `START`. Each has these permissions. */
async function account(document: string) {
  const { run, store } = await openIam();
  await run('CreateUser', { UserName: 'ada' });
  await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: TRUST_ROOT });
  await run('PutUserPolicy', { UserName: 'ada', PolicyName: 'own', PolicyDocument: document });
  await run('PutRolePolicy', { RoleName: 'r', PolicyName: 'own', PolicyDocument: document });
  const cache = permissionCache();

  return {
    run,
    store,
    /** Stores uses of a user or role. */
    async use(arn: string, uses: readonly Use[]): Promise<void> {
      await store.transaction(async ({ identity, lastUses }) => {
        const principal = await principalOf({ identity }, ACCOUNT, arn);
        assert.ok(principal !== undefined);
        const { record } = principal.found;
        const holder = 'roleId' in record ? record.roleId : record.userId;
        for (const [action, at] of uses) {
          const [service = '', name = ''] = action.split(':');
          await lastUses.note(ACCOUNT, { holder, service, action: name, at, region: 'us-east-1' });
        }
      });
    },
    /** Returns the unused access at a time. Analyzes the policies first if they are not analyzed yet. */
    async unused(arn: string, now: Instant, ageDays = AGE): Promise<readonly FoundAccess[]> {
      for (let i = 0; i < 2; i++) {
        const found = await store.transaction(async (tx) => {
          const principal = await principalOf(tx, ACCOUNT, arn);
          assert.ok(principal !== undefined);
          return await unusedAccess({ tx, granted: cache.of }, ACCOUNT, principal, { now, ageDays });
        });
        if (!('unknown' in found)) return found;
        assert.equal(i, 0);
        cache.request(found.unknown);
        await cache.analyzeMissing();
      }
      return assert.fail('the policies are unknown after their analysis');
    },
  };
}

test('unusedAccess: a role is unused at the end of the period, and not a moment before', async () => {
  const { unused } = await account(policy(allow('chime:*')));
  assert.deepEqual(await unused(ROLE, instant(end - 1)), []);
  assert.deepEqual(await unused(ROLE, end), [{ findingType: 'UnusedIAMRole' }]);
  assert.deepEqual(await unused(ROLE, end, AGE + 1), []);
});

test('unusedAccess: a use at the beginning of the period is unused, a later one is a use', async () => {
  const { unused, use } = await account(policy(allow('chime:GetMeeting')));
  const used = instant(START + MINUTE_MS);
  await use(ROLE, [['chime:GetMeeting', used]]);
  assert.deepEqual(await unused(ROLE, instant(end + MINUTE_MS - 1)), []);
  assert.deepEqual(await unused(ROLE, instant(end + MINUTE_MS)), [{ findingType: 'UnusedIAMRole', lastAccessed: used }]);
  // Uses that are older than 400 days are not reported.
  assert.deepEqual(await unused(ROLE, instant(used + 400 * DAY_MS)), [{ findingType: 'UnusedIAMRole' }]);
});

test('unusedAccess: keys and passwords that are younger than the period are no findings', async () => {
  const { unused, run } = await account(policy(allow('chime:GetMeeting')));
  const at = instant(START + 1);
  const { AccessKey } = await run('CreateAccessKey', { UserName: 'ada' }, { now: at });
  await run('CreateLoginProfile', { UserName: 'ada', Password: 'Correct-Horse-7' }, { now: at });
  assert.deepEqual(await unused(ADA, end), []);
  const key = { findingType: 'UnusedIAMUserAccessKey', accessKeyId: AccessKey.AccessKeyId };
  // A user without any use has no findings of permissions.
  assert.deepEqual(await unused(ADA, instant(end + 1)), [key, { findingType: 'UnusedIAMUserPassword' }]);
  await run('UpdateLoginProfile', { UserName: 'ada', Password: 'Correct-Horse-8' }, { now: instant(end + 1) });
  assert.deepEqual(await unused(ADA, instant(end + 2)), [key]);
});

test('unusedAccess: an attached AWS managed policy grants permissions, and a boundary grants none', async () => {
  const { unused, run, use } = await account(policy(allow('chime:GetMeeting')));
  await run('AttachUserPolicy', { UserName: 'ada', PolicyArn: 'arn:aws:iam::aws:policy/AmazonChimeReadOnly' });
  await run('PutUserPermissionsBoundary', { UserName: 'ada', PermissionsBoundary: 'arn:aws:iam::aws:policy/AdministratorAccess' });
  await use(ADA, [['chime:GetMeeting', end]]);
  const found = await unused(ADA, end);
  assert.equal(found.length, 1);
  assert.ok(found[0]?.findingType === 'UnusedPermission' && found[0].serviceNamespace === 'chime');
  const names = found[0].actions?.map(({ action }) => action) ?? [];
  assert.ok(names.includes('GetAccount') && !names.includes('GetMeeting') && !names.includes('CreateMeeting'), names.join());
});

const NAMES = ['chime:GetMeeting', 'chime:DeleteMeeting', 'chime:CreateMeeting', 'iam:GetUser', 'iam:PassRole', 's3:GetObject'] as const;
const PATTERNS = ['*', 'chime:*', 'chime:Get*', 'iam:*', 's3:GetObject', 'ec2:*', ...NAMES];

test('unusedAccess: agrees with a second implementation on generated permissions and uses', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.integer({ min: 0, max: 60 })), { maxLength: 6 }),
      async (patterns, days) => {
        const { unused, use } = await account(policy(allow(patterns)));
        const uses = days.map(([action, day]): Use => [action, instant(START + day * DAY_MS)]);
        await use(ROLE, uses);
        const now = instant(START + 60 * DAY_MS);
        assert.deepEqual(shortened(await unused(ROLE, now)), expected(patterns, uses, now));
      },
    ),
    { numRuns: 40 },
  );
});

/** Returns one line for each finding, and for each service that this server has. */
function shortened(found: readonly FoundAccess[]): readonly string[] {
  return found
    .flatMap((each) => {
      if (each.findingType !== 'UnusedPermission') return [`${each.findingType}`];
      if (actionsOf(each.serviceNamespace) === undefined && each.serviceNamespace !== 'ec2') return [];
      return [`${each.serviceNamespace} ${each.actions?.map(({ action }) => action).join() ?? 'all'}`];
    })
    .toSorted();
}

/** Returns the expected lines: asks for each service and action whether a pattern matches it and a late use exists. */
function expected(patterns: readonly string[], uses: readonly Use[], now: Instant): readonly string[] {
  const late = uses.filter(([, at]) => at > now - AGE * DAY_MS).map(([action]) => String(action));
  if (late.length === 0) return ['UnusedIAMRole'];
  const matches = (action: string) =>
    patterns.some((pattern) => pattern === action || (pattern.endsWith('*') && action.startsWith(pattern.slice(0, -1))));
  const services = ['access-analyzer', 'chime', 'cloudtrail', 'cloudwatch', 'ec2', 'events', 'iam', 'logs', 'organizations', 's3', 'sts'];
  return services
    .flatMap((service) => {
      const granted = (actionsOf(service) ?? [{ name: 'Run' }]).map(({ name }) => name).filter((name) => matches(`${service}:${name}`));
      if (granted.length === 0) return [];
      const tracked = granted.filter((name) => `${service}:${name}` !== 'iam:PassRole');
      const isUsed = late.some((action) => action.startsWith(`${service}:`));
      if (!isUsed && tracked.length === granted.length) return [`${service} all`];
      const names = tracked.filter((name) => !late.includes(`${service}:${name}`));
      return names.length === 0 ? [] : [`${service} ${names.toSorted().join()}`];
    })
    .toSorted();
}

test('principalsAfter: pages have each user and role once, in order', async () => {
  const { run, store } = await account(policy(allow('chime:*')));
  for (let i = 0; i < 5; i++) await run('CreateUser', { UserName: `U${i}`, Path: '/team/' });
  for (let i = 0; i < 3; i++) await run('CreateRole', { RoleName: `R${i}`, AssumeRolePolicyDocument: TRUST_ROOT });
  for (const size of [1, 2, 3, 20]) {
    const arns: string[] = [];
    for (;;) {
      const page = await store.transaction((tx) => principalsAfter(tx, ACCOUNT, arns.at(-1), size));
      arns.push(...page.map(({ arn }) => arn));
      if (page.length < size) break;
    }
    const names = arns.map((arn) => arn.slice(arn.lastIndexOf('/') + 1));
    assert.deepEqual(names, ['ada', 'U0', 'U1', 'U2', 'U3', 'U4', 'r', 'R0', 'R1', 'R2']);
  }
});
