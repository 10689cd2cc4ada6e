/** People who change in a real LDAP directory while they are signed in, on two servers with one database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CreateAccountCommand, ListUsersCommand } from '@aws-sdk/client-chime';
import { DescribeAppInstanceUserCommand } from '@aws-sdk/client-chime-sdk-identity';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { Client } from 'ldapts';
import pg from 'pg';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { accountOn } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { startSecondServer, startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { type Browser, browser } from '../sign-in/browser.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { BASE, groupEntry, personEntry, READER, replaceAttribute, startDirectory } from './slapd.ts';

const GOOD = 'Correct-Horse-7';
const DOMAIN = 'people.example.com';
const NAMES = ['ada', 'bob', 'cat', 'dan', 'eve', 'fay'] as const;
type Name = (typeof NAMES)[number];
const directory = await startDirectory(
  [
    ...NAMES.map((uid) => personEntry(uid, GOOD, [`mail: ${uid === 'ada' ? 'Ada' : uid}@${DOMAIN}`, `displayName: Name of ${uid}`])),
    groupEntry('Team', 'ada', 'eve'),
    groupEntry('Staff', 'bob', 'cat', 'dan', 'fay', 'cn=Team'),
    // Groups that contain each other.
    groupEntry('Circle', 'cn=Staff', 'cn=Round'),
    groupEntry('Round', 'cn=Circle'),
    groupEntry('Lead', 'cn=Nobody'),
  ].join(''),
);
const postgres = await testPostgres();
const environment = {
  BELFRY_DATABASE: postgres.url,
  BELFRY_INTERNAL_DIRECTORIES: `localhost:${directory.port}`,
  BELFRY_DIRECTORY_SYNC_SECONDS: '1',
  BELFRY_SIGN_IN_FAILURES: '100',
};
const first = await startTestServer(environment);
const second = await startSecondServer(first, environment);
const database = new pg.Client({ connectionString: postgres.url });
await database.connect();
after(async () => {
  await database.end();
  await postgres.stop();
});
const account = accountOn(first);
const chime = account.chime();
const model = loadModel('chime');
async function done(name: string, input: object = {}): Promise<Readonly<Record<string, unknown>>> {
  const to = { endpoint: first.endpoint, region: 'us-east-1', credentials: first.credentials };
  const { status, body } = await callChime(to, model.operations[name] as OperationModel, input);
  assert.equal(status, 200, `${name} ${JSON.stringify(body)}`);
  return body as Readonly<Record<string, unknown>>;
}

const AccountId = (await chime.send(new CreateAccountCommand({ Name: 'Example' }))).Account?.AccountId as string;
await done('AddDomain', { AccountId, DomainName: DOMAIN });
await database.query('UPDATE chime_domain SET is_verified = 1, due_at_ms = NULL');
await database.query(
  `UPDATE chime_account SET account_type = 'EnterpriseLWA', document = jsonb_set(document::jsonb, '{Domains}', $1)::text`,
  [JSON.stringify([DOMAIN])],
);
const { Directory } = await done('AuthorizeDirectory', {
  ...{ Name: 'Office', Url: `ldaps://localhost:${directory.port}`, BaseDn: BASE, BindDn: READER.dn, BindPassword: READER.password },
  CaCertificates: directory.ca,
});
const { DirectoryId } = Directory as { readonly DirectoryId: string };
await done('ConnectDirectory', { AccountId, DirectoryId });
const Groups = [
  { GroupName: 'Staff', License: 'Basic' },
  { GroupName: 'Lead', License: 'Pro' },
];
await done('AddOrUpdateGroups', { AccountId, Groups });

const signIn = (at: Browser, name: Name) =>
  at.post('/chime/sign-in', new URLSearchParams({ email: `${name}@${DOMAIN}`, password: GOOD }).toString());
const isSignedIn = async (at: Browser): Promise<boolean> => (await at.get('/chime')).text.includes('Sign out');
/** Browsers of each person on both servers, with one session. */
const browsers = new Map<Name, readonly [Browser, Browser]>();
async function sessionsOf(name: Name): Promise<readonly boolean[]> {
  return await Promise.all((browsers.get(name) ?? []).map(isSignedIn));
}
async function users(): Promise<Readonly<Record<string, string>>> {
  const { Users = [] } = await chime.send(new ListUsersCommand({ AccountId }));
  const shown = Users.map((user) => [
    user.PrimaryEmail?.split('@')[0]?.toLowerCase(),
    `${user.UserRegistrationStatus} ${user.LicenseType} ${user.DisplayName}`,
  ]);
  return Object.fromEntries(shown);
}
/** Waits until the synchronization has applied a change. */
async function untilUser(name: Name, expected: string): Promise<void> {
  let last: string | undefined;
  await until(
    async () => {
      last = (await users())[name];
      return last === expected;
    },
    () => `${name} is '${last}' and not '${expected}'`,
  );
}
async function listed(): Promise<Readonly<Record<string, unknown>>> {
  const { Directories } = await done('ListDirectories');
  return (Directories as readonly Readonly<Record<string, unknown>>[])[0] ?? {};
}
async function untilProblem(problem: RegExp | undefined): Promise<void> {
  let last: unknown;
  await until(
    async () => {
      last = (await listed())['SyncProblem'];
      return problem === undefined ? last === undefined : typeof last === 'string' && problem.test(last);
    },
    () => `the problem is '${String(last)}' and not '${String(problem)}'`,
  );
}

