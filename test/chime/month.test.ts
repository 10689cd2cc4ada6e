/**
 * An administrator's month with boto3 on one server, from the first account to its deletion, on both engines. On SQLite, some calls are those of the
 * AWS CLI.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import pg from 'pg';
import type { AccountId as OwnerId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { chimeAppInstance } from '#services/chime-kit/chime-app-instance.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { belfry, type ServerProcess, startServerProcess } from '../kit/process.ts';
import { until } from '../kit/until.ts';
import { type Browser, browser } from '../sign-in/browser.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { startBotEndpoint } from './bot-endpoint.ts';
import { OFFLINE, type Outcome, startBoto3 } from './boto3.ts';
import { linkTo } from './mailbox.ts';
import { startNameServer } from './name-server.ts';

const PASSWORD = 'Correct-Horse-7';
const UNKNOWN = 'a6b1e9b0-0000-4000-8000-999999999999';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const DOMAIN = 'example.com';
const NUMBER = '+12065550101';
const TEAM = { AccountType: 'Team', DefaultLicense: 'Pro', SupportedLicenses: ['Basic', 'Pro'], AccountStatus: 'Active' };
const BAD_REQUEST = [400, 'BadRequestException', 'Service received a bad request'];

const endpoint = await startBotEndpoint();
const names = await startNameServer();
const model = loadModel('chime');

// biome-ignore lint/suspicious/noExplicitAny: outputs of any operation
type Output = any;

/** A person with their browser. The administrator knows them by their user ID. */
interface Person {
  readonly email: string;
  readonly at: Browser;
  readonly userId: string;
}

interface Database {
  /** Lets a message be older by some days. */
  age(messageId: string, days: number): Promise<void>;
}

/** Flags of the AWS CLI for an input: `--account-id …`, `--disabled`. Structures are in JSON. */
function flagsOf(members: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(members).flatMap(([name, value]) => {
    const flag = `--${name.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()}`;
    if (value === true) return [flag];
    return [flag, ...[value].flat().map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))];
  });
}

const form = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();

