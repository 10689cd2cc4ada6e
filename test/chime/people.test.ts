/** People of Amazon Chime in a browser, on two servers with one database: invitation, sign-in, sign-out, and the end of sessions. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import {
  BatchSuspendUserCommand,
  CreateAccountCommand,
  DeleteAccountCommand,
  GetAccountCommand,
  GetUserCommand,
  InviteUsersCommand,
  ListUsersCommand,
  LogoutUserCommand,
} from '@aws-sdk/client-chime';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import pg from 'pg';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { askControl } from '#server/operator/ask-control.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { accountOn, otherAccount } from '../kit/account.ts';
import { trustAuthority } from '../kit/chat.ts';
import type { Keys } from '../kit/keys.ts';
import { listed } from '../kit/listed.ts';
import { refusalOf } from '../kit/outcome.ts';
import { belfry } from '../kit/process.ts';
import { startSecondServer, startTestServer, type TestServer } from '../kit/server.ts';
import { connect } from '../messaging-sessions/client.ts';
import { type Browser, browser, type Page } from '../sign-in/browser.ts';
import { FREE, untilRefused } from '../sign-in/wrong-passwords.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { linkTo } from './mailbox.ts';

const postgres = await testPostgres();
const environment = { BELFRY_DATABASE: postgres.url, BELFRY_SIGN_IN_FAILURES: '25' };
const first = await startTestServer(environment);
/** Data folders of all servers. Each server writes the mails that it sends. */
const folders = [first.dataFolder];
/** Starts another server in a new folder, with the key of the first one. */
async function startOther(): Promise<TestServer> {
  const other = await startSecondServer(first, environment);
  folders.push(other.dataFolder);
  return other;
}
const second = await startOther();
const database = new pg.Client({ connectionString: postgres.url });
await database.connect();
after(async () => {
  await database.end();
  await postgres.stop();
});
const account = accountOn(first);
const chime = account.chime();
const GOOD = 'Correct-Horse-7';

async function newAccount(Name: string): Promise<string> {
  return (await chime.send(new CreateAccountCommand({ Name }))).Account?.AccountId as string;
}
/** Invites a person. Resolves to their user ID and the token of the mail. */
async function invite(AccountId: string, address: string, mails = 1) {
  await chime.send(new InviteUsersCommand({ AccountId, UserEmailList: [address] }));
  const { token, path, mail } = await linkTo(address, folders, mails);
  const { Users } = await chime.send(new ListUsersCommand({ AccountId, UserEmail: address }));
  return { token, path, mail, UserId: Users?.[0]?.UserId as string };
}
const form = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();
const chosen = (password = GOOD, again = password) => ({ displayName: 'Ada <Lovelace>', password, again });
const accept = (at: Browser, token: string, fields: Readonly<Record<string, string>> = chosen()): Promise<Page> =>
  at.post('/chime/invitation', form({ token, ...fields }));
const signIn = (at: Browser, email: string, password = GOOD): Promise<Page> => at.post('/chime/sign-in', form({ email, password }));
const isSignedIn = async (at: Browser): Promise<boolean> => (await at.get('/chime')).text.includes('Sign out');
/** Registers a person. Resolves to their user ID and a browser on each server with the session. */
async function registered(AccountId: string, address: string) {
  const { token, UserId } = await invite(AccountId, address);
  const [here, there] = [browser(first.endpoint), browser(second.endpoint)];
  const page = await accept(here, token);
  assert.deepEqual([page.status, page.headers.location], [303, '/chime'], page.text);
  there.cookie = here.cookie;
  assert.deepEqual([await isSignedIn(here), await isSignedIn(there)], [true, true]);
  return { UserId, here, there, token };
}
const toFirst = { endpoint: first.endpoint, region: 'us-east-1', credentials: first.credentials };
assert.equal((await callChime(toFirst, loadModel('chime').operations['ResetAccountResource'] as OperationModel, {})).status, 200);
/** People of the last test. They register before other tests, because the source must wait at its time. */
const ROTATION = await (async () => {
  const AccountId = await newAccount('Rotation');
  return { AccountId, jo: await registered(AccountId, 'jo@example.com'), kim: await registered(AccountId, 'kim@example.com') };
})();
const details = async (name: string) =>
  (await account.records(name)).map((record) => record['serviceEventDetails'] as Record<string, string>);