test('Synchronization: members of groups in groups sign in, and everyone stays signed in while nothing changes', async () => {
  for (const name of NAMES) {
    const [here, there] = [browser(first.endpoint), browser(second.endpoint)];
    assert.equal((await signIn(here, name)).status, 303, name);
    there.cookie = here.cookie;
    browsers.set(name, [here, there]);
  }
  assert.equal((await users())['eve'], 'Registered Basic Name of eve');
  const { SyncedTimestamp: before } = await listed();
  await until(
    async () => (await listed())['SyncedTimestamp'] !== before,
    () => 'no synchronization has ended',
  );
  for (const name of NAMES) assert.deepEqual(await sessionsOf(name), [true, true], name);
});

test('Synchronization: a new name reaches the user and the chat, and a new group in a group the license', async () => {
  await directory.change(async (client) => {
    await replaceAttribute(client, 'uid=ada', 'displayName', 'Countess');
    await replaceAttribute(client, 'cn=Lead', 'member', `cn=Team,${BASE}`);
  });
  await untilUser('ada', 'Registered Pro Countess');
  await untilUser('eve', 'Registered Pro Name of eve');
  assert.equal((await users())['bob'], 'Registered Basic Name of bob');
  const { Users = [] } = await chime.send(new ListUsersCommand({ AccountId, UserEmail: `ada@${DOMAIN}` }));
  const { rows } = await database.query(`SELECT account_id FROM chime_user WHERE user_id = $1`, [Users[0]?.UserId]);
  assert.equal(rows[0]?.account_id, first.accountId);
  await done('ResetAccountResource');
  const [here] = browsers.get('ada') ?? [];
  const { appInstanceUserArn: AppInstanceUserArn } = (await (here as Browser).post('/chime/session')).json();
  const { AppInstanceUser } = await account.identity().send(new DescribeAppInstanceUserCommand({ AppInstanceUserArn }));
  assert.equal(AppInstanceUser?.Name, 'Countess');
});

