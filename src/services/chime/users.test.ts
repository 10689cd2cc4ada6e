import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { User } from '#model/generated/chime.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture, START, TOKENS } from './fixture.ts';
import { refusedInvitations } from './invitations.ts';

const UNKNOWN = 'a6b1e9b0-0000-4000-8000-999999999999';
const NO_USER = { code: 'NotFoundException', message: `Could not find User with Id '${UNKNOWN}'` };
const BAD_REQUEST = { code: 'BadRequestException', message: 'Service received a bad request' };
const PIN = /^\d{10}$/;

async function openTeam() {
  const fixture = await openFixture();
  const AccountId = await fixture.account();
  return {
    ...fixture,
    AccountId,
    invite: (...UserEmailList: readonly string[]) => fixture.run('InviteUsers', { AccountId, UserEmailList }),
    list: async (input: object = {}) => (await fixture.run('ListUsers', { AccountId, ...input })).Users ?? [],
  };
}

const emails = (users: readonly User[]) => users.map(({ PrimaryEmail }) => PrimaryEmail);

test('InviteUsers: new addresses are pending users without a PIN, with the default license', async () => {
  const { invite, list } = await openTeam();
  const { Invites = [] } = await invite('Ada@example.com', 'bob@example.com', 'ADA@example.com');
  assert.deepEqual(
    Invites.map(({ InviteId, ...invite }) => [typeof InviteId, invite]),
    ['Ada@example.com', 'bob@example.com'].map((EmailAddress) => ['string', { EmailAddress, Status: 'Pending', EmailStatus: 'Sent' }]),
  );
  const [ada] = await list({ UserEmail: 'ada@example.com' });
  const { UserId, AccountId, ...rest } = ada as User;
  assert.deepEqual(rest, {
    PrimaryEmail: 'Ada@example.com',
    LicenseType: 'Pro',
    UserType: 'PrivateUser',
    UserRegistrationStatus: 'Unregistered',
    UserInvitationStatus: 'Pending',
    InvitedOn: START,
    AlexaForBusinessMetadata: { IsAlexaForBusinessEnabled: false },
  });
});

test('InviteUsers: the list must have addresses, and the account must be a Team account', async () => {
  const { invite, become, AccountId } = await openTeam();
  for (const address of ['a b@example.com', 'ada@exam\nple.com', `${'a'.repeat(65)}@example.com`, '<ada@example.com>'])
    await assert.rejects(invite('bob@example.com', address), BAD_REQUEST);
  await assert.rejects(invite(), BAD_REQUEST);
  for (const type of ['EnterpriseLWA', 'EnterpriseDirectory', 'EnterpriseOIDC'] as const) {
    await become(AccountId, type);
    await assert.rejects(invite('bob@example.com'), BAD_REQUEST);
  }
});

test('InviteUsers: a member gets no mail, a pending user gets another one, a removed user is pending again', async () => {
  const { run, invite, people, list, register, AccountId, user } = await openTeam();
  const [ada = '', bob = ''] = await people(AccountId, 'ada', 'bob');
  await invite('eve@example.com');
  await run('BatchSuspendUser', { AccountId, UserIdList: [bob] });
  const pin = (await user(AccountId, bob)).PersonalPIN;
  const { Invites = [] } = await run(
    'InviteUsers',
    { AccountId, UserEmailList: ['ada', 'bob', 'eve'].map((name) => `${name}@example.com`) },
    { now: instant(START + 5) },
  );
  assert.deepEqual(
    Invites.map(({ Status, EmailStatus }) => [Status, EmailStatus]),
    [
      ['Accepted', 'NotSent'],
      ['Pending', 'Sent'],
      ['Pending', 'Sent'],
    ],
  );
  const again = await user(AccountId, bob);
  assert.deepEqual(
    [again.UserRegistrationStatus, again.UserInvitationStatus, again.LicenseType, again.InvitedOn],
    ['Unregistered', 'Pending', 'Pro', START + 5],
  );
  const registered = await register(AccountId, 'BOB@example.com', { now: instant(START + 9) });
  assert.deepEqual([registered.userId, registered.personalPin, registered.registeredAt], [bob, pin, START]);
  assert.deepEqual(emails(await list()), ['ada@example.com', 'bob@example.com', 'eve@example.com']);
  assert.notEqual(ada, bob);
});

