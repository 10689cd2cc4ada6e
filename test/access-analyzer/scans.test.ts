import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as aa from '@aws-sdk/client-accessanalyzer';
import * as iam from '@aws-sdk/client-iam';
import * as org from '@aws-sdk/client-organizations';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { DAY_MS } from '#core/duration.ts';
import { keysOf } from '../kit/keys.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { policy, trust, trustService } from '../kit/policy.ts';
import { until } from '../kit/until.ts';
import { startClockCore } from './clock-core.ts';

/** Scans in a running core, whose clock the test sets: the first scan, scans after changes of an organization, and scans of unused access. */

const core = await startClockCore();
const { accountId } = core;
const STRANGER = '999988887777';
const analyzers = () => new aa.AccessAnalyzerClient(core.client());
const organizations = () => new org.OrganizationsClient(core.client());
const admin = () => new iam.IAMClient(core.client());

type Row = readonly [resource: string | undefined, status: string | undefined];

/** Returns the resource and status of the findings of an analyzer. */
async function findings(analyzerArn: string, filter: aa.ListFindingsV2Request['filter'] = {}): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const page of aa.paginateListFindingsV2({ client: analyzers() }, { analyzerArn, filter })) {
    for (const { resource, status } of page.findings ?? []) rows.push([resource, status]);
  }
  return rows.toSorted();
}

/** Waits until an analyzer has exactly these findings. */
async function untilFindings(analyzerArn: string, expected: readonly Row[]): Promise<void> {
  let found: readonly Row[] = [];
  await until(
    async () => {
      found = await findings(analyzerArn);
      return JSON.stringify(found) === JSON.stringify(expected.toSorted());
    },
    () => `found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`,
  );
}

/** Waits until no scan is in progress or due. */
async function untilScanned(): Promise<void> {
  await until(
    async () => {
      const left = await core.store.transaction(({ sql }) =>
        sql.row('SELECT 1 AS found FROM access_analyzer WHERE scan IS NOT NULL OR scan_at_ms <= $1', [core.now()]),
      );
      return left === undefined;
    },
    () => 'a scan has not ended',
  );
}

async function created(analyzerName: string, type: aa.Type, more: Partial<aa.CreateAnalyzerRequest> = {}): Promise<string> {
  const { arn = '' } = await analyzers().send(new aa.CreateAnalyzerCommand({ analyzerName, type, ...more }));
  return arn;
}

async function role(RoleName: string, AssumeRolePolicyDocument: string, client = admin()): Promise<string> {
  return (await client.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))).Role?.Arn ?? '';
}

/** Creates a member account of the organization, with its administrator. */
async function member(AccountName: string): Promise<{ readonly id: string; readonly iam: () => Promise<iam.IAMClient> }> {
  const Email = `${AccountName}@example.com`;
  const { CreateAccountStatus } = await organizations().send(new org.CreateAccountCommand({ AccountName, Email }));
  const id = CreateAccountStatus?.AccountId ?? '';
  const RoleArn = `arn:aws:iam::${id}:role/OrganizationAccountAccessRole`;
  return {
    id,
    iam: async () => {
      const { AccessKey } = await admin().send(new iam.CreateAccessKeyCommand({ UserName: 'operator' }));
      const sts = new STSClient(core.client(keysOf(AccessKey)));
      const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' }));
      await admin().send(new iam.DeleteAccessKeyCommand({ UserName: 'operator', AccessKeyId: AccessKey?.AccessKeyId }));
      return new iam.IAMClient(core.client(keysOf(Credentials)));
    },
  };
}

test('ORGANIZATION: refused without an organization, and without trusted access', async () => {
  const send = () => analyzers().send(new aa.CreateAnalyzerCommand({ analyzerName: 'all', type: 'ORGANIZATION' }));
  assert.equal(await outcomeOf(send()), 'Validation');
  await organizations().send(new org.CreateOrganizationCommand({ FeatureSet: 'ALL' }));
  await assert.rejects(send(), { name: 'ValidationException', message: 'Service not enabled for AWS Organizations' });
  await organizations().send(new org.EnableAWSServiceAccessCommand({ ServicePrincipal: 'access-analyzer.amazonaws.com' }));
  await admin().send(new iam.CreateUserCommand({ UserName: 'operator' }));
  await admin().send(new iam.AttachUserPolicyCommand({ UserName: 'operator', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }));
});

test('ORGANIZATION: trust between accounts is a finding only while one of them is outside', async () => {
  const analyzerArn = await created('all', 'ORGANIZATION');
  const blue = await member('blue');
  const green = await member('green');
  const inGreen = await green.iam();
  const shared = await role('shared', policy(trust(blue.id)), inGreen);
  const open = await role('open', policy(trust(STRANGER)), inGreen);
  // The change is analyzed in its own transaction, also for the analyzer of the other account.
  assert.deepEqual(await findings(analyzerArn), [[open, 'ACTIVE']]);

  // Blue leaves: the scan of the organization finds the trust of its account.
  const { id } = blue;
  await core.store.transaction(async (tx) => {
    const account = await tx.identity.get(id as never, 'account', id);
    await tx.identity.put(id as never, 'account', id, { ...account, standalone: true } as never);
  });
  await organizations().send(new org.RemoveAccountFromOrganizationCommand({ AccountId: blue.id }));
  await untilFindings(analyzerArn, [
    [open, 'ACTIVE'],
    [shared, 'ACTIVE'],
  ]);

  // Green is closed: its resources are in no zone any more.
  await organizations().send(new org.CloseAccountCommand({ AccountId: green.id }));
  await untilFindings(analyzerArn, [
    [open, 'RESOLVED'],
    [shared, 'RESOLVED'],
  ]);
});

