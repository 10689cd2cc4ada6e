/** People that sign in at a real OpenID provider: claims, groups, SCIM, the end of sessions, and hostile callbacks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChimeClient, CreateAccountCommand, ListUsersCommand } from '@aws-sdk/client-chime';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { startServerProcess } from '../kit/process.ts';
import { type Browser, browser } from '../sign-in/browser.ts';
import { startPeopleProvider } from './people-provider.ts';
import { verifyDomain } from './register.ts';

const provider = await startPeopleProvider();
const server = await startServerProcess({
  NODE_EXTRA_CA_CERTS: provider.caFile,
  BELFRY_INTERNAL_ISSUERS: provider.host,
  BELFRY_SIGN_IN_FAILURES: '50',
});
const { endpoint, credentials } = server;
const settings = { region: 'us-east-1', credentials, maxAttempts: 1 };
const chime = new ChimeClient({ ...settings, endpoint: `${endpoint}/_chime` });
const model = loadModel('chime');
async function done(name: string, input: object): Promise<Readonly<Record<string, unknown>>> {
  const to = { endpoint, region: 'us-east-1', credentials };
  const { status, body } = await callChime(to, model.operations[name] as OperationModel, input);
  assert.equal(status, 200, `${name} ${JSON.stringify(body)}`);
  return body as Readonly<Record<string, unknown>>;
}

let count = 0;
/** Creates an account with a verified domain and the provider. */
async function newAccount(issuer = provider.issuer) {
  const domain = `d${++count}.example.com`;
  const AccountId = (await chime.send(new CreateAccountCommand({ Name: `Account ${count}` }))).Account?.AccountId as string;
  const { Domain } = await done('AddDomain', { AccountId, DomainName: domain });
  assert.ok(Domain);
  verifyDomain(server, AccountId, domain);
  const config = { AccountId, Issuer: issuer, ClientId: provider.client.id, ClientSecret: provider.client.secret };
  const { OpenIdConfig } = await done('UpdateAccountOpenIdConfig', config);
  provider.open((OpenIdConfig as { readonly RedirectUri: string }).RedirectUri);
  const { Groups } = await done('AddOrUpdateGroups', { AccountId, Groups: [{ GroupName: 'Staff', License: 'Basic' }] });
  const [group] = Groups as readonly { readonly GroupId: string }[];
  return {
    ...{ AccountId, domain, config, groupId: group?.GroupId as string },
    /** Gives a person claims. The address and the group are valid by default. */
    person: (login: string, claims: Readonly<Record<string, unknown>> = {}) =>
      provider.people.set(login, {
        email: `${login}@${domain}`,
        email_verified: true,
        name: `Name of ${login}`,
        groups: ['Staff'],
        ...claims,
      }),
    user: async (name: string) => {
      const { Users = [] } = await chime.send(new ListUsersCommand({ AccountId, UserEmail: `${name}@${domain}` }));
      return Users[0] && `${Users[0].UserRegistrationStatus} ${Users[0].LicenseType} ${Users[0].DisplayName}`;
    },
  };
}

const form = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();
/** Begins a sign-in. Resolves to the URL of the provider. */
async function begin(at: Browser, email: string): Promise<string> {
  const page = await at.post('/chime/provider', form({ email }));
  assert.equal(page.status, 200, page.text);
  return (/href="(https:[^"]+)"/.exec(page.text)?.[1] ?? '').replaceAll(/&#(\d+);/g, (_all, code: string) =>
    String.fromCharCode(Number(code)),
  );
}
/** Signs a person in. Resolves to the last page. */
async function signIn(at: Browser, login: string, email: string) {
  const back = await provider.signIn(await begin(at, email), login);
  return { back, page: await at.get(`${back.pathname}${back.search}`) };
}
async function isSignedIn(at: Browser): Promise<boolean> {
  return (await at.get('/chime')).text.includes('Sign out');
}
async function failures(): Promise<readonly string[]> {
  const cloudtrail = new CloudTrailClient({ ...settings, endpoint });
  const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: 'SignInUser' }];
  const { Events = [] } = await cloudtrail.send(new LookupEventsCommand({ LookupAttributes }));
  return Events.flatMap(({ CloudTrailEvent = '{}' }) => JSON.parse(CloudTrailEvent).serviceEventDetails.errorMessage ?? []);
}

