import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { RegisterAppInstanceUserEndpointRequest } from '#model/generated/chime-sdk-identity.ts';
import { ACCOUNT, openFixture, PROJECT, START } from './fixture.ts';

const LATER = instant(START + 1_000);
const SECRETS = { DeviceToken: 'a1b2c3', VoipDeviceToken: 'd4e5f6' };

test('Endpoints: Describe returns device tokens, and lists do not', async () => {
  const { run, appInstance, user, endpoint } = await openFixture();
  const AppInstanceUserArn = await user(await appInstance(), 'ada');
  const EndpointId = await endpoint(AppInstanceUserArn, { Name: 'phone', EndpointAttributes: SECRETS });
  const summary = {
    AppInstanceUserArn,
    EndpointId,
    Name: 'phone',
    Type: 'APNS',
    AllowMessages: 'ALL',
    EndpointState: { Status: 'ACTIVE' },
  };
  const more = { ResourceArn: PROJECT, EndpointAttributes: SECRETS, CreatedTimestamp: START };
  assert.deepEqual(await run('DescribeAppInstanceUserEndpoint', { AppInstanceUserArn, EndpointId }), {
    AppInstanceUserEndpoint: { ...summary, ...more, LastUpdatedTimestamp: START },
  });
  assert.deepEqual(await run('ListAppInstanceUserEndpoints', { AppInstanceUserArn }), { AppInstanceUserEndpoints: [summary] });

  const update = (changes: object) => run('UpdateAppInstanceUserEndpoint', { AppInstanceUserArn, EndpointId, ...changes }, { now: LATER });
  assert.deepEqual(await update({ AllowMessages: 'NONE' }), { AppInstanceUserArn, EndpointId });
  await update({ Name: 'tablet' });
  assert.deepEqual(await run('DescribeAppInstanceUserEndpoint', { AppInstanceUserArn, EndpointId }), {
    AppInstanceUserEndpoint: { ...summary, Name: 'tablet', AllowMessages: 'NONE', ...more, LastUpdatedTimestamp: LATER },
  });
  await run('DeregisterAppInstanceUserEndpoint', { AppInstanceUserArn, EndpointId });
  assert.deepEqual(await run('ListAppInstanceUserEndpoints', { AppInstanceUserArn }), { AppInstanceUserEndpoints: [] });
});

test('Endpoints: stored device tokens are encrypted and bound to their endpoint (LOG-4)', async () => {
  const { appInstance, user, endpoint, store } = await openFixture();
  const EndpointId = await endpoint(await user(await appInstance(), 'ada'), { EndpointAttributes: SECRETS });
  const rows = await store.transaction((tx) => tx.sql.rows<{ readonly document: string }>('SELECT document FROM resource'));
  const kept = rows.map(({ document }) => document).join();
  assert.ok(!kept.includes('a1b2c3') && !kept.includes('d4e5f6'));
  assert.ok(kept.includes(`ada/${EndpointId}`));
});

test('RegisterAppInstanceUserEndpoint: a token returns the same endpoint, even if the user has the maximum', async () => {
  const { run, appInstance, user } = await openFixture({ endpoints: 1 });
  const request = {
    ClientRequestToken: 'once',
    AppInstanceUserArn: await user(await appInstance(), 'ada'),
    Type: 'GCM',
    ResourceArn: PROJECT,
    EndpointAttributes: SECRETS,
  } as const;
  const first = await run('RegisterAppInstanceUserEndpoint', request);
  assert.deepEqual(await run('RegisterAppInstanceUserEndpoint', request), first);
  await run('DeregisterAppInstanceUserEndpoint', {
    AppInstanceUserArn: request.AppInstanceUserArn,
    EndpointId: first.EndpointId as string,
  });
  assert.notEqual((await run('RegisterAppInstanceUserEndpoint', request)).EndpointId, first.EndpointId);
});

// Source: aws/amazon-chime-sdk-ios issue 594.
test('RegisterAppInstanceUserEndpoint: a registered device is ConflictException until its deregistration', async () => {
  const { run, appInstance, user, endpoint } = await openFixture();
  const AppInstanceArn = await appInstance();
  const AppInstanceUserArn = await user(AppInstanceArn, 'ada');
  const EndpointId = await endpoint(AppInstanceUserArn, { EndpointAttributes: SECRETS });
  for (const EndpointAttributes of [SECRETS, { DeviceToken: SECRETS.DeviceToken }, { ...SECRETS, DeviceToken: 'x' }]) {
    await assert.rejects(endpoint(AppInstanceUserArn, { Type: 'GCM', EndpointAttributes }), { code: 'ConflictException' });
  }
  await endpoint(AppInstanceUserArn, { EndpointAttributes: { DeviceToken: 'x' } });
  await endpoint(await user(AppInstanceArn, 'ada.b'), { EndpointAttributes: SECRETS });
  await run('DeregisterAppInstanceUserEndpoint', { AppInstanceUserArn, EndpointId });
  await endpoint(AppInstanceUserArn, { EndpointAttributes: SECRETS });
});

