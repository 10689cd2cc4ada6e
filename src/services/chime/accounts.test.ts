import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { UpdateGlobalSettingsRequest } from '#model/generated/chime.ts';
import { retentionTimes } from '../chime-kit/chime-retention.ts';
import { workFor } from '../kit/fixture.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture, START } from './fixture.ts';
import { sweepDisabledAccounts } from './sweep.ts';
import { accounts } from './tables/accounts.ts';

const UNKNOWN = 'a6b1e9b0-0000-4000-8000-999999999999';
const NOT_FOUND = { code: 'NotFoundException', message: `Could not find Account with Id '${UNKNOWN}'` };
const BAD_REQUEST = { code: 'BadRequestException', message: 'Service received a bad request' };

test('CreateAccount: the account is an active Team account with the licenses Basic and Pro', async () => {
  const { run } = await openFixture();
  const { Account } = await run('CreateAccount', { Name: 'Example' });
  const expected = {
    AwsAccountId: ACCOUNT,
    AccountId: 'a6b1e9b0-0000-4000-8000-000000000001',
    Name: 'Example',
    AccountType: 'Team',
    CreatedTimestamp: START,
    DefaultLicense: 'Pro',
    SupportedLicenses: ['Basic', 'Pro'],
    AccountStatus: 'Active',
  };
  assert.deepEqual(Account, expected);
  assert.deepEqual((await run('GetAccount', { AccountId: expected.AccountId })).Account, expected);
  await assert.rejects(run('CreateAccount', { Name: 'two\u2028lines' }), BAD_REQUEST);
});

// biome-ignore format: a table
const ON_ACCOUNT = [
  ['GetAccount',                                 {}],
  ['UpdateAccount',                              { Name: 'x' }],
  ['DeleteAccount',                              {}],
  ['GetAccountSettings',                         {}],
  ['UpdateAccountSettings',                      { AccountSettings: {} }],
  ['AssociateSigninDelegateGroupsWithAccount',   { SigninDelegateGroups: [] }],
  ['DisassociateSigninDelegateGroupsFromAccount', { GroupNames: ['x'] }],
  ['GetRetentionSettings',                       {}],
  ['PutRetentionSettings',                       { RetentionSettings: {} }],
  ['InviteUsers',                                { UserEmailList: ['a@example.com'] }],
  ['CreateUser',                                 { Email: 'a@example.com' }],
  ['ListUsers',                                  {}],
  ['GetUser',                                    { UserId: UNKNOWN }],
  ['UpdateUser',                                 { UserId: UNKNOWN }],
  ['LogoutUser',                                 { UserId: UNKNOWN }],
  ['ResetPersonalPIN',                           { UserId: UNKNOWN }],
  ['GetUserSettings',                            { UserId: UNKNOWN }],
  ['UpdateUserSettings',                         { UserId: UNKNOWN, UserSettings: { Telephony: { InboundCalling: true, OutboundCalling: true, SMS: true } } }],
  ['BatchUpdateUser',                            { UpdateUserRequestItems: [{ UserId: UNKNOWN }] }],
  ['BatchSuspendUser',                           { UserIdList: [UNKNOWN] }],
  ['BatchUnsuspendUser',                         { UserIdList: [UNKNOWN] }],
] as const;

for (const [name, input] of ON_ACCOUNT) {
  test(`${name}: an account that is unknown, or of another AWS account, is NotFoundException`, async () => {
    const { run, account } = await openFixture();
    const id = await account();
    await assert.rejects(run(name, { AccountId: UNKNOWN, ...input } as never), NOT_FOUND);
    const foreign = run(name, { AccountId: id, ...input } as never, { accountId: OTHER_ACCOUNT });
    await assert.rejects(foreign, { code: 'NotFoundException', message: `Could not find Account with Id '${id}'` });
    if (name === 'GetAccount') return;
    await run('DeleteAccount', { AccountId: id });
    await assert.rejects(run(name, { AccountId: id, ...input } as never), { code: 'NotFoundException' });
  });
}

