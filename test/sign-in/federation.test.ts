/** Federation endpoint: exchanges credentials for a token, the token for a cookie, and the cookie for credentials. Requirement FED-3. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { DeleteRoleCommand, DeleteRolePolicyCommand, ListUsersCommand, PutRolePolicyCommand, UpdateRoleCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, GetFederationTokenCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { accountOn, startAccount } from '../kit/account.ts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { allow, policy, trust } from '../kit/policy.ts';
import { startTestServer } from '../kit/server.ts';
import { readUnproven } from '../kit/trail.ts';
import { type Browser, browser, query } from './browser.ts';

const account = await startAccount();
const { accountId, rootArn: root, server } = account;
const other = await startTestServer();
const broker = await account.user('broker', allow('*'));
const desk = await account.role('desk', trust(root), allow(['iam:ListUsers', 'chime:CreateMeeting', 'sts:AssumeRole']));
const chained = await account.role('chained', trust(root), allow('iam:ListUsers'));

const sessionOf = ({ accessKeyId, secretAccessKey, sessionToken }: Keys) =>
  JSON.stringify({ sessionId: accessKeyId, sessionKey: secretAccessKey, sessionToken });

async function ask(keys: Keys, more: Readonly<Record<string, string>> = {}, at: Browser = browser(server.endpoint)) {
  return await at.get(`/federation${query({ Action: 'getSigninToken', Session: sessionOf(keys), ...more })}`);
}
async function tokenOf(keys: Keys, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const page = await ask(keys, more);
  assert.equal(page.status, 200, page.text);
  return page.json()['SigninToken'] as string;
}
async function login(at: Browser, SigninToken: string, Destination = '/console/?a=b') {
  return await at.get(`/federation${query({ Action: 'login', Issuer: 'https://broker.example', Destination, SigninToken })}`);
}
async function signedIn(keys: Keys, more: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const at = browser(server.endpoint);
  assert.equal((await login(at, await tokenOf(keys, more))).status, 302);
  return at;
}
async function credentialsOf(at: Browser): Promise<Keys & { readonly expiration: Date }> {
  const page = await at.post('/_belfry/sign-in/credentials');
  assert.equal(page.status, 200, page.text);
  const { expiration, ...keys } = page.json();
  return { ...(keys as unknown as Keys), expiration: new Date(expiration as string) };
}

const DESK_SESSION = `arn:aws:sts::${accountId}:assumed-role/desk/me`;

test("Federation: a role's credentials sign in, and the returned credentials can call IAM and Chime", async () => {
  const at = browser(server.endpoint);
  const page = await login(at, await tokenOf(await account.assume(broker, desk)));
  assert.deepEqual([page.status, page.headers.location], [302, '/console/?a=b']);
  assert.match(String(page.headers['set-cookie']), /^belfry-sign-in=[\w-]+; Path=\/; Max-Age=3[56]\d\d; HttpOnly; SameSite=Lax$/);
  assert.equal(page.headers['cache-control'], 'no-store');

  const who = (await at.get('/_belfry/sign-in')).json();
  assert.deepEqual([who['principalArn'], who['accountId']], [DESK_SESSION, accountId]);
  const keys = await credentialsOf(at);
  assert.equal(keys.expiration.getTime(), Date.parse(who['expiration'] as string));
  assert.equal((await account.sts(keys).send(new GetCallerIdentityCommand({}))).Arn, DESK_SESSION);
  await account.iam(keys).send(new ListUsersCommand({}));
  const { Meeting } = await account
    .meetings(keys)
    .send(new CreateMeetingCommand({ ClientRequestToken: 'ring', ExternalMeetingId: 'desk', MediaRegion: 'us-east-1' }));
  assert.ok(Meeting?.MeetingId);
});

test('Federation: records of GetSigninToken, ConsoleLogin and later calls name the role session', async () => {
  const keys = await credentialsOf(await signedIn(await account.assume(broker, desk)));
  await account.iam(keys).send(new ListUsersCommand({}));
  const [token] = await account.records('GetSigninToken');
  const [login] = await account.records('ConsoleLogin');
  for (const event of [token, login]) {
    assert.deepEqual([event?.['eventType'], event?.['eventSource']], ['AwsConsoleSignIn', 'signin.amazonaws.com']);
    assert.equal(event?.['userIdentity']?.['arn'], DESK_SESSION);
    assert.equal(JSON.stringify(event).includes(keys.secretAccessKey), false);
    assert.equal(JSON.stringify(event).includes(keys.sessionToken as string), false);
  }
  assert.deepEqual(token?.['responseElements'], { credentials: { accessKeyId: keys.accessKeyId }, GetSigninToken: 'Success' });
  const issuing = await account.records(keys.accessKeyId, 'ResourceName');
  assert.deepEqual(
    issuing.map(({ eventName }) => eventName),
    ['GetSigninToken'],
  );
  assert.deepEqual(login?.['responseElements'], { ConsoleLogin: 'Success' });
  assert.deepEqual(login?.['additionalEventData'], { LoginTo: '/console/?a=b', MobileVersion: 'No', MFAUsed: 'No' });
  const [call] = await account.records('ListUsers');
  assert.equal(call?.['sessionCredentialFromConsole'], 'true');
});

test('Federation: credentials of GetFederationToken sign in, and their policies apply to IAM', async () => {
  const answer = await account
    .sts(broker)
    .send(new GetFederationTokenCommand({ Name: 'bob', DurationSeconds: 900, Policy: policy(allow('iam:ListUsers')) }));
  const keys = await credentialsOf(await signedIn(keysOf(answer.Credentials)));
  assert.equal(keys.expiration.getTime(), answer.Credentials?.Expiration?.getTime());
  await account.iam(keys).send(new ListUsersCommand({}));
  await assert.rejects(account.iam(keys).send(new DeleteRoleCommand({ RoleName: 'desk' })), { name: 'AccessDenied' });
});

test('SessionDuration: a sign-in may last longer than its credentials, up to the maximum of the role', async () => {
  const refused = await ask(await account.assume(broker, desk, { DurationSeconds: 900 }), { SessionDuration: '3601' });
  assert.deepEqual([refused.status, /MaxSessionDuration/.test(refused.text)], [400, true]);
  await account.admin.send(new UpdateRoleCommand({ RoleName: 'desk', MaxSessionDuration: 43_200 }));
  const began = Date.now();
  const { expiration } = await credentialsOf(
    await signedIn(await account.assume(broker, desk, { DurationSeconds: 900 }), { SessionDuration: '43200' }),
  );
  const seconds = (expiration.getTime() - began) / 1000;
  assert.ok(seconds > 43_190 && seconds < 43_260, String(seconds));
});

const deskKeys = await account.assume(broker, desk);
const sessionKeys = keysOf((await account.sts(broker).send(new GetSessionTokenCommand({}))).Credentials);
const federatedKeys = keysOf((await account.sts(broker).send(new GetFederationTokenCommand({ Name: 'bob' }))).Credentials);
const chainedKeys = await account.assume(deskKeys, chained);
const consoleKeys = await credentialsOf(await signedIn(deskKeys));
const swapped = (text = '') => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`);

// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, keys: Keys, more: Readonly<Record<string, string>>, message: RegExp])[] = [
  ['credentials of GetSessionToken (FED-3)',     sessionKeys,                                                          {},                           /GetSessionToken/],
  ['a long-term key',                            { ...broker, sessionToken: 'x' },                                     {},                           /not valid/],
  ['a wrong secret',                             { ...deskKeys, secretAccessKey: swapped(deskKeys.secretAccessKey) },  {},                           /not valid/],
  ['an altered session token',                   { ...deskKeys, sessionToken: swapped(deskKeys.sessionToken) },        {},                           /not valid/],
  ["another session's key ID",                   { ...deskKeys, accessKeyId: chainedKeys.accessKeyId },                {},                           /not valid/],
  ['credentials of a console sign-in',           consoleKeys,                                                          {},                           /cannot sign in to the console again/],
  ['a SessionDuration under 900',                deskKeys,                                                             { SessionDuration: '899' },   /900 to 43200/],
  ['a SessionDuration over 43200',               deskKeys,                                                             { SessionDuration: '43201' }, /900 to 43200/],
  ['a SessionDuration that is not a number',     deskKeys,                                                             { SessionDuration: '1e4' },   /900 to 43200/],
  ['a SessionDuration for a federated user',     federatedKeys,                                                        { SessionDuration: '3600' },  /GetFederationToken/],
  ['a SessionDuration for a chained role',       chainedKeys,                                                          { SessionDuration: '3600' },  /chained/],
  ['a Session that is not JSON',                 deskKeys,                                                             { Session: '{' },             /must be a JSON object/],
  ['a Session that is null',                     deskKeys,                                                             { Session: 'null' },          /must be a JSON object/],
];

for (const [title, keys, more, message] of REFUSED) {
  test(`getSigninToken: ${title} is an error`, async () => {
    const page = await ask(keys, more);
    assert.equal(page.status, 400);
    assert.match(page.json()['message'] as string, message);
    assert.equal(page.headers['set-cookie'], undefined);
  });
}

test('getSigninToken: failures are recorded, with the caller if it is authenticated', async () => {
  await ask(sessionKeys);
  const [event] = await account.records('GetSigninToken');
  assert.deepEqual(event?.['responseElements'], { GetSigninToken: 'Failure' });
  assert.equal(event?.['userIdentity']?.['userName'], 'broker');
});

test("getSigninToken: another server's credentials, token and cookie are invalid", async () => {
  const there = accountOn(other);
  const user = await there.user('broker', allow('*'));
  const role = await there.role('desk', trust(`arn:aws:iam::${there.accountId}:root`), allow('iam:ListUsers'));
  const keys = await there.assume(user, role);
  assert.equal((await ask(keys)).status, 400);
  const at = browser(other.endpoint);
  const token = (await ask(keys, {}, at)).json()['SigninToken'] as string;
  assert.equal((await login(at, token)).status, 302);
  const here = browser(server.endpoint);
  assert.equal((await login(here, token)).status, 403);
  here.cookie = at.cookie;
  assert.equal((await here.get('/_belfry/sign-in')).status, 401);
  assert.equal((await here.post('/_belfry/sign-in/credentials')).status, 401);
});

test('login: an altered token, a cookie as a token and a token as a cookie are rejected', async () => {
  const token = await tokenOf(deskKeys);
  const at = await signedIn(deskKeys);
  const cookie = (at.cookie as string).split('=')[1] as string;
  const stranger = browser(server.endpoint);
  for (const wrong of [swapped(token), token.slice(0, -4), cookie, '', '%00']) {
    const page = await login(stranger, wrong);
    assert.deepEqual([page.status, page.headers['set-cookie']], [403, undefined]);
  }
  for (const wrong of [token, swapped(cookie), `${cookie}A`, '']) {
    stranger.cookie = `belfry-sign-in=${wrong}`;
    assert.equal((await stranger.get('/_belfry/sign-in')).status, 401);
  }
  // The record has no account, because an invalid token identifies none.
  const [event] = await readUnproven(server.dataFolder);
  assert.deepEqual([event?.['eventName'], event?.['responseElements']], ['ConsoleLogin', { ConsoleLogin: 'Failure' }]);
});

for (const destination of [
  'https://evil.example/',
  '//evil.example',
  '/\\evil.example',
  'evil',
  'javascript:alert(1)',
  '/a\r\nset-cookie: x=y',
  '/\t/evil.example',
  '',
]) {
  test(`login: ${JSON.stringify(destination)} is not a valid destination`, async () => {
    const page = await login(browser(server.endpoint), await tokenOf(deskKeys), destination);
    assert.deepEqual([page.status, page.headers.location, page.headers['set-cookie']], [400, undefined, undefined]);
  });
}

// biome-ignore format: a table
const ORIGINS: readonly (readonly [title: string, headers: Readonly<Record<string, string | undefined>>, status: number])[] = [
  ['from the server itself',               { origin: server.endpoint },                                      200],
  ['with Sec-Fetch-Site same-origin',      { origin: undefined, 'sec-fetch-site': 'same-origin' },           200],
  ['from another site',                    { origin: 'https://evil.example' },                               403],
  ['from another port of the same host',   { origin: 'http://127.0.0.1:1' },                                 403],
  ['from a sandboxed frame',               { origin: 'null' },                                               403],
  ['with Sec-Fetch-Site same-site',        { 'sec-fetch-site': 'same-site' },                                403],
  ['with Sec-Fetch-Site cross-site',       { origin: undefined, 'sec-fetch-site': 'cross-site' },            403],
  ['with Sec-Fetch-Site none',             { origin: undefined, 'sec-fetch-site': 'none' },                  403],
  ['without an origin', { origin: undefined },                                           403],
];

for (const [title, headers, status] of ORIGINS) {
  test(`Sign-in credentials: a POST ${title} is ${status}`, async () => {
    const at = await signedIn(deskKeys);
    assert.equal((await at.post('/_belfry/sign-in/credentials', '', headers)).status, status);
  });
}

test('Federation: a sign-in ends when its role is deleted and when the browser signs out', async () => {
  const gone = await account.role('gone', trust(root), allow('iam:ListUsers'));
  const at = await signedIn(await account.assume(broker, gone));
  await account.admin.send(new DeleteRolePolicyCommand({ RoleName: 'gone', PolicyName: 'p' }));
  await account.admin.send(new DeleteRoleCommand({ RoleName: 'gone' }));
  assert.equal((await at.get('/_belfry/sign-in')).status, 401);
  assert.equal((await at.post('/_belfry/sign-in/credentials')).status, 401);

  const out = await signedIn(deskKeys);
  assert.equal((await out.send('DELETE', '/_belfry/sign-in', { origin: 'https://evil.example' })).status, 403);
  assert.equal((await out.send('DELETE', '/_belfry/sign-in', { origin: server.endpoint })).status, 200);
  assert.equal(out.cookie, undefined);
});

test('Federation: revoking older sessions of a role revokes their sign-ins', async () => {
  const revoked = await account.role('revoked', trust(root), allow('iam:ListUsers'));
  const keys = await credentialsOf(await signedIn(await account.assume(broker, revoked), { SessionDuration: '3600' }));
  await account.iam(keys).send(new ListUsersCommand({}));
  const later = new Date(Date.now() + 1000).toISOString();
  const PolicyDocument = policy({
    Effect: 'Deny',
    Action: '*',
    Resource: '*',
    Condition: { DateLessThan: { 'aws:TokenIssueTime': later } },
  });
  await account.admin.send(new PutRolePolicyCommand({ RoleName: 'revoked', PolicyName: 'AWSRevokeOlderSessions', PolicyDocument }));
  await assert.rejects(account.iam(keys).send(new ListUsersCommand({})), { name: 'AccessDenied' });
});

test('Cookies: over TLS the cookie has the prefix __Host-, and a cookie without the prefix is ignored', async () => {
  const at = browser(server.httpsEndpoint, server.caFile);
  const page = await login(at, await tokenOf(deskKeys));
  assert.match(String(page.headers['set-cookie']), /^__Host-belfry-sign-in=[\w-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/);
  assert.equal((await at.get('/_belfry/sign-in')).status, 200);
  at.cookie = at.cookie?.replace('__Host-', '');
  assert.equal((await at.get('/_belfry/sign-in')).status, 401);
});

// biome-ignore format: a table
const UNREADABLE: readonly (readonly [method: string, path: string, status: number])[] = [
  ['GET',    '/federation',                                   400],
  ['GET',    '/federation?Action=getSigninToken&Action=login', 400],
  ['GET',    '/federation?Action=getSigninToken',             400],
  ['PUT',    '/federation?Action=login',                      405],
  ['GET',    '/saml',                                         405],
  ['POST',   '/saml',                                         400],
  ['GET',    '/_belfry/sign-in',                              401],
  ['POST',   '/_belfry/sign-in',                              403],
  ['GET',    '/_belfry/sign-in/credentials',                  405],
];

for (const [method, path, status] of UNREADABLE) {
  test(`Sign-in: ${method} ${path} without further input is ${status}`, async () => {
    assert.equal((await browser(server.endpoint).send(method, path)).status, status);
  });
}
