/** Domains of Chime accounts with a real DNS server on loopback, and people that register with an address in a claimed domain. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BatchSuspendUserCommand,
  CreateAccountCommand,
  GetAccountCommand,
  GetUserCommand,
  InviteUsersCommand,
  ListUsersCommand,
} from '@aws-sdk/client-chime';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { startAccount } from '../kit/account.ts';
import { until } from '../kit/until.ts';
import { type Browser, browser } from '../sign-in/browser.ts';
import { linkTo, mailOf } from './mailbox.ts';
import { startNameServer } from './name-server.ts';

const { records, address: dnsAddress } = await startNameServer();

const account = await startAccount({ BELFRY_DNS_SERVER: dnsAddress });
const { server } = account;
const chime = account.chime();
const model = loadModel('chime');
const GOOD = 'Correct-Horse-7';

interface Domain {
  readonly DomainStatus: string;
  readonly RecordName: string;
  readonly RecordValue: string;
  readonly CheckResult?: string;
  readonly CheckedTimestamp?: number;
}
const call = (name: string, input: object) =>
  callChime(
    { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials },
    model.operations[name] as OperationModel,
    input,
  );
const domainOf = ({ status, body }: Awaited<ReturnType<typeof call>>): Domain => {
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { readonly Domain: Domain }).Domain;
};
async function newAccount(Name = 'Example'): Promise<string> {
  return (await chime.send(new CreateAccountCommand({ Name }))).Account?.AccountId as string;
}
const add = async (AccountId: string, DomainName: string) => domainOf(await call('AddDomain', { AccountId, DomainName }));
const get = async (AccountId: string, DomainName: string) => domainOf(await call('GetDomain', { AccountId, DomainName }));
const typeOf = async (AccountId: string) => (await chime.send(new GetAccountCommand({ AccountId }))).Account?.AccountType;
async function checked(AccountId: string, DomainName: string, result: string): Promise<Domain> {
  let last = await get(AccountId, DomainName);
  await until(
    async () => (last = await get(AccountId, DomainName)).CheckResult === result,
    () => JSON.stringify(last),
  );
  return last;
}
/** Claims a domain and publishes its record. */
async function claimed(AccountId: string, DomainName: string): Promise<void> {
  const { RecordName, RecordValue } = await add(AccountId, DomainName);
  records.set(RecordName, [[RecordValue]]);
  assert.equal((await checked(AccountId, DomainName, 'Found')).DomainStatus, 'Verified');
}
const form = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();
const signIn = (at: Browser, email: string) => at.post('/chime/sign-in', form({ email, password: GOOD }));
const isSignedIn = async (at: Browser): Promise<boolean> => (await at.get('/chime')).text.includes('Sign out');
/** Registers a person without an invitation. Resolves to the browser with the session. */
async function registered(email: string): Promise<Browser> {
  const at = browser(server.endpoint);
  assert.equal((await at.post('/chime/registration', form({ email }))).status, 200);
  const { path, token } = await linkTo(email, [server.dataFolder]);
  const page = await at.post(path, form({ token, displayName: 'Ada', password: GOOD, again: GOOD }));
  assert.equal(page.status, 303, page.text);
  return at;
}
async function userOf(AccountId: string, UserEmail: string) {
  return (await chime.send(new ListUsersCommand({ AccountId, UserEmail }))).Users?.[0];
}

test('AddDomain: a missing, a refused and a wrong record leave the claim pending, and a late one verifies it', async () => {
  const AccountId = await newAccount();
  const added = await add(AccountId, 'Late.example');
  assert.equal(added.DomainStatus, 'PendingVerification');
  assert.equal(added.RecordName, '_belfry-chime.late.example');
  assert.match(added.RecordValue, /^belfry-chime-domain=[\w-]{32}$/);
  await checked(AccountId, 'late.example', 'RecordMissing');
  assert.equal(await typeOf(AccountId), 'Team');
  records.set(added.RecordName, [[`${added.RecordValue}x`], [added.RecordValue.slice(1)], ['v=spf1 -all']]);
  await checked(AccountId, 'late.example', 'WrongValue');
  records.set(added.RecordName, [['v=spf1 -all'], [added.RecordValue.slice(0, 9), added.RecordValue.slice(9)]]);
  assert.equal((await checked(AccountId, 'LATE.example', 'Found')).DomainStatus, 'Verified');
  assert.equal(await typeOf(AccountId), 'EnterpriseLWA');
  assert.equal((await call('AddDomain', { AccountId, DomainName: 'late.example' })).code, 'ConflictException');
  const { body } = await call('ListDomains', { AccountId });
  assert.deepEqual(
    (body as { readonly Domains: readonly { readonly DomainName: string }[] }).Domains.map(({ DomainName }) => DomainName),
    ['late.example'],
  );
});

test('AddDomain: a resolver that refuses is LookupFailed', async () => {
  const AccountId = await newAccount();
  records.set('_belfry-chime.refused.example', 'refuse');
  await add(AccountId, 'refused.example');
  assert.equal((await checked(AccountId, 'refused.example', 'LookupFailed')).DomainStatus, 'PendingVerification');
});

test('AddDomain: of two accounts with the record, only the first one verifies the domain', async () => {
  const [one, two] = [await newAccount(), await newAccount()];
  const second = await add(two, 'twice.example');
  const first = await add(one, 'twice.example');
  assert.notEqual(first.RecordValue, second.RecordValue);
  records.set(first.RecordName, [[first.RecordValue]]);
  await checked(one, 'twice.example', 'Found');
  records.set(first.RecordName, [[first.RecordValue], [second.RecordValue]]);
  assert.equal((await checked(two, 'twice.example', 'Found')).DomainStatus, 'PendingVerification');
  assert.deepEqual([await typeOf(one), await typeOf(two)], ['EnterpriseLWA', 'Team']);
  assert.equal((await call('AddDomain', { AccountId: await newAccount(), DomainName: 'twice.example' })).code, 'ConflictException');
  assert.equal((await call('GetDomain', { AccountId: one, DomainName: 'other.example' })).code, 'NotFoundException');
});

