/** `belfry chime import` on a running server: users and rooms from CSV, and the JSON of `aws chime list-users`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  CreateAccountCommand,
  GetUserCommand,
  ListRoomMembershipsCommand,
  ListRoomsCommand,
  ListUsersCommand,
  paginateListUsers,
} from '@aws-sdk/client-chime';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { isMailFile, mailFolder } from '#delivery/outgoing/targets/mail-folder.ts';
import { askControl } from '#server/operator/ask-control.ts';
import { startAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import { belfry } from '../kit/process.ts';
import { until } from '../kit/until.ts';
import { linkTo, mailOf } from './mailbox.ts';
import { register, verifyDomain } from './register.ts';

const account = await startAccount();
const { server } = account;
const chime = account.chime();
const folder = newFolder('import');

const newAccount = async (Name: string) => (await chime.send(new CreateAccountCommand({ Name }))).Account?.AccountId as string;

function fileOf(name: string, ...lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, lines.join('\n'));
  return file;
}

/** Runs `belfry chime import`. Resolves to the status, and to the lines of both outputs without their prefix. */
async function importFile(file: string, accountId: string, ...flags: readonly string[]) {
  const { status, stdout, stderr } = await belfry([
    'chime',
    'import',
    file,
    '--account-id',
    accountId,
    ...flags,
    '--data',
    server.dataFolder,
  ]);
  const linesOf = (text: string) => text.split('\n').flatMap((line) => (line === '' ? [] : [line.replace(/^belfry chime: /, '')]));
  return { status, out: linesOf(stdout), errors: linesOf(stderr) };
}

async function usersOf(AccountId: string) {
  const users = [];
  for await (const { Users = [] } of paginateListUsers({ client: chime }, { AccountId })) users.push(...Users);
  return users;
}

const UNCHANGED = 'nothing was changed; add --apply to import';

test('CSV: a preview changes nothing, each wrong line is named, and users get one invitation with a new PIN', async () => {
  const AccountId = await newAccount('Team');
  const file = fileOf(
    'users.csv',
    'email,display_name,license,user_type,user_id',
    'Ada@csv.example,"Ada, Countess",Basic,,',
    'bob@csv.example',
    'no-address,x',
    'ADA@csv.example',
    'eve@csv.example,,Gold',
    'eve@csv.example,,ProTrial',
    'eve@csv.example,"open',
    'eve@csv.example,,,,,,many',
    'eve@csv.example,,,Robot',
    'eve@csv.example,,,,NOT-A-UUID',
  );
  const errors = [
    "line 4: email 'no-address' is not the address of a mailbox",
    'line 5: the email is in line 2',
    "line 6: license 'Gold' is invalid (valid: Basic, Plus, Pro, ProTrial)",
    'line 7: the email is in line 6',
    'line 8: has an open quote',
    'line 9: has 7 fields, but the header has 5',
    'line 10: the email is in line 6',
    'line 11: the email is in line 6',
  ];
  const preview = await importFile(file, AccountId);
  assert.deepEqual(preview, { status: 1, out: ['preview: 2 added, 0 unchanged, 0 skipped, 8 with errors', UNCHANGED], errors });
  assert.deepEqual(await usersOf(AccountId), []);
  const applied = await importFile(file, AccountId, '--apply');
  assert.deepEqual(applied, { status: 1, out: ['2 added, 0 unchanged, 0 skipped, 8 with errors'], errors });
  const again = await importFile(file, AccountId, '--apply');
  assert.deepEqual(again.out, ['0 added, 2 unchanged, 0 skipped, 8 with errors']);

  const users = await usersOf(AccountId);
  assert.deepEqual(
    users.map(({ PrimaryEmail, DisplayName, LicenseType, UserRegistrationStatus, UserInvitationStatus, PersonalPIN }) => ({
      ...{ PrimaryEmail, DisplayName, LicenseType, UserRegistrationStatus, UserInvitationStatus, PersonalPIN },
    })),
    [
      ['Ada@csv.example', 'Ada, Countess', 'Basic'],
      ['bob@csv.example', undefined, 'Pro'],
    ]
      .toSorted((a, b) => {
        const idOf = (email: unknown) => String(users.find(({ PrimaryEmail }) => PrimaryEmail === email)?.UserId);
        return idOf(a[0]) < idOf(b[0]) ? -1 : 1;
      })
      .map(([PrimaryEmail, DisplayName, LicenseType]) => ({
        ...{ PrimaryEmail, DisplayName, LicenseType, UserRegistrationStatus: 'Unregistered', UserInvitationStatus: 'Pending' },
        PersonalPIN: undefined,
      })),
  );
  const { mail } = await linkTo('Ada@csv.example', [server.dataFolder]);
  const [, pin] = /PIN is (\d{10})\./.exec(mail.text) ?? [];
  const [UserId] = await register(server, AccountId, 'ada@csv.example');
  const { User } = await chime.send(new GetUserCommand({ AccountId, UserId }));
  assert.deepEqual([User?.UserRegistrationStatus, User?.PersonalPIN], ['Registered', pin]);

  const trail = new CloudTrailClient(server.client());
  const lookup = new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'ImportToChimeAccount' }] });
  const records = async () =>
    ((await trail.send(lookup)).Events ?? []).map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent ?? '').serviceEventDetails);
  await until(
    async () => (await records()).length > 0,
    () => 'no record',
  );
  assert.deepEqual(await records(), [{ chimeAccountId: AccountId, kind: 'users', added: 2 }]);
});

