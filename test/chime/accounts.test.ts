/** Tests accounts and users of Amazon Chime with the real SDK: each operation, its authorization and its trail record. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AssociateSigninDelegateGroupsWithAccountCommand,
  BatchSuspendUserCommand,
  BatchUnsuspendUserCommand,
  BatchUpdateUserCommand,
  CreateAccountCommand,
  CreateUserCommand,
  DeleteAccountCommand,
  DisassociateSigninDelegateGroupsFromAccountCommand,
  GetAccountCommand,
  GetAccountSettingsCommand,
  GetGlobalSettingsCommand,
  GetRetentionSettingsCommand,
  GetUserCommand,
  GetUserSettingsCommand,
  InviteUsersCommand,
  ListAccountsCommand,
  ListUsersCommand,
  LogoutUserCommand,
  PutRetentionSettingsCommand,
  ResetPersonalPINCommand,
  UpdateAccountCommand,
  UpdateAccountSettingsCommand,
  UpdateGlobalSettingsCommand,
  UpdateUserCommand,
  UpdateUserSettingsCommand,
} from '@aws-sdk/client-chime';
import { GetGlobalSettingsCommand as GetVoiceSettingsCommand } from '@aws-sdk/client-chime-sdk-voice';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startAccount } from '../kit/account.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';
import { until } from '../kit/until.ts';
import { register } from './register.ts';

const account = await startAccount();
const chime = account.chime();
const UNKNOWN = 'a6b1e9b0-0000-4000-8000-999999999999';

async function newAccount(Name = 'Example'): Promise<string> {
  return (await chime.send(new CreateAccountCommand({ Name }))).Account?.AccountId as string;
}

/** Returns name, status and message of an error. */
async function errorOf(sent: Promise<unknown>): Promise<readonly unknown[]> {
  const { name, status, message } = await refusalOf(sent);
  return [name, status, message];
}

test('Accounts: created, found, changed, refused and deleted', async () => {
  const created = await chime.send(new CreateAccountCommand({ Name: 'Accounts' }));
  const AccountId = created.Account?.AccountId as string;
  assert.equal(created.$metadata.httpStatusCode, 201);
  assert.ok(created.Account?.CreatedTimestamp instanceof Date);
  const { Account } = await chime.send(new UpdateAccountCommand({ AccountId, Name: 'MyAccountName', DefaultLicense: 'Basic' }));
  assert.deepEqual(Account, { ...created.Account, Name: 'MyAccountName', DefaultLicense: 'Basic' });
  assert.deepEqual((await chime.send(new GetAccountCommand({ AccountId }))).Account, Account);
  assert.deepEqual((await chime.send(new ListAccountsCommand({ Name: 'MyAcc' }))).Accounts, [Account]);

  const settings = await chime.send(new UpdateAccountSettingsCommand({ AccountId, AccountSettings: { DisableRemoteControl: true } }));
  assert.equal(settings.$metadata.httpStatusCode, 204);
  assert.deepEqual((await chime.send(new GetAccountSettingsCommand({ AccountId }))).AccountSettings, {
    DisableRemoteControl: true,
    EnableDialOut: false,
  });
  const group = { SigninDelegateGroups: [{ GroupName: 'rooms' }] };
  const bad = ['BadRequestException', 400, 'Service received a bad request'];
  assert.deepEqual(await errorOf(chime.send(new AssociateSigninDelegateGroupsWithAccountCommand({ AccountId, ...group }))), bad);
  const remove = new DisassociateSigninDelegateGroupsFromAccountCommand({ AccountId, GroupNames: ['rooms'] });
  assert.deepEqual(await errorOf(chime.send(remove)), bad);
  const retention = { RoomRetentionSettings: { RetentionDays: 30 } };
  assert.deepEqual(await errorOf(chime.send(new PutRetentionSettingsCommand({ AccountId, RetentionSettings: retention }))), bad);
  assert.deepEqual((await chime.send(new GetRetentionSettingsCommand({ AccountId }))).RetentionSettings, {
    RoomRetentionSettings: {},
    ConversationRetentionSettings: {},
  });

  const deleted = await chime.send(new DeleteAccountCommand({ AccountId }));
  assert.equal(deleted.$metadata.httpStatusCode, 204);
  assert.equal((await chime.send(new GetAccountCommand({ AccountId }))).Account?.AccountStatus, 'Suspended');
  const again = await errorOf(chime.send(new DeleteAccountCommand({ AccountId })));
  assert.deepEqual(again, ['NotFoundException', 404, `Could not find Account with Id '${AccountId}'`]);
});

