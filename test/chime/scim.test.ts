/** Keys, SCIM and licensed groups of an account with an OpenID provider, on two servers with one database. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { CreateAccountCommand, CreateUserCommand, GetAccountCommand, ListUsersCommand } from '@aws-sdk/client-chime';
import { DescribeAppInstanceUserCommand } from '@aws-sdk/client-chime-sdk-identity';
import pg from 'pg';
import type { AccountId as ChimeAccountOwner } from '#core/arn.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { chimeUserArn } from '#services/chime-kit/chime-app-instance.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { accountOn } from '../kit/account.ts';
import { startSecondServer, startTestServer } from '../kit/server.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
const environment = { BELFRY_DATABASE: postgres.url, BELFRY_SIGN_IN_FAILURES: '12', BELFRY_SCIM_USERS_PER_ACCOUNT: '50' };
const first = await startTestServer(environment);
const second = await startSecondServer(first, environment);
const database = new pg.Client({ connectionString: postgres.url });
await database.connect();
after(async () => {
  await database.end();
  await postgres.stop();
});
const owner = accountOn(first);
const chime = owner.chime();
const model = loadModel('chime');
const call = async (name: string, input: object) => {
  const to = { endpoint: first.endpoint, region: 'us-east-1', credentials: first.credentials };
  return await callChime(to, model.operations[name] as OperationModel, input);
};
async function done(name: string, input: object): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await call(name, input);
  assert.equal(status, 200, `${name} ${JSON.stringify(body)}`);
  return body as Readonly<Record<string, unknown>>;
}

let domains = 0;
/** Creates an account with a domain of its own and an OpenID provider. */
async function newAccount() {
  const AccountId = (await chime.send(new CreateAccountCommand({ Name: 'Example' }))).Account?.AccountId as string;
  const domain = `d${++domains}.example.com`;
  await database.query(
    `UPDATE chime_account SET account_type = 'EnterpriseLWA', document = jsonb_set(document::jsonb, '{Domains}', $1)::text WHERE chime_account_id = $2`,
    [JSON.stringify([domain]), AccountId],
  );
  await done('UpdateAccountOpenIdConfig', { AccountId, Issuer: 'https://idp.example.com', ClientId: 'belfry' });
  return { AccountId, domain };
}

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}
type Send = (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Reply>;

function scimOf(key: string, endpoint = first.endpoint): Send {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${endpoint}/_belfry/scim/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { 'content-type': 'application/scim+json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
  };
}
async function newKey(AccountId: string) {
  const { ApiKey, ApiKeyValue, ScimEndpoint } = await done('CreateApiKey', { AccountId, Name: 'Okta' });
  const { ApiKeyId } = ApiKey as { readonly ApiKeyId: string };
  return { ApiKeyId, key: ApiKeyValue as string, ScimEndpoint: ScimEndpoint as string };
}
/** Creates an account with a key. */
async function provisioned() {
  const account = await newAccount();
  const { key, ApiKeyId } = await newKey(account.AccountId);
  const scim = scimOf(key);
  const ok = async (status: number, method: string, path: string, body?: unknown) => {
    const reply = await scim(method, path, body);
    assert.equal(reply.status, status, JSON.stringify(reply.body));
    return reply.body;
  };
  return {
    ...account,
    ...{ key, ApiKeyId, scim, ok },
    newUser: async (name: string, more: object = {}) =>
      (await ok(201, 'POST', '/Users', { schemas: [USER], userName: `${name}@${account.domain}`, ...more }))['id'] as string,
    newGroup: async (displayName: string, ...ids: readonly string[]) =>
      (await ok(201, 'POST', '/Groups', { schemas: [GROUP], displayName, members: ids.map((value) => ({ value })) }))['id'] as string,
    license: (GroupName: string, License = 'Pro') =>
      done('AddOrUpdateGroups', { AccountId: account.AccountId, Groups: [{ GroupName, License }] }),
    /** Returns status and license of users of the account, by the name in their address. */
    users: async () => {
      const { Users = [] } = await chime.send(new ListUsersCommand({ AccountId: account.AccountId }));
      return Object.fromEntries(
        Users.map((user) => [user.PrimaryEmail?.split('@')[0], `${user.UserRegistrationStatus} ${user.LicenseType} ${user.DisplayName}`]),
      );
    },
  };
}
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const patch = (...Operations: readonly object[]) => ({ schemas: [PATCH], Operations });
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

test('CreateApiKey: the key is shown once, stored as a digest, listed with its use, and refused on every server after DeleteApiKey', async () => {
  const team = (await chime.send(new CreateAccountCommand({ Name: 'Team' }))).Account?.AccountId as string;
  assert.equal((await call('CreateApiKey', { AccountId: team })).code, 'BadRequestException');
  assert.equal((await call('CreateApiKey', { AccountId: 'unknown' })).code, 'NotFoundException');
  const { AccountId } = await newAccount();
  const { key, ApiKeyId, ScimEndpoint } = await newKey(AccountId);
  assert.match(key, /^[0-9a-f-]{36}\.[\w-]{43}$/);
  assert.match(ScimEndpoint, /^https?:\/\/[^/]+\/_belfry\/scim\/v2$/);
  const { rows } = await database.query('SELECT * FROM chime_api_key');
  assert.ok(!JSON.stringify(rows).includes(key.split('.')[1] as string));
  for (const { endpoint } of [first, second]) assert.equal((await scimOf(key, endpoint)('GET', '/Users')).status, 200);
  const { ApiKeys } = await done('ListApiKeys', { AccountId });
  const [listed] = ApiKeys as readonly Readonly<Record<string, unknown>>[];
  assert.deepEqual(Object.keys(listed ?? {}).sort(), ['ApiKeyId', 'CreatedTimestamp', 'LastUsedTimestamp', 'Name']);
  const last = await newKey(AccountId);
  for (let i = 2; i < 10; i++) await newKey(AccountId);
  assert.equal((await call('CreateApiKey', { AccountId })).code, 'ResourceLimitExceededException');
  await done('DeleteApiKey', { AccountId, ApiKeyId });
  for (const { endpoint } of [first, second]) {
    const { status, body, headers } = await scimOf(key, endpoint)('GET', '/Users');
    assert.deepEqual([status, body['status'], headers.get('www-authenticate')], [401, '401', 'Bearer']);
    assert.equal((await scimOf(last.key, endpoint)('GET', '/Users')).status, 200);
  }
  assert.equal((await call('DeleteApiKey', { AccountId, ApiKeyId })).code, 'NotFoundException');
  const records = await owner.records('CreateApiKey');
  assert.ok(records.length > 0 && !JSON.stringify(records).includes(key.split('.')[1] as string));
});

test('SCIM: the endpoint describes itself, and errors have the form of RFC 7644', async () => {
  const { scim, ok, domain } = await provisioned();
  const config = await ok(200, 'GET', '/ServiceProviderConfig');
  assert.deepEqual(
    [config['patch'], config['bulk'], config['filter']],
    [{ supported: true }, { supported: false, maxOperations: 0, maxPayloadSize: 0 }, { supported: true, maxResults: 200 }],
  );
  assert.equal((await ok(200, 'GET', '/ResourceTypes'))['totalResults'], 2);
  assert.equal((await ok(200, 'GET', `/Schemas/${USER}`))['id'], USER);
  const userName = `ada@${domain}`;
  const deep = '{"a":'.repeat(9) + '1' + '}'.repeat(9);
  // biome-ignore format: a table
  const rows: readonly (readonly [method: string, path: string, body: unknown, status: number, scimType?: string])[] = [
    ['GET',    '/Unknown',                               undefined,                                     404],
    ['GET',    `/Users/${UNKNOWN}`,                      undefined,                                     404],
    ['GET',    '/Users/x',                               undefined,                                     404],
    ['GET',    `/Users/${UNKNOWN}/x`,                    undefined,                                     404],
    ['PUT',    '/Users',                                 { userName },                                  405],
    ['POST',   '/Bulk',                                  {},                                            404],
    ['GET',    '/Users?filter=userName%20co%20%22a%22',  undefined,                                     400, 'invalidFilter'],
    ['GET',    '/Users?filter=title%20eq%20%22a%22',     undefined,                                     400, 'invalidFilter'],
    ['GET',    '/Users?filter=userName+eq+%22a%22+or+1', undefined,                                     400, 'invalidFilter'],
    ['GET',    `/Users?filter=${'a'.repeat(1_025)}`,     undefined,                                     400, 'invalidFilter'],
    ['GET',    '/Users?count=x',                         undefined,                                     400, 'invalidValue'],
    ['GET',    `/Users?x=${'a'.repeat(4_096)}`,          undefined,                                     414],
    ['GET',    '/Users/%ff',                             undefined,                                     400, 'invalidSyntax'],
    ['POST',   '/Users',                                 '{',                                           400, 'invalidSyntax'],
    ['POST',   '/Users',                                 '[]',                                          400, 'invalidSyntax'],
    ['POST',   '/Users',                                 deep,                                          400, 'invalidSyntax'],
    ['POST',   '/Users',                                 `{"userName":"${userName}","userName":"x"}`,   400, 'invalidSyntax'],
    ['POST',   '/Users',                                 { userName, username: 'x' },                   400, 'invalidSyntax'],
    ['POST',   '/Users',                                 { userName: 'ada' },                           400, 'invalidValue'],
    ['POST',   '/Users',                                 { userName: 'ada@other.example' },             400, 'invalidValue'],
    ['POST',   '/Users',                                 { userName, displayName: 'a\u0000' },          400, 'invalidValue'],
    ['POST',   '/Users',                                 { userName, displayName: 'a\ud800' },          400, 'invalidValue'],
    ['POST',   '/Users',                                 { userName, active: 'perhaps' },               400, 'invalidValue'],
    ['POST',   '/Users',                                 { userName, emails: [{ value: 'x' }] },        400, 'invalidValue'],
    ['POST',   '/Users',                                 { userName, x: 'a'.repeat(262_144) },          413],
    ['POST',   '/Groups',                                { displayName: '' },                           400, 'invalidValue'],
    ['POST',   '/Groups',                                { displayName: 'a', members: [{ value: UNKNOWN }] }, 400, 'invalidValue'],
  ];
  for (const [method, path, body, status, scimType] of rows) {
    const reply = await scim(method, path, body);
    const title = `${method} ${path.slice(0, 60)} ${JSON.stringify(body)?.slice(0, 60)}`;
    assert.deepEqual([reply.status, reply.body['scimType'], reply.body['status']], [status, scimType, String(status)], title);
    assert.deepEqual(reply.body['schemas'], ['urn:ietf:params:scim:api:messages:2.0:Error']);
    assert.equal(reply.headers.get('content-type'), 'application/scim+json');
  }
  assert.equal((await scim('POST', '/Users', { userName }, { 'content-type': 'text/plain' })).status, 415);
  assert.equal((await ok(200, 'GET', '/Users'))['totalResults'], 0);
  assert.equal((await ok(200, 'GET', '/Groups'))['totalResults'], 0, 'a refused group is not stored');
});

test('SCIM users: create, read, filter, pages, replace, patch and delete', async () => {
  const { AccountId, domain, ok, scim, newUser } = await provisioned();
  const name = { givenName: 'Ada', familyName: 'Lovelace' };
  const created = await scim('POST', '/Users', {
    ...{ schemas: [USER], userName: `Ada@${domain}`, externalId: 'okta-1', name, active: true },
    ...{ password: 'secret', emails: [{ value: `Ada@${domain}`, type: 'work', primary: true }] },
  });
  const id = created.body['id'] as string;
  const path = `/Users/${id}`;
  assert.equal(created.headers.get('location')?.endsWith(`/_belfry/scim/v2${path}`), true);
  const { meta, ...read } = await ok(200, 'GET', path);
  assert.deepEqual(read, {
    ...{ schemas: [USER], id, externalId: 'okta-1', active: true, userName: `Ada@${domain}`, name },
    emails: [{ value: `Ada@${domain}`, type: 'work', primary: true }],
  });
  assert.equal((meta as { readonly resourceType: string }).resourceType, 'User');
  assert.deepEqual((await scim('POST', '/Users', { userName: `ADA@${domain}` })).body['scimType'], 'uniqueness');

  const others = [await newUser('bob'), await newUser('eve', { externalId: 'okta-3' })];
  const idsOf = (list: Readonly<Record<string, unknown>>) =>
    (list['Resources'] as readonly { readonly id: string }[]).map((user) => user.id);
  const find = async (filter: string) => idsOf(await ok(200, 'GET', `/Users?filter=${encodeURIComponent(filter)}`));
  assert.deepEqual(await find(`userName eq "aDa@${domain}"`), [id]);
  assert.deepEqual(await find('externalId EQ "okta-3"'), [others[1]]);
  assert.deepEqual(await find(`username eq "' OR 1=1 --"`), []);
  assert.deepEqual(await find('userName eq "\\u0061\\"%"'), []);
  const all = idsOf(await ok(200, 'GET', '/Users'));
  assert.deepEqual(all, [id, ...others].toSorted());
  const page = await ok(200, 'GET', '/Users?startIndex=2&count=1');
  assert.deepEqual([page['totalResults'], page['startIndex'], page['itemsPerPage'], idsOf(page)], [3, 2, 1, [all[1]]]);
  assert.deepEqual(idsOf(await ok(200, 'GET', '/Users?startIndex=-1&count=-5')), []);

  const replaced = await ok(200, 'PUT', path, { userName: `ada@${domain}`, displayName: 'Countess', active: true });
  assert.deepEqual([replaced['displayName'], replaced['name'], replaced['externalId']], ['Countess', undefined, undefined]);
  const patched = await ok(
    200,
    'PATCH',
    path,
    patch(
      { op: 'Replace', path: 'active', value: 'False' },
      { op: 'add', path: 'name.givenName', value: 'Augusta' },
      { op: 'replace', value: { externalId: 'entra-1', [`${USER}:x`]: 1 } },
      { op: 'remove', path: 'displayName' },
    ),
  );
  assert.deepEqual(
    [patched['active'], patched['name'], patched['externalId'], patched['displayName']],
    [false, { givenName: 'Augusta' }, 'entra-1', undefined],
  );
  for (const [operation, scimType] of [
    [{ op: 'move', path: 'active' }, 'invalidSyntax'],
    [{ op: 'replace', path: 'title', value: 'x' }, 'invalidPath'],
    [{ op: 'remove' }, 'invalidPath'],
    [{ op: 'replace', path: 'userName', value: `bob@${domain}` }, 'uniqueness'],
  ] as const)
    assert.equal((await scim('PATCH', path, patch(operation))).body['scimType'], scimType, JSON.stringify(operation));
  assert.equal((await scim('PATCH', path, patch())).status, 400);
  await ok(204, 'DELETE', path);
  assert.equal((await scim('GET', path)).status, 404);
  assert.equal((await ok(200, 'GET', '/Users'))['totalResults'], 2);

  // A key opens the users of its own account only.
  const other = await provisioned();
  assert.equal((await other.scim('GET', `/Users/${others[0]}`)).status, 404);
  assert.equal((await other.scim('POST', '/Users', { userName: `zoe@${domain}` })).body['scimType'], 'invalidValue');
  assert.equal((await chime.send(new GetAccountCommand({ AccountId }))).Account?.AccountType, 'EnterpriseOIDC');
});

test('Licensed groups: members have the best license, and others are not registered or are suspended', async () => {
  const { AccountId, domain, users, license, newUser, newGroup, ok } = await provisioned();
  await chime.send(new CreateUserCommand({ AccountId, Email: `old@${domain}`, Username: 'Old' }));
  const [ada, bob] = [await newUser('ada', { displayName: 'Ada' }), await newUser('bob')];
  await newUser('old', { displayName: 'New' });
  // The provider manages its users: one that is in no licensed group is suspended.
  assert.deepEqual(await users(), { old: 'Suspended Pro Old' });
  const everyone = await newGroup('Everyone', ada, bob);
  assert.deepEqual(await users(), { old: 'Suspended Pro Old' });
  const { Groups } = await license('Everyone', 'Basic');
  const [{ GroupId, SyncStatus } = { GroupId: '', SyncStatus: '' }] = Groups as readonly { GroupId: string; SyncStatus: string }[];
  assert.equal(SyncStatus, 'Synced');
  assert.deepEqual(await users(), { old: 'Suspended Pro Old', ada: 'Registered Basic Ada', bob: 'Registered Basic bob' });
  const best = await license('Best');
  assert.equal((best['Groups'] as readonly { SyncStatus: string }[])[0]?.SyncStatus, 'Pending');
  const group = await newGroup('Best', bob);
  assert.equal((await users())['bob'], 'Registered Pro bob');
  const { Groups: listed } = await done('ListGroups', { AccountId });
  assert.deepEqual(
    (listed as readonly { GroupName: string; SyncStatus: string; License: string }[]).map((each) => [
      each.GroupName,
      each.License,
      each.SyncStatus,
    ]),
    [
      ['Best', 'Pro', 'Synced'],
      ['Everyone', 'Basic', 'Synced'],
    ],
  );
  const shown = (await ok(200, 'GET', `/Users/${bob}`))['groups'] as readonly { display: string }[];
  assert.deepEqual(
    shown.map(({ display }) => display),
    ['Best', 'Everyone'],
  );

  // biome-ignore format: a table
  const steps: readonly (readonly [title: string, path: string, operation: object, bob: string])[] = [
    ['a member is removed by a path', `/Groups/${group}`,    { op: 'remove', path: `members[value eq "${bob}"]` },                     'Registered Basic bob'],
    ['a member is added',             `/Groups/${group}`,    { op: 'add', path: 'members', value: [{ value: bob }] },                  'Registered Pro bob'],
    ['the group is renamed',          `/Groups/${group}`,    { op: 'replace', value: { id: group, displayName: 'Renamed' } },          'Registered Basic bob'],
    ['the group is renamed back',     `/Groups/${group}`,    { op: 'replace', path: 'displayName', value: 'Best' },                   'Registered Pro bob'],
    ['the members are replaced',      `/Groups/${group}`,    { op: 'replace', path: 'members', value: [{ value: ada }] },              'Registered Basic bob'],
    ['the last group is left',        `/Groups/${everyone}`, { op: 'remove', path: 'members', value: [{ value: bob }] },               'Suspended Basic bob'],
    ['the user is in a group again',  `/Groups/${everyone}`, { op: 'Add', path: 'members', value: [{ value: bob, display: 'Bob' }] },  'Registered Basic bob'],
    ['the user is disabled',          `/Users/${bob}`,       { op: 'replace', value: { active: false } },                              'Suspended Basic bob'],
    ['the user is enabled',           `/Users/${bob}`,       { op: 'replace', path: 'active', value: true },                           'Registered Basic bob'],
  ];
  for (const [title, path, operation, expected] of steps) {
    await ok(path.startsWith('/Users') ? 200 : 204, 'PATCH', path, patch(operation));
    assert.equal((await users())['bob'], expected, title);
  }
  const named = (value: string) => ({ op: 'replace', path: 'displayName', value });
  await ok(
    204,
    'PATCH',
    `/Groups/${everyone}`,
    patch(named('First'), { op: 'remove', path: 'members', value: [{ value: ada }] }, named('Second')),
  );
  assert.equal((await users())['bob'], 'Suspended Basic bob', 'two names in one request');
  await ok(
    204,
    'PATCH',
    `/Groups/${everyone}`,
    patch(named('First'), named('Everyone'), { op: 'add', path: 'members', value: [{ value: ada }] }),
  );
  assert.equal((await users())['bob'], 'Registered Basic bob', 'two names in one request');
  assert.deepEqual(
    ((await ok(200, 'GET', `/Groups/${everyone}`))['members'] as readonly { value: string }[]).map(({ value }) => value).toSorted(),
    [ada, bob].toSorted(),
  );
  await ok(200, 'PATCH', `/Users/${bob}`, patch({ op: 'replace', path: 'userName', value: `Robert@${domain}` }));
  assert.equal((await users())['Robert'], 'Registered Basic Robert');
  await done('DeleteGroups', { AccountId, GroupIds: [GroupId, 'unknown'] });
  assert.deepEqual(await users(), { old: 'Suspended Pro Old', ada: 'Registered Pro Ada', Robert: 'Suspended Basic Robert' });
  await ok(204, 'DELETE', `/Groups/${group}`);
  assert.equal((await users())['ada'], 'Suspended Pro Ada');
  await ok(204, 'DELETE', `/Users/${bob}`);
  assert.deepEqual(Object.keys(await users()).toSorted(), ['ada', 'old']);
});

test('SCIM: another person can have the earlier address of a renamed user, also if another account of the AWS account lists the user', async () => {
  const { AccountId, domain, license, newUser, newGroup, ok, users } = await provisioned();
  // A Team account of the same AWS account has removed the person.
  const Email = `ada@${domain}`;
  await chime.send(new CreateUserCommand({ AccountId, Email, Username: 'Ada' }));
  const { rows } = await database.query('SELECT * FROM chime_user WHERE email = $1', [Email]);
  const team = (await chime.send(new CreateAccountCommand({ Name: 'Team' }))).Account?.AccountId as string;
  const listed = { ...rows[0], chime_account_id: team, is_member: 0, registration_status: 'Suspended', personal_pin: null };
  const names = Object.keys(listed);
  await database.query(`INSERT INTO chime_user (${names}) VALUES (${names.map((_name, i) => `$${i + 1}`)})`, Object.values(listed));

  await license('Everyone');
  const [first, group] = [await newUser('ada'), await newGroup('Everyone')];
  const add = (value: string) => ok(204, 'PATCH', `/Groups/${group}`, patch({ op: 'add', path: 'members', value: [{ value }] }));
  await add(first);
  await ok(200, 'PATCH', `/Users/${first}`, patch({ op: 'replace', path: 'userName', value: `countess@${domain}` }));
  await add(await newUser('ada'));
  assert.deepEqual(Object.keys(await users()).toSorted(), ['ada', 'countess']);
  const { rows: left } = await database.query('SELECT email, user_id FROM chime_user WHERE email LIKE $1', [`%@${domain}`]);
  const idsOf = (name: string) => new Set(left.flatMap((row) => (row.email === `${name}@${domain}` ? [row.user_id] : [])));
  assert.deepEqual([idsOf('ada').size, idsOf('countess').size, new Set([...idsOf('ada'), ...idsOf('countess')]).size], [1, 1, 2]);
});

test('AddOrUpdateGroups: wrong accounts, licenses and names are refused', async () => {
  const { AccountId } = await newAccount();
  const team = (await chime.send(new CreateAccountCommand({ Name: 'Team' }))).Account?.AccountId as string;
  const one = { GroupName: 'a', License: 'Pro' };
  for (const [input, code] of [
    [{ AccountId, Groups: [one, one] }, 'BadRequestException'],
    [{ AccountId, Groups: [{ ...one, License: 'Plus' }] }, 'BadRequestException'],
    [{ AccountId, Groups: [{ ...one, GroupName: 'a\u202eb' }] }, 'BadRequestException'],
    [{ AccountId, Groups: [] }, 'ValidationException'],
    [{ AccountId: team, Groups: [one] }, 'BadRequestException'],
    [{ AccountId: 'unknown', Groups: [one] }, 'NotFoundException'],
  ] as const)
    assert.equal((await call('AddOrUpdateGroups', input)).code, code, JSON.stringify(input));
});

test('OpenID provider: the type of the account follows it, a secret stays with its issuer, and all it reported ends with it', async () => {
  const { AccountId, scim, newUser, newGroup, license, users } = await provisioned();
  const typeOf = async () => (await chime.send(new GetAccountCommand({ AccountId }))).Account?.AccountType;
  const config = { AccountId, Issuer: 'https://idp.example.com', ClientId: 'belfry' };
  const sealed = async () => {
    const { rows } = await database.query(`SELECT document FROM resource WHERE kind = 'chime-openid-config' AND parent = $1`, [AccountId]);
    return (JSON.parse((rows[0] as { document: string }).document) as { sealedSecret?: string }).sealedSecret;
  };
  await done('UpdateAccountOpenIdConfig', { ...config, ClientSecret: 'geheim' });
  const before = await sealed();
  assert.ok(before !== undefined && !before.includes('geheim'));
  await done('UpdateAccountOpenIdConfig', { ...config, ClientId: 'other' });
  assert.equal(await sealed(), before);
  await done('UpdateAccountOpenIdConfig', { ...config, Issuer: 'https://evil.example.com' });
  assert.equal(await sealed(), undefined);
  const { OpenIdConfig, Account } = await done('GetAccountWithOpenIdConfig', { AccountId });
  const { RedirectUri, Issuer } = OpenIdConfig as { RedirectUri: string; Issuer: string };
  assert.deepEqual([Issuer, new URL(RedirectUri).pathname], ['https://evil.example.com', `/chime/callback/${AccountId}`]);
  assert.equal((Account as { AccountType: string }).AccountType, 'EnterpriseOIDC');
  for (const wrong of ['https://a.example?x', 'https://u:p@a.example', 'https://a.example#x'])
    assert.equal((await call('UpdateAccountOpenIdConfig', { ...config, Issuer: wrong })).code, 'BadRequestException', wrong);

  await license('Everyone');
  await newGroup('Everyone', await newUser('ada'));
  await done('DeleteAccountOpenIdConfig', { AccountId });
  assert.equal(await typeOf(), 'EnterpriseLWA');
  assert.equal((await scim('GET', '/Users')).status, 401);
  assert.deepEqual(await users(), { ada: 'Registered Pro ada' });
  for (const table of ['chime_scim_user', 'chime_scim_group', 'chime_scim_member', 'chime_licensed_group', 'chime_api_key'])
    assert.equal((await database.query(`SELECT 1 FROM ${table} WHERE chime_account_id = $1`, [AccountId])).rowCount, 0, table);
  assert.equal((await call('DeleteAccountOpenIdConfig', { AccountId })).code, 'NotFoundException');
});

test('SCIM: each request is recorded with the key and the ID, without attributes', async () => {
  const { AccountId, ApiKeyId, newUser, scim, domain } = await provisioned();
  const id = await newUser('recorded');
  await scim('POST', '/Users', { userName: `recorded@${domain}` });
  const records = (await owner.records('CreateScimUser')).filter(
    (record) => (record['serviceEventDetails'] as Readonly<Record<string, string>>)['chimeAccountId'] === AccountId,
  );
  const details = records.map((record) => record['serviceEventDetails'] as Readonly<Record<string, string>>);
  assert.deepEqual(
    details.map(({ outcome, apiKeyId, scimUserId, errorMessage }) => [outcome, apiKeyId, scimUserId, errorMessage]).toSorted(),
    [
      ['Failure', ApiKeyId, undefined, 'The userName is in use.'],
      ['Success', ApiKeyId, id, undefined],
    ],
  );
  assert.ok(!JSON.stringify(records).includes('recorded@'));
});

test('SCIM: a method that is not possible is 405, with the possible ones in Allow', async () => {
  const { scim } = await provisioned();
  for (const [method, path, allow] of [
    ['DELETE', '/Users', 'GET, POST'],
    ['POST', `/Users/${UNKNOWN}`, 'GET, PUT, PATCH, DELETE'],
    ['PUT', '/Groups', 'GET, POST'],
    ['POST', '/Schemas', 'GET'],
    ['OPTIONS', '/Users', 'GET, POST, PUT, PATCH, DELETE'],
  ] as const) {
    const { status, headers } = await scim(method, path, method === 'POST' || method === 'PUT' ? {} : undefined);
    assert.deepEqual([status, headers.get('allow')], [405, allow], `${method} ${path}`);
  }
});

test('SCIM users: an account has at most the number of the setting', async () => {
  const { AccountId, domain, newUser, ok, scim } = await provisioned();
  const id = await newUser('first');
  await database.query(
    `INSERT INTO chime_scim_user (chime_account_id, scim_id, account_id, email, is_active, is_due, created_at_ms, updated_at_ms, document)
    SELECT chime_account_id, 'id ' || n, account_id, n || '@example.com', 1, 0, 0, 0, document FROM chime_scim_user, generate_series(2, 50) n
    WHERE chime_account_id = $1`,
    [AccountId],
  );
  await database.query('UPDATE chime_scim_total SET users = 50 WHERE chime_account_id = $1', [AccountId]);
  const { status, body } = await scim('POST', '/Users', { userName: `next@${domain}` });
  assert.deepEqual([status, body['detail']], [403, 'An account can have at most 50 provisioned users.']);
  await ok(204, 'DELETE', `/Users/${id}`);
  await newUser('next');
});

test('SCIM users: a new name is the name in the chat at once', async () => {
  const { AccountId, license, newUser, newGroup, ok } = await provisioned();
  await license('Everyone');
  const id = await newUser('ada', { displayName: 'Ada' });
  await newGroup('Everyone', id);
  const { Users } = await chime.send(new ListUsersCommand({ AccountId }));
  const AppInstanceUserArn = chimeUserArn(first.accountId as ChimeAccountOwner, Users?.[0]?.UserId as string);
  const inChat = async () =>
    (await owner.identity().send(new DescribeAppInstanceUserCommand({ AppInstanceUserArn }))).AppInstanceUser?.Name;
  assert.equal(await inChat(), 'Ada');
  await ok(200, 'PATCH', `/Users/${id}`, patch({ op: 'replace', path: 'displayName', value: 'Countess of Lovelace' }));
  assert.equal(await inChat(), 'Countess of Lovelace');
});

/** Sends the head of a request with a body that never follows. Resolves to the status of the response. */
function statusOfHead(key: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/scim+json', 'content-length': '262144' };
    const sent = request(`${first.endpoint}/_belfry/scim/v2/Users`, { method: 'POST', headers, signal: AbortSignal.timeout(30_000) });
    sent.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      sent.destroy();
    });
    sent.on('error', reject);
    sent.flushHeaders();
  });
}

// The last test: the source must wait afterwards.
test('SCIM: wrong keys of a source are limited, and valid keys of the same source are not', async () => {
  const { scim, key } = await provisioned();
  const forged = `${key.slice(0, 37)}${'A'.repeat(43)}`;
  assert.equal(await statusOfHead(forged), 401, 'the server does not wait for the body');
  const statuses = new Set<number>();
  for (let i = 0; i < 20 && !statuses.has(429); i++) statuses.add((await scimOf(forged)('GET', '/Users')).status);
  assert.deepEqual([...statuses], [401, 429]);
  assert.equal((await scim('GET', '/Users')).status, 200);
});
