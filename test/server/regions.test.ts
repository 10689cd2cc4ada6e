import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { CreateUserCommand, GetUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { DescribeOrganizationCommand, OrganizationsClient } from '@aws-sdk/client-organizations';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { startAccount } from '../kit/account.ts';
import { allow } from '../kit/policy.ts';
import { startTestServer } from '../kit/server.ts';
import { everyEvent } from '../kit/trail.ts';

/** Tests in which region the server records a call. This depends on the service and on the region in the signature. */

const { server, user } = await startAccount({ BELFRY_REGION: 'eu-central-1' });
const elsewhere = (credentials = server.credentials) => ({ ...server.client(credentials), region: 'ap-south-2' });
let limited = server.credentials;

/** Returns the events of a region: operation, region and error code. */
async function names(region: string): Promise<readonly string[]> {
  const events = await everyEvent(new CloudTrailClient({ ...server.client(), region }));
  return events.map(({ eventName, errorCode, document }) => `${eventName} ${document.awsRegion} ${errorCode ?? 'done'}`);
}

before(async () => {
  const here = { Condition: { StringEquals: { 'aws:RequestedRegion': 'eu-central-1' } } };
  limited = await user('limited', allow('iam:GetUser', '*', here));
});

test('IAM and Organizations: a call signed for another region is recorded in the region of the server', async () => {
  await new IAMClient(elsewhere()).send(new CreateUserCommand({ UserName: 'hidden' }));
  const wrong = { ...server.credentials, secretAccessKey: 'x'.repeat(40) };
  await assert.rejects(new IAMClient(elsewhere(wrong)).send(new GetUserCommand({})), { name: 'SignatureDoesNotMatch' });
  await assert.rejects(new OrganizationsClient(elsewhere()).send(new DescribeOrganizationCommand({})));
  const found = await names('eu-central-1');
  assert.ok(found.includes('CreateUser eu-central-1 done'));
  assert.ok(found.includes('GetUser eu-central-1 SignatureDoesNotMatch'));
  assert.ok(found.some((name) => name.startsWith('DescribeOrganization eu-central-1 ')));
  assert.deepEqual(
    (await names('ap-south-2')).filter((name) => !name.startsWith('LookupEvents')),
    [],
  );
});

test('aws:RequestedRegion: for IAM, the value is the region of the server, not the one in the signature', async () => {
  const { User } = await new IAMClient(elsewhere(limited)).send(new GetUserCommand({ UserName: 'limited' }));
  assert.equal(User?.UserName, 'limited');
});

test('Regional services: a call is recorded in the region that its signature names', async () => {
  await new STSClient(elsewhere()).send(new GetCallerIdentityCommand({}));
  assert.ok((await names('ap-south-2')).includes('GetCallerIdentity ap-south-2 done'));
});

test('Unknown regions: every service rejects the call, and records it in the region of the server', async () => {
  for (const credentials of [server.credentials, { ...server.credentials, secretAccessKey: 'x'.repeat(40) }]) {
    const nowhere = new STSClient({ ...server.client(credentials), region: 'nowhere-1' });
    await assert.rejects(nowhere.send(new GetCallerIdentityCommand({})), { name: 'SignatureDoesNotMatch' });
  }
  const refused = (await names('eu-central-1')).filter((name) => name === 'GetCallerIdentity eu-central-1 SignatureDoesNotMatch');
  assert.equal(refused.length, 2);
  const iamNowhere = new IAMClient({ ...server.client(), region: 'nowhere-1' });
  await assert.rejects(iamNowhere.send(new GetUserCommand({})), { name: 'SignatureDoesNotMatch' });
  const named = new STSClient({ ...server.client(), region: 'nowhere-1' });
  await assert.rejects(
    named.send(new GetCallerIdentityCommand({})),
    /^SignatureDoesNotMatch: Credential should be scoped to a valid region, not 'nowhere-1'\. $/,
  );
});

test('BELFRY_REGION: the configured region is valid, whatever its name', async () => {
  const local = await startTestServer({ BELFRY_REGION: 'eu-basement-1' });
  const { Account } = await new STSClient({ ...local.client(), region: 'eu-basement-1' }).send(new GetCallerIdentityCommand({}));
  assert.equal(Account, local.accountId);
});
