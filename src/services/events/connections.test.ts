import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CreateConnectionAuthRequestParameters, CreateConnectionRequest } from '#model/generated/events.ts';
import { ACCOUNT, OTHER_ACCOUNT, START } from '../kit/fixture.ts';
import { CONNECTION, resealedConnection } from './connection-records.ts';
import { openEvents } from './fixture.ts';

const KEY = { ApiKeyName: 'x-key', ApiKeyValue: 'secret-1' };
const BASIC = { Username: 'ada', Password: 'secret-2' };
const OAUTH = {
  AuthorizationEndpoint: 'https://login.example.com/token',
  HttpMethod: 'POST' as const,
  ClientParameters: { ClientID: 'id', ClientSecret: 'secret-3' },
  OAuthHttpParameters: { BodyParameters: [{ Key: 'grant', Value: 'secret-4', IsValueSecret: true }] },
};
const HTTP = {
  HeaderParameters: [
    { Key: 'x-a', Value: 'open', IsValueSecret: false },
    { Key: 'x-b', Value: 'secret-5', IsValueSecret: true },
  ],
  QueryStringParameters: [{ Key: 'q', Value: 'open' }],
};
const REQUEST: CreateConnectionRequest = { Name: 'c', AuthorizationType: 'API_KEY', AuthParameters: { ApiKeyAuthParameters: KEY } };
const ARN = /^arn:aws:events:us-east-1:111122223333:connection\/c\/[0-9a-f-]{36}$/;
const NO_CONNECTION = {
  code: 'ResourceNotFoundException',
  message: "Failed to describe the connection(s). Connection 'none' does not exist.",
};

// biome-ignore format: a table
const TYPES: readonly [type: CreateConnectionRequest['AuthorizationType'], parameters: CreateConnectionAuthRequestParameters, state: string, shown: object][] = [
  ['API_KEY',                  { ApiKeyAuthParameters: KEY, BasicAuthParameters: BASIC }, 'AUTHORIZED',  { ApiKeyAuthParameters: { ApiKeyName: 'x-key' } }],
  ['BASIC',                    { BasicAuthParameters: BASIC },                            'AUTHORIZED',  { BasicAuthParameters: { Username: 'ada' } }],
  ['OAUTH_CLIENT_CREDENTIALS', { OAuthParameters: OAUTH },                                'AUTHORIZING', { OAuthParameters: { ClientParameters: { ClientID: 'id' }, AuthorizationEndpoint: OAUTH.AuthorizationEndpoint, HttpMethod: 'POST', OAuthHttpParameters: { BodyParameters: [{ Key: 'grant', IsValueSecret: true }] } } }],
];
for (const [AuthorizationType, parameters, state, shown] of TYPES) {
  test(`CreateConnection: ${AuthorizationType} is ${state}, and no response has a secret`, async () => {
    const { run } = await openEvents();
    const AuthParameters = { ...parameters, InvocationHttpParameters: HTTP };
    const created = await run('CreateConnection', { ...REQUEST, Description: 'd', AuthorizationType, AuthParameters });
    assert.match(created.ConnectionArn ?? '', ARN);
    assert.deepEqual([created.ConnectionState, created.CreationTime, created.LastModifiedTime], [state, START, START]);
    const described = await run('DescribeConnection', { Name: 'c' });
    assert.deepEqual(described.AuthParameters, {
      ...shown,
      InvocationHttpParameters: {
        HeaderParameters: [HTTP.HeaderParameters[0], { Key: 'x-b', IsValueSecret: true }],
        QueryStringParameters: HTTP.QueryStringParameters,
      },
    });
    const uuid = created.ConnectionArn?.split('/').at(-1);
    const secret = new RegExp(`^arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:events!connection/c/${uuid}-\\w{6}$`);
    assert.match(described.SecretArn ?? '', secret);
    const responses = JSON.stringify([created, described, await run('ListConnections', {})]);
    assert.doesNotMatch(responses, /secret-\d/);
  });
}

