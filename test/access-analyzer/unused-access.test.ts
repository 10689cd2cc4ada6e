/** Findings of unused access: calls of the API create and resolve each type of finding. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import * as aa from '@aws-sdk/client-accessanalyzer';
import { ChimeSDKMeetingsClient, CreateMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import * as iam from '@aws-sdk/client-iam';
import * as org from '@aws-sdk/client-organizations';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { DAY_MS } from '#core/duration.ts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow, deny, policy } from '../kit/policy.ts';
import { until } from '../kit/until.ts';
import { browser } from '../sign-in/browser.ts';

import {
  accountId,
  admin,
  analyzerArn,
  analyzers,
  core,
  found,
  MONTH,
  newKey,
  newRole,
  newUser,
  ofRole,
  ofUser,
  PASSWORD,
  type Row,
  scanned,
  scannedPermissions,
  useChime,
} from './unused-account.ts';

test('UnusedIAMRole: a role is unused after the period, and used again by a session', async () => {
  await newRole('idle');
  await admin().send(
    new iam.PutRolePolicyCommand({ RoleName: 'idle', PolicyName: 'own', PolicyDocument: policy(allow(['chime:GetMeeting', 's3:*'])) }),
  );
  assert.deepEqual(await scanned(ofRole('idle')), []);
  core.advance(MONTH);
  // An unused role has one finding. Its permissions are no findings.
  assert.deepEqual(await scanned(ofRole('idle')), [['UnusedIAMRole', 'ACTIVE', ['unusedIamRoleDetails']]]);
  await newUser('assumer', policy(allow('sts:AssumeRole')));
  const sts = new STSClient(core.client(await newKey('assumer')));
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: ofRole('idle'), RoleSessionName: 'me' }));
  await useChime(keysOf(Credentials));
  assert.deepEqual(await scanned(ofRole('idle')), [
    ['UnusedIAMRole', 'RESOLVED', ['unusedIamRoleDetails']],
    ['UnusedPermission', 'ACTIVE', ['s3']],
  ]);
  core.advance(MONTH);
  const { findings: [finding] = [] } = await analyzers().send(
    new aa.ListFindingsV2Command({ analyzerArn, filter: { resource: { eq: [ofRole('idle')] }, findingType: { eq: ['UnusedIAMRole'] } } }),
  );
  await scanned(ofRole('idle'));
  const { findingDetails: [detail] = [], status } = await analyzers().send(new aa.GetFindingV2Command({ analyzerArn, id: finding?.id }));
  assert.equal(status, 'ACTIVE');
  const lastAccessed = detail?.unusedIamRoleDetails?.lastAccessed;
  assert.ok(lastAccessed !== undefined && Math.abs(core.now() - MONTH - lastAccessed.getTime()) < DAY_MS);
  await admin().send(new iam.DeleteRolePolicyCommand({ RoleName: 'idle', PolicyName: 'own' }));
  await admin().send(new iam.DeleteRoleCommand({ RoleName: 'idle' }));
  assert.deepEqual(
    (await found(ofRole('idle'))).map(([type, state]) => [type, state]),
    [
      ['UnusedIAMRole', 'RESOLVED'],
      ['UnusedPermission', 'RESOLVED'],
    ],
  );
});

test('UnusedIAMRole: service-linked roles and roles with an excluded tag have no finding', async () => {
  await admin().send(new iam.CreateServiceLinkedRoleCommand({ AWSServiceName: 'voiceconnector.chime.amazonaws.com' }));
  await newRole('kept');
  await admin().send(new iam.TagRoleCommand({ RoleName: 'kept', Tags: [{ Key: 'kept', Value: 'any value' }] }));
  core.advance(MONTH);
  const { Role } = await admin().send(new iam.GetRoleCommand({ RoleName: 'AWSServiceRoleForAmazonChimeVoiceConnector' }));
  assert.deepEqual(await scanned(Role?.Arn ?? ''), []);
  assert.deepEqual(await scanned(ofRole('kept')), []);
});

test('UnusedIAMUserAccessKey: each key has a finding until it is used, deactivated or deleted', async () => {
  await newUser('keys');
  const used = await newKey('keys');
  const other = await newKey('keys');
  assert.deepEqual(await scanned(ofUser('keys')), []);
  core.advance(MONTH);
  const row = ({ accessKeyId }: Keys, status: string): Row => ['UnusedIAMUserAccessKey', status, [accessKeyId]];
  assert.deepEqual(await scanned(ofUser('keys')), [row(used, 'ACTIVE'), row(other, 'ACTIVE')].toSorted());
  await useChime(used);
  assert.deepEqual(await scanned(ofUser('keys')), [row(used, 'RESOLVED'), row(other, 'ACTIVE')].toSorted());
  const key = { UserName: 'keys', AccessKeyId: other.accessKeyId };
  await admin().send(new iam.UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }));
  assert.deepEqual(await scanned(ofUser('keys')), [row(used, 'RESOLVED'), row(other, 'RESOLVED')].toSorted());
  await admin().send(new iam.UpdateAccessKeyCommand({ ...key, Status: 'Active' }));
  assert.deepEqual(await scanned(ofUser('keys')), [row(used, 'RESOLVED'), row(other, 'ACTIVE')].toSorted());
  await admin().send(new iam.DeleteAccessKeyCommand(key));
  assert.deepEqual(await scanned(ofUser('keys')), [row(used, 'RESOLVED'), row(other, 'RESOLVED')].toSorted());
});

test('UnusedIAMUserPassword: a password has a finding until its user signs in, or it is deleted', async () => {
  await newUser('console');
  await admin().send(new iam.CreateLoginProfileCommand({ UserName: 'console', Password: PASSWORD }));
  core.advance(MONTH);
  const row = (status: string): Row => ['UnusedIAMUserPassword', status, ['unusedIamUserPasswordDetails']];
  assert.deepEqual(await scanned(ofUser('console')), [row('ACTIVE')]);
  const { endpoint } = core.client();
  const page = await browser(endpoint).post('/_belfry/sign-in', { account: accountId, userName: 'console', password: PASSWORD });
  assert.equal(page.status, 200, page.text);
  assert.deepEqual(await scanned(ofUser('console')), [row('RESOLVED')]);
  core.advance(MONTH);
  assert.deepEqual(await scanned(ofUser('console')), [row('ACTIVE')]);
  await admin().send(new iam.DeleteLoginProfileCommand({ UserName: 'console' }));
  assert.deepEqual(await scanned(ofUser('console')), [row('RESOLVED')]);
});

/** Archives the active findings of a user or role. */
async function archive(resource: string): Promise<void> {
  const filter = { resource: { eq: [resource] }, status: { eq: ['ACTIVE'] } };
  const { findings = [] } = await analyzers().send(new aa.ListFindingsV2Command({ analyzerArn, filter }));
  const ids = findings.map(({ id = '' }) => id);
  assert.ok(ids.length > 0);
  await analyzers().send(new aa.UpdateFindingsCommand({ analyzerArn, ids, status: 'ARCHIVED' }));
}

