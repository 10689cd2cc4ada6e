import type { Recorder, ServiceCalls } from '../recorder.ts';

/** Records calls on app instances, and on their users, bots, administrators and endpoints: successes, then errors of each operation. */
export async function identity(recorder: Recorder): Promise<undefined> {
  const calls = { ...recorder.of('chime-sdk-identity'), accountId: recorder.accountId };
  const AppInstanceArn = await appInstances(calls);
  const AppInstanceUserArn = await users(calls, AppInstanceArn);
  await administrators(calls, AppInstanceArn, AppInstanceUserArn);
  const AppInstanceBotArn = await bots(calls, AppInstanceArn);
  await endpoints(calls, AppInstanceUserArn);
  await tags(calls, AppInstanceArn);
  await deletions(calls, { AppInstanceArn, AppInstanceUserArn, AppInstanceBotArn });
  return undefined;
}

interface Calls extends ServiceCalls {
  readonly accountId: string;
}

const unknownInstance = ({ accountId }: Calls) => `arn:aws:chime:us-east-1:${accountId}:app-instance/00000000-0000-4000-8000-000000000000`;

async function appInstances(calls: Calls): Promise<string> {
  const { ok, fails } = calls;
  const chat = { Name: 'chat', Metadata: 'about chat', ClientRequestToken: 'chat', Tags: [{ Key: 'team', Value: 'blue' }] };
  const { AppInstanceArn } = await ok('CreateAppInstance', chat);
  await ok('CreateAppInstance', chat);
  await fails('ConflictException', 'CreateAppInstance', { ...chat, Name: 'other' });
  await fails('BadRequestException', 'CreateAppInstance', { ...chat, ClientRequestToken: 'token-b', Tags: [{ Key: 'aws:x', Value: 'y' }] });
  await ok('DescribeAppInstance', { AppInstanceArn });
  await fails('ForbiddenException', 'DescribeAppInstance', { AppInstanceArn: unknownInstance(calls) });
  await ok('CreateAppInstance', { Name: 'second', ClientRequestToken: 'second' });
  await ok('ListAppInstances', {});
  await fails('BadRequestException', 'ListAppInstances', { NextToken: 'forged' });
  await ok('UpdateAppInstance', { AppInstanceArn, Name: 'chat', Metadata: 'more about chat' });
  await fails('ForbiddenException', 'UpdateAppInstance', { AppInstanceArn: unknownInstance(calls), Name: 'chat', Metadata: '' });
  const AppInstanceRetentionSettings = { ChannelRetentionSettings: { RetentionDays: 30 } };
  await ok('PutAppInstanceRetentionSettings', { AppInstanceArn, AppInstanceRetentionSettings });
  await ok('GetAppInstanceRetentionSettings', { AppInstanceArn });
  await fails('ForbiddenException', 'PutAppInstanceRetentionSettings', {
    AppInstanceArn: unknownInstance(calls),
    AppInstanceRetentionSettings,
  });
  await fails('ForbiddenException', 'GetAppInstanceRetentionSettings', { AppInstanceArn: unknownInstance(calls) });
  return AppInstanceArn;
}