test('InviteUsers: a refused mail shows as a failed invitation, until the next one', async () => {
  const { store, list, invite, AccountId, register } = await openTeam();
  await invite('ada@example.com');
  const [ada] = await list();
  const event = { accountId: ACCOUNT, reference: `chime-invitation ${AccountId} ${ada?.UserId}`, reason: '550' };
  const refuse = (more: object = {}) =>
    store.transaction((tx) => refusedInvitations.handle({ tx } as never, { type: 'MailRefused', ...event, ...more } as never));
  const status = async () => (await list())[0]?.UserInvitationStatus;
  await refuse({ accountId: OTHER_ACCOUNT });
  await refuse({ reference: `other ${AccountId} ${ada?.UserId}` });
  assert.equal(await status(), 'Pending');
  await refuse();
  assert.equal(await status(), 'Failed');
  await invite('ada@example.com');
  assert.equal(await status(), 'Pending');
  await register(AccountId, 'ada@example.com');
  await refuse();
  assert.equal(await status(), 'Accepted');
});

test('registerUser: an invited person is registered, with a PIN, and the event names the user', async () => {
  const { invite, register, AccountId, user, emitted } = await openTeam();
  await invite('ada@example.com');
  const { userId } = await register(AccountId, 'ada@example.com', { now: instant(START + 1) }, { displayName: 'Ada Lovelace' });
  const ada = await user(AccountId, userId);
  assert.match(ada.PersonalPIN ?? '', PIN);
  assert.deepEqual(
    [ada.UserRegistrationStatus, ada.UserInvitationStatus, ada.RegisteredOn, ada.DisplayName],
    ['Registered', 'Accepted', START + 1, 'Ada Lovelace'],
  );
  const named = { userId, userType: 'PrivateUser', emailAddress: 'ada@example.com', displayName: 'Ada Lovelace' };
  assert.deepEqual(emitted, [{ type: 'ChimeUserRegistered', accountId: ACCOUNT, chimeAccountId: AccountId, user: named }]);
});

test('registerUser: the errors, in the order of the checks', async () => {
  const { run, register, people, AccountId, account, invite } = await openTeam();
  const [ada = ''] = await people(AccountId, 'ada', 'bob');
  await assert.rejects(register(AccountId, 'nobody'), BAD_REQUEST);
  await assert.rejects(register(AccountId, 'eve@example.com', {}, { displayName: 'Eve\r\nBcc: x' }), BAD_REQUEST);
  await assert.rejects(register(UNKNOWN, 'eve@example.com'), { code: 'NotFoundException' });
  await assert.rejects(register(AccountId, 'eve@example.com'), { code: 'ForbiddenException' });
  await assert.rejects(register(AccountId, 'bob@example.com'), { code: 'ConflictException' });
  const other = await account('Other');
  await run('InviteUsers', { AccountId: other, UserEmailList: ['ada@example.com'] });
  await assert.rejects(register(other, 'ada@example.com'), { code: 'ConflictException' });
  await run('BatchSuspendUser', { AccountId, UserIdList: [ada] });
  await assert.rejects(register(AccountId, 'ada@example.com'), { code: 'ForbiddenException' });
  assert.equal((await register(other, 'ada@example.com')).userId, (await run('ListUsers', { AccountId: other })).Users?.[0]?.UserId);
  await invite('ada@example.com');
  await assert.rejects(register(AccountId, 'ada@example.com'), { code: 'ConflictException' });
});

test('registerUser: a person of a claimed domain registers without invitation', async () => {
  const { become, register, AccountId, user } = await openTeam();
  await become(AccountId, 'EnterpriseLWA');
  const { userId } = await register(AccountId, 'ada@Example.com');
  const { UserInvitationStatus, InvitedOn, UserRegistrationStatus, DisplayName } = await user(AccountId, userId);
  assert.deepEqual([UserRegistrationStatus, UserInvitationStatus, InvitedOn, DisplayName], ['Registered', undefined, undefined, 'ada']);
  await assert.rejects(register(AccountId, 'ada@sub.example.com'), { code: 'ForbiddenException' });
});

test('InviteUsers: a person that was removed from another account of the AWS account keeps the user ID', async () => {
  const { run, people, AccountId, account } = await openTeam();
  const [ada = ''] = await people(AccountId, 'ada');
  await run('BatchSuspendUser', { AccountId, UserIdList: [ada] });
  const other = await account('Other');
  assert.deepEqual(await people(other, 'ada'), [ada]);
});