test('UnusedPermission: unused services and actions of a used user are one finding, until some are used or not granted', async () => {
  await newUser('ada', policy(allow(['chime:GetMeeting', 'chime:DeleteMeeting', 'ec2:*', 'iam:PassRole', 'iam:GetUser']), deny('s3:*')));
  await admin().send(new iam.CreateGroupCommand({ GroupName: 'readers' }));
  await admin().send(new iam.AddUserToGroupCommand({ GroupName: 'readers', UserName: 'ada' }));
  await admin().send(
    new iam.PutGroupPolicyCommand({ GroupName: 'readers', PolicyName: 'own', PolicyDocument: policy(allow('logs:Describe*')) }),
  );
  const keys = await newKey('ada');
  await useChime(keys);
  assert.deepEqual(await scannedPermissions(ofUser('ada')), []);
  core.advance(MONTH);
  await useChime(keys);
  const row = (status: string, ...details: readonly string[]): Row => ['UnusedPermission', status, details];
  assert.deepEqual(await scannedPermissions(ofUser('ada')), [row('ACTIVE', 'chime DeleteMeeting', 'ec2', 'iam GetUser', 'logs')]);
  await archive(ofUser('ada'));
  // Other unused permissions are another finding, which is not archived. A denied attempt is a use. The last use of iam:PassRole is not tracked, so it is never unused.
  await outcomeOf(new iam.IAMClient(core.client(keys)).send(new iam.GetUserCommand({ UserName: 'nobody' })));
  const earlier = row('RESOLVED', 'chime DeleteMeeting', 'ec2', 'iam GetUser', 'logs');
  assert.deepEqual(await scannedPermissions(ofUser('ada')), [row('ACTIVE', 'chime DeleteMeeting', 'ec2', 'logs'), earlier]);
  await admin().send(new iam.RemoveUserFromGroupCommand({ GroupName: 'readers', UserName: 'ada' }));
  await admin().send(
    new iam.PutUserPolicyCommand({ UserName: 'ada', PolicyName: 'own', PolicyDocument: policy(allow(['chime:GetMeeting'])) }),
  );
  assert.deepEqual(await scannedPermissions(ofUser('ada')), [earlier, row('RESOLVED', 'chime DeleteMeeting', 'ec2', 'logs')]);
});

