/** Sign-in of IAM users: password, MFA code, limits and records. Requirements AUTHN-5, LOG-2. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import {
  ChangePasswordCommand,
  CreateAccountAliasCommand,
  CreateLoginProfileCommand,
  DeleteAccountPasswordPolicyCommand,
  DeleteLoginProfileCommand,
  GetUserCommand,
  ListUsersCommand,
  PutUserPolicyCommand,
  UpdateAccountPasswordPolicyCommand,
  UpdateLoginProfileCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { startAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { newMfaDevice } from '../kit/mfa.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow, deny, policy, trust } from '../kit/policy.ts';
import { type Browser, browser, type Page } from './browser.ts';
import { untilRefused } from './wrong-passwords.ts';

const account = await startAccount();
const { accountId, admin, server } = account;
const GOOD = 'Correct-Horse-7';
const WRONG = 'Wrong-Horse-7';
await admin.send(new CreateAccountAliasCommand({ AccountAlias: 'tower' }));

async function user(
  UserName: string,
  more: { readonly PasswordResetRequired?: boolean } = {},
  ...statements: Parameters<typeof account.user>[1][]
) {
  const keys = await account.user(UserName, ...(statements.length > 0 ? statements : [allow('*')]));
  await admin.send(new CreateLoginProfileCommand({ UserName, Password: GOOD, ...more }));
  return keys;
}
async function signIn(userName: string, password = GOOD, more: object = {}, at: Browser = browser(server.endpoint)): Promise<Page> {
  return await at.post('/_belfry/sign-in', { account: accountId, userName, password, ...more });
}
async function credentialsOf(at: Browser): Promise<Keys> {
  const page = await at.post('/_belfry/sign-in/credentials');
  assert.equal(page.status, 200, page.text);
  const { accessKeyId, secretAccessKey, sessionToken } = page.json() as unknown as Required<Keys>;
  return { accessKeyId, secretAccessKey, sessionToken };
}
async function signedIn(userName: string, password = GOOD, more: object = {}): Promise<Keys> {
  const at = browser(server.endpoint);
  assert.equal((await signIn(userName, password, more, at)).status, 200);
  return await credentialsOf(at);
}
const events = async (name = 'ConsoleLogin') => (await account.records(name)).map((event) => ({ event, text: JSON.stringify(event) }));
const lastEvent = async (name = 'ConsoleLogin') => (await account.records(name))[0] ?? assert.fail('no event');

test('Sign-in: with the right password, the credentials have the permissions of the user, including IAM', async () => {
  await user('ada');
  const at = browser(server.endpoint);
  const page = await signIn('ada', GOOD, {}, at);
  assert.equal(page.status, 200, page.text);
  const { expiration, ...rest } = page.json() as unknown as Record<string, unknown>;
  assert.deepEqual(rest, { principalArn: account.userArn('ada'), accountId, passwordChangeRequired: false });
  const hours = (Date.parse(expiration as string) - Date.now()) / 3_600_000;
  assert.ok(hours > 11.9 && hours <= 12, String(hours));
  const keys = await credentialsOf(at);
  assert.equal((await account.sts(keys).send(new GetCallerIdentityCommand({}))).Arn, account.userArn('ada'));
  await account.iam(keys).send(new ListUsersCommand({}));
  const { User } = await admin.send(new GetUserCommand({ UserName: 'ada' }));
  assert.ok(User?.PasswordLastUsed !== undefined);

  const event = await lastEvent();
  assert.deepEqual([event['eventType'], event['eventSource']], ['AwsConsoleSignIn', 'signin.amazonaws.com']);
  assert.equal(event['userIdentity']?.['userName'], 'ada');
  assert.deepEqual(event['responseElements'], { ConsoleLogin: 'Success' });
  assert.deepEqual(event['additionalEventData'], { LoginTo: '/', MobileVersion: 'No', MFAUsed: 'No' });
  assert.equal((await lastEvent('ListUsers'))['sessionCredentialFromConsole'], 'true');
});

test('Sign-in: the account alias and the user name in another case are accepted', async () => {
  await user('alia');
  assert.equal((await signIn('ALIA', GOOD, { account: 'tower' })).status, 200);
});

test('Sign-in: GetSessionToken and the federation endpoint reject the credentials of a sign-in', async () => {
  await user('grace');
  const keys = await signedIn('grace');
  await assert.rejects(account.sts(keys).send(new GetSessionTokenCommand({})), { name: 'AccessDenied' });
  const Session = JSON.stringify({ sessionId: keys.accessKeyId, sessionKey: keys.secretAccessKey, sessionToken: keys.sessionToken });
  const page = await browser(server.endpoint).post('/federation', `${new URLSearchParams({ Action: 'getSigninToken', Session })}`);
  assert.equal(page.status, 400);
});

test('Sign-in: every failure gets the same response, and the record has no secret', async () => {
  await user('bob');
  await account.user('keyonly', allow('*'));
  const answers = [
    await signIn('bob', WRONG),
    await signIn('Hunter2-my-password', WRONG),
    await signIn('keyonly', GOOD),
    await signIn('bob', GOOD, { account: '999999999999' }),
    await signIn('bob', GOOD, { account: 'no-such-alias' }),
  ];
  for (const { status, text, headers } of answers) {
    assert.equal(status, 401);
    assert.equal(text, answers[0]?.text);
    assert.equal(headers['set-cookie'], undefined);
  }
  const all = await events();
  for (const { text } of all) for (const secret of [GOOD, WRONG, 'Hunter2-my-password']) assert.equal(text.includes(secret), false);
  const failed = all.map(({ event }) => event).filter((event) => event['responseElements']?.['ConsoleLogin'] === 'Failure');
  const named = failed.map((event) => [event['userIdentity']?.['userName'], event['errorMessage']]);
  assert.ok(named.some(([name, why]) => name === 'bob' && String(why) === 'Failed authentication'));
  assert.ok(
    named.some(([name, why]) => name === 'HIDDEN_DUE_TO_SECURITY_REASONS' && String(why) === 'No username found in supplied account'),
  );
});

test('Sign-in: after several failures, the next attempt must wait', async () => {
  await user('carol');
  let wrong = 0;
  let page = await signIn('carol', WRONG);
  for (; page.status === 401 && wrong < 20; wrong++) page = await signIn('carol', WRONG);
  assert.ok(wrong >= 5 && wrong < 20, String(wrong));
  assert.equal(page.status, 429);
  assert.match(String(page.headers['retry-after']), /^[1-9]/);
  assert.equal(page.headers['set-cookie'], undefined);
});

test('Sign-in: concurrent attempts for one user are evaluated one at a time, so the limit applies', async () => {
  await user('dora');
  const pages = await Promise.all(Array.from({ length: 30 }, (_, i) => signIn('dora', `${WRONG}${i}`)));
  const evaluated = pages.filter(({ status }) => status === 401).length;
  assert.ok(evaluated >= 1 && evaluated <= 5, String(evaluated));
  assert.equal(pages.filter(({ status }) => status === 429).length, 30 - evaluated);
});

test('MFA: a user with a device needs one code to sign in, and the session has multi-factor authentication', async () => {
  const withMfa = { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } };
  await user('frank', {}, allow('iam:ListUsers', '*', withMfa));
  const { TokenCode: next } = await newMfaDevice(admin, 'frank');
  const first = await signIn('frank');
  assert.deepEqual([first.status, first.json()['code'], first.headers['set-cookie']], [401, 'MfaRequired', undefined]);
  assert.deepEqual((await lastEvent('CheckMfa'))['responseElements'], { CheckMfa: 'Success' });
  const wrong = await signIn('frank', GOOD, { mfaCode: next === '000000' ? '000001' : '000000' });
  assert.deepEqual([wrong.status, wrong.json()['code']], [401, 'AuthenticationFailed']);

  await account.iam(await signedIn('frank', GOOD, { mfaCode: next })).send(new ListUsersCommand({}));
  assert.equal((await lastEvent())['additionalEventData']?.['MFAUsed'], 'Yes');
  assert.equal((await signIn('frank', GOOD, { mfaCode: next })).status, 401);
});

test('MFA: a policy that requires MFA denies calls of a user without a device', async () => {
  await user('gina', {}, allow('*'), deny('iam:ListUsers', '*', { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'false' } } }));
  await assert.rejects(account.iam(await signedIn('gina')).send(new ListUsersCommand({})), { name: 'AccessDenied' });
});

test('MFA: five wrong codes lock the device, for sign-in and for STS', async () => {
  const keys = await user('hugo');
  const { TokenCode: next } = await newMfaDevice(admin, 'hugo');
  const SerialNumber = `arn:aws:iam::${accountId}:mfa/hugo`;
  const wrong = next === '000000' ? '000001' : '000000';
  for (let i = 0; i < 3; i++) assert.equal((await signIn('hugo', GOOD, { mfaCode: wrong })).status, 401);
  const shown = { name: 'AccessDenied', message: 'MultiFactorAuthentication failed with invalid MFA one time pass code. ' };
  for (let i = 0; i < 2; i++) {
    await assert.rejects(account.sts(keys).send(new GetSessionTokenCommand({ SerialNumber, TokenCode: wrong })), shown);
  }
  await assert.rejects(account.sts(keys).send(new GetSessionTokenCommand({ SerialNumber, TokenCode: next })), shown);
  assert.equal((await signIn('hugo', GOOD, { mfaCode: next })).status, 401);
});

test('PasswordResetRequired: until the password is changed, the user can only change the password', async () => {
  await user('ivy', { PasswordResetRequired: true });
  const role = await account.role('taken', trust(account.userArn('ivy')), allow('*'));
  const at = browser(server.endpoint);
  assert.equal((await signIn('ivy', GOOD, {}, at)).json()['passwordChangeRequired'], true as unknown as string);
  assert.equal((await at.get('/_belfry/sign-in')).json()['passwordChangeRequired'], true as unknown as string);
  const keys = await credentialsOf(at);
  await assert.rejects(account.iam(keys).send(new ListUsersCommand({})), { name: 'AccessDenied' });
  await assert.rejects(account.sts(keys).send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'me' })), { name: 'AccessDenied' });
  await account.iam(keys).send(new ChangePasswordCommand({ OldPassword: GOOD, NewPassword: 'Other-Horse-8' }));
  await account.iam(await signedIn('ivy', 'Other-Horse-8')).send(new ListUsersCommand({}));
  assert.equal((await signIn('ivy', GOOD)).status, 401);
});

test('DeleteLoginProfile: the user cannot sign in', async () => {
  await user('jack');
  assert.equal((await signIn('jack')).status, 200);
  await admin.send(new DeleteLoginProfileCommand({ UserName: 'jack' }));
  assert.equal((await signIn('jack')).status, 401);
});

// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, body: string | object, headers: Readonly<Record<string, string | undefined>>, status: number])[] = [
  ['from another site',                 { account: 'tower', userName: 'ada', password: GOOD },              { origin: 'https://evil.example' },  403],
  ['without an origin',                 { account: 'tower', userName: 'ada', password: GOOD },              { origin: undefined },               403],
  ['with a form',                       'account=tower&userName=ada&password=x',                            {},                                  400],
  ['with a body that is not JSON',      '{',                                                                { 'content-type': 'application/json' }, 400],
  ['with null',                         'null',                                                             { 'content-type': 'application/json' }, 400],
  ['with a password that is not a string', { account: 'tower', userName: 'ada', password: { length: 15 } },    {},                                  400],
  ['with a password of 129 characters', { account: 'tower', userName: 'ada', password: 'x'.repeat(129) },   {},                                  400],
  ['with a code without six digits',    { account: 'tower', userName: 'ada', password: GOOD, mfaCode: '1' }, {},                                 400],
  ['with a body of a megabyte',         { account: 'tower', userName: 'ada', password: 'x'.repeat(1e6) },   {},                                  400],
];

for (const [title, body, headers, status] of REFUSED) {
  test(`Sign-in: a request ${title} is ${status}`, async () => {
    const page = await browser(server.endpoint).post('/_belfry/sign-in', body, headers);
    assert.deepEqual([page.status, page.headers['set-cookie']], [status, undefined]);
  });
}

test('Password hashes: other requests get responses while IAM computes hashes', async () => {
  await user('hashed');
  let hashed = 0;
  const hashing = Array.from({ length: 16 }, async (_, i) => {
    await admin.send(new UpdateLoginProfileCommand({ UserName: 'hashed', Password: `Other-Horse-${i}` }));
    hashed++;
  });
  const { sts } = account;
  while (hashed < 1) await sts().send(new GetCallerIdentityCommand({}));
  for (let i = 0; i < 3; i++) await sts().send(new GetCallerIdentityCommand({}));
  assert.ok(hashed < 16, 'the other requests waited for the last password');
  await Promise.all(hashing);
});

test('ChangePassword: after five wrong passwords the next call is Throttling, but a sign-in succeeds', async () => {
  const keys = await user('guessed');
  const change = (OldPassword: string) => account.iam(keys).send(new ChangePasswordCommand({ OldPassword, NewPassword: 'Other-Horse-8' }));
  const throttled = { name: 'Throttling', message: 'Rate exceeded' };
  const { refusal } = await untilRefused(async (failures) => {
    const { name, message } = await refusalOf(change(`${WRONG}${failures}`));
    return { status: name === 'AccessDenied' ? 401 : 400, name, message };
  });
  assert.deepEqual(refusal, { status: 400, ...throttled });
  const { User } = await admin.send(new GetUserCommand({ UserName: 'guessed' }));
  const database = new DatabaseSync(join(server.dataFolder, 'belfry.db'), { timeout: 60_000 });
  const failedAt = database.prepare('UPDATE failed_attempt SET failures = 1000, failed_at_ms = ? WHERE subject = ?');
  const subject = `change-password ${User?.UserId}`;
  // The wait is long from now on, so that the next attempt is refused however long it takes.
  assert.equal(failedAt.run(Date.now(), subject).changes, 1);
  await assert.rejects(change(GOOD), throttled);
  assert.equal((await signIn('guessed')).status, 200);
  failedAt.run(0, subject);
  database.close();
  await change(GOOD);
  assert.equal((await signIn('guessed', 'Other-Horse-8')).status, 200);
});

test('AllowUsersToChangePassword: users may change their own password, unless a policy denies it', async () => {
  const poor = await account.user('poor');
  await admin.send(new CreateLoginProfileCommand({ UserName: 'poor', Password: GOOD, PasswordResetRequired: true }));
  const change = (keys: Keys, OldPassword: string, NewPassword: string) =>
    account.iam(keys).send(new ChangePasswordCommand({ OldPassword, NewPassword }));
  const refused = { name: 'AccessDenied', message: /not authorized to perform: iam:ChangePassword/ };
  await assert.rejects(change(poor, GOOD, 'Second-Horse-8'), refused);

  await admin.send(new UpdateAccountPasswordPolicyCommand({ AllowUsersToChangePassword: true }));
  await change(await signedIn('poor'), GOOD, 'Second-Horse-8');
  await change(poor, 'Second-Horse-8', 'Third-Horse-9');
  await assert.rejects(account.iam(poor).send(new GetUserCommand({})), { name: 'AccessDenied' });

  const PolicyDocument = policy(deny('iam:ChangePassword'));
  await admin.send(new PutUserPolicyCommand({ UserName: 'poor', PolicyName: 'no', PolicyDocument }));
  await assert.rejects(change(poor, 'Third-Horse-9', 'Fourth-Horse-1'), refused);

  await admin.send(new DeleteAccountPasswordPolicyCommand({}));
  await admin.send(new PutUserPolicyCommand({ UserName: 'poor', PolicyName: 'no', PolicyDocument: PolicyDocument.replace('Change', 'X') }));
  await assert.rejects(change(poor, 'Third-Horse-9', 'Fourth-Horse-1'), refused);
});