test('ListAccounts: newest first, in pages, by prefix of the name and by the address of a user', async () => {
  const fixture = await openFixture();
  const { run, people } = fixture;
  const ids: string[] = [];
  for (const [i, name] of ['My first', 'Other', 'My second'].entries())
    ids.unshift(await fixture.account(name, { now: instant(START + i) }));
  const [second, other, first] = ids as [string, string, string];
  await fixture.account('My third', { accountId: OTHER_ACCOUNT });
  const list = async (input: object, as = {}) => {
    const { Accounts = [], NextToken } = await run('ListAccounts', input, as);
    return { ids: Accounts.map(({ AccountId }) => AccountId), NextToken };
  };
  assert.deepEqual(await list({}), { ids, NextToken: undefined });
  assert.deepEqual((await list({ Name: 'My' })).ids, [second, first]);
  assert.deepEqual((await list({ Name: 'my' })).ids, []);
  const page = await list({ MaxResults: 1 });
  assert.deepEqual(page.ids, [second]);
  assert.deepEqual((await list({ MaxResults: 2, NextToken: page.NextToken })).ids, [other, first]);
  await assert.rejects(list({ Name: 'My', NextToken: page.NextToken }), { code: 'BadRequestException' });
  await assert.rejects(list({ NextToken: page.NextToken }, { accountId: OTHER_ACCOUNT }), { code: 'BadRequestException' });

  await run('InviteUsers', { AccountId: other, UserEmailList: ['bob@example.com'] });
  assert.deepEqual((await list({ UserEmail: 'bob@example.com' })).ids, []);
  await people(other, 'ada');
  assert.deepEqual((await list({ UserEmail: 'ADA@example.com' })).ids, [other]);
  assert.deepEqual((await list({ UserEmail: 'ada@example.com', Name: 'My' })).ids, []);
  assert.deepEqual((await list({ UserEmail: 'ada@example.com' }, { accountId: OTHER_ACCOUNT })).ids, []);
});

test('UpdateAccount: changes the name and the default license; without members it changes nothing', async () => {
  const { run, account } = await openFixture();
  const AccountId = await account();
  const before = (await run('GetAccount', { AccountId })).Account;
  assert.deepEqual((await run('UpdateAccount', { AccountId })).Account, before);
  const { Account } = await run('UpdateAccount', { AccountId, Name: 'New', DefaultLicense: 'Basic' }, { now: instant(START + 1) });
  assert.deepEqual(Account, { ...before, Name: 'New', DefaultLicense: 'Basic' });
  for (const DefaultLicense of ['Plus', 'ProTrial'] as const)
    await assert.rejects(run('UpdateAccount', { AccountId, DefaultLicense }), BAD_REQUEST);
  await run('InviteUsers', { AccountId, UserEmailList: ['ada@example.com'] });
  assert.equal((await run('ListUsers', { AccountId })).Users?.[0]?.LicenseType, 'Basic');
});

test('DeleteAccount: registered users and domains prevent it; a deleted account is suspended for 90 days', async () => {
  const fixture = await openFixture();
  const { run, store, emitted } = fixture;
  const AccountId = await fixture.account();
  const [ada = ''] = await fixture.people(AccountId, 'ada');
  await run('InviteUsers', { AccountId, UserEmailList: ['bob@example.com'] });
  const bob = (await run('ListUsers', { AccountId, UserEmail: 'bob@example.com' })).Users?.[0]?.UserId ?? '';
  await assert.rejects(run('DeleteAccount', { AccountId }), { code: 'UnprocessableEntityException' });
  await fixture.become(AccountId, 'EnterpriseLWA');
  await run('BatchSuspendUser', { AccountId, UserIdList: [ada] });
  await assert.rejects(run('DeleteAccount', { AccountId }), { code: 'UnprocessableEntityException' });
  await fixture.become(AccountId, 'Team');
  await run('DeleteAccount', { AccountId });
  assert.equal((await run('GetAccount', { AccountId })).Account?.AccountStatus, 'Suspended');
  assert.deepEqual((await run('ListAccounts', {})).Accounts, []);

  const sweep = (now: number) => store.transaction((tx) => sweepDisabledAccounts(workFor(tx, instant(now), emitted)));
  assert.equal(await sweep(START + 90 * DAY_MS - 1), 'done');
  emitted.length = 0;
  assert.equal(await sweep(START + 90 * DAY_MS), 'more');
  assert.equal(await sweep(START + 90 * DAY_MS), 'done');
  const named = { accountId: ACCOUNT, chimeAccountId: AccountId };
  assert.deepEqual(emitted, [
    { type: 'ChimeUsersForgotten', ...named, userIds: [ada, bob].toSorted() },
    { type: 'ChimeAccountRemoved', ...named },
  ]);
  await assert.rejects(run('GetAccount', { AccountId }), { code: 'NotFoundException' });
});

test('UpdateAccountSettings: both settings are false at first, and absent members remain', async () => {
  const { run, account } = await openFixture();
  const AccountId = await account();
  const settings = async () => (await run('GetAccountSettings', { AccountId })).AccountSettings;
  assert.deepEqual(await settings(), { DisableRemoteControl: false, EnableDialOut: false });
  await run('UpdateAccountSettings', { AccountId, AccountSettings: { DisableRemoteControl: true } });
  await run('UpdateAccountSettings', { AccountId, AccountSettings: { EnableDialOut: true } });
  assert.deepEqual(await settings(), { DisableRemoteControl: true, EnableDialOut: true });
});