test('Users: invited, registered, changed, signed out, suspended', async () => {
  const AccountId = await newAccount('Users');
  const UserEmailList = ['ada@users.example.com', 'bob@users.example.com'];
  const invited = await chime.send(new InviteUsersCommand({ AccountId, UserEmailList }));
  assert.equal(invited.$metadata.httpStatusCode, 201);
  assert.deepEqual(
    invited.Invites?.map(({ Status, EmailStatus, EmailAddress }) => [Status, EmailStatus, EmailAddress]),
    UserEmailList.map((address) => ['Pending', 'Sent', address]),
  );
  const [ada = '', bob = ''] = await register(account.server, AccountId, ...UserEmailList);
  const user = async (UserId: string) => (await chime.send(new GetUserCommand({ AccountId, UserId }))).User;
  const registered = await user(ada);
  assert.deepEqual([registered?.UserRegistrationStatus, registered?.UserInvitationStatus], ['Registered', 'Accepted']);
  assert.deepEqual((await chime.send(new ListAccountsCommand({ UserEmail: 'ADA@users.example.com' }))).Accounts?.[0]?.AccountId, AccountId);

  const { User } = await chime.send(new ResetPersonalPINCommand({ AccountId, UserId: ada }));
  assert.match(User?.PersonalPIN ?? '', /^\d{10}$/);
  assert.notEqual(User?.PersonalPIN, registered?.PersonalPIN);
  assert.equal((await chime.send(new UpdateUserCommand({ AccountId, UserId: ada, LicenseType: 'Basic' }))).User?.LicenseType, 'Basic');
  const items = [ada, UNKNOWN].map((UserId) => ({ UserId, LicenseType: 'Pro' as const }));
  const { UserErrors } = await chime.send(new BatchUpdateUserCommand({ AccountId, UpdateUserRequestItems: items }));
  assert.deepEqual(UserErrors, [{ UserId: UNKNOWN, ErrorCode: 'NotFound', ErrorMessage: `Could not find User with Id '${UNKNOWN}'` }]);
  const Telephony = { InboundCalling: true, OutboundCalling: false, SMS: false };
  const updated = await chime.send(new UpdateUserSettingsCommand({ AccountId, UserId: ada, UserSettings: { Telephony } }));
  assert.equal(updated.$metadata.httpStatusCode, 204);
  assert.deepEqual((await chime.send(new GetUserSettingsCommand({ AccountId, UserId: ada }))).UserSettings, { Telephony });
  assert.equal((await chime.send(new LogoutUserCommand({ AccountId, UserId: ada }))).$metadata.httpStatusCode, 204);

  assert.equal((await refusalOf(chime.send(new DeleteAccountCommand({ AccountId })))).name, 'UnprocessableEntityException');
  assert.deepEqual((await chime.send(new BatchSuspendUserCommand({ AccountId, UserIdList: [bob] }))).UserErrors, []);
  assert.equal((await user(bob))?.UserRegistrationStatus, 'Suspended');
  assert.equal((await refusalOf(chime.send(new BatchUnsuspendUserCommand({ AccountId, UserIdList: [bob] })))).name, 'BadRequestException');
  const created = chime.send(new CreateUserCommand({ AccountId, Email: 'eve@users.example.com', Username: 'Eve' }));
  assert.equal((await refusalOf(created)).name, 'BadRequestException');
  const listed = (await chime.send(new ListUsersCommand({ AccountId }))).Users ?? [];
  assert.deepEqual(
    listed.map(({ UserId, PersonalPIN }) => [UserId, PersonalPIN]),
    [
      [ada, undefined],
      [bob, undefined],
    ],
  );
});

test('Global settings: the buckets must exist, and Chime SDK Voice has the same settings', async () => {
  const group = { CdrBucket: 'call-records-of-chime' };
  const put = new UpdateGlobalSettingsCommand({ BusinessCalling: group, VoiceConnector: group });
  assert.equal((await refusalOf(chime.send(put))).name, 'BadRequestException');
  const s3 = new S3Client({ ...account.client(), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: group.CdrBucket }));
  assert.equal((await chime.send(put)).$metadata.httpStatusCode, 204);
  const { BusinessCalling, VoiceConnector } = await chime.send(new GetGlobalSettingsCommand({}));
  assert.deepEqual([BusinessCalling, VoiceConnector], [group, group]);
  assert.deepEqual((await account.voice().send(new GetVoiceSettingsCommand({}))).VoiceConnector, group);
});

test('Authorization: a permission on * is required, and a permission on an ARN grants nothing (CHM-1)', async () => {
  const AccountId = await newAccount('Guarded');
  const ada = account.chime(await account.user('ada', allow('chime:GetAccount')));
  const onArn = account.chime(await account.user('bob', { ...allow('chime:*'), Resource: 'arn:aws:chime:*:*:*' }));
  assert.equal((await ada.send(new GetAccountCommand({ AccountId }))).Account?.Name, 'Guarded');
  const denied = async (sent: Promise<unknown>) => (await errorOf(sent)).slice(0, 2);
  assert.deepEqual(await denied(ada.send(new ListUsersCommand({ AccountId }))), ['ForbiddenException', 403]);
  assert.deepEqual(await denied(onArn.send(new GetAccountCommand({ AccountId }))), ['ForbiddenException', 403]);
  // The error of a denied caller does not depend on whether the account exists.
  assert.deepEqual(await denied(ada.send(new ListUsersCommand({ AccountId: UNKNOWN }))), ['ForbiddenException', 403]);
});

test('Trail: records contain neither PINs nor addresses', async () => {
  const AccountId = await newAccount('Recorded');
  await chime.send(new InviteUsersCommand({ AccountId, UserEmailList: ['secret-address@example.com'] }));
  const [UserId = ''] = await register(account.server, AccountId, 'secret-address@example.com');
  const { User } = await chime.send(new ResetPersonalPINCommand({ AccountId, UserId }));
  const records = async (name: string) =>
    JSON.stringify((await account.records(name)).filter((record) => JSON.stringify(record).includes(AccountId)));
  await until(
    async () => (await records('ResetPersonalPIN')).includes(UserId),
    () => 'no record of ResetPersonalPIN',
  );
  for (const name of ['ResetPersonalPIN', 'InviteUsers']) {
    const text = await records(name);
    assert.ok(text.includes(AccountId), name);
    assert.ok(!text.includes(User?.PersonalPIN as string) && !text.includes('secret-address'), name);
  }
});