/** Returns the tools of the month: the clients of the administrator, the browsers of people, and what earlier rows have created. */
function openMonth(server: ServerProcess, database: Database, useCli: boolean) {
  const boto3 = startBoto3(server);
  const { accessKeyId, secretAccessKey } = server.credentials;
  const aws = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };

  async function outcome(service: 'chime' | 'chime-sdk-messaging', method: string, members: object): Promise<Outcome> {
    return await boto3({ service, method, members });
  }
  /** Runs a command of the AWS CLI. Resolves to its JSON, or to undefined if it prints nothing. */
  async function cli(method: string, members: object): Promise<Output> {
    const args = ['chime', method.replaceAll('_', '-'), ...flagsOf(members as Readonly<Record<string, unknown>>)];
    const { stdout } = await promisify(execFile)(
      '/usr/bin/aws',
      [...args, '--endpoint-url', `${server.endpoint}/_chime`, '--output', 'json'],
      {
        env: { ...OFFLINE, ...aws, PATH: process.env['PATH'] },
      },
    );
    return stdout === '' ? undefined : JSON.parse(stdout);
  }
  const outputOf = ({ output, ...failure }: Outcome, method: string): Output =>
    output ?? assert.fail(`${method} ${JSON.stringify(failure)}`);

  const month = {
    server,
    database,
    accountId: '',
    awsAccountId: '',
    people: new Map<string, Person>(),
    roomId: '',

    /** Calls an operation of Amazon Chime. Resolves to its output. */
    chime: async (method: string, members: object = {}): Promise<Output> => outputOf(await outcome('chime', method, members), method),
    /** As `chime`, with the AWS CLI on SQLite. */
    command: async (method: string, members: object): Promise<Output> =>
      useCli ? await cli(method, members) : await month.chime(method, members),
    /** Calls an operation without an output: the AWS CLI prints nothing. */
    async silently(method: string, members: object, by: 'boto3' | 'command' = 'boto3'): Promise<void> {
      if (by === 'command' && useCli) return assert.equal(await cli(method, members), undefined);
      const { status, output, ...failure } = await outcome('chime', method, members);
      assert.deepEqual([status, output, failure], [204, {}, {}], method);
    },
    /** Calls an operation that is refused. Resolves to the status, the name and the message of the error. */
    async refused(method: string, members: object): Promise<readonly unknown[]> {
      const { status, error, message } = await outcome('chime', method, members);
      return [status, error, message];
    },
    messaging: async (method: string, members: object): Promise<Output> =>
      outputOf(await outcome('chime-sdk-messaging', method, members), method),
    /** Lists all users of the account with a paginator. */
    async users(): Promise<Output[]> {
      const paged = await boto3({ service: 'chime', method: 'list_users', members: month.own(), paged: true });
      return outputOf(paged, 'list_users').Users;
    },
    own: (members: object = {}) => ({ AccountId: month.accountId, ...members }),
    of: (name: string, members: object = {}) => month.own({ UserId: month.person(name).userId, ...members }),
    person: (name: string): Person => month.people.get(name) ?? assert.fail(name),
    user: async (name: string): Promise<Output> => (await month.chime('get_user', month.of(name))).User,

    /** Runs `belfry chime …` as the administrator. The command is repeated while the server is without a lease. */
    async operator(...args: readonly string[]): Promise<Output> {
      let ran = await belfry(['chime', ...args], { ...aws, AWS_ENDPOINT_URL: server.endpoint });
      await until(
        async () =>
          ran.status === 0 || (ran = await belfry(['chime', ...args], { ...aws, AWS_ENDPOINT_URL: server.endpoint })).status === 0,
        () => ran.stderr,
      );
      return ran.stdout === '' ? {} : JSON.parse(ran.stdout);
    },
    /** Opens the link number `count` of the mail to a person, and fills in the form. The first one asks for a name and a password. */
    async accept(name: string, count = 1, at = browser(server.endpoint)): Promise<void> {
      const email = `${name}@${DOMAIN}`;
      const { path, token } = await linkTo(email, [server.dataFolder], count);
      const chosen = count === 1 ? { displayName: name.toUpperCase(), again: PASSWORD } : {};
      const page = await at.post(path, form({ token, password: PASSWORD, ...chosen }));
      assert.equal(page.status, 303, page.text);
      const { Users } = await month.chime('list_users', month.own({ UserEmail: email }));
      month.people.set(name, { email, at, userId: Users[0].UserId });
    },
    signIn: async (name: string): Promise<number> => {
      const { at, email } = month.person(name);
      return (await at.post('/chime/sign-in', form({ email, password: PASSWORD }))).status;
    },
    isSignedIn: async (name: string): Promise<boolean> => (await month.person(name).at.get('/chime')).text.includes('Sign out'),
    /** Writes a message in the room as a person. */
    async write(name: string, Content: string): Promise<string> {
      const { MessageId } = await month.messaging('send_channel_message', {
        ...{ ...month.channel(name), Content, Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: randomUUID() },
      });
      return MessageId;
    },
    /** Returns the messages that a person sees in the room, the oldest first. */
    async read(name: string): Promise<readonly unknown[]> {
      const { ChannelMessages } = await month.messaging('list_channel_messages', { ...month.channel(name), SortOrder: 'ASCENDING' });
      return ChannelMessages.map((each: Output) => (each.Redacted === true ? ['redacted', each.Content] : each.Content));
    },
    channel(name: string): { readonly ChannelArn: string; readonly ChimeBearer: string } {
      const { appInstanceId } = chimeAppInstance(month.awsAccountId as OwnerId);
      const inAppInstance = `arn:aws:chime:us-east-1:${month.awsAccountId}:app-instance/${appInstanceId}`;
      return { ChannelArn: `${inAppInstance}/channel/${month.roomId}`, ChimeBearer: `${inAppInstance}/user/${month.person(name).userId}` };
    },
  };
  return month;
}
type Month = ReturnType<typeof openMonth>;

