/**
 * Trails with the unmodified client of the AWS SDK: the main flow, and an organization trail that a member account reads.
 * The server has no buckets yet, so it refuses CreateTrail. The test stores the trails while the server is stopped.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import {
  CreateAccountCommand,
  CreateOrganizationCommand,
  EnableAWSServiceAccessCommand,
  ListDelegatedAdministratorsCommand,
  OrganizationsClient,
  RemoveAccountFromOrganizationCommand,
} from '@aws-sdk/client-organizations';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { trails } from '#services/cloudtrail/tables/trails.ts';
import { openStore } from '#store/engine/open.ts';
import { accountOn } from '../kit/account.ts';
import { messageOf, outcomeOf } from '../kit/outcome.ts';
import { allow, deny } from '../kit/policy.ts';
import { startTestServer } from '../kit/server.ts';

const stopped = await startTestServer();
await stopped.stop();
await storeTrails('audit', 'shared');
const server = await startTestServer({}, stopped.dataFolder);
const account = accountOn(server, { accountId: stopped.accountId, keys: stopped.credentials });

const arnOf = (name: string) => `arn:aws:cloudtrail:us-east-1:${account.accountId}:trail/${name}`;
const ARN = arnOf('audit');
const SHARED = arnOf('shared');

/** Stores trails of all regions in the database of the stopped server. `shared` is an organization trail. */
async function storeTrails(...names: readonly string[]): Promise<void> {
  const store = await openStore(`file:${stopped.dataFolder}`, { fatal: (error) => assert.fail(String(error)) });
  await store.transaction(async (tx) => {
    for (const name of names) {
      await tx.of(trails).add(
        {
          trailId: name,
          accountId: stopped.accountId as AccountId,
          homeRegion: 'us-east-1',
          name,
          configuration: {
            S3BucketName: 'logs',
            IncludeGlobalServiceEvents: true,
            IsMultiRegionTrail: true,
            LogFileValidationEnabled: true,
            IsOrganizationTrail: name === 'shared',
          },
          selectsData: false,
          customSelectors: false,
          insights: false,
          createdAt: instant(Date.now()),
          logging: false,
          pending: false,
          logsPending: false,
          periods: [],
        },
        { tags: [{ key: 'team', value: 'blue' }] },
      );
    }
  });
  await store.close();
}

test('Trails: the order of calls of Terraform, after CreateTrail, works with the SDK', async () => {
  const client = new cloudtrail.CloudTrailClient(server.client());
  await client.send(new cloudtrail.StartLoggingCommand({ Name: 'audit' }));
  const EventSelectors = [{ ReadWriteType: 'All' as const, DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }] }];
  await client.send(new cloudtrail.PutEventSelectorsCommand({ TrailName: ARN, EventSelectors }));
  const { trailList } = await client.send(new cloudtrail.DescribeTrailsCommand({ trailNameList: [ARN] }));
  assert.deepEqual(trailList, [
    {
      Name: 'audit',
      S3BucketName: 'logs',
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: true,
      HomeRegion: 'us-east-1',
      TrailARN: ARN,
      LogFileValidationEnabled: true,
      HasCustomEventSelectors: true,
      HasInsightSelectors: false,
      IsOrganizationTrail: false,
    },
  ]);
  const { ResourceTagList } = await client.send(new cloudtrail.ListTagsCommand({ ResourceIdList: [ARN] }));
  assert.deepEqual(ResourceTagList, [{ ResourceId: ARN, TagsList: [{ Key: 'team', Value: 'blue' }] }]);
  const elsewhere = new cloudtrail.CloudTrailClient({ ...server.client(), region: 'eu-west-1' });
  const { IsLogging, StartLoggingTime } = await elsewhere.send(new cloudtrail.GetTrailStatusCommand({ Name: ARN }));
  assert.deepEqual([IsLogging, StartLoggingTime instanceof Date], [true, true]);
  const { EventSelectors: read } = await elsewhere.send(new cloudtrail.GetEventSelectorsCommand({ TrailName: ARN }));
  assert.deepEqual(read, [{ ...EventSelectors[0], IncludeManagementEvents: true, ExcludeManagementEventSources: [] }]);
  assert.equal(await outcomeOf(client.send(new cloudtrail.GetInsightSelectorsCommand({ TrailName: ARN }))), 'InsightNotEnabled');
  assert.deepEqual((await client.send(new cloudtrail.ListPublicKeysCommand({}))).PublicKeyList, []);

  await client.send(new cloudtrail.StopLoggingCommand({ Name: ARN }));
  await client.send(new cloudtrail.DeleteTrailCommand({ Name: ARN }));
  assert.deepEqual((await client.send(new cloudtrail.DescribeTrailsCommand({ trailNameList: [ARN] }))).trailList, []);
  const [stop] = await account.records('StopLogging');
  assert.deepEqual([stop?.requestParameters, stop?.resources?.[0]?.ARN], [{ name: ARN }, ARN]);
});