test('Synchronization: a person with a new address keeps the user, and signs in with it', async () => {
  const idOf = async (name: string) => {
    const { Users = [] } = await chime.send(new ListUsersCommand({ AccountId, UserEmail: `${name}@${DOMAIN}` }));
    return Users[0]?.UserId;
  };
  const userId = await idOf('eve');
  assert.ok(userId !== undefined);
  await directory.change((client) => replaceAttribute(client, 'uid=eve', 'mail', `Evelyn@${DOMAIN}`));
  await untilUser('evelyn' as Name, 'Registered Pro Name of eve');
  assert.deepEqual([await idOf('evelyn'), await idOf('eve')], [userId, undefined]);
  assert.deepEqual(await sessionsOf('eve'), [false, false]);
  // The tests that follow know the person by the earlier address.
  await directory.change((client) => replaceAttribute(client, 'uid=eve', 'mail', `eve@${DOMAIN}`));
  await untilUser('eve', 'Registered Pro Name of eve');
  assert.equal(await idOf('eve'), userId);
  const [here, there] = [browser(first.endpoint), browser(second.endpoint)];
  assert.equal((await signIn(here, 'eve')).status, 303);
  there.cookie = here.cookie;
  browsers.set('eve', [here, there]);
});

test('Synchronization: people who are disabled, deleted or in no licensed group lose sessions and credentials', async () => {
  const [here] = browsers.get('bob') ?? [];
  const page = await (here as Browser).post('/chime/session');
  assert.equal(page.status, 200, page.text);
  const { accessKeyId = '', secretAccessKey = '', sessionToken = '' } = page.json();
  const keys: Keys = { accessKeyId, secretAccessKey, sessionToken };
  for (const server of [first, second])
    assert.match((await accountOn(server).sts(keys).send(new GetCallerIdentityCommand({}))).Arn ?? '', /AmazonChimePeople/);
  await directory.change(async (client) => {
    await replaceAttribute(client, 'uid=bob', 'userAccountControl', '514');
    await client.del(`uid=cat,${BASE}`);
    await replaceAttribute(client, 'cn=Staff', 'member', `uid=bob,${BASE}`, `uid=cat,${BASE}`, `uid=fay,${BASE}`, `cn=Team,${BASE}`);
  });
  for (const name of ['bob', 'cat', 'dan'] as const) {
    await untilUser(name, `Suspended Basic Name of ${name}`);
    assert.deepEqual(await sessionsOf(name), [false, false], name);
  }
  // The synchronization withdraws the credentials in the background. A server that has not applied the change yet still accepts them.
  for (const server of [first, second]) {
    let outcome = '';
    await until(
      async () => (outcome = await outcomeOf(accountOn(server).sts(keys).send(new GetCallerIdentityCommand({})))) !== 'allowed',
      () => 'the credentials are valid',
    );
    assert.equal(outcome, 'InvalidClientTokenId');
  }
  for (const name of ['ada', 'eve', 'fay'] as const) assert.deepEqual(await sessionsOf(name), [true, true], name);
  const records = await account.records('SynchronizeDirectory');
  const details = records.map((record) => record['serviceEventDetails'] as Readonly<Record<string, unknown>>);
  assert.ok(details.some(({ suspendedUserIds }) => Array.isArray(suspendedUserIds) && suspendedUserIds.length > 0));
  assert.ok(!JSON.stringify(records).includes('@'));
  // A person who is back can sign in again.
  await directory.change((client) => replaceAttribute(client, 'uid=bob', 'userAccountControl'));
  assert.equal((await signIn(browser(second.endpoint), 'bob')).status, 303);
  await untilUser('bob', 'Registered Basic Name of bob');
});