/** Rows in their order: each one relies on those before it. Source: examples of the AWS CLI and recorded responses of the API reference. */
const ROWS: readonly (readonly [commands: string, run: (month: Month) => Promise<void>])[] = [
  [
    'create-account and get-account-settings',
    async (month) => {
      const { Account } = await month.command('create_account', { Name: 'Example' });
      const { AccountId, AwsAccountId, CreatedTimestamp, ...rest } = Account;
      Object.assign(month, { accountId: AccountId, awsAccountId: AwsAccountId });
      assert.match(AccountId, UUID);
      assert.ok(Math.abs(Date.parse(CreatedTimestamp) - Date.now()) < 600_000);
      assert.deepEqual(rest, { Name: 'Example', ...TEAM });
      const { AccountSettings } = await month.chime('get_account_settings', month.own());
      assert.deepEqual(AccountSettings, { DisableRemoteControl: false, EnableDialOut: false });
    },
  ],
  [
    'update-account and list-accounts',
    async (month) => {
      const before = (await month.chime('get_account', month.own())).Account;
      const { Account } = await month.chime('update_account', month.own({ Name: 'MyAccountName' }));
      assert.deepEqual(Account, { ...before, Name: 'MyAccountName' });
      assert.deepEqual((await month.chime('list_accounts', { Name: 'My' })).Accounts, [Account]);
    },
  ],
  [
    'update-account-settings and get-account-settings',
    async (month) => {
      await month.silently('update_account_settings', month.own({ AccountSettings: { DisableRemoteControl: true } }), 'command');
      const { AccountSettings } = await month.chime('get_account_settings', month.own());
      assert.deepEqual(AccountSettings, { DisableRemoteControl: true, EnableDialOut: false });
    },
  ],
  [
    'invite-users and list-users',
    async (month) => {
      const addresses = ['u1', 'u2'].map((name) => `${name}@${DOMAIN}`);
      const { Invites } = await month.chime('invite_users', month.own({ UserEmailList: addresses }));
      for (const { InviteId } of Invites) assert.match(InviteId, UUID);
      assert.deepEqual(
        Invites.map(({ InviteId: _id, ...invite }: Output) => invite),
        addresses.map((EmailAddress) => ({ Status: 'Pending', EmailAddress, EmailStatus: 'Sent' })),
      );
      const stateOf = (user: Output) => [
        user.UserRegistrationStatus,
        user.UserInvitationStatus,
        'InvitedOn' in user,
        'PersonalPIN' in user,
      ];
      // People of one invitation are in no order.
      const listed = (await month.users()).toSorted((a, b) => (a.PrimaryEmail < b.PrimaryEmail ? -1 : 1));
      assert.deepEqual(
        listed.map((user) => [user.PrimaryEmail, ...stateOf(user)]),
        addresses.map((address) => [address, 'Unregistered', 'Pending', true, false]),
      );
    },
  ],
  [
    'the first person accepts; list-users and list-accounts by the address',
    async (month) => {
      await month.accept('u1');
      const { Users } = await month.chime('list_users', month.own({ UserEmail: 'U1@example.com' }));
      const [{ UserId, InvitedOn, RegisteredOn, ...user }, ...more] = Users;
      assert.deepEqual(user, {
        ...{ AccountId: month.accountId, PrimaryEmail: 'u1@example.com', DisplayName: 'U1', LicenseType: 'Pro', UserType: 'PrivateUser' },
        ...{ UserRegistrationStatus: 'Registered', UserInvitationStatus: 'Accepted' },
        AlexaForBusinessMetadata: { IsAlexaForBusinessEnabled: false },
      });
      assert.match(UserId, UUID);
      assert.ok(Date.parse(RegisteredOn) > Date.parse(InvitedOn));
      assert.deepEqual(more, []);
      const { Accounts } = await month.chime('list_accounts', { UserEmail: 'u1@example.com' });
      assert.deepEqual(
        Accounts.map(({ AccountId }: Output) => AccountId),
        [month.accountId],
      );
    },
  ],
  [
    'invite-users with 51 addresses; create-user on a Team account',
    async (month) => {
      const many = Array.from({ length: 51 }, (_, i) => `m${i}@example.com`);
      const [status, error, message] = await month.refused('invite_users', month.own({ UserEmailList: many }));
      assert.deepEqual([status, error], [400, 'ValidationException']);
      assert.match(
        String(message),
        /^1 validation error detected: Value at 'userEmailList' failed to satisfy constraint: .* less than or equal to 50$/,
      );
      const u9 = { Username: 'u9', Email: `u9@${DOMAIN}` };
      assert.deepEqual(await month.refused('create_user', month.own(u9)), BAD_REQUEST);
      assert.equal((await month.users()).length, 2);
    },
  ],
  [
    'batch-update-user',
    async (month) => {
      const ids = (await month.users()).map(({ UserId }) => UserId);
      const items = ids.map((UserId) => ({ UserId, LicenseType: 'Basic' }));
      const update = (...more: object[]) => month.chime('batch_update_user', month.own({ UpdateUserRequestItems: [...items, ...more] }));
      const { UserErrors } = await update({ UserId: UNKNOWN, LicenseType: 'Basic' });
      const ErrorMessage = `Could not find User with Id '${UNKNOWN}'`;
      assert.deepEqual(UserErrors, [{ UserId: UNKNOWN, ErrorCode: 'NotFound', ErrorMessage }]);
      assert.deepEqual(
        (await month.users()).map(({ LicenseType }) => LicenseType),
        ['Basic', 'Basic'],
      );
      assert.deepEqual((await update()).UserErrors, []);
    },
  ],
  [
    'reset-personal-pin twice; list-users',
    async (month) => {
      const pins = [await month.user('u1')];
      for (let i = 0; i < 2; i++) pins.push((await month.chime('reset_personal_pin', month.of('u1'))).User);
      for (const { PersonalPIN } of pins) assert.match(PersonalPIN, /^\d{10}$/);
      assert.equal(new Set(pins.map(({ PersonalPIN }) => PersonalPIN)).size, 3);
      assert.deepEqual(await month.user('u1'), pins[2]);
      assert.ok((await month.users()).every((user) => !('PersonalPIN' in user)));
    },
  ],
  [
    'batch-suspend-user on a Team account; the person signs in, is invited, and accepts',
    async (month) => {
      await month.accept('u2');
      const { userId, at } = month.person('u2');
      assert.deepEqual(await month.chime('batch_suspend_user', month.own({ UserIdList: [userId] })), { UserErrors: [] });
      const removed = await month.user('u2');
      assert.deepEqual([removed.UserRegistrationStatus, removed.LicenseType], ['Suspended', 'Basic']);
      assert.equal(await month.signIn('u2'), 303);
      assert.match((await at.get('/chime')).text, /Account<\/th><td>None</);
      const { Invites } = await month.chime('invite_users', month.own({ UserEmailList: [`u2@${DOMAIN}`] }));
      assert.deepEqual([Invites[0].Status, Invites[0].EmailStatus], ['Pending', 'Sent']);
      await month.accept('u2', 2, at);
      const again = await month.user('u2');
      assert.deepEqual([again.UserId, again.UserRegistrationStatus, again.UserInvitationStatus], [userId, 'Registered', 'Accepted']);
    },
  ],
  [
    'add-domain with its TXT record; get-account and invite-users',
    async (month) => {
      const { Domain } = await month.operator('add-domain', '--account-id', month.accountId, '--domain-name', DOMAIN);
      assert.deepEqual([Domain.DomainName, Domain.DomainStatus], [DOMAIN, 'PendingVerification']);
      names.records.set(Domain.RecordName, [[Domain.RecordValue]]);
      const { endpoint, credentials } = month.server;
      const get = () =>
        callChime(
          { endpoint, region: 'us-east-1', credentials },
          model.operations['GetDomain'] as OperationModel,
          month.own({ DomainName: DOMAIN }),
        );
      let last = await get();
      await until(
        async () => ((last = await get()).body['Domain'] as Output)?.DomainStatus === 'Verified',
        () => JSON.stringify(last),
      );
      assert.equal((await month.chime('get_account', month.own())).Account.AccountType, 'EnterpriseLWA');
      assert.deepEqual(await month.refused('invite_users', month.own({ UserEmailList: [`u5@${DOMAIN}`] })), BAD_REQUEST);
    },
  ],
  [
    'batch-suspend-user, batch-unsuspend-user and logout-user',
    async (month) => {
      // People with an address in the domain register without an invitation.
      for (const name of ['u3', 'u4']) {
        assert.equal((await browser(month.server.endpoint).post('/chime/registration', form({ email: `${name}@${DOMAIN}` }))).status, 200);
        await month.accept(name);
      }
      const [u1, u3] = [month.person('u1'), month.person('u3')];
      const before = await month.user('u3');
      assert.deepEqual([before.UserRegistrationStatus, before.UserInvitationStatus], ['Registered', undefined]);
      assert.deepEqual([await month.isSignedIn('u1'), await month.isSignedIn('u3')], [true, true]);
      assert.deepEqual(await month.chime('batch_suspend_user', month.own({ UserIdList: [u1.userId] })), { UserErrors: [] });
      assert.equal((await month.user('u1')).UserRegistrationStatus, 'Suspended');
      assert.deepEqual([await month.isSignedIn('u1'), await month.isSignedIn('u3'), await month.signIn('u1')], [false, true, 403]);
      assert.deepEqual(await month.chime('batch_unsuspend_user', month.own({ UserIdList: [u1.userId, u3.userId] })), { UserErrors: [] });
      assert.equal((await month.user('u1')).UserRegistrationStatus, 'Registered');
      assert.deepEqual([await month.user('u3'), await month.signIn('u1'), await month.isSignedIn('u3')], [before, 303, true]);
      await month.silently('logout_user', month.of('u3'), 'command');
      assert.deepEqual([await month.isSignedIn('u1'), await month.isSignedIn('u3'), await month.signIn('u3')], [true, false, 303]);
    },
  ],
  [
    'a room with its members',
    async (month) => {
      const caller = `arn:aws:iam::${month.awsAccountId}:user/admin`;
      const { Room } = await month.chime('create_room', month.own({ Name: 'chatRoom' }));
      const { RoomId, CreatedTimestamp, UpdatedTimestamp, ...rest } = Room;
      assert.deepEqual(rest, { Name: 'chatRoom', AccountId: month.accountId, CreatedBy: caller });
      assert.deepEqual([UUID.test(RoomId), UpdatedTimestamp], [true, CreatedTimestamp]);
      const room = month.own({ RoomId });
      assert.deepEqual((await month.chime('list_room_memberships', room)).RoomMemberships, []);
      const [u1 = '', u3 = '', u4 = ''] = ['u1', 'u3', 'u4'].map((name) => month.person(name).userId);
      const { RoomMembership } = await month.chime('create_room_membership', { ...room, MemberId: u1 });
      const { UpdatedTimestamp: _at, ...membership } = RoomMembership;
      const Member = { MemberId: u1, MemberType: 'User', Email: `u1@${DOMAIN}`, FullName: 'U1', AccountId: month.accountId };
      assert.deepEqual(membership, { RoomId, Member, Role: 'Member', InvitedBy: caller });
      const updated = await month.chime('update_room_membership', { ...room, MemberId: u1, Role: 'Administrator' });
      assert.equal(updated.RoomMembership.Role, 'Administrator');
      assert.deepEqual((await month.chime('list_rooms', month.own({ MemberId: u1 }))).Rooms, [Room]);
      const MembershipItemList = [{ MemberId: u3 }, { MemberId: u4, Role: 'Member' }];
      assert.deepEqual(await month.chime('batch_create_room_membership', { ...room, MembershipItemList }), { Errors: [] });
      const { RoomMemberships } = await month.chime('list_room_memberships', room);
      assert.deepEqual(
        RoomMemberships.map((each: Output) => [each.Member.MemberId, each.Role]),
        [[u1, 'Administrator'] as const, [u3, 'Member'] as const, [u4, 'Member'] as const].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      );
      await month.silently('delete_room', room);
      assert.deepEqual((await month.refused('get_room', room)).slice(0, 2), [404, 'NotFoundException']);
      assert.deepEqual((await month.chime('list_rooms', month.own())).Rooms, []);
    },
  ],
  [
    'a bot with an endpoint is mentioned, gets another token and is disabled',
    async (month) => {
      const { received, host } = endpoint;
      received.length = 0;
      const { Bot } = await month.chime('create_bot', month.own({ DisplayName: 'myBot', Domain: DOMAIN }));
      const { BotId, UserId, SecurityToken, CreatedTimestamp: _at, UpdatedTimestamp: _then, ...rest } = Bot;
      assert.deepEqual(rest, { BotEmail: 'myBot-chimebot@example.com', BotType: 'ChatBot', Disabled: false, DisplayName: 'myBot (Bot)' });
      assert.equal(UserId, BotId);
      const bot = month.own({ BotId });
      const url = `${host}/ok`;
      const { EventsConfiguration } = await month.chime('put_events_configuration', { ...bot, OutboundEventsHTTPSEndpoint: url });
      assert.deepEqual(EventsConfiguration, { BotId, OutboundEventsHTTPSEndpoint: url });
      const bodyOf = (number: number): Output => received[number]?.body ?? assert.fail(`no request ${number}`);
      assert.deepEqual(Object.keys(bodyOf(0)), ['Challenge', 'EventType']);
      assert.equal(bodyOf(0).EventType, 'HTTPSEndpointVerification');

      month.roomId = (await month.chime('create_room', month.own({ Name: 'room of the bot' }))).Room.RoomId;
      const room = month.own({ RoomId: month.roomId });
      for (const MemberId of [month.person('u1').userId, BotId]) await month.chime('create_room_membership', { ...room, MemberId });
      await month.write('u1', '@myBot Hello');
      const signature = (text: string, timestamp: string, token: string) =>
        createHmac('sha256', token).update(`${timestamp}|${text}`).digest('base64');
      /** Waits for the events after the challenge, and compares them with the types and the tokens that sign them. */
      async function events(...expected: readonly (readonly [type: string, token: string])[]): Promise<void> {
        await until(
          () => received.length > expected.length,
          () => JSON.stringify(received.map(({ text }) => text)),
        );
        assert.deepEqual(
          received.slice(1).map(({ body, signature: signed }) => [(body as Output).EventType, signed]),
          received.slice(1).map(({ text, timestamp }, i) => [expected[i]?.[0], signature(text, timestamp, expected[i]?.[1] ?? '')]),
        );
      }
      await events(['Invite', SecurityToken], ['Mention', SecurityToken]);
      const renewed = (await month.chime('regenerate_security_token', bot)).Bot;
      assert.notEqual(renewed.SecurityToken, SecurityToken);
      const setDisabled = async (Disabled: boolean) => (await month.chime('update_bot', { ...bot, Disabled })).Bot;
      const disabled = (await month.command('update_bot', { ...bot, Disabled: true })).Bot;
      assert.deepEqual([disabled.Disabled, disabled.SecurityToken], [true, renewed.SecurityToken]);
      await month.write('u1', '@myBot while disabled');
      // The next event shows that the mention of the disabled bot caused none.
      await setDisabled(false);
      await month.write('u1', '@myBot again');
      await events(['Invite', SecurityToken], ['Mention', SecurityToken], ['Mention', renewed.SecurityToken]);
      assert.equal(bodyOf(3).Message, '@myBot again');
      assert.equal((await setDisabled(true)).Disabled, true);
    },
  ],
  [
    'search-available-phone-numbers, create-phone-number-order and get-phone-number-order',
    async (month) => {
      const file = join(month.server.dataFolder, 'numbers.csv');
      writeFileSync(
        file,
        'number,country,type,products,area_code\n+12065550101,US,Local,BusinessCalling,206\n+12125550101,US,Local,BusinessCalling,212\n',
      );
      assert.equal((await belfry(['numbers', 'import', file, '--data', month.server.dataFolder])).status, 0);
      const found = (await month.chime('search_available_phone_numbers', { AreaCode: '206' })).E164PhoneNumbers;
      assert.deepEqual(found, [NUMBER]);
      const order = { ProductType: 'BusinessCalling', E164PhoneNumbers: found };
      const { PhoneNumberOrder } = await month.chime('create_phone_number_order', order);
      const { PhoneNumberOrderId, CreatedTimestamp: _at, UpdatedTimestamp: _then, ...rest } = PhoneNumberOrder;
      const item = { E164PhoneNumber: NUMBER, Status: 'Processing' };
      assert.deepEqual(rest, { ProductType: 'BusinessCalling', Status: 'Processing', OrderedPhoneNumbers: [item] });
      assert.match(PhoneNumberOrderId, UUID);
      let last = PhoneNumberOrder;
      await until(
        async () => (last = (await month.chime('get_phone_number_order', { PhoneNumberOrderId })).PhoneNumberOrder).Status !== 'Processing',
        () => JSON.stringify(last),
      );
      assert.deepEqual([last.Status, last.OrderedPhoneNumbers], ['Successful', [{ ...item, Status: 'Acquired' }]]);
    },
  ],
  [
    'a number is associated, disassociated, deleted and restored',
    async (month) => {
      assert.deepEqual(await month.chime('associate_phone_number_with_user', month.of('u1', { E164PhoneNumber: NUMBER })), {});
      const { PhoneNumber } = await month.chime('get_phone_number', { PhoneNumberId: NUMBER });
      const { PhoneNumberId, Status, Associations } = PhoneNumber;
      assert.deepEqual([PhoneNumberId, Status], ['%2B12065550101', 'Assigned']);
      assert.deepEqual(Associations.map(({ Name, Value }: Output) => [Name, Value]).toSorted(), [
        ['AccountId', month.accountId],
        ['UserId', month.person('u1').userId],
      ]);
      assert.equal((await month.user('u1')).PrimaryProvisionedNumber, NUMBER);
      const settings = async () => (await month.chime('get_user_settings', month.of('u1'))).UserSettings.Telephony;
      assert.deepEqual(await settings(), { InboundCalling: false, OutboundCalling: false, SMS: false });
      const Telephony = { InboundCalling: true, OutboundCalling: true, SMS: false };
      await month.silently('update_user_settings', month.of('u1', { UserSettings: { Telephony } }));
      assert.deepEqual(await settings(), Telephony);

      // The ID is percent-encoded, and the client encodes it again.
      assert.deepEqual(await month.refused('delete_phone_number', { PhoneNumberId }), BAD_REQUEST);
      assert.deepEqual(await month.chime('disassociate_phone_number_from_user', month.of('u1')), {});
      assert.equal('PrimaryProvisionedNumber' in (await month.user('u1')), false);
      await month.silently('delete_phone_number', { PhoneNumberId });
      assert.deepEqual((await month.refused('delete_phone_number', { PhoneNumberId })).slice(0, 2), [404, 'NotFoundException']);
      const { PhoneNumberErrors } = await month.chime('batch_delete_phone_number', { PhoneNumberIds: [NUMBER] });
      assert.deepEqual(
        PhoneNumberErrors.map(({ ErrorCode }: Output) => ErrorCode),
        ['NotFound'],
      );
      const restored = (await month.chime('restore_phone_number', { PhoneNumberId })).PhoneNumber;
      assert.deepEqual([restored.Status, restored.ProductType, restored.Associations], ['Unassigned', 'BusinessCalling', []]);
      const { PhoneNumbers } = await month.chime('list_phone_numbers', { ProductType: 'BusinessCalling' });
      assert.deepEqual(
        PhoneNumbers.map(({ E164PhoneNumber }: Output) => E164PhoneNumber),
        [NUMBER],
      );
    },
  ],
  [
    'update-phone-number-settings twice, and get-phone-number-settings',
    async (month) => {
      const put = { CallingName: 'myName' };
      assert.deepEqual(await month.chime('get_phone_number_settings'), {});
      const began = Date.now();
      await month.silently('update_phone_number_settings', put);
      const { CallingName, CallingNameUpdatedTimestamp } = await month.chime('get_phone_number_settings');
      assert.equal(CallingName, 'myName');
      const at = Date.parse(CallingNameUpdatedTimestamp);
      assert.ok(at >= began && at <= Date.now(), CallingNameUpdatedTimestamp);
      assert.deepEqual(await month.refused('update_phone_number_settings', put), BAD_REQUEST);
    },
  ],
  [
    'put-retention-settings and get-retention-settings',
    async (month) => {
      month.roomId = (await month.chime('create_room', month.own({ Name: 'old and new' }))).Room.RoomId;
      await month.chime('create_room_membership', month.own({ RoomId: month.roomId, MemberId: month.person('u1').userId }));
      const page = await month.chime('list_rooms', month.own({ MaxResults: 1 }));
      const next = await month.chime('list_rooms', month.own({ MaxResults: 1, NextToken: page.NextToken }));
      assert.deepEqual(
        [...page.Rooms, ...next.Rooms].map(({ Name }) => Name),
        ['room of the bot', 'old and new'],
      );
      await month.database.age(await month.write('u1', 'old'), 31);
      await month.write('u1', 'new');
      assert.deepEqual(await month.read('u1'), ['old', 'new']);
      const RetentionSettings = { RoomRetentionSettings: { RetentionDays: 30 }, ConversationRetentionSettings: { RetentionDays: 60 } };
      const began = Date.now();
      await month.silently('put_retention_settings', month.own({ RetentionSettings }), 'command');
      const { InitiateDeletionTimestamp, ...stored } = await month.chime('get_retention_settings', month.own());
      assert.deepEqual(stored, { RetentionSettings });
      const putAt = Date.parse(InitiateDeletionTimestamp) - 30 * DAY_MS;
      assert.ok(putAt >= began && putAt <= Date.now(), InitiateDeletionTimestamp);
      assert.deepEqual(await month.read('u1'), ['new']);
      await month.silently('put_retention_settings', month.own({ RetentionSettings: { RoomRetentionSettings: {} } }));
      assert.deepEqual(await month.read('u1'), ['old', 'new']);
    },
  ],
  [
    'redact-room-message; the room is read',
    async (month) => {
      const MessageId = await month.write('u1', 'secret');
      assert.deepEqual(await month.chime('redact_room_message', month.own({ RoomId: month.roomId, MessageId })), {});
      assert.deepEqual(await month.read('u1'), ['old', 'new', ['redacted', '']]);
    },
  ],
  [
    'delete-account, delete-domain, delete-account and get-account',
    async (month) => {
      const [status, error] = await month.refused('delete_account', month.own());
      assert.deepEqual([status, error], [422, 'UnprocessableEntityException']);
      const people = ['u1', 'u2', 'u3', 'u4'];
      const signedIn = () => Promise.all(people.map((name) => month.isSignedIn(name)));
      assert.deepEqual(await signedIn(), [true, true, true, true]);
      assert.deepEqual(await month.operator('delete-domain', '--account-id', month.accountId, '--domain-name', DOMAIN), {});
      assert.deepEqual(await signedIn(), [false, false, false, false]);
      assert.deepEqual(
        (await month.users()).map(({ UserRegistrationStatus }) => UserRegistrationStatus),
        people.map(() => 'Suspended'),
      );
      await month.silently('delete_account', month.own(), 'command');
      assert.equal((await month.chime('get_account', month.own())).Account.AccountStatus, 'Suspended');
      assert.deepEqual((await month.chime('list_accounts')).Accounts, []);
    },
  ],
];