// biome-ignore format: a table
const REFUSED: readonly [title: string, input: Partial<CreateConnectionRequest>, code: string, message: string][] = [
  ['a used name',               {},                                                                     'ResourceAlreadyExistsException', 'Connection c already exists.'],
  ['parameters of another type', { Name: 'd', AuthorizationType: 'BASIC' },                              'ValidationError', 'Parameter BasicAuthParameters is not valid. Reason: Missing required field(s)'],
  ['no parameters',             { Name: 'd', AuthParameters: {} },                                      'ValidationError', 'Parameter ApiKeyAuthParameters is not valid. Reason: Missing required field(s)'],
  ['an endpoint without TLS',   { Name: 'd', AuthorizationType: 'OAUTH_CLIENT_CREDENTIALS', AuthParameters: { OAuthParameters: { ...OAUTH, AuthorizationEndpoint: 'http://a.example' } } }, 'ValidationError', "Parameter AuthorizationEndpoint is not valid. Reason: Endpoint 'http://a.example' is invalid, please provide a valid HTTPS endpoint URL."],
  ['an endpoint with a password', { Name: 'd', AuthorizationType: 'OAUTH_CLIENT_CREDENTIALS', AuthParameters: { OAuthParameters: { ...OAUTH, AuthorizationEndpoint: 'https://u:p@a.example/t' } } }, 'ValidationError', "Parameter AuthorizationEndpoint is not valid. Reason: Endpoint 'https://a.example/t' is invalid, please provide a valid HTTPS endpoint URL."],
  ['a KMS key',                 { Name: 'd', KmsKeyIdentifier: 'k' },                                   'ValidationError', 'Parameter KmsKeyIdentifier is not valid. Reason: Belfry has no KMS keys.'],
  ['a private endpoint',        { Name: 'd', InvocationConnectivityParameters: { ResourceParameters: { ResourceConfigurationArn: '' } } }, 'ValidationError', 'Connections to private endpoints are not implemented by Belfry.'],
];
for (const [title, input, code, message] of REFUSED) {
  test(`CreateConnection: ${title} is ${code}`, async () => {
    const { run } = await openEvents();
    await run('CreateConnection', REQUEST);
    await assert.rejects(run('CreateConnection', { ...REQUEST, ...input }), { code, message });
    assert.equal((await run('ListConnections', {})).Connections?.length, 1);
  });
}

test('UpdateConnection: omitted parameters stay, and another type needs all its parameters', async () => {
  const { run, store } = await openEvents();
  await run('CreateConnection', { ...REQUEST, AuthParameters: { ...REQUEST.AuthParameters, InvocationHttpParameters: HTTP } });
  await run('UpdateConnection', { Name: 'c', AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: 'new' } } });
  const stored = async () => {
    const key = { accountId: ACCOUNT, region: 'us-east-1', parent: '', id: 'c' };
    const record = await store.transaction((tx) => tx.resources.get(CONNECTION, key));
    return JSON.parse(Buffer.from(record?.document.sealedParameters?.split('|')[1] ?? '', 'base64').toString());
  };
  assert.deepEqual(await stored(), { ApiKeyAuthParameters: { ...KEY, ApiKeyName: 'new' }, InvocationHttpParameters: HTTP });
  const incomplete = { Name: 'c', AuthorizationType: 'BASIC' as const, AuthParameters: { BasicAuthParameters: { Username: 'ada' } } };
  await assert.rejects(run('UpdateConnection', incomplete), { code: 'ValidationError' });
  const { ConnectionState } = await run('UpdateConnection', {
    Name: 'c',
    AuthorizationType: 'OAUTH_CLIENT_CREDENTIALS',
    AuthParameters: { OAuthParameters: OAUTH },
  });
  assert.equal(ConnectionState, 'AUTHORIZING');
  assert.deepEqual(await stored(), { OAuthParameters: OAUTH, InvocationHttpParameters: HTTP });
  await run('UpdateConnection', { Name: 'c', AuthParameters: { OAuthParameters: { ClientParameters: { ClientSecret: 'other' } } } });
  assert.deepEqual((await stored()).OAuthParameters, { ...OAUTH, ClientParameters: { ClientID: 'id', ClientSecret: 'other' } });
});

test('connections: secrets are sealed for one connection, and a rotation of the operator key seals them again', async () => {
  const { run, store } = await openEvents();
  const { ConnectionArn = '' } = await run('CreateConnection', REQUEST);
  const [record] = await store.transaction((tx) => tx.resources.listOfAccount(CONNECTION, ACCOUNT, 2));
  assert.ok(record !== undefined);
  const boundTo = `events-connection/${ACCOUNT}/us-east-1/c/${ConnectionArn.split('/').at(-1)}`;
  assert.ok(record.document.sealedParameters?.startsWith(`${boundTo}|`));
  assert.doesNotMatch(JSON.stringify({ ...record.document, sealedParameters: '' }), /secret-1/);
  const resealed = resealedConnection(record, (sealed, bound) => `${bound} again ${sealed.length}`);
  assert.match(resealed.document.sealedParameters ?? '', new RegExp(`^${boundTo} again \\d+$`));
});

test('DeauthorizeConnection: deletes the secrets, and API destinations become inactive', async () => {
  const { run } = await openEvents();
  const { ConnectionArn = '' } = await run('CreateConnection', REQUEST);
  const destination = { Name: 'd', ConnectionArn, InvocationEndpoint: 'https://example.com/a/*', HttpMethod: 'POST' as const };
  assert.equal((await run('CreateApiDestination', destination)).ApiDestinationState, 'ACTIVE');
  assert.equal((await run('DeauthorizeConnection', { Name: 'c' })).ConnectionState, 'DEAUTHORIZING');
  const { ConnectionState, AuthParameters, SecretArn } = await run('DescribeConnection', { Name: 'c' });
  assert.deepEqual([ConnectionState, AuthParameters, SecretArn], ['DEAUTHORIZED', undefined, undefined]);
  assert.equal((await run('DescribeApiDestination', { Name: 'd' })).ApiDestinationState, 'INACTIVE');
  await run('UpdateConnection', { Name: 'c', AuthParameters: REQUEST.AuthParameters });
  assert.equal((await run('DescribeApiDestination', { Name: 'd' })).ApiDestinationState, 'ACTIVE');
  assert.equal((await run('DeleteConnection', { Name: 'c' })).ConnectionState, 'DELETING');
  await run('CreateConnection', REQUEST);
  assert.equal((await run('DescribeApiDestination', { Name: 'd' })).ApiDestinationState, 'INACTIVE');
});

