/** Chime SDK Identity with the real SDK: every operation, and its records in the event history. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAppInstanceAdminCommand,
  CreateAppInstanceBotCommand,
  CreateAppInstanceCommand,
  CreateAppInstanceUserCommand,
  DeleteAppInstanceAdminCommand,
  DeleteAppInstanceBotCommand,
  DeleteAppInstanceCommand,
  DeleteAppInstanceUserCommand,
  DeregisterAppInstanceUserEndpointCommand,
  DescribeAppInstanceAdminCommand,
  DescribeAppInstanceBotCommand,
  DescribeAppInstanceCommand,
  DescribeAppInstanceUserCommand,
  DescribeAppInstanceUserEndpointCommand,
  GetAppInstanceRetentionSettingsCommand,
  ListAppInstanceAdminsCommand,
  ListAppInstanceBotsCommand,
  ListAppInstancesCommand,
  ListAppInstanceUserEndpointsCommand,
  ListTagsForResourceCommand,
  PutAppInstanceRetentionSettingsCommand,
  PutAppInstanceUserExpirationSettingsCommand,
  paginateListAppInstanceUsers,
  RegisterAppInstanceUserEndpointCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAppInstanceBotCommand,
  UpdateAppInstanceCommand,
  UpdateAppInstanceUserCommand,
  UpdateAppInstanceUserEndpointCommand,
} from '@aws-sdk/client-chime-sdk-identity';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { DAY_MS } from '#core/duration.ts';
import { startAccount } from '../kit/account.ts';
import { lexOf, newAppInstance, newAppInstanceUser, newBot } from '../kit/app-instance.ts';
import { refusalOf } from '../kit/outcome.ts';
import { everyEvent } from '../kit/trail.ts';
import { projectOf } from './fixture.ts';

const account = await startAccount();
const { accountId } = account;
const identity = account.identity();

/** Removes `$metadata`, which describes the request and is not part of the response. */
const answered = <Output extends { readonly $metadata: unknown }>({ $metadata: _, ...rest }: Output) => rest;

test('App instances: an app instance can be created, read, updated, listed and deleted', async () => {
  const before = Date.now() - 1_000;
  const made = await identity.send(new CreateAppInstanceCommand({ Name: 'chat', Metadata: '{"a":1}', ClientRequestToken: 'the-token' }));
  const AppInstanceArn = made.AppInstanceArn as string;
  assert.match(AppInstanceArn, new RegExp(`^arn:aws:chime:us-east-1:${accountId}:app-instance/[0-9a-f-]{36}$`));
  const again = await identity.send(new CreateAppInstanceCommand({ Name: 'chat', Metadata: '{"a":1}', ClientRequestToken: 'the-token' }));
  assert.equal(again.AppInstanceArn, AppInstanceArn);
  const used = await refusalOf(identity.send(new CreateAppInstanceCommand({ Name: 'other', ClientRequestToken: 'the-token' })));
  assert.deepEqual([used.name, used.status], ['ConflictException', 409]);

  const { AppInstance } = await identity.send(new DescribeAppInstanceCommand({ AppInstanceArn }));
  assert.deepEqual([AppInstance?.Name, AppInstance?.Metadata], ['chat', '{"a":1}']);
  const created = AppInstance?.CreatedTimestamp?.getTime() ?? 0;
  assert.ok(created >= before && created <= Date.now(), String(created));
  await identity.send(new UpdateAppInstanceCommand({ AppInstanceArn, Name: 'talk', Metadata: '' }));
  const { AppInstances } = await identity.send(new ListAppInstancesCommand({}));
  assert.deepEqual(AppInstances, [{ AppInstanceArn, Name: 'talk', Metadata: '' }]);

  await identity.send(new DeleteAppInstanceCommand({ AppInstanceArn }));
  assert.deepEqual(await refusalOf(identity.send(new DescribeAppInstanceCommand({ AppInstanceArn }))), {
    name: 'ForbiddenException',
    status: 403,
    message: 'An invalid app instance ARN was supplied for the input parameter.',
  });
});

test('Retention settings: settings can be set and removed, and InitiateDeletionTimestamp is in 30 days', async () => {
  const AppInstanceArn = await newAppInstance(identity);
  const put = (ChannelRetentionSettings: { RetentionDays?: number }) =>
    identity.send(
      new PutAppInstanceRetentionSettingsCommand({ AppInstanceArn, AppInstanceRetentionSettings: { ChannelRetentionSettings } }),
    );
  const set = answered(await put({ RetentionDays: 60 }));
  assert.deepEqual(set.AppInstanceRetentionSettings, { ChannelRetentionSettings: { RetentionDays: 60 } });
  const from = set.InitiateDeletionTimestamp?.getTime() ?? 0;
  assert.ok(Math.abs(from - Date.now() - 30 * DAY_MS) < DAY_MS, String(from));
  assert.deepEqual(answered(await identity.send(new GetAppInstanceRetentionSettingsCommand({ AppInstanceArn }))), set);
  assert.deepEqual(answered(await put({})), { AppInstanceRetentionSettings: { ChannelRetentionSettings: {} } });
});