test('Sign-in delegate groups: only of EnterpriseDirectory accounts; repetition is not an error', async () => {
  const fixture = await openFixture();
  const { run } = fixture;
  const AccountId = await fixture.account();
  const associate = (...names: readonly (string | undefined)[]) =>
    run('AssociateSigninDelegateGroupsWithAccount', {
      AccountId,
      SigninDelegateGroups: names.map((GroupName) => (GroupName === undefined ? {} : { GroupName })),
    });
  const disassociate = (...GroupNames: readonly string[]) => run('DisassociateSigninDelegateGroupsFromAccount', { AccountId, GroupNames });
  const groups = async () => (await run('GetAccount', { AccountId })).Account?.SigninDelegateGroups;
  for (const type of ['Team', 'EnterpriseLWA', 'EnterpriseOIDC'] as const) {
    await fixture.become(AccountId, type);
    await assert.rejects(associate('rooms'), BAD_REQUEST);
    await assert.rejects(disassociate('rooms'), BAD_REQUEST);
  }
  await fixture.become(AccountId, 'EnterpriseDirectory');
  await associate('rooms', 'lobby');
  await associate('rooms');
  assert.deepEqual(await groups(), [{ GroupName: 'rooms' }, { GroupName: 'lobby' }]);
  await disassociate('rooms', 'unknown');
  assert.deepEqual(await groups(), [{ GroupName: 'lobby' }]);
  await assert.rejects(associate(undefined), BAD_REQUEST);
  await assert.rejects(associate(...Array.from({ length: 100 }, (_, i) => `group ${i}`)), BAD_REQUEST);
  await disassociate('lobby');
  assert.equal(await groups(), undefined);
});

test('UpdateGlobalSettings: absent groups remain, an empty group clears, and the bucket must be in the AWS account', async () => {
  const { run } = await openFixture();
  const set = (input: UpdateGlobalSettingsRequest, as = {}) => run('UpdateGlobalSettings', input, as);
  assert.deepEqual(await run('GetGlobalSettings', {}), {});
  await set({ BusinessCalling: { CdrBucket: 'records' } });
  await set({ VoiceConnector: { CdrBucket: 'records' } });
  assert.deepEqual(await run('GetGlobalSettings', {}), {
    BusinessCalling: { CdrBucket: 'records' },
    VoiceConnector: { CdrBucket: 'records' },
  });
  await set({ BusinessCalling: {} });
  await set({});
  assert.deepEqual(await run('GetGlobalSettings', {}), { VoiceConnector: { CdrBucket: 'records' } });
  await assert.rejects(set({ VoiceConnector: { CdrBucket: 'unknown' } }), BAD_REQUEST);
  await assert.rejects(set({ VoiceConnector: { CdrBucket: 'records' } }, { accountId: OTHER_ACCOUNT }), BAD_REQUEST);
});

test('PutRetentionSettings: Enterprise only; a change restarts the 30 days, and both groups off end them', async () => {
  const fixture = await openFixture();
  const { run } = fixture;
  const AccountId = await fixture.account();
  const put = (rooms: number | undefined, conversations: number | undefined, day: number) => {
    const group = (days: number | undefined) => (days === undefined ? {} : { RetentionDays: days });
    const RetentionSettings = { RoomRetentionSettings: group(rooms), ConversationRetentionSettings: group(conversations) };
    return run('PutRetentionSettings', { AccountId, RetentionSettings }, { now: instant(START + day * DAY_MS) });
  };
  await assert.rejects(put(30, 60, 0), BAD_REQUEST);
  await fixture.become(AccountId, 'EnterpriseLWA');
  const off = { RetentionSettings: { RoomRetentionSettings: {}, ConversationRetentionSettings: {} } };
  assert.deepEqual(await run('GetRetentionSettings', { AccountId }), off);
  assert.deepEqual(await put(30, 60, 0), {});
  await put(30, 60, 5);
  const read = await run('GetRetentionSettings', { AccountId });
  assert.equal(read.InitiateDeletionTimestamp, START + 30 * DAY_MS);
  assert.deepEqual(read.RetentionSettings, {
    RoomRetentionSettings: { RetentionDays: 30 },
    ConversationRetentionSettings: { RetentionDays: 60 },
  });
  const times = async (group: 'RoomRetentionSettings' | 'ConversationRetentionSettings', day: number) =>
    fixture.store.transaction(async (tx) => {
      const found = await tx.of(accounts).get(ACCOUNT, AccountId);
      return found && retentionTimes(found.document, group, instant(START + day * DAY_MS));
    });
  assert.deepEqual(await times('RoomRetentionSettings', 29), { hiddenBefore: START - DAY_MS, deletedBefore: undefined });
  assert.deepEqual(await times('RoomRetentionSettings', 30), { hiddenBefore: START, deletedBefore: START });
  await put(undefined, 60, 10);
  assert.equal(await times('RoomRetentionSettings', 50), undefined);
  assert.deepEqual(await times('ConversationRetentionSettings', 39), { hiddenBefore: START - 21 * DAY_MS, deletedBefore: undefined });
  assert.equal((await run('GetRetentionSettings', { AccountId })).InitiateDeletionTimestamp, START + 40 * DAY_MS);
  await run('PutRetentionSettings', { AccountId, RetentionSettings: {} });
  assert.deepEqual(await run('GetRetentionSettings', { AccountId }), off);
});