for (const operation of ['UpdateConnection', 'DeauthorizeConnection', 'DeleteConnection', 'DescribeConnection'] as const) {
  test(`${operation}: an unknown connection is ResourceNotFoundException`, async () => {
    const { run } = await openEvents();
    await assert.rejects(run(operation, { Name: 'none' }), NO_CONNECTION);
  });
}

test('API destinations: they are created, changed, listed and deleted', async () => {
  const { run } = await openEvents();
  const { ConnectionArn = '' } = await run('CreateConnection', REQUEST);
  const request = { Name: 'd', ConnectionArn, InvocationEndpoint: 'https://example.com/', HttpMethod: 'POST' as const };
  const { ApiDestinationArn } = await run('CreateApiDestination', { ...request, Description: 'e' });
  assert.match(ApiDestinationArn ?? '', /:api-destination\/d\/[0-9a-f-]{36}$/);
  await run('UpdateApiDestination', { Name: 'd', HttpMethod: 'PUT', InvocationRateLimitPerSecond: 5 });
  const shared = { ApiDestinationArn, ApiDestinationState: 'ACTIVE', CreationTime: START, LastModifiedTime: START };
  const listed = { ...shared, ...request, HttpMethod: 'PUT', InvocationRateLimitPerSecond: 5 };
  assert.deepEqual(await run('DescribeApiDestination', { Name: 'd' }), { ...listed, Description: 'e' });
  assert.deepEqual(await run('ListApiDestinations', { ConnectionArn }), { ApiDestinations: [listed] });
  assert.deepEqual(await run('ListApiDestinations', { ConnectionArn: `${ConnectionArn}0` }), { ApiDestinations: [] });
  await run('DeleteApiDestination', { Name: 'd' });
  assert.deepEqual(await run('ListApiDestinations', {}), { ApiDestinations: [] });
});

const endpoint = (url: string) =>
  `Parameter InvocationEndpoint is not valid. Reason: Endpoint '${url.replace('https://a:b@example.com', 'https://example.com/')}' is invalid, please provide a valid HTTPS endpoint URL.`;
// biome-ignore format: a table
const DESTINATION_REFUSED: readonly [title: string, input: (arn: string) => object, code: string, message: (arn: string) => string][] = [
  ['a used name',                   () => ({ Name: 'used' }),                                                   'ResourceAlreadyExistsException', () => "An api-destination 'used' already exists."],
  ['an endpoint without TLS',       () => ({ InvocationEndpoint: 'http://example.com' }),                       'ValidationError',                () => endpoint('http://example.com')],
  ['an endpoint with a password',   () => ({ InvocationEndpoint: 'https://a:b@example.com' }),                  'ValidationError',                () => endpoint('https://a:b@example.com')],
  ['a connection elsewhere',        (arn) => ({ ConnectionArn: arn.replace('us-east-1', 'eu-west-1') }),        'ValidationError',                (arn) => `Invalid ARN: '${arn.replace('us-east-1', 'eu-west-1')}'`],
  ['a connection of an account',    (arn) => ({ ConnectionArn: arn.replace(ACCOUNT, OTHER_ACCOUNT) }),          'ValidationError',                (arn) => `Invalid ARN: '${arn.replace(ACCOUNT, OTHER_ACCOUNT)}'`],
  ['an unknown connection',         (arn) => ({ ConnectionArn: arn.replace('/c/', '/none/') }),                 'ResourceNotFoundException',      () => NO_CONNECTION.message],
];
for (const [title, input, code, message] of DESTINATION_REFUSED) {
  test(`CreateApiDestination: ${title} is ${code}`, async () => {
    const { run } = await openEvents();
    const { ConnectionArn = '' } = await run('CreateConnection', REQUEST);
    const request = { Name: 'd', ConnectionArn, InvocationEndpoint: 'https://example.com', HttpMethod: 'POST' as const };
    await run('CreateApiDestination', { ...request, Name: 'used' });
    await assert.rejects(run('CreateApiDestination', { ...request, ...input(ConnectionArn) }), { code, message: message(ConnectionArn) });
  });
}

for (const operation of ['UpdateApiDestination', 'DeleteApiDestination', 'DescribeApiDestination'] as const) {
  test(`${operation}: an unknown API destination is ResourceNotFoundException`, async () => {
    const { run } = await openEvents();
    const message = "Failed to describe the api-destination(s). An api-destination 'none' does not exist.";
    await assert.rejects(run(operation, { Name: 'none' }), { code: 'ResourceNotFoundException', message });
  });
}
