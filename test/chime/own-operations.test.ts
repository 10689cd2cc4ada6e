/** Operations for tasks of the console: permission, record, effect and command. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ChimeClient, CreateAccountCommand, GetAccountCommand, GetGlobalSettingsCommand, InviteUsersCommand } from '@aws-sdk/client-chime';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { otherAccount, startAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import type { Keys } from '../kit/keys.ts';
import { allow } from '../kit/policy.ts';
import { belfry, startServerProcess } from '../kit/process.ts';
import { startSmtpReceiver } from '../kit/smtp.ts';
import { until } from '../kit/until.ts';
import { sample } from '../wire/samples.ts';
import { verifyDomain } from './register.ts';

const account = await startAccount({ BELFRY_SUPPORT_ADDRESS: 'help@operator.example' });
const { server } = account;
const chime = new ChimeClient(server.at('chime'));
const model = loadModel('chime');
const OWN = Object.values(model.operations).filter(({ own }) => own === true);
const FORM = { timestamp: (at: number) => new Date(at).toISOString(), milliseconds: 0, blob: (bytes: Uint8Array) => bytes, elements: 1 };

const caller = (credentials: Keys = server.credentials) => ({ endpoint: server.endpoint, region: 'us-east-1', credentials });
const call = (name: string, input: object, keys?: Keys) => callChime(caller(keys), model.operations[name] as OperationModel, input);
const newAccount = async () => (await chime.send(new CreateAccountCommand({ Name: 'Example' }))).Account?.AccountId as string;

test('own operations: each is denied without its action, and each reaches its handler with only its action', async () => {
  const denied = await account.user('nobody', allow('chime:GetAccount'));
  const wrong: string[] = [];
  for (const [i, operation] of OWN.entries()) {
    const input = sample(model, { shape: operation.input as string }, FORM) as object;
    const { status, body } = await call(operation.name, input, denied);
    if (status !== 403 || !JSON.stringify(body).includes(`chime:${operation.name} on resource: *`))
      wrong.push(`${operation.name} ${status} ${JSON.stringify(body)}`);
    if (i % 7 !== 0) continue;
    const allowed = await account.user(`only-${operation.name}`, allow(`chime:${operation.name}`));
    const reached = await call(operation.name, input, allowed);
    // The page token of the sample is not valid. Some operations need nothing that does not exist.
    if (reached.status !== 200 && !['NotYetImplementedException', 'NotFoundException', 'BadRequestException'].includes(reached.code ?? ''))
      wrong.push(`${operation.name} ${reached.code}`);
  }
  assert.deepEqual(wrong, []);
});

test('own operations: a call is recorded as of chime, without secrets', async () => {
  await call('UpdateAccountOpenIdConfig', { AccountId: 'a', Issuer: 'https://idp.example', ClientId: 'c', ClientSecret: 'geheim' });
  const cloudtrail = new CloudTrailClient(server.client());
  const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: 'UpdateAccountOpenIdConfig' }];
  const { Events = [] } = await cloudtrail.send(new LookupEventsCommand({ LookupAttributes }));
  const record = Events.map(({ CloudTrailEvent = '{}' }) => JSON.parse(CloudTrailEvent)).find(
    ({ userIdentity, errorCode }) => userIdentity.userName === 'admin' && errorCode !== 'AccessDenied',
  );
  assert.deepEqual(
    [record?.eventSource, record?.readOnly, record?.requestParameters.issuer],
    ['chime.amazonaws.com', false, 'https://idp.example'],
  );
  assert.doesNotMatch(JSON.stringify(Events), /geheim/);
});

test('RenameAccount and UpdateSupportedLicenses: the account has the new values, and invalid ones are refused', async () => {
  const AccountId = await newAccount();
  assert.equal((await call('RenameAccount', { AccountId, Name: 'Renamed' })).status, 200);
  assert.equal((await call('UpdateSupportedLicenses', { AccountId, SupportedLicenses: ['Pro', 'Plus', 'Pro'] })).status, 200);
  const { Account } = await chime.send(new GetAccountCommand({ AccountId }));
  assert.deepEqual([Account?.Name, Account?.SupportedLicenses], ['Renamed', ['Pro', 'Plus']]);
  for (const [name, input, code] of [
    ['RenameAccount', { AccountId, Name: 'a\nb' }, 'ValidationException'],
    ['RenameAccount', { AccountId, Name: 'a\u202eb' }, 'BadRequestException'],
    ['RenameAccount', { AccountId: 'unknown', Name: 'a' }, 'NotFoundException'],
    ['UpdateSupportedLicenses', { AccountId, SupportedLicenses: ['Basic'] }, 'BadRequestException'],
    ['UpdateSupportedLicenses', { AccountId, SupportedLicenses: ['Pro', 'ProTrial'] }, 'BadRequestException'],
    ['UpdateSupportedLicenses', { AccountId, SupportedLicenses: [] }, 'ValidationException'],
  ] as const)
    assert.equal((await call(name, input)).code, code, `${name} ${JSON.stringify(input)}`);
});

test('GetUserByEmail and UpdateUserLicenses: find and change users of the account only', async () => {
  const AccountId = await newAccount();
  await chime.send(new InviteUsersCommand({ AccountId, UserEmailList: ['Ada@example.com'] }));
  const { body } = await call('GetUserByEmail', { AccountId, UserEmail: 'ADA@example.com' });
  const { UserId, LicenseType, UserInvitationStatus } = body['User'] as Readonly<Record<string, string>>;
  assert.deepEqual([LicenseType, UserInvitationStatus], ['Pro', 'Pending']);
  const changed = await call('UpdateUserLicenses', { AccountId, UserIds: [UserId, 'unknown'], License: 'Basic' });
  assert.deepEqual(
    (changed.body['UserErrors'] as { UserId: string; ErrorCode: string }[]).map((each) => [each.UserId, each.ErrorCode]),
    [['unknown', 'NotFound']],
  );
  const { body: again } = await call('GetUserByEmail', { AccountId, UserEmail: 'ada@example.com' });
  assert.equal((again['User'] as { LicenseType: string }).LicenseType, 'Basic');
  const other = await newAccount();
  const absent = await call('GetUserByEmail', { AccountId: other, UserEmail: 'ada@example.com' });
  assert.deepEqual([absent.code, JSON.stringify(absent.body).includes('ada@')], ['NotFoundException', false]);
  for (const name of ['SuspendUsers', 'ActivateUsers'])
    assert.equal((await call(name, { AccountId, UserIds: [UserId] })).code, 'BadRequestException', name);
});

test('GetTelephonyLimits and ListCallingRegions: without a carrier, users can call no country', async () => {
  const { body } = await call('GetTelephonyLimits', {});
  assert.deepEqual(body['TelephonyLimits'], {
    PhoneNumbersPerOrder: 50,
    PhoneNumbersPerBatch: 50,
    PhoneNumbersPerSearch: 500,
    CallingRegions: 0,
  });
  assert.deepEqual((await call('ListCallingRegions', {})).body, { CallingRegions: [] });
});

test('UpdateCDRSettings and GetCDRBucket: set and read the bucket of GetGlobalSettings, which must belong to the AWS account', async () => {
  await new S3Client({ ...server.client(), forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: 'call-records' }));
  const CDRBucket = { BucketName: 'call-records', IsUsed: true };
  assert.deepEqual((await call('UpdateCDRSettings', { BucketName: 'call-records' })).body, { CDRBucket });
  assert.deepEqual((await call('GetCDRBucket', {})).body, { CDRBucket });
  assert.equal((await chime.send(new GetGlobalSettingsCommand({}))).BusinessCalling?.CdrBucket, 'call-records');
  assert.equal((await call('UpdateCDRSettings', { BucketName: 'unknown' })).code, 'BadRequestException');
  assert.deepEqual((await call('UpdateCDRSettings', {})).body, {});
  assert.deepEqual((await call('GetCDRBucket', {})).body, {});
});

test('CreateCDRBucket, ListCDRBucket and DeleteCDRBucket: need the permissions of S3, and clear the settings', async () => {
  const arn = (name: string) => `arn:aws:s3:::${name}`;
  const chimeOnly = await account.user('records', allow(['chime:CreateCDRBucket', 'chime:ListCDRBucket', 'chime:DeleteCDRBucket']));
  for (const [name, input, action] of [
    ['CreateCDRBucket', { BucketName: 'records-one' }, 's3:CreateBucket'],
    ['ListCDRBucket', {}, 's3:ListAllMyBuckets'],
    ['DeleteCDRBucket', { BucketName: 'call-records' }, 's3:DeleteBucket'],
  ] as const) {
    const { status, body } = await call(name, input, chimeOnly);
    assert.deepEqual([name, status, JSON.stringify(body).includes(action)], [name, 403, true]);
  }
  const own = await account.user(
    'records-owner',
    allow(['chime:CreateCDRBucket', 'chime:ListCDRBucket', 'chime:DeleteCDRBucket']),
    allow('s3:ListAllMyBuckets'),
    allow(['s3:CreateBucket', 's3:PutBucketPolicy', 's3:DeleteBucket'], arn('records-*')),
  );
  const s3 = new S3Client({ ...server.client(), forcePathStyle: true });
  for (const name of ['records-one', 'records-two'])
    assert.deepEqual((await call('CreateCDRBucket', { BucketName: name }, own)).body, { CDRBucket: { BucketName: name, IsUsed: false } });
  assert.equal((await call('CreateCDRBucket', { BucketName: 'other' }, own)).status, 403);
  const { Policy = '' } = await s3.send(new GetBucketPolicyCommand({ Bucket: 'records-one' }));
  assert.deepEqual(JSON.parse(Policy).Statement[0].Condition.StringEquals['aws:SourceAccount'], server.accountId);
  for (const [name, code] of [
    ['records-one', 'ConflictException'],
    ['records--x-s3', 'BadRequestException'],
    ['RECORDS', 'ValidationException'],
  ] as const)
    assert.equal((await call('CreateCDRBucket', { BucketName: name })).code, code, name);

  // The bucket of the test before has no policy, so Amazon Chime cannot write to it.
  await call('UpdateCDRSettings', { BucketName: 'records-one' });
  const pages = [await call('ListCDRBucket', { MaxResults: 1 }, own)];
  for (let last = pages[0]; last?.body['NextToken'] !== undefined; pages.push(last))
    last = await call('ListCDRBucket', { MaxResults: 1, NextToken: last.body['NextToken'] }, own);
  assert.deepEqual(
    pages.flatMap(({ body }) => body['CDRBuckets']),
    [
      { BucketName: 'records-one', IsUsed: true },
      { BucketName: 'records-two', IsUsed: false },
    ],
  );

  await s3.send(new PutObjectCommand({ Bucket: 'records-one', Key: 'a', Body: 'a' }));
  assert.equal((await call('DeleteCDRBucket', { BucketName: 'records-one' }, own)).code, 'ConflictException');
  await s3.send(new DeleteObjectCommand({ Bucket: 'records-one', Key: 'a' }));
  const Statement = { Effect: 'Deny', Principal: '*', Action: 's3:DeleteBucket', Resource: arn('records-two') };
  await s3.send(new PutBucketPolicyCommand({ Bucket: 'records-two', Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
  assert.equal((await call('DeleteCDRBucket', { BucketName: 'records-two' }, own)).status, 403);
  assert.equal((await call('DeleteCDRBucket', { BucketName: 'records-one' }, own)).status, 200);
  assert.deepEqual(
    [(await call('GetCDRBucket', {})).body, await chime.send(new GetGlobalSettingsCommand({})).then((each) => each.BusinessCalling)],
    [{}, undefined],
  );
  assert.equal((await call('DeleteCDRBucket', { BucketName: 'records-one' })).code, 'NotFoundException');
  const { code } = await call('DeleteCDRBucket', { BucketName: 'records-two' }, (await otherAccount(server, 'Others')).keys);
  assert.equal(code, 'NotFoundException');
});

test('StartDataExport: the server writes the files to the bucket, and RetrieveDataExports has their place', async () => {
  const AccountId = await newAccount();
  await chime.send(new InviteUsersCommand({ AccountId, UserEmailList: ['export@example.com'] }));
  assert.equal((await call('StartDataExport', { AccountId })).code, 'BadRequestException');
  verifyDomain(server, AccountId, 'example.com');
  await call('CreateCDRBucket', { BucketName: 'exports' });
  await call('UpdateCDRSettings', { BucketName: 'exports' });
  const { body } = await call('StartDataExport', { AccountId });
  assert.deepEqual((body['DataExport'] as { DataExportStatus: string }).DataExportStatus, 'InProgress');
  type Found = { readonly DataExportStatus: string; readonly BucketName: string; readonly KeyPrefix: string };
  let found: Found | undefined;
  await until(
    async () => {
      [found] = (await call('RetrieveDataExports', { AccountId })).body['DataExports'] as Found[];
      return found?.DataExportStatus === 'Completed';
    },
    () => JSON.stringify(found),
  );
  const { BucketName: Bucket = '', KeyPrefix = '' } = found ?? {};
  const s3 = new S3Client({ ...server.client(), forcePathStyle: true });
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `${KeyPrefix}users-00001.jsonl` }));
  assert.equal(JSON.parse((await Body?.transformToString()) ?? '').PrimaryEmail, 'export@example.com');
});

const REQUEST = { Category: 'Users', Subject: 'Grüße', Description: 'One\r\nTwo', Email: 'ada@example.com' };

test('SubmitSupportRequest: the operator gets a mail that names the caller, and header injection is refused', async () => {
  const { body, status } = await call('SubmitSupportRequest', REQUEST);
  assert.equal(status, 200);
  const listed = async () => (await belfry(['chime', 'mail', '--data', server.dataFolder])).stdout;
  let lines: readonly string[] = [];
  await until(
    async () => {
      lines = (await listed()).split('\n').filter((line) => line.includes('help@operator.example'));
      return lines.length > 0;
    },
    () => 'the mail is in the folder',
  );
  const [file = '', to, ...subject] = (lines[0] as string).split('  ');
  assert.deepEqual([to, subject.join('  ')], ['help@operator.example', `Support request ${body['SupportRequestId']}: Grüße`]);
  const { stdout } = await belfry(['chime', 'mail', file, '--data', server.dataFolder]);
  assert.match(
    stdout,
    new RegExp(
      `AWS account: ${server.accountId}\\nCaller: arn:aws:iam::${server.accountId}:user/admin\\nAnswer to: ada@example.com\\n\\nOne\\nTwo\\n$`,
    ),
  );
  for (const [wrong, code] of [
    [{ Subject: 'a\r\nBcc: eve@example.com' }, 'ValidationException'],
    [{ Subject: 'a\u202eBcc: eve@example.com' }, 'BadRequestException'],
    [{ Description: 'a\u0007' }, 'BadRequestException'],
    [{ Email: 'ada@example.com\nBcc: eve@example.com' }, 'ValidationException'],
    [{ Email: 'ada@example.com,eve@example.com' }, 'BadRequestException'],
  ] as const)
    assert.equal((await call('SubmitSupportRequest', { ...REQUEST, ...wrong })).code, code, JSON.stringify(wrong));
});

test('belfry chime: calls an operation with the credentials of the environment, and prints the response or the error', async () => {
  const AccountId = await newAccount();
  const { accessKeyId, secretAccessKey } = server.credentials;
  const environment = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_REGION: 'us-east-1',
  };
  const run = (...args: readonly string[]) => belfry(['chime', ...args], environment);
  const set = await run('update-supported-licenses', '--account-id', AccountId, '--supported-licenses', 'Pro, Basic');
  assert.deepEqual([set.status, JSON.parse(set.stdout).Account.SupportedLicenses], [0, ['Pro', 'Basic']]);
  const failed = await run('rename-account', '--account-id', 'unknown', '--name', 'x');
  assert.deepEqual([failed.status, failed.stderr], [1, "belfry chime: NotFoundException: Could not find Account with Id 'unknown'\n"]);
  const incomplete = await run('rename-account', '--account-id', AccountId);
  assert.equal(
    incomplete.stderr,
    "belfry chime: missing --name\nbelfry chime: 'belfry chime rename-account --help' describes the command\n",
  );
  const refused = await run('suspend-users', '--account-id', AccountId, '--user-ids', 'x');
  assert.equal(refused.stderr, 'belfry chime: BadRequestException: The account is a Team account: verify a domain first.\n');
  const help = await run('start-data-export', '--help');
  assert.match(help.stdout, /^belfry chime start-data-export .*\n\n {2}--account-id +required: .*\n {2}--user-id +optional: /);
  const secret = await run(
    'update-account-open-id-config',
    '--account-id',
    AccountId,
    '--issuer',
    'https://idp.example',
    '--client-id',
    'c',
    '--client-secret',
    'geheim',
  );
  assert.deepEqual([secret.status, secret.stderr.includes('geheim')], [2, false]);
});

test('mail: after kill -9 at any point, each confirmed request reaches the SMTP server at least once', async () => {
  const receiver = await startSmtpReceiver();
  receiver.reply(() => (receiver.recipients.length % 2 === 0 ? 'hang' : undefined));
  const folder = newFolder('smtp-file');
  const file = join(folder, 'smtp');
  writeFileSync(file, `smtp://127.0.0.1:${receiver.port}\n`, { mode: 0o600 });
  const environment = { BELFRY_SMTP_FILE: file, BELFRY_MAIL_FROM: 'belfry@chime.example', BELFRY_SUPPORT_ADDRESS: 'help@operator.example' };
  const first = await startServerProcess(environment);
  const to = { endpoint: first.endpoint, region: 'us-east-1', credentials: first.credentials };
  const confirmed: string[] = [];
  let killed = false;
  for (let i = 0; i < 40; i++) {
    const sent = await callChime(to, model.operations['SubmitSupportRequest'] as OperationModel, REQUEST).catch(() => undefined);
    if (sent?.status !== 200) break;
    confirmed.push(String(sent.body['SupportRequestId']));
    if (!killed && receiver.recipients.length > 5) {
      process.kill(first.pid, 'SIGKILL');
      killed = true;
    }
  }
  assert.ok(killed && confirmed.length >= 3, `${confirmed.length} requests were confirmed`);
  receiver.reply(() => undefined);
  receiver.release();
  await startServerProcess(environment, first.dataFolder);
  const arrived = () => new Set(receiver.received.map(({ mail }) => /^Support request (\S+):/.exec(mail.subject ?? '')?.[1]));
  await until(
    () => confirmed.every((id) => arrived().has(id)),
    () => `${arrived().size} of ${confirmed.length} messages arrived`,
  );
});