test('UnusedPermission: a permission that another operation requires is used by it', async () => {
  await newUser('tagger', policy(allow(['chime:CreateMeeting', 'chime:TagResource', 'chime:DeleteMeeting'])));
  const keys = await newKey('tagger');
  core.advance(MONTH);
  await new ChimeSDKMeetingsClient(core.client(keys)).send(
    new CreateMeetingCommand({
      ...{ ClientRequestToken: 'token', ExternalMeetingId: 'standup', MediaRegion: 'us-east-1' },
      Tags: [{ Key: 'team', Value: 'blue' }],
    }),
  );
  assert.deepEqual(await scannedPermissions(ofUser('tagger')), [['UnusedPermission', 'ACTIVE', ['chime DeleteMeeting']]]);
});

test('UnusedPermission: the finding of a user that works all day changes once a day', async () => {
  const ofTagger = { analyzerArn, filter: { resource: { eq: [ofUser('tagger')] }, findingType: { eq: ['UnusedPermission'] } } };
  const keys = await newKey('tagger');
  /** Uses the service at an hour of the next day, and returns the time at which the finding changed. */
  const workAt = async (hour: number) => {
    const now = core.now();
    core.advance(DAY_MS - (now % DAY_MS) + hour * 3_600_000);
    await useChime(keys);
    await scanned(ofUser('tagger'));
    return (await analyzers().send(new aa.ListFindingsV2Command(ofTagger))).findings?.[0]?.updatedAt?.getTime();
  };
  const first = await workAt(1);
  core.advance(3_600_000);
  await useChime(keys);
  await scanned(ofUser('tagger'));
  const { findings: [same] = [] } = await analyzers().send(new aa.ListFindingsV2Command(ofTagger));
  assert.deepEqual([same?.updatedAt?.getTime(), (same?.analyzedAt?.getTime() ?? 0) > (first ?? 0)], [first, true]);
  assert.notEqual(await workAt(1), first);
});

test('Archive rules archive new findings of unused access', async () => {
  await analyzers().send(
    new aa.CreateArchiveRuleCommand({
      ...{
        analyzerName: 'unused',
        ruleName: 'roles',
        filter: { resource: { contains: ['role/batch'] }, findingType: { eq: ['UnusedIAMRole'] } },
      },
    }),
  );
  await newRole('batch');
  await newRole('other');
  core.advance(MONTH);
  assert.deepEqual(
    (await scanned(ofRole('batch'))).map(([, status]) => status),
    ['ARCHIVED'],
  );
  assert.deepEqual(
    (await scanned(ofRole('other'))).map(([, status]) => status),
    ['ACTIVE'],
  );
});

test('unusedAccessAge: 1 to 365 days, and the next scan uses the new period', async () => {
  const update = (unusedAccessAge: number) =>
    analyzers().send(new aa.UpdateAnalyzerCommand({ analyzerName: 'unused', configuration: { unusedAccess: { unusedAccessAge } } }));
  for (const invalid of [0, 366, -1]) assert.equal(await outcomeOf(update(invalid)), 'Validation');
  await update(365);
  assert.deepEqual(
    (await scanned(ofRole('other'))).map(([, status]) => status),
    ['RESOLVED'],
  );
  await update(1);
  await newRole('new');
  assert.deepEqual(await scanned(ofRole('new')), []);
  core.advance(DAY_MS + 60_000);
  // The task scans without a call.
  await until(
    async () => (await found(ofRole('new'))).some(([type, status]) => type === 'UnusedIAMRole' && status === 'ACTIVE'),
    () => 'the task found no unused role',
  );
  await update(30);
});