test('Invitation: the page shows account and address, and the person chooses a name and a password', async () => {
  const AccountId = await newAccount('Tower & Bridge');
  const { token, path, UserId } = await invite(AccountId, 'Ada@example.com');
  const at = browser(first.endpoint);
  const opened = await at.get(path);
  const script = /<script>(.*)<\/script>/s.exec(opened.text)?.[1] ?? '';
  const policy = String(opened.headers['content-security-policy']);
  assert.ok(policy.includes(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`), policy);
  assert.ok(policy.startsWith("default-src 'none';") && policy.includes("frame-ancestors 'none'"));
  const shown = await accept(at, token, {});
  assert.equal(shown.status, 200);
  assert.ok(shown.text.includes('<b>Tower &#38; Bridge</b>') && shown.text.includes('Ada@example.com'));
  assert.deepEqual([shown.headers['cache-control'], shown.headers['referrer-policy'], at.cookie], ['no-store', 'same-origin', undefined]);

  for (const [fields, message] of [
    [chosen(GOOD, 'other-password'), 'The two passwords differ.'],
    [chosen('short'), 'A password has 8 to 128 characters.'],
    [chosen('ada@example.com'), 'The password must not be your email address.'],
    [{ ...chosen('adalovelace'), displayName: 'Ada Lovelace' }, 'The password must not be your name or that of the account.'],
    [chosen('Tower & Bridge'), 'The password must not be your name or that of the account.'],
    [chosen('password'), 'Many people use this password. Choose another one.'],
    [chosen('12345678'), 'Many people use this password. Choose another one.'],
    [chosen('🔑🔑🔑🔑'), 'A password has 8 to 128 characters.'],
    [
      { ...chosen('Zoe\u0308 Mu\u0308ller'), displayName: 'Zo\u00eb M\u00fcller' },
      'The password must not be your name or that of the account.',
    ],
    [chosen('\uff30\uff21ssword1'), 'Many people use this password. Choose another one.'],
    [chosen('pass word 1'), 'Many people use this password. Choose another one.'],
    [chosen('PassWord1'), 'Many people use this password. Choose another one.'],
    [{ ...chosen(), displayName: ' ' }, 'Enter your name.'],
    [{ ...chosen(), displayName: 'a\nb' }, 'The name is not valid.'],
  ] as const) {
    const page = await accept(at, token, fields);
    assert.deepEqual([page.status, page.text.includes(message)], [400, true], message);
  }
  const page = await accept(at, token);
  assert.deepEqual([page.status, page.headers.location], [303, '/chime']);
  assert.match(String(page.headers['set-cookie']), /^belfry-chime=[\w-]{43}; Path=\/; Max-Age=4\d{4}; HttpOnly; SameSite=Lax$/);
  const { User } = await chime.send(new GetUserCommand({ AccountId, UserId }));
  assert.deepEqual(
    [User?.UserRegistrationStatus, User?.UserInvitationStatus, User?.DisplayName, User?.LicenseType],
    ['Registered', 'Accepted', 'Ada <Lovelace>', 'Pro'],
  );
  const own = await at.get('/chime');
  for (const text of ['Ada &#60;Lovelace&#62;', 'Tower &#38; Bridge', 'Pro', User?.PersonalPIN as string])
    assert.ok(own.text.includes(text), text);

  const record = (await details('RegisterUser')).find(({ userId }) => userId === UserId);
  assert.deepEqual([record?.['outcome'], record?.['chimeAccountId']], ['Success', AccountId]);
  const { rows } = await database.query('SELECT password_hash FROM chime_person');
  assert.ok(rows.every(({ password_hash }: { password_hash: string }) => password_hash.startsWith('scrypt$15$8$1$')));
});

test('Invitation: a used, an older, a withdrawn, a foreign and a forged token are refused alike', async () => {
  const AccountId = await newAccount('Tokens');
  const at = () => browser(first.endpoint);
  const { token: used } = await registered(AccountId, 'used@example.com');
  const older = await invite(AccountId, 'older@example.com');
  await chime.send(new BatchSuspendUserCommand({ AccountId, UserIdList: [older.UserId] }));
  const withdrawn = await accept(at(), older.token);
  const newer = await invite(AccountId, 'older@example.com', 2);
  assert.notEqual(newer.token, older.token);
  const [text = '', mac = ''] = newer.token.split('.');
  const facts = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
  const elsewhere = Buffer.from(JSON.stringify(facts.with(1, await newAccount('Other')))).toString('base64url');
  const answers = [withdrawn];
  for (const token of [used, older.token, `${elsewhere}.${mac}`, `${text}.${'A'.repeat(43)}`, `${text}.`, 'x', 'x'.repeat(768)])
    answers.push(await accept(at(), token));
  assert.deepEqual([...new Set(answers.map(({ status, text: page }) => `${status} ${page}`))].length, 1);
  assert.equal(answers[0]?.status, 403);
  assert.equal((await accept(at(), newer.token)).status, 303);
});

test('Disabled accounts: links are refused until the operator restores the account, and then people sign in as its users again', async () => {
  const AccountId = await newAccount('Restored "account"');
  const { UserId, here } = await registered(AccountId, 'rest@example.com');
  const pending = await invite(AccountId, 'pending@example.com');
  const isUser = async (at: Browser) => (await at.get('/chime')).text.includes('Restored &#34;account&#34;');
  assert.equal(await isUser(here), true);
  await chime.send(new BatchSuspendUserCommand({ AccountId, UserIdList: [UserId] }));
  await chime.send(new DeleteAccountCommand({ AccountId }));
  assert.deepEqual([await isSignedIn(here), await isUser(here)], [true, false]);
  assert.equal((await accept(browser(first.endpoint), pending.token)).status, 403);
  assert.equal((await refusalOf(chime.send(new InviteUsersCommand({ AccountId, UserEmailList: ['rest@example.com'] })))).status, 404);

  const operate = (...args: readonly string[]) => belfry(['chime', ...args, '--data', second.dataFolder]);
  const disabled = await operate('disabled-accounts');
  const [row, ...more] = listed(disabled.stdout);
  assert.deepEqual([disabled.status, more], [0, []], disabled.stderr);
  const { DISABLED = '', DELETED = '', ...rest } = row ?? {};
  assert.deepEqual(rest, { 'ACCOUNT ID': account.accountId, 'CHIME ACCOUNT ID': AccountId, NAME: '"Restored \\"account\\""' });
  for (const time of [DISABLED, DELETED]) assert.match(time, /^\S+Z$/);
  const absent = { status: 1, stdout: '', stderr: "belfry chime: no account 'unknown' is disabled\n" };
  assert.deepEqual(await operate('restore-account', 'unknown'), absent);
  const done = { status: 0, stdout: `belfry chime: restored the account '${AccountId}'\n`, stderr: '' };
  assert.deepEqual(await operate('restore-account', AccountId), done);
  assert.equal((await operate('restore-account', AccountId)).status, 1);
  assert.deepEqual(listed((await operate('disabled-accounts')).stdout), []);
  const [record] = await details('RestoreChimeAccount');
  assert.deepEqual([record?.['chimeAccountId'], Object.keys(record ?? {})], [AccountId, ['chimeAccountId', 'disabledAt']]);

  assert.equal((await chime.send(new GetAccountCommand({ AccountId }))).Account?.AccountStatus, 'Active');
  assert.equal((await accept(browser(second.endpoint), pending.token)).status, 303);
  const again = await invite(AccountId, 'rest@example.com', 2);
  assert.equal(again.UserId, UserId);
  assert.equal((await accept(here, again.token, { password: GOOD })).status, 303);
  const there = browser(second.endpoint);
  assert.equal((await signIn(there, 'rest@example.com')).status, 303);
  assert.equal(await isUser(there), true);
});

test('Invitation: forms of other sites and malformed forms are refused', async () => {
  const { token } = await invite(await newAccount('Hostile'), 'hostile@example.com');
  const at = browser(first.endpoint);
  const body = form({ token, ...chosen() });
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: undefined },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])
    for (const path of ['/chime/invitation', '/chime/sign-in', '/chime/sign-out', '/chime/registration', '/chime/confirmation'])
      assert.equal((await at.post(path, body, headers)).status, 403, `${path} ${JSON.stringify(headers)}`);
  for (const malformed of [`${body}&token=2`, `${body}&displayName=${'a'.repeat(257)}`, `token=${'x'.repeat(769)}`, ''])
    assert.equal((await at.post('/chime/invitation', malformed)).status, 403);
  assert.equal((await at.post('/chime/invitation', body, { 'content-type': 'text/plain' })).status, 403);
  assert.equal((await at.send('GET', '/chime/sign-in')).status, 405);
  assert.equal((await at.get('/chime', { host: 'attacker.example' })).status, 421);
  assert.equal(at.cookie, undefined);
  assert.equal((await accept(at, token)).status, 303);
});

test('Sign-in: with the address in any case and the password, until the sign-out, which ends only this session', async () => {
  const { UserId, here } = await registered(await newAccount('Sign-in'), 'carol@example.com');
  const at = browser(second.endpoint);
  assert.deepEqual([(await signIn(at, 'CAROL@example.com')).status, await isSignedIn(at)], [303, true]);
  const { cookie } = at;
  assert.equal((await at.post('/chime/sign-out')).headers.location, '/chime');
  assert.equal(at.cookie, undefined);
  at.cookie = cookie;
  assert.deepEqual([await isSignedIn(at), await isSignedIn(here)], [false, true]);
  for (const name of ['SignInUser', 'SignOutUser'])
    assert.ok(
      (await details(name)).some(({ userId }) => userId === UserId),
      name,
    );
  assert.equal(
    JSON.stringify(await account.records('SignInUser'))
      .toLowerCase()
      .includes('carol@'),
    false,
  );
});

test('Sign-in: a person has at most 20 sessions', async () => {
  const { here } = await registered(await newAccount('Sessions'), 'many@example.com');
  const count = async () => (await database.query("SELECT digest FROM chime_session WHERE email = 'many@example.com'")).rows.length;
  await database.query(
    "INSERT INTO chime_session SELECT 'digest ' || n, 'many@example.com', n, 9000000000000 FROM generate_series(9000000000001, 9000000000019) n",
  );
  assert.equal(await count(), 20);
  assert.equal((await signIn(browser(first.endpoint), 'many@example.com')).status, 303);
  assert.deepEqual([await count(), await isSignedIn(here)], [20, false]);
});

test('LogoutUser: ends all sessions of the person on every server at once, and the person can sign in again', async () => {
  const AccountId = await newAccount('Logout');
  const { UserId, here, there } = await registered(AccountId, 'dora@example.com');
  const other = await registered(AccountId, 'elsa@example.com');
  await signIn(there, 'dora@example.com');
  await chime.send(new LogoutUserCommand({ AccountId, UserId }));
  assert.deepEqual([await isSignedIn(here), await isSignedIn(there), await isSignedIn(other.here)], [false, false, true]);
  assert.equal((await signIn(there, 'dora@example.com')).status, 303);
  assert.equal(await isSignedIn(there), true);
});

test('BatchSuspendUser: a person that is removed from a Team account keeps the session, and can sign in and join again', async () => {
  const AccountId = await newAccount('Team');
  const { UserId, here, there } = await registered(AccountId, 'finn@example.com');
  await chime.send(new BatchSuspendUserCommand({ AccountId, UserIdList: [UserId] }));
  const page = await here.get('/chime');
  assert.ok(page.text.includes('<th scope="row">Account</th><td>None</td>') && page.text.includes('<td>Basic</td>'), page.text);
  assert.equal((await signIn(there, 'finn@example.com')).status, 303);

  const { token } = await invite(AccountId, 'finn@example.com', 2);
  const shown = await accept(there, token, {});
  assert.equal(shown.text.includes('name="again"'), false, 'a person with a password does not choose another one');
  assert.equal((await accept(there, token, { password: 'Wrong-Horse-7' })).status, 401);
  assert.equal((await accept(there, token, { password: GOOD })).status, 303);
  assert.ok((await there.get('/chime')).text.includes('<th scope="row">Account</th><td>Team</td>'));
  const { User } = await chime.send(new GetUserCommand({ AccountId, UserId }));
  assert.equal(User?.UserRegistrationStatus, 'Registered');
});

test('Invitation: a member of another account cannot join, also if the account is in another AWS account', async () => {
  await registered(await newAccount('Here'), 'gina@example.com');
  const other = await otherAccount(first, 'other');
  const AccountId = (await other.chime().send(new CreateAccountCommand({ Name: 'There' }))).Account?.AccountId as string;
  await other.chime().send(new InviteUsersCommand({ AccountId, UserEmailList: ['gina@example.com'] }));
  const { token } = await linkTo('gina@example.com', folders, 2);
  const page = await accept(browser(first.endpoint), token, { password: GOOD });
  assert.deepEqual([page.status, page.text.includes('You are a user of another account.')], [409, true]);
  assert.equal((await accept(browser(first.endpoint), token, { password: 'Wrong-Horse-7' })).status, 401);
});

/** Returns the credentials of a browser session, and the ARN of the person's app instance user. */
async function credentialsOf(at: Browser): Promise<Keys & { readonly userArn: string }> {
  const page = await at.post('/chime/session');
  assert.equal(page.status, 200, page.text);
  const { accessKeyId = '', secretAccessKey = '', sessionToken = '', appInstanceUserArn = '' } = page.json();
  return { accessKeyId, secretAccessKey, sessionToken, userArn: appInstanceUserArn };
}
/** Resolves to 'accepted', or to the name of the error with which a server refuses credentials. */
async function outcomeOn(server: TestServer, keys: Keys): Promise<string> {
  return await accountOn(server)
    .sts(keys)
    .send(new GetCallerIdentityCommand({}))
    .then(
      () => 'accepted',
      (error: unknown) => (error as Error).name,
    );
}
const outcomesOf = (keys: Keys): Promise<readonly string[]> => Promise.all([outcomeOn(first, keys), outcomeOn(second, keys)]);
const ACCEPTED = ['accepted', 'accepted'];
const REFUSED = ['InvalidClientTokenId', 'InvalidClientTokenId'];
test('Credentials: those of one server are valid on the other, and end on both at once with LogoutUser and suspension', async () => {
  for (const { caFile } of [first, second]) trustAuthority(caFile);
  const AccountId = await newAccount('Credentials');
  const { UserId, here, there } = await registered(AccountId, 'ivy@example.com');
  const [ofFirst, ofSecond] = [await credentialsOf(here), await credentialsOf(there)];
  assert.deepEqual([await outcomesOf(ofFirst), await outcomesOf(ofSecond)], [ACCEPTED, ACCEPTED]);
  const connected = await connect(accountOn(second).messaging(ofFirst), ofFirst.userArn);
  await chime.send(new LogoutUserCommand({ AccountId, UserId }));
  assert.deepEqual([await outcomesOf(ofFirst), await outcomesOf(ofSecond)], [REFUSED, REFUSED]);
  assert.equal(await connected.stopped, 4401);

  assert.equal((await signIn(there, 'ivy@example.com')).status, 303);
  const again = await credentialsOf(there);
  assert.deepEqual([await outcomesOf(again), await outcomesOf(ofSecond)], [ACCEPTED, REFUSED]);
  await database.query(
    `UPDATE chime_account SET account_type = 'EnterpriseLWA', document = jsonb_set(document::jsonb, '{Domains}', '["example.com"]')::text
    WHERE chime_account_id = $1`,
    [AccountId],
  );
  await accountOn(second)
    .chime()
    .send(new BatchSuspendUserCommand({ AccountId, UserIdList: [UserId] }));
  assert.deepEqual([await outcomesOf(again), await isSignedIn(here), await isSignedIn(there)], [REFUSED, false, false]);
  assert.equal((await here.post('/chime/session')).status, 401);
});

test('Sign-in: after five failures, known and unknown addresses must wait, on both servers', async () => {
  await registered(await newAccount('Failures'), 'hana@example.com');
  const sequences = [];
  for (const email of ['hana@example.com', 'unknown@example.com']) {
    const attempt = async (failures: number) => {
      const { endpoint } = failures < FREE ? first : second;
      const { status, text } = await signIn(browser(endpoint), email, 'Wrong-Horse-7');
      return { status, text: status === 401 ? text.replaceAll(email, 'email') : '' };
    };
    sequences.push(await untilRefused(attempt));
  }
  const [known] = sequences;
  assert.equal(known?.refusal.status, 429);
  for (const { failures, refusal } of sequences) {
    for (const failure of failures) assert.deepEqual(failure, known?.failures[0]);
    assert.deepEqual(refusal, known?.refusal);
  }
});

test('Invitation: a source with many wrong tokens must wait before the server reads another one', async () => {
  const { token } = await invite(await newAccount('Flood'), 'flood@example.com');
  const statuses: number[] = [];
  for (let i = 0; i < 25 && !statuses.includes(429); i++) statuses.push((await accept(browser(first.endpoint), 'x', {})).status);
  assert.deepEqual(new Set(statuses), new Set([403, 429]));
  const page = await accept(browser(second.endpoint), token);
  assert.equal(page.status, 429);
  assert.ok(Number(page.headers['retry-after']) > 0);
});

// The last test: it stops the second server, and the source may have to wait.
test('Credentials: they outlive a rotation of the operator key on every server, and those of the older key end with it', async () => {
  const { AccountId, jo, kim } = ROTATION;
  const { UserId, here, there } = jo;
  const older = await credentialsOf(there);
  const issuerKeys = async (at: Browser): Promise<readonly string[]> => {
    const { keys } = JSON.parse((await at.get(`/chime/openid/${first.accountId}/jwks`)).text) as {
      readonly keys: readonly { kid: string }[];
    };
    return keys.map(({ kid }) => kid);
  };
  const before = await issuerKeys(here);
  let other = second;
  const outcomesOf = (keys: Keys) => Promise.all([outcomeOn(first, keys), outcomeOn(other, keys)]);
  // As the guide says: stop all servers except one, rotate there, and start the others with a copy of the key.
  await second.stop();
  assert.ok((await askControl(first.dataFolder, { command: 'operator-key rotate' })).ok);
  const newer = await credentialsOf(here);
  other = await startOther();
  const elsewhere = browser(other.endpoint);
  elsewhere.cookie = here.cookie;
  assert.deepEqual([await outcomesOf(older), await outcomesOf(newer)], [ACCEPTED, ACCEPTED]);
  assert.deepEqual(await outcomesOf(await credentialsOf(elsewhere)), ACCEPTED);
  const rotated = await issuerKeys(here);
  assert.deepEqual([rotated.length, rotated.slice(1), await issuerKeys(elsewhere)], [2, before, rotated]);
  await chime.send(new LogoutUserCommand({ AccountId, UserId }));
  assert.deepEqual([await outcomesOf(older), await outcomesOf(newer)], [REFUSED, REFUSED]);

  const at = kim.here;
  const kept = await credentialsOf(at);
  await other.stop();
  assert.ok((await askControl(first.dataFolder, { command: 'operator-key rotate' })).ok);
  assert.ok((await askControl(first.dataFolder, { command: 'operator-key forget-old' })).ok);
  other = await startOther();
  assert.deepEqual(await outcomesOf(kept), REFUSED);
  assert.deepEqual([await isSignedIn(at), await outcomesOf(await credentialsOf(at))], [true, ACCEPTED]);
  assert.equal(
    (await issuerKeys(at)).some((kid) => rotated.includes(kid)),
    false,
  );
});