function sqliteDatabase(server: ServerProcess): Database {
  return {
    async age(messageId, days) {
      const database = new DatabaseSync(join(server.dataFolder, 'belfry.db'), { timeout: 10_000 });
      const { changes } = database
        .prepare('UPDATE channel_message SET created_at_ms = created_at_ms - ? WHERE message_id = ?')
        .run(days * DAY_MS, messageId);
      database.close();
      assert.equal(changes, 1);
    },
  };
}

function postgresDatabase(url: string): Database {
  return {
    async age(messageId, days) {
      const database = new pg.Client({ connectionString: url });
      await database.connect();
      const { rowCount } = await database.query('UPDATE channel_message SET created_at_ms = created_at_ms - $1 WHERE message_id = $2', [
        days * DAY_MS,
        messageId,
      ]);
      await database.end();
      assert.equal(rowCount, 1);
    },
  };
}

for (const engine of ['SQLite', 'PostgreSQL'] as const) {
  test(`A month of an administrator on ${engine}`, async (all) => {
    const postgres = engine === 'PostgreSQL' ? await testPostgres() : undefined;
    if (postgres !== undefined) after(() => postgres.stop());
    const server = await startServerProcess({
      ...endpoint.settings,
      ...{ BELFRY_DNS_SERVER: names.address, BELFRY_LOOKUPS_PER_SECOND: '0' },
      ...(postgres !== undefined && { BELFRY_DATABASE: postgres.url }),
    });
    names.records.clear();
    const month = openMonth(server, postgres === undefined ? sqliteDatabase(server) : postgresDatabase(postgres.url), engine === 'SQLite');
    let ran = 0;
    for (const [i, [commands, run]] of ROWS.entries()) {
      await all.test(`row ${i + 1}: ${commands}`, async (row) => {
        // A row relies on the earlier ones, so its failure would tell nothing more.
        if (ran < i) return row.skip('an earlier row failed');
        await run(month);
        ran++;
      });
    }
    assert.equal(ran, 19);
  });
}