test('CreateTrail: without buckets, the server refuses every trail', async () => {
  const create = account.server.client();
  assert.equal(
    await messageOf(new cloudtrail.CloudTrailClient(create).send(new cloudtrail.CreateTrailCommand({ Name: 'new', S3BucketName: 'logs' }))),
    'S3BucketDoesNotExistException: S3 bucket logs does not exist!',
  );
});

test('Trails: policies decide by the ARN of the trail, also if the request has its name', async () => {
  const keys = await account.user('ada', allow('cloudtrail:*'), deny('cloudtrail:StopLogging', SHARED));
  const client = new cloudtrail.CloudTrailClient(server.client(keys));
  for (const Name of ['shared', SHARED]) {
    assert.equal(await outcomeOf(client.send(new cloudtrail.StopLoggingCommand({ Name }))), 'AccessDenied');
  }
  assert.equal(await outcomeOf(client.send(new cloudtrail.GetTrailStatusCommand({ Name: 'shared' }))), 'allowed');
});

test('Organization trails: a member account can read them, and change them only as delegated administrator', async () => {
  const organizations = new OrganizationsClient(server.client());
  await organizations.send(new CreateOrganizationCommand({}));
  const { CreateAccountStatus } = await organizations.send(new CreateAccountCommand({ AccountName: 'm', Email: 'm@example.com' }));
  const AccountId = CreateAccountStatus?.AccountId ?? '';
  const keys = await account.assume(account.keys, `arn:aws:iam::${AccountId}:role/OrganizationAccountAccessRole`);
  const member = new cloudtrail.CloudTrailClient(server.client(keys));
  const own = new cloudtrail.CloudTrailClient(server.client());

  assert.equal((await member.send(new cloudtrail.GetTrailCommand({ Name: SHARED }))).Trail?.TrailARN, SHARED);
  assert.equal(await outcomeOf(member.send(new cloudtrail.GetTrailCommand({ Name: ARN }))), 'TrailNotFound');
  const start = () => outcomeOf(member.send(new cloudtrail.StartLoggingCommand({ Name: SHARED })));
  assert.equal(await start(), 'NotOrganizationMasterAccount');

  const register = () => outcomeOf(own.send(new cloudtrail.RegisterOrganizationDelegatedAdminCommand({ MemberAccountId: AccountId })));
  assert.equal(await register(), 'CloudTrailAccessNotEnabled');
  await organizations.send(new EnableAWSServiceAccessCommand({ ServicePrincipal: 'cloudtrail.amazonaws.com' }));
  assert.equal(await register(), 'allowed');
  assert.equal(await start(), 'allowed');
  const { DelegatedAdministrators } = await organizations.send(new ListDelegatedAdministratorsCommand({}));
  const [administrator] = DelegatedAdministrators ?? [];
  assert.deepEqual([administrator?.Id, administrator?.Name, administrator?.DelegationEnabledDate instanceof Date], [AccountId, 'm', true]);
  const other = await organizations.send(new ListDelegatedAdministratorsCommand({ ServicePrincipal: 'sso.amazonaws.com' }));
  assert.deepEqual(other.DelegatedAdministrators, []);
  assert.equal(await outcomeOf(organizations.send(new RemoveAccountFromOrganizationCommand({ AccountId }))), 'ConstraintViolation');
  await own.send(new cloudtrail.DeregisterOrganizationDelegatedAdminCommand({ DelegatedAdminAccountId: AccountId }));
  assert.equal(await start(), 'NotOrganizationMasterAccount');
});