test('Registration: a person of a claimed domain becomes a user without an invitation, with one use of the link', async () => {
  const AccountId = await newAccount('Corp');
  await claimed(AccountId, 'corp.example');
  const at = await registered('ada@corp.example');
  assert.ok((await at.get('/chime')).text.includes('<th scope="row">Account</th><td>Corp</td>'));
  const user = await userOf(AccountId, 'ada@corp.example');
  assert.deepEqual([user?.UserRegistrationStatus, user?.UserInvitationStatus, user?.LicenseType], ['Registered', undefined, 'Pro']);
  const { path, token } = await linkTo('ada@corp.example', [server.dataFolder]);
  assert.equal((await at.post(path, form({ token }))).status, 403);

  // A second link replaces the password and ends the sessions.
  const again = browser(server.endpoint);
  await again.post('/chime/registration', form({ email: 'ada@corp.example' }));
  const second = await linkTo('ada@corp.example', [server.dataFolder], 2);
  const changed = form({ token: second.token, displayName: 'Ada', password: 'Other-Horse-8', again: 'Other-Horse-8' });
  assert.equal((await again.post(path, changed)).status, 303);
  assert.deepEqual([await isSignedIn(at), await isSignedIn(again), (await signIn(at, 'ada@corp.example')).status], [false, true, 401]);
});

test('Registration: the response does not tell whether a mail is sent, and an address gets few mails', async () => {
  const AccountId = await newAccount();
  await claimed(AccountId, 'quiet.example');
  const at = browser(server.endpoint);
  const ask = async (email: string) => (await at.post('/chime/registration', form({ email }))).text;
  const sent = new Set<string>();
  for (const email of ['x@unclaimed.example', ...Array.from({ length: 6 }, () => 'x@quiet.example')]) sent.add(await ask(email));
  assert.equal(sent.size, 1);
  await registered('last@quiet.example');
  const to = (await mailOf(server.dataFolder)).map((mail) => mail.to);
  assert.deepEqual([to.filter((each) => each === 'x@quiet.example').length, to.includes('x@unclaimed.example')], [3, false]);
});

test('InviteUsers: an address whose domain another account has claimed is Failed and gets no mail and no user', async () => {
  await claimed(await newAccount(), 'owned.example');
  const AccountId = await newAccount();
  const { Invites } = await chime.send(new InviteUsersCommand({ AccountId, UserEmailList: ['a@Owned.example', 'b@free.example'] }));
  assert.deepEqual(
    Invites?.map(({ EmailAddress, Status, EmailStatus }) => [EmailAddress, Status, EmailStatus]),
    [
      ['a@Owned.example', 'Failed', 'NotSent'],
      ['b@free.example', 'Pending', 'Sent'],
    ],
  );
  assert.equal((await chime.send(new ListUsersCommand({ AccountId }))).Users?.length, 1);
});

test('BatchSuspendUser and DeleteDomain: sessions end, suspended users stay suspended, and released users can sign in', async () => {
  const AccountId = await newAccount();
  await claimed(AccountId, 'gone.example');
  const [ada, bob] = [await registered('ada@gone.example'), await registered('bob@gone.example')];
  const bobId = (await userOf(AccountId, 'bob@gone.example'))?.UserId as string;
  await chime.send(new BatchSuspendUserCommand({ AccountId, UserIdList: [bobId] }));
  assert.deepEqual([await isSignedIn(ada), await isSignedIn(bob), (await signIn(bob, 'bob@gone.example')).status], [true, false, 403]);
  await bob.post('/chime/registration', form({ email: 'bob@gone.example' }));

  assert.equal((await call('DeleteDomain', { AccountId, DomainName: 'gone.example' })).status, 200);
  assert.deepEqual([await typeOf(AccountId), await isSignedIn(ada)], ['Team', false]);
  assert.equal((await signIn(ada, 'ada@gone.example')).status, 303);
  assert.ok((await ada.get('/chime')).text.includes('<th scope="row">Account</th><td>None</td>'));
  assert.equal((await signIn(bob, 'bob@gone.example')).status, 403);
  const { Users = [] } = await chime.send(new ListUsersCommand({ AccountId }));
  assert.deepEqual(
    Users.map(({ UserRegistrationStatus }) => UserRegistrationStatus),
    ['Suspended', 'Suspended'],
  );

  // The account claims the domain again: the released person can register again, and keeps the user ID. The suspended one cannot.
  await claimed(AccountId, 'gone.example');
  const adaId = Users.find(({ PrimaryEmail }) => PrimaryEmail === 'ada@gone.example')?.UserId as string;
  await ada.post('/chime/registration', form({ email: 'ada@gone.example' }));
  const { path, token } = await linkTo('ada@gone.example', [server.dataFolder], 2);
  assert.equal((await ada.post(path, form({ token, displayName: 'Ada', password: GOOD, again: GOOD }))).status, 303);
  const { User } = await chime.send(new GetUserCommand({ AccountId, UserId: adaId }));
  assert.equal(User?.UserRegistrationStatus, 'Registered');
  assert.equal((await mailOf(server.dataFolder)).filter(({ to }) => to === 'bob@gone.example').length, 1);
});