test('CreateUser: only with a directory or an OpenID provider, for an address of the claimed domain', async () => {
  const { run, become, AccountId, people, emitted, register } = await openTeam();
  await people(AccountId, 'ada');
  const create = (more: object = {}) => run('CreateUser', { AccountId, Email: 'bob@example.com', ...more });
  for (const type of ['Team', 'EnterpriseLWA'] as const) {
    await become(AccountId, type);
    await assert.rejects(create(), BAD_REQUEST);
  }
  await become(AccountId, 'EnterpriseOIDC');
  await assert.rejects(run('CreateUser', { AccountId, Username: 'bob' }), BAD_REQUEST);
  await assert.rejects(create({ Email: 'bob@example.org' }), BAD_REQUEST);
  await assert.rejects(create({ Username: '\n' }), BAD_REQUEST);
  await assert.rejects(create({ Email: 'ADA@example.com' }), {
    code: 'ConflictException',
    message: 'Request could not be completed due to a conflict',
  });
  emitted.length = 0;
  const { UserId, ...device } = (await create({ Username: 'room device', UserType: 'SharedDevice' })).User as User;
  assert.deepEqual(device, {
    AccountId,
    PrimaryEmail: 'bob@example.com',
    DisplayName: 'room device',
    LicenseType: 'Pro',
    UserType: 'SharedDevice',
    UserRegistrationStatus: 'Registered',
    RegisteredOn: START,
    AlexaForBusinessMetadata: { IsAlexaForBusinessEnabled: false },
  });
  assert.deepEqual(
    emitted.map(({ type }) => type),
    ['ChimeUserRegistered'],
  );
  assert.equal((await create({ Email: 'Eve@example.com' })).User?.DisplayName, 'eve');
  await assert.rejects(create({ Email: 'Eve@example.com' }), { code: 'ConflictException' });
  await assert.rejects(register(AccountId, 'eve@example.com'), { code: 'ConflictException' });
});

// biome-ignore format: a table
const ON_USER = [
  ['GetUser',            {}],
  ['UpdateUser',         {}],
  ['LogoutUser',         {}],
  ['ResetPersonalPIN',   {}],
  ['GetUserSettings',    {}],
  ['UpdateUserSettings', { UserSettings: { Telephony: { InboundCalling: true, OutboundCalling: true, SMS: true } } }],
] as const;

for (const [name, input] of ON_USER) {
  test(`${name}: an unknown user is NotFoundException`, async () => {
    const { run, AccountId } = await openTeam();
    await assert.rejects(run(name, { AccountId, UserId: UNKNOWN, ...input } as never), NO_USER);
  });
}