test('OpenID: the first sign-in registers a person of the domain, and later ones update the license', async () => {
  const { AccountId, domain, person, user } = await newAccount();
  const at = browser(endpoint);
  person('ada');
  const url = new URL(await begin(at, `Ada@${domain}`));
  assert.deepEqual(
    [url.searchParams.get('code_challenge_method'), url.searchParams.get('login_hint'), url.searchParams.get('scope')],
    ['S256', `Ada@${domain}`, 'openid email profile groups'],
  );
  assert.ok((url.searchParams.get('nonce')?.length ?? 0) >= 43 && (url.searchParams.get('state')?.length ?? 0) >= 43);
  const { page } = await signIn(at, 'ada', `ada@${domain}`);
  assert.deepEqual([page.status, page.headers.location], [303, '/chime'], page.text);
  assert.equal(await user('ada'), 'Registered Basic Name of ada');
  const own = await at.get('/chime');
  assert.match(own.text, /Personal meeting PIN<\/th><td>\d{10}</);
  await done('AddOrUpdateGroups', { AccountId, Groups: [{ GroupName: 'Lead', License: 'Pro' }] });
  person('ada', { groups: ['Staff', 'Lead', 7, 'Unknown'], name: 'Ada' });
  assert.equal((await signIn(at, 'ada', `ada@${domain}`)).page.status, 303);
  assert.equal(await user('ada'), 'Registered Pro Ada');
  assert.equal(await isSignedIn(at), true);
  // A password of this server does not sign in people that the provider manages.
  assert.equal((await at.post('/chime/sign-in', form({ email: `ada@${domain}`, password: 'Correct-Horse-7' }))).status, 401);
});

test('OpenID: a person in no licensed group cannot sign in, and the sessions end when the group is lost or deleted', async () => {
  const { AccountId, domain, groupId, person, user } = await newAccount();
  person('bob', { groups: ['Other'] });
  const [at, other] = [browser(endpoint), browser(endpoint)];
  assert.equal((await signIn(at, 'bob', `bob@${domain}`)).page.status, 403);
  assert.equal(await user('bob'), undefined);
  person('bob', { groups: 'Staff' });
  assert.equal((await signIn(at, 'bob', `bob@${domain}`)).page.status, 303);
  person('bob', { groups: undefined });
  assert.equal((await signIn(other, 'bob', `bob@${domain}`)).page.status, 403);
  assert.deepEqual([await isSignedIn(at), await user('bob')], [false, 'Suspended Basic Name of bob']);
  person('bob');
  assert.equal((await signIn(at, 'bob', `bob@${domain}`)).page.status, 303);
  await done('DeleteGroups', { AccountId, GroupIds: [groupId] });
  assert.equal(await isSignedIn(at), false);
});

test('OpenID: claims without a verified address of the domain are refused', async () => {
  const { domain, person, user } = await newAccount();
  for (const [title, claims] of [
    ['another domain', { email: 'eve@other.example' }],
    ['an unverified address', { email_verified: false }],
    ['an unverified address as a text', { email_verified: 'false' }],
    ['no address', { email: undefined }],
    ['no valid address', { email: `eve@${domain}\n` }],
  ] as const) {
    person('eve', claims);
    const at = browser(endpoint);
    assert.equal((await signIn(at, 'eve', `eve@${domain}`)).page.status, 403, title);
    assert.equal(await isSignedIn(at), false, title);
  }
  assert.equal(await user('eve'), undefined);
});