test('Directory sign-in: a new entry with the address of a suspended user gets the user only after the earlier entry is deleted', async () => {
  const idOf = async () => {
    const { Users = [] } = await chime.send(new ListUsersCommand({ AccountId, UserEmail: `dan@${DOMAIN}` }));
    return Users[0]?.UserId;
  };
  const userId = await idOf();
  assert.ok(userId !== undefined);
  await directory.change(async (client) => {
    await replaceAttribute(client, 'uid=dan', 'userAccountControl', '514');
    await replaceAttribute(client, 'uid=dan', 'mail');
    await client.add(`uid=daniel,${BASE}`, {
      ...{ objectClass: ['inetOrgPerson', 'directoryPerson'], uid: 'daniel', cn: 'daniel', sn: 'daniel', userPassword: GOOD },
      mail: `dan@${DOMAIN}`,
    });
    await replaceAttribute(client, 'cn=Lead', 'member', `uid=daniel,${BASE}`, `cn=Team,${BASE}`);
  });
  const at = browser(first.endpoint);
  assert.equal((await signIn(at, 'dan')).status, 403);
  assert.deepEqual([await isSignedIn(at), (await users())['dan']], [false, 'Suspended Basic Name of dan']);
  const messages = (await account.records('SignInUser')).map((record) => JSON.stringify(record['serviceEventDetails']));
  assert.ok(messages.some((message) => message.includes('another entry of the directory')));
  await directory.change((client) => client.del(`uid=dan,${BASE}`));
  assert.equal((await signIn(at, 'dan')).status, 303);
  assert.deepEqual([await isSignedIn(at), await idOf(), (await users())['dan']], [true, userId, 'Registered Pro dan']);
});

/** Waits until two more turns have ended. */
async function untilRead(): Promise<void> {
  const ends = new Set<string>();
  await until(
    async () => {
      const { rows } = await database.query('SELECT due_at_ms FROM chime_directory_sync WHERE turn_id IS NULL');
      for (const { due_at_ms: dueAt } of rows) ends.add(String(dueAt));
      return ends.size > 2;
    },
    () => 'the server does not read the directory again',
  );
}

test('Synchronization: a directory that cannot be read, or shows no people or no groups, changes nothing', async () => {
  const reader = 'cn=reader';
  /** Changes the directory while the server cannot bind, so that no turn sees a part of the change. */
  async function whileRefused(change: (client: Client) => Promise<void>): Promise<void> {
    await directory.change((client) => replaceAttribute(client, reader, 'userPassword', 'another-password'));
    await untilProblem(/refused BindDn/);
    await directory.change(change);
    await untilRead();
    for (const name of ['ada', 'eve', 'fay'] as const) assert.deepEqual(await sessionsOf(name), [true, true], name);
    await directory.change((client) => replaceAttribute(client, reader, 'userPassword', READER.password));
  }
  await whileRefused(async (client) => {
    await replaceAttribute(client, 'uid=fay', 'userAccountControl', '514');
    await replaceAttribute(client, reader, 'description', 'no people');
  });
  await untilProblem(/no people with an address/);
  await whileRefused((client) => replaceAttribute(client, reader, 'description', 'no groups'));
  await untilProblem(/no groups with members/);
  await whileRefused((client) => replaceAttribute(client, reader, 'description'));
  await untilUser('fay', 'Suspended Basic Name of fay');
  await untilProblem(undefined);
  assert.deepEqual(
    [await sessionsOf('fay'), await sessionsOf('ada')],
    [
      [false, false],
      [true, true],
    ],
  );
  const problems = (await account.records('SynchronizeDirectory')).filter(
    (record) => (record['serviceEventDetails'] as Readonly<Record<string, unknown>>)['outcome'] === 'Failure',
  );
  assert.equal(problems.length, 5, 'a problem is recorded once, and not at each attempt');
});

test('Synchronization: a group without a license ends the sessions of its members', async () => {
  const { Groups: groups } = await done('ListGroups', { AccountId });
  const lead = (groups as readonly { GroupId: string; GroupName: string }[]).find(({ GroupName }) => GroupName === 'Staff');
  await done('DeleteGroups', { AccountId, GroupIds: [lead?.GroupId] });
  await untilUser('bob', 'Suspended Basic Name of bob');
  assert.deepEqual(await sessionsOf('ada'), [false, false], 'Staff admitted the session');
  assert.equal((await signIn(browser(first.endpoint), 'ada')).status, 303, 'Lead admits a new one');
});