// biome-ignore format: a table
const STATES: readonly [title: string, resourceArn: string, state: object][] = [
  ['a project of Pinpoint',        PROJECT,                                                       { Status: 'ACTIVE' }                                            ],
  ['a resource in a project',      `${PROJECT}/campaigns/1`,                                      { Status: 'INACTIVE', StatusReason: 'INVALID_PINPOINT_ARN' }    ],
  ['a project without an id',      PROJECT.replace(/\/.*/, '/'),                                  { Status: 'INACTIVE', StatusReason: 'INVALID_PINPOINT_ARN' }    ],
  ['a topic',                      `arn:aws:sns:us-east-1:${ACCOUNT}:apps/9f1c`,                  { Status: 'INACTIVE', StatusReason: 'INVALID_PINPOINT_ARN' }    ],
];

for (const [title, ResourceArn, state] of STATES) {
  test(`Endpoints: with the ARN of ${title} the state is ${JSON.stringify(state)}`, async () => {
    const { run, appInstance, user, endpoint } = await openFixture();
    const AppInstanceUserArn = await user(await appInstance(), 'ada');
    const EndpointId = await endpoint(AppInstanceUserArn, { ResourceArn });
    const { AppInstanceUserEndpoint } = await run('DescribeAppInstanceUserEndpoint', { AppInstanceUserArn, EndpointId });
    assert.deepEqual([AppInstanceUserEndpoint?.EndpointState, AppInstanceUserEndpoint?.ResourceArn], [state, ResourceArn]);
  });
}

// biome-ignore format: a table
const REFUSED: readonly [title: string, change: Partial<RegisterAppInstanceUserEndpointRequest>, code: string][] = [
  // The rows are in the order of the operation's checks.
  ['an unknown user',                     { AppInstanceUserArn: 'unknown',ClientRequestToken: 'used' },              'ForbiddenException'            ],
  ['a used token with other parameters',  { ClientRequestToken: 'used', EndpointAttributes: { DeviceToken: 'x' } },  'ConflictException'             ],
  ['a registered device, at the limit',   { EndpointAttributes: { DeviceToken: 'token-3' } },                        'ConflictException'             ],
  ['a user with the maximum',             {},                                                                        'ResourceLimitExceededException'],
];

for (const [title, change, code] of REFUSED) {
  test(`RegisterAppInstanceUserEndpoint: ${title} is ${code}, and nothing is registered`, async () => {
    const { run, appInstance, user, endpoint } = await openFixture({ endpoints: 1 });
    const AppInstanceUserArn = await user(await appInstance(), 'ada');
    const EndpointId = await endpoint(AppInstanceUserArn, { ClientRequestToken: 'used' });
    await assert.rejects(endpoint(change.AppInstanceUserArn ? `${AppInstanceUserArn}x` : AppInstanceUserArn, withoutUser(change)), {
      code,
    });
    const { AppInstanceUserEndpoints = [] } = await run('ListAppInstanceUserEndpoints', { AppInstanceUserArn });
    assert.deepEqual(
      AppInstanceUserEndpoints.map((each) => each.EndpointId),
      [EndpointId],
    );
  });
}

function withoutUser({ AppInstanceUserArn: _, ...rest }: Partial<RegisterAppInstanceUserEndpointRequest>) {
  return rest;
}

test('ListAppInstanceUserEndpoints: pages repeat no endpoint and omit other users, even with similar IDs', async () => {
  const { run, appInstance, user, endpoint } = await openFixture();
  const AppInstanceArn = await appInstance();
  const AppInstanceUserArn = await user(AppInstanceArn, 'ada');
  for (const id of ['ad', 'ada-b', 'ada.b', 'ada0']) await endpoint(await user(AppInstanceArn, id));
  const made = [await endpoint(AppInstanceUserArn), await endpoint(AppInstanceUserArn), await endpoint(AppInstanceUserArn)];
  const first = await run('ListAppInstanceUserEndpoints', { AppInstanceUserArn, MaxResults: 2 });
  const second = await run('ListAppInstanceUserEndpoints', { AppInstanceUserArn, MaxResults: 1, NextToken: first.NextToken as string });
  assert.equal(second.NextToken, undefined);
  const listed = [...(first.AppInstanceUserEndpoints ?? []), ...(second.AppInstanceUserEndpoints ?? [])];
  assert.deepEqual(
    listed.map((each) => each.EndpointId),
    made,
  );
});

test('Endpoints: an unknown endpoint, or an endpoint of another user, is ForbiddenException', async () => {
  const { run, appInstance, user, endpoint } = await openFixture();
  const AppInstanceArn = await appInstance();
  const AppInstanceUserArn = await user(AppInstanceArn, 'ada');
  const ofBob = await endpoint(await user(AppInstanceArn, 'bob'));
  for (const EndpointId of ['ffffffff-0000-4000-8000-000000000000', ofBob, `../bob/${ofBob}`, '']) {
    const named = { AppInstanceUserArn, EndpointId };
    await assert.rejects(run('DescribeAppInstanceUserEndpoint', named), { code: 'ForbiddenException' });
    await assert.rejects(run('UpdateAppInstanceUserEndpoint', { ...named, Name: 'n' }), { code: 'ForbiddenException' });
    await assert.rejects(run('DeregisterAppInstanceUserEndpoint', named), { code: 'ForbiddenException' });
  }
});