test('Users: a user can be created, read, updated, set to expire, listed in pages and deleted', async () => {
  const AppInstanceArn = await newAppInstance(identity);
  // This ID has all kinds of characters that the model allows. Requests have the ID in their path, which must preserve
  // the characters.
  const AppInstanceUserArn = await newAppInstanceUser(identity, AppInstanceArn, 'ada:l_v-e.lace@x1');
  assert.equal(AppInstanceUserArn, `${AppInstanceArn}/user/ada:l_v-e.lace@x1`);
  const taken = new CreateAppInstanceUserCommand({ AppInstanceArn, AppInstanceUserId: 'ada:l_v-e.lace@x1', Name: 'Ada' });
  const refused = await refusalOf(identity.send(taken));
  assert.deepEqual([refused.name, refused.status], ['ConflictException', 409]);

  await identity.send(new UpdateAppInstanceUserCommand({ AppInstanceUserArn, Name: 'Ada', Metadata: 'm' }));
  const ExpirationSettings = { ExpirationDays: 7, ExpirationCriterion: 'CREATED_TIMESTAMP' } as const;
  const put = await identity.send(new PutAppInstanceUserExpirationSettingsCommand({ AppInstanceUserArn, ExpirationSettings }));
  assert.deepEqual(answered(put), { AppInstanceUserArn, ExpirationSettings });
  const { AppInstanceUser } = await identity.send(new DescribeAppInstanceUserCommand({ AppInstanceUserArn }));
  const { CreatedTimestamp, LastUpdatedTimestamp, ...rest } = AppInstanceUser ?? {};
  assert.deepEqual(rest, { AppInstanceUserArn, Name: 'Ada', Metadata: 'm', ExpirationSettings });
  assert.ok((LastUpdatedTimestamp as Date) >= (CreatedTimestamp as Date));

  for (const id of ['bob', 'carol', 'dora']) await newAppInstanceUser(identity, AppInstanceArn, id);
  const names: (string | undefined)[] = [];
  for await (const page of paginateListAppInstanceUsers({ client: identity, pageSize: 3 }, { AppInstanceArn })) {
    assert.ok((page.AppInstanceUsers?.length ?? 0) <= 3);
    names.push(...(page.AppInstanceUsers ?? []).map(({ Name }) => Name));
  }
  assert.deepEqual(names, ['Ada', 'bob', 'carol', 'dora']);

  await identity.send(new DeleteAppInstanceUserCommand({ AppInstanceUserArn }));
  assert.deepEqual(await refusalOf(identity.send(new DescribeAppInstanceUserCommand({ AppInstanceUserArn }))), {
    name: 'ForbiddenException',
    status: 403,
    message: 'An invalid app instance user ARN was supplied for the input parameter.',
  });
});

test('Bots: a bot can be created, read, updated, listed and deleted', async () => {
  const AppInstanceArn = await newAppInstance(identity);
  const Configuration = lexOf(accountId);
  const made = await identity.send(new CreateAppInstanceBotCommand({ AppInstanceArn, Name: 'Helper', Metadata: 'm', Configuration }));
  const AppInstanceBotArn = made.AppInstanceBotArn as string;
  const invoked = { Lex: { ...Configuration.Lex, InvokedBy: { StandardMessages: 'AUTO', TargetedMessages: 'NONE' } } } as const;
  await identity.send(new UpdateAppInstanceBotCommand({ AppInstanceBotArn, Name: 'Helper', Metadata: 'n', Configuration: invoked }));
  const { AppInstanceBot } = await identity.send(new DescribeAppInstanceBotCommand({ AppInstanceBotArn }));
  assert.deepEqual([AppInstanceBot?.Name, AppInstanceBot?.Configuration], ['Helper', invoked]);
  const listed = await identity.send(new ListAppInstanceBotsCommand({ AppInstanceArn }));
  assert.deepEqual(listed.AppInstanceBots, [{ AppInstanceBotArn, Name: 'Helper', Metadata: 'n' }]);
  await identity.send(new DeleteAppInstanceBotCommand({ AppInstanceBotArn }));
  const gone = await refusalOf(identity.send(new DescribeAppInstanceBotCommand({ AppInstanceBotArn })));
  assert.deepEqual([gone.name, gone.status], ['NotFoundException', 404]);
});