/** Returns the numbers of the findings: as the list of findings has them, and as GetFindingsStatistics returns them. */
async function numbers(): Promise<readonly [listed: unknown, returned: unknown]> {
  const types = new Map<string, number>();
  const states = new Map<string, number>();
  const { findings = [] } = await analyzers().send(new aa.ListFindingsV2Command({ analyzerArn, maxResults: 100 }));
  for (const { findingType = '', status = '' } of findings) {
    states.set(status, (states.get(status) ?? 0) + 1);
    if (status === 'ACTIVE') types.set(findingType, (types.get(findingType) ?? 0) + 1);
  }
  const { findingsStatistics: [statistics] = [] } = await analyzers().send(new aa.GetFindingsStatisticsCommand({ analyzerArn }));
  const totals = statistics?.unusedAccessFindingsStatistics;
  const ofTypes = Object.fromEntries([...types].toSorted());
  return [
    [
      ['ACTIVE', 'ARCHIVED', 'RESOLVED'].map((status) => states.get(status) ?? 0),
      ofTypes,
      [{ account: accountId, numberOfActiveFindings: states.get('ACTIVE'), details: ofTypes }],
    ],
    [
      [totals?.totalActiveFindings, totals?.totalArchivedFindings, totals?.totalResolvedFindings],
      Object.fromEntries(
        (totals?.unusedAccessTypeStatistics ?? []).map(({ unusedAccessType = '', total = 0 }) => [unusedAccessType, total]),
      ),
      totals?.topAccounts,
    ],
  ];
}

test('GetFindingsStatistics: the numbers agree with the findings', async () => {
  // A scan can change findings between the two calls.
  let both: readonly unknown[] = [];
  await until(
    async () => {
      both = await numbers();
      return isDeepStrictEqual(both[0], both[1]);
    },
    () => `listed ${JSON.stringify(both[0])}, returned ${JSON.stringify(both[1])}`,
  );
});

test('ORGANIZATION_UNUSED_ACCESS: findings of all accounts, except excluded ones, and their numbers', async () => {
  const organizations = () => new org.OrganizationsClient(core.client());
  const principal = { ServicePrincipal: 'access-analyzer.amazonaws.com' };
  await organizations().send(new org.CreateOrganizationCommand({ FeatureSet: 'ALL' }));
  await organizations().send(new org.EnableAWSServiceAccessCommand(principal));
  const member = async (AccountName: string): Promise<string> => {
    const input = { AccountName, Email: `${AccountName}@example.com` };
    const { CreateAccountStatus } = await organizations().send(new org.CreateAccountCommand(input));
    return CreateAccountStatus?.AccountId ?? '';
  };
  const blue = await member('blue');
  const green = await member('green');
  core.advance(MONTH);
  const organization = { analyzerName: 'organization', type: 'ORGANIZATION_UNUSED_ACCESS' } as const;
  const unusedAccess = { unusedAccessAge: 30, analysisRule: { exclusions: [{ accountIds: [green] }] } };
  const { arn = '' } = await analyzers().send(new aa.CreateAnalyzerCommand({ ...organization, configuration: { unusedAccess } }));
  const ofMember = (id: string) => `arn:aws:iam::${id}:role/OrganizationAccountAccessRole`;
  const statesOf = async (id: string) => (await found(ofMember(id), arn)).map(([type, status]) => `${type} ${status}`).join();
  const untilStates = (id: string, expected: string) =>
    until(
      async () => (await statesOf(id)) === expected,
      () => `the role of ${id} is not ${expected}`,
    );
  await untilStates(blue, 'UnusedIAMRole ACTIVE');
  await untilStates(accountId, '');
  const { findingsStatistics: [statistics] = [] } = await analyzers().send(new aa.GetFindingsStatisticsCommand({ analyzerArn: arn }));
  const top = statistics?.unusedAccessFindingsStatistics?.topAccounts ?? [];
  assert.deepEqual(
    top.map(({ account }) => account),
    [accountId, blue],
  );
  assert.deepEqual(top[1], { account: blue, numberOfActiveFindings: 1, details: { UnusedIAMRole: 1 } });
  // The exclusion ends, and another begins.
  const changed = { unusedAccessAge: 30, analysisRule: { exclusions: [{ accountIds: [blue] }] } };
  await analyzers().send(
    new aa.UpdateAnalyzerCommand({ analyzerName: organization.analyzerName, configuration: { unusedAccess: changed } }),
  );
  core.advance(11 * 60_000);
  await untilStates(blue, 'UnusedIAMRole RESOLVED');
  await untilStates(green, 'UnusedIAMRole ACTIVE');
});