test('ORGANIZATION: without trusted access, the analyzer is disabled', async () => {
  const state = async () => {
    const { analyzer } = await analyzers().send(new aa.GetAnalyzerCommand({ analyzerName: 'all' }));
    return [analyzer?.status, analyzer?.statusReason?.code];
  };
  const ServicePrincipal = 'access-analyzer.amazonaws.com';
  assert.deepEqual(await state(), ['ACTIVE', undefined]);
  await organizations().send(new org.DisableAWSServiceAccessCommand({ ServicePrincipal }));
  assert.deepEqual(await state(), ['DISABLED', 'AWS_SERVICE_ACCESS_DISABLED']);
  await organizations().send(new org.EnableAWSServiceAccessCommand({ ServicePrincipal }));
  assert.deepEqual(await state(), ['ACTIVE', undefined]);
});

test('ACCOUNT: the first scan finds what exists, in pages, and the daily scan resolves what vanished without an event', async () => {
  const roles: string[] = [];
  for (let i = 0; i < 45; i++) roles.push(await role(`many${i}`, policy(trust(STRANGER))));
  const analyzerArn = await created('own', 'ACCOUNT');
  await untilFindings(
    analyzerArn,
    roles.map((each): Row => [each, 'ACTIVE']),
  );
  await untilScanned();
  // A row that no call deletes: the same state as after a change that another version of the server made.
  await core.store.transaction((tx) => tx.identity.remove(accountId as never, 'role', 'many7'));
  core.advance(DAY_MS);
  await untilFindings(
    analyzerArn,
    roles.map((each): Row => [each, each.endsWith('/many7') ? 'RESOLVED' : 'ACTIVE']),
  );
  for (let i = 0; i < 45; i++) if (i !== 7) await admin().send(new iam.DeleteRoleCommand({ RoleName: `many${i}` }));
  assert.deepEqual(await findings(analyzerArn, { status: { neq: ['RESOLVED'] } }), []);
});

test('resolved findings are deleted 90 days after their last change', async () => {
  const analyzerArn = `arn:aws:access-analyzer:us-east-1:${accountId}:analyzer/own`;
  assert.equal((await findings(analyzerArn)).length, 45);
  core.advance(89 * DAY_MS);
  await core.sweep();
  assert.equal((await findings(analyzerArn)).length, 45);
  core.advance(2 * DAY_MS);
  await core.sweep();
  assert.deepEqual(await findings(analyzerArn), []);
  const { findingsStatistics: [statistics] = [] } = await analyzers().send(new aa.GetFindingsStatisticsCommand({ analyzerArn }));
  assert.equal(statistics?.externalAccessFindingsStatistics?.totalResolvedFindings, 0);
});

test('ACCOUNT_UNUSED_ACCESS: a role is unused after the period, until it is used or excluded', async () => {
  const RoleName = 'idle';
  const idle = await role(RoleName, policy(trust(accountId)));
  const analyzerArn = await created('unused', 'ACCOUNT_UNUSED_ACCESS', { configuration: { unusedAccess: { unusedAccessAge: 30 } } });
  const ofIdle = () => findings(analyzerArn, { resource: { eq: [idle] }, findingType: { eq: ['UnusedIAMRole'] } });
  const scan = () => analyzers().send(new aa.StartResourceScanCommand({ analyzerArn, resourceArn: idle }));
  await scan();
  assert.deepEqual(await ofIdle(), []);
  core.advance(31 * DAY_MS);
  await scan();
  assert.deepEqual(await ofIdle(), [[idle, 'ACTIVE']]);

  const exclusions = [{ resourceTags: [{ team: 'legacy' }] }];
  const configuration = { unusedAccess: { unusedAccessAge: 30, analysisRule: { exclusions } } };
  await analyzers().send(new aa.UpdateAnalyzerCommand({ analyzerName: 'unused', configuration }));
  await admin().send(new iam.TagRoleCommand({ RoleName, Tags: [{ Key: 'team', Value: 'legacy' }] }));
  await scan();
  assert.deepEqual(await ofIdle(), [[idle, 'RESOLVED']]);
  await admin().send(new iam.UntagRoleCommand({ RoleName, TagKeys: ['team'] }));
  // The task scans again without a call.
  core.advance(11 * 60_000);
  await until(
    async () => JSON.stringify(await ofIdle()) === JSON.stringify([[idle, 'ACTIVE']]),
    () => 'the finding is not active again',
  );
  await admin().send(new iam.DeleteRoleCommand({ RoleName }));
  assert.deepEqual(await ofIdle(), [[idle, 'RESOLVED']]);
});

test('DeleteAnalyzer: the sweep deletes its findings, and a new analyzer with the name has none of them', async () => {
  const trusted = await role('again', policy(trust(STRANGER)));
  const name = 'own';
  await analyzers().send(new aa.DeleteAnalyzerCommand({ analyzerName: name }));
  await core.sweep();
  const left = await core.store.transaction(({ sql }) =>
    sql.rows('SELECT id FROM access_finding WHERE analyzer_id NOT IN (SELECT analyzer_id FROM access_analyzer)'),
  );
  assert.deepEqual(left, []);
  const analyzerArn = await created(name, 'ACCOUNT');
  await untilFindings(analyzerArn, [[trusted, 'ACTIVE']]);
  await admin().send(
    new iam.UpdateAssumeRolePolicyCommand({ RoleName: 'again', PolicyDocument: policy(trustService('ec2.amazonaws.com')) }),
  );
  assert.deepEqual(await findings(analyzerArn), [[trusted, 'RESOLVED']]);
});