test('ListUsers: registered users by registration, then invited ones; without PINs; filters and pages', async () => {
  const { run, list, register, AccountId } = await openTeam();
  const invite = (at: number, ...UserEmailList: readonly string[]) =>
    run('InviteUsers', { AccountId, UserEmailList }, { now: instant(START + at) });
  await invite(3, 'late@example.com');
  await invite(1, 'a@example.com', 'b@example.com');
  await run('InviteUsers', { AccountId, UserEmailList: ['d@example.com'], UserType: 'SharedDevice' }, { now: instant(START + 2) });
  await register(AccountId, 'b@example.com', { now: instant(START + 5) });
  await register(AccountId, 'a@example.com', { now: instant(START + 6) });
  const order = ['b@example.com', 'a@example.com', 'd@example.com', 'late@example.com'];
  assert.deepEqual(emails(await list()), order);
  assert.ok((await list()).every(({ PersonalPIN }) => PersonalPIN === undefined));
  assert.deepEqual(emails(await list({ UserType: 'SharedDevice' })), ['d@example.com']);
  assert.deepEqual(emails(await list({ UserEmail: 'D@example.com', UserType: 'PrivateUser' })), []);
  assert.deepEqual(emails(await list({ UserEmail: 'D@example.com' })), ['d@example.com']);
  assert.deepEqual(await list({ UserEmail: 'x@example.com' }), []);
  await assert.rejects(list({ UserEmail: 'x y@example.com' }), BAD_REQUEST);
  let NextToken: string | undefined;
  const paged: (string | undefined)[] = [];
  do {
    const page = await run('ListUsers', { AccountId, MaxResults: 1, ...(NextToken !== undefined && { NextToken }) });
    paged.push(...emails(page.Users ?? []));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  assert.deepEqual(paged, order);
  await assert.rejects(list({ NextToken: 'x' }), { code: 'BadRequestException' });
});

test('UpdateUser: the license must be supported, and the type belongs to accounts with a directory', async () => {
  const { run, become, people, AccountId, user } = await openTeam();
  const [UserId = '', gone = ''] = await people(AccountId, 'ada', 'bob');
  const update = (more: object, id = UserId) => run('UpdateUser', { AccountId, UserId: id, ...more });
  assert.deepEqual((await update({})).User, await user(AccountId, UserId));
  assert.equal((await update({ LicenseType: 'Basic' })).User?.LicenseType, 'Basic');
  for (const LicenseType of ['Plus', 'ProTrial']) await assert.rejects(update({ LicenseType }), BAD_REQUEST);
  await assert.rejects(update({ UserType: 'SharedDevice' }), BAD_REQUEST);
  const AlexaForBusinessMetadata = { IsAlexaForBusinessEnabled: true, AlexaForBusinessRoomArn: 'arn:aws:a4b:us-east-1:1:room/x' };
  assert.deepEqual((await update({ AlexaForBusinessMetadata })).User?.AlexaForBusinessMetadata, AlexaForBusinessMetadata);
  await run('BatchSuspendUser', { AccountId, UserIdList: [gone] });
  await assert.rejects(update({ LicenseType: 'Pro' }, gone), BAD_REQUEST);
  await become(AccountId, 'EnterpriseOIDC');
  await assert.rejects(update({ LicenseType: 'Pro' }), { code: 'ForbiddenException' });
  await assert.rejects(update({ UserType: 'SharedDevice' }), BAD_REQUEST);
  await become(AccountId, 'EnterpriseDirectory');
  assert.equal((await update({ UserType: 'SharedDevice' })).User?.UserType, 'SharedDevice');
});

test('ResetPersonalPIN: each PIN is new; a user that is not registered has none', async () => {
  const { run, invite, list, people, AccountId } = await openTeam();
  const [UserId = ''] = await people(AccountId, 'ada');
  const pins = new Set<string | undefined>();
  for (let i = 0; i < 5; i++) pins.add((await run('ResetPersonalPIN', { AccountId, UserId })).User?.PersonalPIN);
  assert.equal(pins.size, 5);
  assert.ok([...pins].every((pin) => PIN.test(pin ?? '')));
  await invite('bob@example.com');
  const [bob] = await list({ UserEmail: 'bob@example.com' });
  await assert.rejects(run('ResetPersonalPIN', { AccountId, UserId: bob?.UserId as string }), BAD_REQUEST);
});

test('LogoutUser: emits the sign-out of a member, and accepts a removed user', async () => {
  const { run, people, AccountId, emitted } = await openTeam();
  const [UserId = ''] = await people(AccountId, 'ada');
  emitted.length = 0;
  await run('LogoutUser', { AccountId, UserId });
  assert.deepEqual(emitted, [{ type: 'ChimeUserSignedOut', accountId: ACCOUNT, chimeAccountId: AccountId, userIds: [UserId] }]);
  await run('BatchSuspendUser', { AccountId, UserIdList: [UserId] });
  emitted.length = 0;
  await run('LogoutUser', { AccountId, UserId });
  assert.deepEqual(emitted, []);
});

test('UpdateUserSettings: all settings are false at first, and an update replaces them', async () => {
  const { run, people, AccountId } = await openTeam();
  const [UserId = ''] = await people(AccountId, 'ada');
  const settings = async () => (await run('GetUserSettings', { AccountId, UserId })).UserSettings?.Telephony;
  assert.deepEqual(await settings(), { InboundCalling: false, OutboundCalling: false, SMS: false });
  const Telephony = { InboundCalling: true, OutboundCalling: false, SMS: true };
  await run('UpdateUserSettings', { AccountId, UserId, UserSettings: { Telephony } });
  assert.deepEqual(await settings(), Telephony);
});

test('InvitationTokens: a token proves one invitation, and a changed token proves none', () => {
  const facts = { accountId: ACCOUNT, chimeAccountId: 'c', userId: 'u', invitedAt: START };
  const token = TOKENS.issue(facts);
  assert.deepEqual(TOKENS.verify(token), facts);
  const other = TOKENS.issue({ ...facts, userId: 'v' });
  const forged = `${other.split('.')[0]}.${token.split('.')[1]}`;
  for (const bad of [forged, '', '.', `${token}.`, `${token}!`, token.slice(0, -2), 'a'.repeat(600)])
    assert.equal(TOKENS.verify(bad), undefined);
});