async function users(calls: Calls, AppInstanceArn: string): Promise<string> {
  const { ok, fails } = calls;
  const ada = { AppInstanceArn, AppInstanceUserId: 'ada', Name: 'Ada', ClientRequestToken: 'ada' };
  const { AppInstanceUserArn } = await ok('CreateAppInstanceUser', ada);
  await ok('CreateAppInstanceUser', ada);
  await ok('CreateAppInstanceUser', { ...ada, ClientRequestToken: 'ada-1' });
  await fails('ConflictException', 'CreateAppInstanceUser', { ...ada, Name: 'Lovelace', ClientRequestToken: 'ada-2' });
  await fails('ForbiddenException', 'CreateAppInstanceUser', {
    ...ada,
    AppInstanceArn: unknownInstance(calls),
    ClientRequestToken: 'ada-3',
  });
  const expiration = { ExpirationDays: 3, ExpirationCriterion: 'CREATED_TIMESTAMP' };
  await ok('CreateAppInstanceUser', {
    AppInstanceArn,
    AppInstanceUserId: 'bob',
    Name: 'Bob',
    ClientRequestToken: 'bob',
    ExpirationSettings: expiration,
  });
  const user = { AppInstanceUserArn };
  const nobody = { AppInstanceUserArn: `${AppInstanceArn}/user/nobody` };
  await ok('DescribeAppInstanceUser', user);
  await fails('ForbiddenException', 'DescribeAppInstanceUser', nobody);
  await ok('ListAppInstanceUsers', { AppInstanceArn });
  const { NextToken } = await ok('ListAppInstanceUsers', { AppInstanceArn, MaxResults: 1 });
  await ok('ListAppInstanceUsers', { AppInstanceArn, MaxResults: 1, NextToken });
  await fails('ForbiddenException', 'ListAppInstanceUsers', { AppInstanceArn: unknownInstance(calls) });
  await fails('BadRequestException', 'ListAppInstanceUsers', { AppInstanceArn, NextToken: 'forged' });
  await ok('UpdateAppInstanceUser', { ...user, Name: 'Ada', Metadata: 'first' });
  await fails('ForbiddenException', 'UpdateAppInstanceUser', { ...nobody, Name: 'Nobody', Metadata: '' });
  await ok('PutAppInstanceUserExpirationSettings', { ...user, ExpirationSettings: expiration });
  await ok('PutAppInstanceUserExpirationSettings', user);
  await fails('ForbiddenException', 'PutAppInstanceUserExpirationSettings', { ...nobody, ExpirationSettings: expiration });
  return AppInstanceUserArn;
}