test('Administrators: a user and a bot can be promoted, read, listed and demoted', async () => {
  const AppInstanceArn = await newAppInstance(identity);
  const [ada, bot] = [await newAppInstanceUser(identity, AppInstanceArn, 'ada'), await newBot(identity, AppInstanceArn)];
  for (const AppInstanceAdminArn of [ada, bot]) {
    const made = await identity.send(new CreateAppInstanceAdminCommand({ AppInstanceArn, AppInstanceAdminArn }));
    assert.deepEqual([made.AppInstanceArn, made.AppInstanceAdmin?.Arn], [AppInstanceArn, AppInstanceAdminArn]);
  }
  const { AppInstanceAdmin } = await identity.send(new DescribeAppInstanceAdminCommand({ AppInstanceArn, AppInstanceAdminArn: ada }));
  assert.deepEqual([AppInstanceAdmin?.Admin, AppInstanceAdmin?.AppInstanceArn], [{ Arn: ada, Name: 'ada' }, AppInstanceArn]);
  assert.ok(AppInstanceAdmin?.CreatedTimestamp instanceof Date);
  await identity.send(new DeleteAppInstanceAdminCommand({ AppInstanceArn, AppInstanceAdminArn: bot }));
  const { AppInstanceAdmins } = await identity.send(new ListAppInstanceAdminsCommand({ AppInstanceArn }));
  assert.deepEqual(AppInstanceAdmins, [{ Admin: { Arn: ada, Name: 'ada' } }]);
});

test('LOG-4: endpoints can be registered, updated and deregistered, and no record has a device token', async () => {
  const AppInstanceUserArn = await newAppInstanceUser(identity, await newAppInstance(identity), 'ada');
  const EndpointAttributes = { DeviceToken: 'CanaryOfTheDevice', VoipDeviceToken: 'CanaryOfTheCalls' };
  const registered = await identity.send(
    new RegisterAppInstanceUserEndpointCommand({
      AppInstanceUserArn,
      Name: 'phone',
      Type: 'APNS_SANDBOX',
      ResourceArn: projectOf(accountId),
      EndpointAttributes,
    }),
  );
  const named = { AppInstanceUserArn, EndpointId: registered.EndpointId as string };
  await identity.send(new UpdateAppInstanceUserEndpointCommand({ ...named, Name: 'tablet', AllowMessages: 'NONE' }));
  const { AppInstanceUserEndpoint } = await identity.send(new DescribeAppInstanceUserEndpointCommand(named));
  assert.deepEqual(AppInstanceUserEndpoint?.EndpointAttributes, EndpointAttributes);
  const { AppInstanceUserEndpoints } = await identity.send(new ListAppInstanceUserEndpointsCommand({ AppInstanceUserArn }));
  assert.deepEqual(AppInstanceUserEndpoints, [
    { ...named, Name: 'tablet', Type: 'APNS_SANDBOX', AllowMessages: 'NONE', EndpointState: { Status: 'ACTIVE' } },
  ]);
  await identity.send(new DeregisterAppInstanceUserEndpointCommand(named));
  const gone = await refusalOf(identity.send(new DescribeAppInstanceUserEndpointCommand(named)));
  assert.deepEqual([gone.name, gone.status], ['ForbiddenException', 403]);

  const trail = JSON.stringify(await everyEvent(new CloudTrailClient(account.server.client())));
  assert.ok(trail.includes('RegisterAppInstanceUserEndpoint') && trail.includes('DescribeAppInstanceUserEndpoint'));
  assert.ok(!trail.includes('CanaryOf'));
});

test('Tags: app instances, users and bots can be tagged and untagged, and their tags can be listed', async () => {
  const appInstance = await newAppInstance(identity);
  for (const ResourceARN of [appInstance, await newAppInstanceUser(identity, appInstance, 'ada'), await newBot(identity, appInstance)]) {
    await identity.send(
      new TagResourceCommand({
        ResourceARN,
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'b', Value: '2' },
        ],
      }),
    );
    await identity.send(new UntagResourceCommand({ ResourceARN, TagKeys: ['a'] }));
    const { Tags } = await identity.send(new ListTagsForResourceCommand({ ResourceARN }));
    assert.deepEqual(Tags, [{ Key: 'b', Value: '2' }]);
  }
});

test('Validation: a request that violates the model is ValidationException, and creates nothing', async () => {
  const AppInstanceArn = await newAppInstance(identity);
  for (const input of [
    { AppInstanceUserId: '-ada', Name: 'Ada' },
    { AppInstanceUserId: 'ada', Name: ' ' },
    { AppInstanceUserId: 'ada', Name: 'Ada', ExpirationSettings: { ExpirationDays: 5476, ExpirationCriterion: 'CREATED_TIMESTAMP' } },
  ] as const) {
    const refused = await refusalOf(identity.send(new CreateAppInstanceUserCommand({ AppInstanceArn, ...input })));
    assert.deepEqual([refused.name, refused.status], ['ValidationException', 400]);
  }
  for await (const page of paginateListAppInstanceUsers({ client: identity }, { AppInstanceArn }))
    assert.deepEqual(page.AppInstanceUsers, []);
});