test('JSON of list-users: users keep their IDs, suspended ones are skipped, and an ID of another user is refused', async () => {
  const AccountId = await newAccount('Json');
  const id = (last: number) => `a6b1e9b0-0000-4000-8000-00000000000${last}`;
  const user = (last: number, more: object = {}) => ({
    UserId: id(last),
    AccountId: 'elsewhere',
    PrimaryEmail: `user${last}@json.example`,
    DisplayName: `User ${last}`,
    LicenseType: 'Pro',
    UserRegistrationStatus: 'Registered',
    AlexaForBusinessMetadata: { IsAlexaForBusinessEnabled: false },
    PersonalPIN: '0123456789',
    ...more,
  });
  const Users = [
    user(1),
    user(2, { UserRegistrationStatus: 'Suspended' }),
    user(3, { UserId: id(1) }),
    { UserId: id(4) },
    user(5, { UserType: 'SharedDevice', LicenseType: 'Basic' }),
  ];
  const file = fileOf('users.json', JSON.stringify({ Users, NextToken: null }, null, 2));
  const applied = await importFile(file, AccountId, '--apply');
  const errors = [`user 3: user_id '${id(1)}' belongs to another user`, "user 4: email '' is not the address of a mailbox"];
  assert.deepEqual(applied, { status: 1, out: ['2 added, 0 unchanged, 1 skipped, 2 with errors'], errors });
  assert.deepEqual(
    (await usersOf(AccountId)).map(({ UserId, DisplayName, UserType, LicenseType }) => [UserId, DisplayName, UserType, LicenseType]),
    [
      [id(1), 'User 1', 'PrivateUser', 'Pro'],
      [id(5), 'User 5', 'SharedDevice', 'Basic'],
    ],
  );
  for (const last of [1, 5]) await linkTo(`user${last}@json.example`, [server.dataFolder]);
  const texts = (await mailOf(server.dataFolder)).filter(({ to }) => to.endsWith('@json.example')).map(({ text }) => text);
  assert.ok(texts.every((text) => !text.includes('0123456789')));
});

test('Interruption: an import that was killed continues, and each line is applied once', async () => {
  const AccountId = await newAccount('Killed');
  const addresses = Array.from({ length: 60 }, (_, i) => `user${i}@killed.example`);
  const file = fileOf('killed.csv', 'email', ...addresses);
  // The other mail of the earlier tests has been awaited.
  await linkTo('bob@csv.example', [server.dataFolder]);
  const before = readdirSync(mailFolder(server.dataFolder)).filter(isMailFile).length;
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const args = [main, 'chime', 'import', file, '--account-id', AccountId, '--apply', '--data', server.dataFolder];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await until(
    async () => ((await chime.send(new ListUsersCommand({ AccountId, MaxResults: 1 }))).Users ?? []).length > 0,
    () => 'nothing is imported',
  );
  child.kill('SIGKILL');
  await ended;
  const { status, errors } = await importFile(file, AccountId, '--apply');
  assert.deepEqual([status, errors], [0, []]);
  assert.equal((await importFile(file, AccountId)).out[0], 'preview: 0 added, 60 unchanged, 0 skipped, 0 with errors');
  const users = await usersOf(AccountId);
  assert.deepEqual(users.map(({ PrimaryEmail }) => PrimaryEmail).sort(), addresses.toSorted());
  // A mail is queued in the transaction that adds its user. Messages of one lane can be sent in any order.
  const count = () => readdirSync(mailFolder(server.dataFolder)).filter(isMailFile).length;
  await until(
    () => count() >= before + addresses.length,
    () => `${count() - before} mails`,
  );
  const recipients = (await mailOf(server.dataFolder)).map(({ to }) => to).filter((to) => to.endsWith('@killed.example'));
  assert.deepEqual(recipients.sort(), addresses.toSorted());
});