test('OpenID: callbacks that this browser did not begin, repeated and altered ones are refused', async () => {
  const { domain, person } = await newAccount();
  person('kim');
  const [at, thief] = [browser(endpoint), browser(endpoint)];
  const back = await provider.signIn(await begin(at, `kim@${domain}`), 'kim');
  const path = `${back.pathname}${back.search}`;
  assert.equal((await thief.get(path)).status, 403);
  await begin(thief, `kim@${domain}`);
  assert.equal((await thief.get(path)).status, 403, 'the state belongs to another browser');
  const state = at.cookie;
  const altered = new URL(back);
  altered.searchParams.set('iss', 'https://evil.example');
  assert.equal((await at.get(`${altered.pathname}${altered.search}`)).status, 403);
  at.cookie = state;
  assert.equal((await at.get(path, { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' })).status, 403);
  at.cookie = state;
  assert.equal((await at.get(path)).status, 303);
  at.cookie = state;
  assert.equal((await at.get(path)).status, 403, 'the code was used');
  for (const wrong of [`${state}x`, 'belfry-openid=', 'belfry-openid=AAAA']) {
    at.cookie = wrong;
    assert.equal((await at.get(path)).status, 403, wrong);
  }
  await begin(at, `kim@${domain}`);
  assert.equal((await at.get(`${back.pathname}?error=access_denied`)).status, 403);

  // A response for another account is refused, although the state belongs to this browser.
  const other = await newAccount();
  const mixed = await provider.signIn(await begin(at, `kim@${domain}`), 'kim');
  assert.equal((await at.get(`/chime/callback/${other.AccountId}${mixed.search}`)).status, 403);
  assert.equal((await at.get(`/chime/callback${mixed.search}`)).status, 403);
  assert.equal((await at.post('/chime/provider', form({ email: `kim@${domain}` }), { origin: 'https://evil.example' })).status, 403);
  assert.equal((await at.post('/chime/provider', form({ email: 'kim@unclaimed.example' }))).status, 404);
  const recorded = await failures();
  assert.ok(recorded.includes('The provider did not confirm the sign-in'), JSON.stringify(recorded));
});

test('OpenID: a provider with an internal address is not contacted unless the operator allows its host', async () => {
  const { domain } = await newAccount(`https://127.0.0.1:${provider.host.split(':')[1]}`);
  const page = await browser(endpoint).post('/chime/provider', form({ email: `ada@${domain}` }));
  assert.equal(page.status, 502);
  assert.ok(!page.text.includes('127.0.0.1'));
});

test('OpenID and SCIM: only provisioned people sign in, and a disabled one is signed out at once', async () => {
  const { AccountId, domain, person, user } = await newAccount();
  person('joe');
  const at = browser(endpoint);
  assert.equal((await signIn(at, 'joe', `joe@${domain}`)).page.status, 303);
  await done('ResetAccountResource', {});
  const { accessKeyId = '', secretAccessKey = '', sessionToken = '' } = (await at.post('/chime/session')).json();
  const sts = new STSClient({ ...settings, endpoint, credentials: { accessKeyId, secretAccessKey, sessionToken } });
  await sts.send(new GetCallerIdentityCommand({}));
  const { ApiKeyValue, ScimEndpoint } = await done('CreateApiKey', { AccountId });
  assert.equal(await isSignedIn(at), false, 'the provider has not provisioned the person');
  await assert.rejects(sts.send(new GetCallerIdentityCommand({})), 'the credentials end with the session');
  assert.equal((await signIn(at, 'joe', `joe@${domain}`)).page.status, 403);
  const scim = async (method: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${ApiKeyValue}`, 'content-type': 'application/scim+json' };
    const response = await fetch(`${endpoint}${new URL(ScimEndpoint as string).pathname}${path}`, {
      method,
      headers,
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, String(response.status));
    return response.status === 204 ? {} : ((await response.json()) as { readonly id?: string });
  };
  const { id } = await scim('POST', '/Users', { userName: `joe@${domain}`, displayName: 'Joe' });
  const { id: group } = await scim('POST', '/Groups', { displayName: 'Staff', members: [{ value: id }] });
  person('joe', { groups: [] });
  assert.equal((await signIn(at, 'joe', `joe@${domain}`)).page.status, 303, 'the groups of SCIM decide');
  assert.deepEqual([await isSignedIn(at), await user('joe')], [true, 'Registered Basic Joe']);
  const patch = (path: string, operation: object) => scim('PATCH', path, { Operations: [operation] });
  await patch(`/Users/${id}`, { op: 'replace', path: 'active', value: false });
  assert.deepEqual([await isSignedIn(at), await user('joe')], [false, 'Suspended Basic Joe']);
  assert.equal((await signIn(at, 'joe', `joe@${domain}`)).page.status, 403);
  await patch(`/Users/${id}`, { op: 'replace', path: 'active', value: true });
  assert.equal(await isSignedIn(at), false, 'the session does not come back');
  assert.equal((await signIn(at, 'joe', `joe@${domain}`)).page.status, 303);
  await patch(`/Groups/${group}`, { op: 'remove', path: `members[value eq "${id}"]` });
  assert.equal(await isSignedIn(at), false);
  await patch(`/Groups/${group}`, { op: 'add', path: 'members', value: [{ value: id }] });
  assert.equal((await signIn(at, 'joe', `joe@${domain}`)).page.status, 303);
  await fetch(`${endpoint}/_belfry/scim/v2/Users/${id}`, { method: 'DELETE', headers: { authorization: `Bearer ${ApiKeyValue}` } });
  assert.deepEqual([await isSignedIn(at), await user('joe')], [false, undefined]);
});

test('OpenID: sessions end with the provider, and with another one', async () => {
  const { AccountId, domain, config, person } = await newAccount();
  person('zoe');
  const at = browser(endpoint);
  const begun = browser(endpoint);
  assert.equal((await signIn(at, 'zoe', `zoe@${domain}`)).page.status, 303);
  const back = await provider.signIn(await begin(begun, `zoe@${domain}`), 'zoe');
  await done('UpdateAccountOpenIdConfig', { ...config, ClientId: 'other' });
  assert.equal(await isSignedIn(at), false);
  assert.equal((await begun.get(`${back.pathname}${back.search}`)).status, 403, 'a sign-in that began before');
  await done('UpdateAccountOpenIdConfig', config);
  assert.equal((await signIn(at, 'zoe', `zoe@${domain}`)).page.status, 303);
  await done('DeleteAccountOpenIdConfig', { AccountId });
  assert.equal(await isSignedIn(at), false);
});
