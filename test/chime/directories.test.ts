/** People that sign in with the password of a real LDAP directory: OpenLDAP. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { CreateAccountCommand, GetAccountCommand, ListUsersCommand } from '@aws-sdk/client-chime';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { startAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import { type Browser, browser } from '../sign-in/browser.ts';
import { verifyDomain } from './register.ts';
import { BASE, groupEntry, personEntry, READER, startDirectory } from './slapd.ts';

const GOOD = 'Correct-Horse-7';
const DOMAIN = 'people.example.com';
const person = (uid: string, ...more: readonly string[]) =>
  personEntry(uid, GOOD, [`mail: ${uid}@${DOMAIN}`, `displayName: Name of ${uid}`, ...more]);
const directory = await startDirectory(
  [
    person('ada', 'proxyAddresses: SMTP:Countess@people.example.com', 'proxyAddresses: smtp:ada@unclaimed.example'),
    person('bob'),
    person('disabled', 'userAccountControl: 514'),
    person('locked', 'pwdAccountLockedTime: 000001010000Z'),
    person('guest'),
    personEntry('twin1', GOOD, [`mail: twin@${DOMAIN}`]),
    personEntry('twin2', GOOD, [`mail: twin@${DOMAIN}`]),
    personEntry('foreign', GOOD, ['mail: foreign@other.example', `proxyAddresses: smtp:foreign@${DOMAIN}`]),
    groupEntry('Staff', 'ada', 'bob', 'disabled', 'locked', 'twin1', 'twin2', 'foreign'),
    groupEntry('Lead', 'ada'),
    groupEntry('Other', 'guest'),
  ].join(''),
);
const account = await startAccount({
  BELFRY_INTERNAL_DIRECTORIES: `localhost:${directory.port},[::1]:${directory.port}`,
  BELFRY_SIGN_IN_FAILURES: '100',
});
const { server } = account;
const chime = account.chime();
const model = loadModel('chime');
const call = async (name: string, input: object) => {
  const to = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials };
  return await callChime(to, model.operations[name] as OperationModel, input);
};
async function done(name: string, input: object): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await call(name, input);
  assert.equal(status, 200, `${name} ${JSON.stringify(body)}`);
  return body as Readonly<Record<string, unknown>>;
}
const SETTINGS = {
  ...{ Name: 'Office', Url: `ldaps://localhost:${directory.port}`, BaseDn: BASE, BindDn: READER.dn, BindPassword: READER.password },
  CaCertificates: directory.ca,
};

async function newAccount(domain: string): Promise<string> {
  const AccountId = (await chime.send(new CreateAccountCommand({ Name: domain }))).Account?.AccountId as string;
  await done('AddDomain', { AccountId, DomainName: domain });
  verifyDomain(server, AccountId, domain);
  const database = new DatabaseSync(join(server.dataFolder, 'belfry.db'), { timeout: 10_000 });
  database.prepare('UPDATE chime_domain SET is_verified = 1, due_at_ms = NULL WHERE domain = ?').run(domain);
  database.close();
  return AccountId;
}
const typeOf = async (AccountId: string) => (await chime.send(new GetAccountCommand({ AccountId }))).Account?.AccountType;
const signIn = (at: Browser, email: string, password = GOOD) =>
  at.post('/chime/sign-in', new URLSearchParams({ email, password }).toString());
const isSignedIn = async (at: Browser): Promise<boolean> => (await at.get('/chime')).text.includes('Sign out');
async function userOf(AccountId: string, name: string): Promise<string | undefined> {
  const { Users = [] } = await chime.send(new ListUsersCommand({ AccountId, UserEmail: `${name}@${DOMAIN}` }));
  return Users[0] && `${Users[0].UserRegistrationStatus} ${Users[0].LicenseType} ${Users[0].DisplayName}`;
}

let AccountId = '';
let DirectoryId = '';

test('AuthorizeDirectory: a directory that cannot be read is refused with the reason, and is not stored', async () => {
  const { CaCertificates, ...withoutCa } = SETTINGS;
  for (const [title, input, message] of [
    ['an untrusted certificate', withoutCa, /cannot be reached with TLS/],
    ['another host', { ...SETTINGS, Url: `ldaps://127.0.0.1:${directory.port}` }, /internal address/],
    ['IPv6 with the default port', { ...SETTINGS, Url: 'ldaps://[::1]:636' }, /internal address/],
    ['IPv6 that embeds an internal address', { ...SETTINGS, Url: 'ldaps://[::ffff:127.0.0.1]' }, /internal address/],
    ['a closed port', { ...SETTINGS, Url: 'ldaps://localhost:1' }, /internal address/],
    ['a wrong password', { ...SETTINGS, BindPassword: 'wrong' }, /refused BindDn/],
    ['a wrong base', { ...SETTINGS, BaseDn: 'dc=example,dc=org' }, /no entry BaseDn/],
    ['no certificate', { ...SETTINGS, CaCertificates: 'x' }, /The certificates are invalid/],
  ] as const) {
    const { code, body } = await call('AuthorizeDirectory', input);
    assert.equal(code, 'BadRequestException', title);
    assert.match(JSON.stringify(body), message, title);
  }
  assert.deepEqual((await done('ListDirectories', {}))['Directories'], []);
  assert.equal((await call('AuthorizeDirectory', { ...SETTINGS, Url: 'ldap://localhost' })).code, 'ValidationException');
});

test('AuthorizeDirectory: a directory can have an IPv6 address', async () => {
  const { Directory } = await done('AuthorizeDirectory', { ...SETTINGS, Url: `ldaps://[::1]:${directory.port}` });
  await done('UnauthorizeDirectory', { DirectoryId: (Directory as { readonly DirectoryId: string }).DirectoryId });
});

test('The commands of the guide connect an OpenID provider, SCIM and a directory', async () => {
  const guide = readFileSync('docs/guide.md', 'utf8');
  const chapter = /^## Connect a directory or an identity provider$([\s\S]*?)^## /m.exec(guide)?.[1] ?? '';
  const commands = [...chapter.matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map(([, , text = '']) => text);
  const chimeCommands = commands
    .flatMap((text) => text.replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.trim())
    .filter((line) => line.startsWith('npx belfry chime '));
  assert.equal(chimeCommands.length, 11);
  const folder = newFolder('guide');
  for (const [file, text] of [
    ['client-secret', 'secret-of-the-client\n'],
    ['bind-password', `${READER.password}\n`],
    ['ca.pem', directory.ca],
  ] as const)
    writeFileSync(join(folder, file), text);
  const script = chimeCommands
    .join('\n')
    .replaceAll('npx belfry', `"${process.execPath}" "${resolve('bin/belfry.mjs')}"`)
    .replace('ldaps://dc.corp.example', `ldaps://localhost:${directory.port}`)
    .replace('dc=corp,dc=example ', `${BASE} `)
    .replace('cn=reader,dc=corp,dc=example', READER.dn)
    .replace(/^(.*authorize-directory.*?)( #.*)?$/m, '$1 > directory\nDIRECTORY=$(grep -o "d-[0-9a-f]*" directory)');
  const { accessKeyId, secretAccessKey } = server.credentials;
  const guided = await newAccount('guide.example.com');
  const env = {
    ...{ PATH: process.env['PATH'], HOME: folder, ACCOUNT: guided, AWS_ENDPOINT_URL: server.endpoint, AWS_REGION: 'us-east-1' },
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  };
  const { stdout } = await promisify(execFile)('sh', ['-euc', script], { cwd: folder, env, timeout: 120_000 });
  for (const text of [/"RedirectUri": "http/, /"ApiKeyValue": "/, /"GroupName": "Managers"/, /"DirectoryStatus": "Connected"/])
    assert.match(stdout, text);
  assert.ok(!stdout.includes(READER.password) && !stdout.includes('secret-of-the-client'));
  assert.equal(await typeOf(guided), 'EnterpriseDirectory');
  const [{ DirectoryId: connected } = { DirectoryId: '' }] = (await done('ListDirectories', {}))['Directories'] as {
    DirectoryId: string;
  }[];
  await done('DisconnectDirectory', { AccountId: guided, DirectoryId: connected });
  await done('UnauthorizeDirectory', { DirectoryId: connected });
});

test('ConnectDirectory: the account gets the directory, and types, other accounts and providers are checked', async () => {
  const { Directory } = await done('AuthorizeDirectory', SETTINGS);
  DirectoryId = (Directory as { readonly DirectoryId: string }).DirectoryId;
  assert.match(DirectoryId, /^d-[0-9a-f]{10}$/);
  const records = JSON.stringify(await account.records('AuthorizeDirectory'));
  assert.ok(!records.includes(READER.password));
  const team = (await chime.send(new CreateAccountCommand({ Name: 'Team' }))).Account?.AccountId;
  assert.equal((await call('ConnectDirectory', { AccountId: team, DirectoryId })).code, 'BadRequestException');
  AccountId = await newAccount(DOMAIN);
  assert.equal((await call('ConnectDirectory', { AccountId, DirectoryId: 'd-0000000000' })).code, 'NotFoundException');
  await done('ConnectDirectory', { AccountId, DirectoryId });
  await done('ConnectDirectory', { AccountId, DirectoryId });
  assert.equal(await typeOf(AccountId), 'EnterpriseDirectory');
  const other = await newAccount('other.example.com');
  assert.equal((await call('ConnectDirectory', { AccountId: other, DirectoryId })).code, 'ConflictException');
  assert.equal((await call('DisconnectDirectory', { AccountId: other, DirectoryId })).code, 'NotFoundException');
  assert.equal((await call('UnauthorizeDirectory', { DirectoryId })).code, 'ConflictException');
  const openId = { AccountId, Issuer: 'https://idp.example.com', ClientId: 'c' };
  assert.equal((await call('UpdateAccountOpenIdConfig', openId)).code, 'ConflictException');
  const [listed] = (await done('ListDirectories', {}))['Directories'] as readonly Readonly<Record<string, unknown>>[];
  assert.deepEqual([listed?.['DirectoryStatus'], listed?.['AccountId'], 'BindPassword' in (listed ?? {})], ['Connected', AccountId, false]);
  const Groups = [
    { GroupName: 'Staff', License: 'Basic' },
    { GroupName: 'Lead', License: 'Pro' },
  ];
  await done('AddOrUpdateGroups', { AccountId, Groups });
});

test('Directory sign-in: the password of the directory registers a person with the license of the groups', async () => {
  const [at, other] = [browser(server.endpoint), browser(server.endpoint)];
  const page = await signIn(at, `Ada@${DOMAIN}`);
  assert.deepEqual([page.status, page.headers.location], [303, '/chime'], page.text);
  const [, seconds] = /Max-Age=(\d+)/.exec(String(page.headers['set-cookie'])) ?? [];
  assert.ok(Number(seconds) <= 3_600, 'the session lasts an hour');
  assert.deepEqual([await isSignedIn(at), await userOf(AccountId, 'ada')], [true, 'Registered Pro Name of ada']);
  assert.equal((await signIn(other, `bob@${DOMAIN}`)).status, 303);
  assert.equal(await userOf(AccountId, 'bob'), 'Registered Basic Name of bob');
  assert.equal((await signIn(other, `countess@${DOMAIN}`)).status, 303, 'a proxy address');
  assert.ok((await other.get('/chime')).text.includes(`ada@${DOMAIN}`));
});

test('Directory sign-in: wrong passwords and unknown, disabled, locked and ambiguous people are refused alike', async () => {
  const pages = new Set<string>();
  for (const [email, password] of [
    ['ada', 'wrong'],
    ['unknown', GOOD],
    ['disabled', GOOD],
    ['locked', GOOD],
    ['twin', GOOD],
    // Texts that would change the meaning of a filter or of a distinguished name.
    ['*', GOOD],
    ['a*', GOOD],
    ['ada)(uid=*', GOOD],
    ['*)(objectClass=*', GOOD],
    ['x)(|(mail=*', GOOD],
    ['\\2a', GOOD],
    ['ada,dc=example', GOOD],
    // Texts that a directory compares as an address of its own, so that each of them would have another count of attempts.
    [' ada', GOOD],
    ['count\u00adess', GOOD],
  ] as const) {
    const at = browser(server.endpoint);
    const page = await signIn(at, `${email}@${DOMAIN}`, password);
    assert.equal(page.status, 401, email);
    assert.equal(at.cookie, undefined, email);
    pages.add(page.text.replaceAll(/value="[^"]+"/g, ''));
  }
  assert.equal(pages.size, 1);
  assert.equal((await signIn(browser(server.endpoint), `ada@${DOMAIN}`, '')).status, 400, 'an empty password');
  const at = browser(server.endpoint);
  assert.equal((await signIn(at, `guest@${DOMAIN}`)).status, 403, 'in no licensed group');
  assert.equal((await signIn(at, `foreign@${DOMAIN}`)).status, 403, 'the primary address is in another domain');
  assert.equal(await userOf(AccountId, 'guest'), undefined);
  const details = (await account.records('SignInUser')).map((record) => record['serviceEventDetails'] as Readonly<Record<string, string>>);
  assert.ok(details.some(({ outcome, errorMessage }) => outcome === 'Failure' && errorMessage === 'Failed authentication'));
  assert.ok(!JSON.stringify(details).includes(GOOD));
});

test('Directory sign-in: after repeated wrong passwords, the person must wait', async () => {
  const statuses = new Set<number>();
  // The wait doubles with each failure, so a slow machine needs more of them.
  for (let i = 0; i < 15 && !statuses.has(429); i++)
    statuses.add((await signIn(browser(server.endpoint), `bob@${DOMAIN}`, `wrong ${i}`)).status);
  assert.deepEqual([...statuses], [401, 429]);
  // Failures of many unknown names delete the count of an unknown name, and not that of a user.
  const { Users = [] } = await chime.send(new ListUsersCommand({ AccountId, UserEmail: `bob@${DOMAIN}` }));
  const database = new DatabaseSync(join(server.dataFolder, 'belfry.db'), { timeout: 10_000, readOnly: true });
  assert.ok(database.prepare('SELECT failures FROM failed_attempt WHERE subject = ?').get(`person ${Users[0]?.UserId}`));
  database.close();
});

test('Directory sign-in: wrong passwords with all addresses of a person have one count', async () => {
  const statuses = new Set<number>();
  for (let i = 0; i < 15 && !statuses.has(429); i++)
    statuses.add((await signIn(browser(server.endpoint), `${i % 2 === 0 ? 'countess' : 'ada'}@${DOMAIN}`, `wrong ${i}`)).status);
  assert.deepEqual([...statuses], [401, 429]);
  const database = new DatabaseSync(join(server.dataFolder, 'belfry.db'), { timeout: 10_000 });
  const { Users = [] } = await chime.send(new ListUsersCommand({ AccountId, UserEmail: `ada@${DOMAIN}` }));
  // The wait is long from now on, so that the next attempt is refused however long it takes.
  const waiting = database.prepare('UPDATE failed_attempt SET failures = 1000, failed_at_ms = ? WHERE subject = ?');
  assert.equal(waiting.run(Date.now(), `person ${Users[0]?.UserId}`).changes, 1);
  for (const name of ['countess', 'ada']) assert.equal((await signIn(browser(server.endpoint), `${name}@${DOMAIN}`)).status, 429, name);
  database.prepare('DELETE FROM failed_attempt WHERE subject = ?').run(`person ${Users[0]?.UserId}`);
  database.close();
  assert.equal((await signIn(browser(server.endpoint), `countess@${DOMAIN}`)).status, 303);
});

test('Directory sign-in: an unreachable directory is 502, and DisconnectDirectory ends the sessions', async () => {
  const at = browser(server.endpoint);
  assert.equal((await signIn(at, `ada@${DOMAIN}`)).status, 303);
  await directory.stop();
  const page = await signIn(browser(server.endpoint), `ada@${DOMAIN}`);
  assert.deepEqual([page.status, page.text.includes('localhost')], [502, false]);
  assert.equal(await isSignedIn(at), true);
  await done('DisconnectDirectory', { AccountId, DirectoryId });
  assert.deepEqual([await isSignedIn(at), await typeOf(AccountId)], [false, 'EnterpriseLWA']);
  await done('UnauthorizeDirectory', { DirectoryId });
  assert.deepEqual((await done('ListDirectories', {}))['Directories'], []);
});