test('Rooms: lines create rooms once and add registered users; others are named and can be imported later', async () => {
  const AccountId = await newAccount('Rooms');
  const file = fileOf(
    'rooms.csv',
    'room,email,role',
    'Lobby',
    'Lobby,ada@rooms.example,Administrator',
    'Lobby,bob@rooms.example',
    'Empty',
    'Lobby,ada@rooms.example,Owner',
    ',ada@rooms.example',
    'Lobby,eve@rooms.example',
  );
  const wrong = [
    "line 6: role 'Owner' is invalid (valid: Administrator, Member)",
    "line 7: room '' is invalid; a name must have 1 to 256 characters",
  ];
  const team = await importFile(file, AccountId, '--apply');
  assert.deepEqual(
    [team.status, new Set(team.errors.map((each) => each.replace(/^line \d: /, '')))],
    [1, new Set(['a Team account has no rooms'])],
  );
  verifyDomain(server, AccountId, 'rooms.example');
  await importFile(fileOf('room-users.csv', 'email', 'bob@rooms.example'), AccountId, '--apply');
  const [ada] = await register(server, AccountId, 'ada@rooms.example');
  const unknown = "line 8: 'eve@rooms.example' is not a user of the account";
  const waiting = "line 4: 'bob@rooms.example' is not registered; import the file again after the registration";
  const preview = await importFile(file, AccountId);
  assert.deepEqual(preview, {
    status: 1,
    out: ['preview: 3 added, 0 unchanged, 0 skipped, 4 with errors', UNCHANGED],
    errors: [waiting, ...wrong, unknown],
  });
  assert.deepEqual((await chime.send(new ListRoomsCommand({ AccountId }))).Rooms, []);
  assert.equal((await importFile(file, AccountId, '--apply')).out[0], '3 added, 0 unchanged, 0 skipped, 4 with errors');
  const [bob] = await register(server, AccountId, 'bob@rooms.example');
  assert.equal((await importFile(file, AccountId, '--apply')).out[0], '1 added, 3 unchanged, 0 skipped, 3 with errors');
  const { Rooms = [] } = await chime.send(new ListRoomsCommand({ AccountId }));
  const root = `arn:aws:iam::${server.accountId}:root`;
  assert.deepEqual(Rooms.map(({ Name, CreatedBy }) => [Name, CreatedBy]).sort(), [
    ['Empty', root],
    ['Lobby', root],
  ]);
  const lobby = Rooms.find(({ Name }) => Name === 'Lobby');
  const { RoomMemberships = [] } = await chime.send(new ListRoomMembershipsCommand({ AccountId, RoomId: lobby?.RoomId }));
  assert.deepEqual(
    new Map(RoomMemberships.map(({ Member, Role }) => [Member?.MemberId, Role])),
    new Map([
      [ada, 'Administrator'],
      [bob, 'Member'],
    ]),
  );
});

test('Refusals: an unknown account, a directory, an unknown column, too many lines, and a missing account ID', async () => {
  const file = fileOf('one.csv', 'email', 'one@refused.example');
  const unknown = await importFile(file, 'a6b1e9b0-0000-4000-8000-999999999999');
  assert.equal(unknown.status, 1);
  assert.match(String(unknown.errors), /stopped before line 2: account 'a6b1e9b0-0000-4000-8000-999999999999' does not exist/);
  const AccountId = await newAccount('Refused');
  assert.match(String((await importFile(fileOf('x.csv', 'email,pin'), AccountId)).errors), /unknown or repeated column 'pin'/);
  assert.match(String((await importFile(fileOf('x.json', '{"Accounts": []}'), AccountId)).errors), /no list 'Users'/);
  assert.match(String((await importFile(fileOf('y.json', '{"Users":'), AccountId)).errors), /not valid JSON/);
  const many = fileOf('many.csv', 'email', ...Array.from({ length: 100_001 }, () => 'x'));
  assert.match(String((await importFile(many, AccountId)).errors), /more than 100000 lines/);
  const { status, stderr } = await belfry(['chime', 'import', file, '--data', server.dataFolder]);
  assert.deepEqual([status, /missing --account-id/.test(stderr)], [2, true]);
  const rows = Array.from({ length: 51 }, (_, i) => ({ line: i, fields: { email: `x${i}@refused.example` } }));
  const lines = { command: 'chime import', chimeAccountId: AccountId, kind: 'users', rows, isPreview: false } as const;
  assert.deepEqual(await askControl(server.dataFolder, lines), { ok: false, error: 'a command has at most 50 lines' });
});