async function administrators(calls: Calls, AppInstanceArn: string, AppInstanceAdminArn: string): Promise<void> {
  const { ok, fails } = calls;
  const nobody = `${AppInstanceArn}/user/nobody`;
  await ok('CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn });
  await fails('ConflictException', 'CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn });
  await fails('ForbiddenException', 'CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: nobody });
  await ok('DescribeAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn });
  await fails('ForbiddenException', 'DescribeAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: nobody });
  await ok('ListAppInstanceAdmins', { AppInstanceArn });
  await fails('ForbiddenException', 'ListAppInstanceAdmins', { AppInstanceArn: unknownInstance(calls) });
  await ok('DeleteAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn });
  await fails('ForbiddenException', 'DeleteAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn });
}

async function bots(calls: Calls, AppInstanceArn: string): Promise<string> {
  const { ok, fails } = calls;
  const Configuration = {
    Lex: { LexBotAliasArn: `arn:aws:lex:us-east-1:${calls.accountId}:bot-alias/ABCDEFGHIJ/KLMNOPQRST`, LocaleId: 'en_US' },
  };
  const { AppInstanceBotArn } = await ok('CreateAppInstanceBot', { AppInstanceArn, Name: 'bot', ClientRequestToken: 'bot', Configuration });
  await fails('ConflictException', 'CreateAppInstanceBot', { AppInstanceArn, Name: 'other', ClientRequestToken: 'bot', Configuration });
  await fails('BadRequestException', 'CreateAppInstanceBot', {
    AppInstanceArn,
    Name: 'far',
    ClientRequestToken: 'bot-1',
    Configuration: { Lex: { ...Configuration.Lex, LexBotAliasArn: Configuration.Lex.LexBotAliasArn.replace('us-east-1', 'eu-west-1') } },
  });
  await fails('ForbiddenException', 'CreateAppInstanceBot', {
    AppInstanceArn: unknownInstance(calls),
    Name: 'bot',
    ClientRequestToken: 'bot-2',
    Configuration,
  });
  const nobot = `${AppInstanceArn}/bot/00000000-0000-4000-8000-000000000000`;
  await ok('DescribeAppInstanceBot', { AppInstanceBotArn });
  await fails('NotFoundException', 'DescribeAppInstanceBot', { AppInstanceBotArn: nobot });
  await ok('ListAppInstanceBots', { AppInstanceArn });
  await fails('ForbiddenException', 'ListAppInstanceBots', { AppInstanceArn: unknownInstance(calls) });
  await ok('UpdateAppInstanceBot', { AppInstanceBotArn, Name: 'bot two', Metadata: '', Configuration });
  await fails('ForbiddenException', 'UpdateAppInstanceBot', { AppInstanceBotArn: nobot, Name: 'bot', Metadata: '', Configuration });
  return AppInstanceBotArn;
}

async function endpoints(calls: Calls, AppInstanceUserArn: string): Promise<void> {
  const { ok, fails } = calls;
  const user = { AppInstanceUserArn };
  const nobody = { AppInstanceUserArn: AppInstanceUserArn.replace(/[^/]*$/, 'nobody') };
  const endpoint = {
    ...user,
    Name: 'phone',
    Type: 'APNS',
    ResourceArn: `arn:aws:mobiletargeting:us-east-1:${calls.accountId}:apps/9f1c`,
    EndpointAttributes: { DeviceToken: 'token-of-a-phone' },
    ClientRequestToken: 'phone',
  };
  const { EndpointId } = await ok('RegisterAppInstanceUserEndpoint', endpoint);
  await fails('ForbiddenException', 'RegisterAppInstanceUserEndpoint', { ...endpoint, ...nobody, ClientRequestToken: 'phone-2' });
  await fails('ConflictException', 'RegisterAppInstanceUserEndpoint', { ...endpoint, ClientRequestToken: 'phone-3' });
  await ok('DescribeAppInstanceUserEndpoint', { ...user, EndpointId });
  await fails('ForbiddenException', 'DescribeAppInstanceUserEndpoint', { ...user, EndpointId: '00000000-0000-4000-8000-000000000000' });
  await ok('ListAppInstanceUserEndpoints', user);
  await fails('ForbiddenException', 'ListAppInstanceUserEndpoints', nobody);
  await ok('UpdateAppInstanceUserEndpoint', { ...user, EndpointId, Name: 'tablet', AllowMessages: 'NONE' });
  await fails('ForbiddenException', 'UpdateAppInstanceUserEndpoint', { ...user, EndpointId: '00000000-0000-4000-8000-000000000000' });
  await ok('DeregisterAppInstanceUserEndpoint', { ...user, EndpointId });
  await fails('ForbiddenException', 'DeregisterAppInstanceUserEndpoint', { ...user, EndpointId });
}

async function tags(calls: Calls, AppInstanceArn: string): Promise<void> {
  const { ok, fails } = calls;
  await ok('TagResource', { ResourceARN: AppInstanceArn, Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListTagsForResource', { ResourceARN: AppInstanceArn });
  await ok('UntagResource', { ResourceARN: AppInstanceArn, TagKeys: ['phase'] });
  await fails('ForbiddenException', 'ListTagsForResource', { ResourceARN: unknownInstance(calls) });
  await fails('ForbiddenException', 'TagResource', { ResourceARN: unknownInstance(calls), Tags: [{ Key: 'a', Value: 'b' }] });
  await fails('ForbiddenException', 'UntagResource', { ResourceARN: unknownInstance(calls), TagKeys: ['a'] });
  await fails('ResourceLimitExceededException', 'TagResource', {
    ResourceARN: AppInstanceArn,
    Tags: Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: 'v' })),
  });
}

async function deletions(
  { ok, fails }: Calls,
  {
    AppInstanceArn,
    AppInstanceUserArn,
    AppInstanceBotArn,
  }: Readonly<Record<'AppInstanceArn' | 'AppInstanceUserArn' | 'AppInstanceBotArn', string>>,
): Promise<void> {
  await ok('DeleteAppInstanceBot', { AppInstanceBotArn });
  await fails('ForbiddenException', 'DeleteAppInstanceBot', { AppInstanceBotArn });
  await ok('DeleteAppInstanceUser', { AppInstanceUserArn });
  await fails('ForbiddenException', 'DeleteAppInstanceUser', { AppInstanceUserArn });
  await ok('DeleteAppInstance', { AppInstanceArn });
  await fails('ForbiddenException', 'DeleteAppInstance', { AppInstanceArn });
}
