import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { CreateMediaInsightsPipelineConfigurationRequest } from '#model/generated/chime-sdk-media-pipelines.ts';
import { addRole } from '../iam/fixture.ts';
import { ACCOUNT, OTHER_ACCOUNT, START } from '../kit/fixture.ts';
import { openFixture, REQUEST, ROLE, STREAM, trustOf } from './fixture.ts';

const ARN = `arn:aws:chime:us-east-1:${ACCOUNT}:media-insights-pipeline-configuration/calls`;
const ALERTS = { Rules: [{ Type: 'IssueDetection', IssueDetectionConfiguration: { RuleName: 'issues' } }] } as const;
const VOICE = { Type: 'VoiceAnalyticsProcessor' } as const;
const LATER = instant(START + 60_000);
const NEXT_DAY = instant(START + 24 * 60 * 60_000);

type Input = CreateMediaInsightsPipelineConfigurationRequest;
type Opened = Awaited<ReturnType<typeof openFixture>>;

const create = ({ run }: Opened, more: Partial<Input> = {}, as: Parameters<Opened['run']>[2] = {}) =>
  run('CreateMediaInsightsPipelineConfiguration', { ...REQUEST, ...more }, as);
const names = async ({ run }: Opened, as: Parameters<Opened['run']>[2] = {}) =>
  (await run('ListMediaInsightsPipelineConfigurations', {}, as)).MediaInsightsPipelineConfigurations?.map(
    (each) => each.MediaInsightsPipelineConfigurationName,
  );

test('CreateMediaInsightsPipelineConfiguration: returns the same configuration as Get by name and by ARN', async () => {
  const opened = await openFixture();
  const made = await create(opened, { RealTimeAlertConfiguration: ALERTS });
  assert.deepEqual(made, {
    MediaInsightsPipelineConfiguration: {
      MediaInsightsPipelineConfigurationName: 'calls',
      MediaInsightsPipelineConfigurationArn: ARN,
      MediaInsightsPipelineConfigurationId: 'a6b1e9b0-0000-4000-8000-000000000001',
      ResourceAccessRoleArn: ROLE,
      RealTimeAlertConfiguration: ALERTS,
      Elements: [STREAM],
      CreatedTimestamp: START,
      UpdatedTimestamp: START,
    },
  });
  for (const Identifier of ['calls', ARN])
    assert.deepEqual(await opened.run('GetMediaInsightsPipelineConfiguration', { Identifier }), made);
});

// The rows are in the order of the operation's checks. Each row also has the faults of the rows below it.
// biome-ignore format: a table
const REFUSED: readonly [title: string, more: Partial<Input>, code: string][] = [
  ['a token of another configuration', { ClientRequestToken: 'used', Tags: [{ Key: 'aws:x', Value: '' }], Elements: [], ResourceAccessRoleArn: `${ROLE}2` }, 'BadRequestException'],
  ['a reserved tag',                   { Tags: [{ Key: 'aws:x', Value: '' }], Elements: [], ResourceAccessRoleArn: `${ROLE}2` },                             'BadRequestException'],
  ['no element',                       { Elements: [], ResourceAccessRoleArn: `${ROLE}2` },                                                                'BadRequestException'],
  ['an unknown role',                  { ResourceAccessRoleArn: `${ROLE}2` },                                                                              'BadRequestException'],
  ['a name in use',                    {},                                                                                                                 'BadRequestException'],
];

const MESSAGES = [/client request token/, /reserved/, /Elements/, /cannot assume the role/, /already exists/];

for (const [i, [title, more, code]] of REFUSED.entries()) {
  test(`CreateMediaInsightsPipelineConfiguration: ${title} is ${code}, and nothing changes`, async () => {
    const opened = await openFixture();
    const made = await create(opened, { ClientRequestToken: 'used', RealTimeAlertConfiguration: ALERTS });
    await assert.rejects(create(opened, more), { code, message: MESSAGES[i] });
    assert.deepEqual(await opened.run('GetMediaInsightsPipelineConfiguration', { Identifier: 'calls' }), made);
    assert.deepEqual(await names(opened), ['calls']);
  });
}

test('CreateMediaInsightsPipelineConfiguration: 51 tags are BadRequestException, and 50 are stored', async () => {
  const opened = await openFixture();
  const tags = Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
  await assert.rejects(create(opened, { Tags: tags }), { code: 'BadRequestException', message: /50 tags/ });
  await create(opened, { Tags: tags.slice(1) });
});

test('Configurations: creating the 101st configuration in a region is ResourceLimitExceededException', async () => {
  const opened = await openFixture();
  for (let i = 0; i < 100; i++) await create(opened, { MediaInsightsPipelineConfigurationName: `c${i}` });
  await assert.rejects(create(opened), { code: 'ResourceLimitExceededException' });
  await create(opened, { Elements: [VOICE] }, { region: 'eu-central-1' });
});

test('Configurations: a client request token is valid for 24 hours, or until the configuration is deleted', async () => {
  const opened = await openFixture();
  const again = (as: Parameters<Opened['run']>[2] = {}) => create(opened, { ClientRequestToken: 'once' }, as);
  const made = await again();
  assert.deepEqual(await again({ now: LATER }), made);
  await assert.rejects(again({ now: NEXT_DAY }), { code: 'BadRequestException', message: /already exists/ });

  await opened.run('DeleteMediaInsightsPipelineConfiguration', { Identifier: 'calls' });
  const anew = await again({ now: LATER });
  assert.notEqual(
    anew.MediaInsightsPipelineConfiguration?.MediaInsightsPipelineConfigurationId,
    made.MediaInsightsPipelineConfiguration?.MediaInsightsPipelineConfigurationId,
  );
});

// biome-ignore format: a table
const ROLES: readonly [title: string, trustPolicy: object, assumable: boolean][] = [
  ['trusts the service on behalf of the account',     trustOf('mediapipelines.chime.amazonaws.com'),                 true ],
  ['trusts the service on behalf of another account', trustOf('mediapipelines.chime.amazonaws.com', OTHER_ACCOUNT),  false],
  ['trusts another service of Chime',                 trustOf('chime.amazonaws.com'),                                false],
  ['trusts no principal',                             { Version: '2012-10-17', Statement: [] },                      false],
  ['denies the service for a tag of the role',        denyingTag('Locked'),                                          false],
  ['denies the service for a tag that it lacks',      denyingTag('Unlocked'),                                        true ],
];

/** Returns a trust policy that allows the service, unless the role has the tag. */
function denyingTag(key: string): object {
  const { Statement } = trustOf('mediapipelines.chime.amazonaws.com') as { readonly Statement: object };
  const Condition = { Null: { [`aws:ResourceTag/${key}`]: 'false' } };
  return { Version: '2012-10-17', Statement: [Statement, { ...Statement, Effect: 'Deny', Condition }] };
}

for (const [title, trustPolicy, assumable] of ROLES) {
  test(`CreateMediaInsightsPipelineConfiguration: ${assumable ? 'valid' : 'BadRequestException'} if the role ${title}`, async () => {
    const opened = await openFixture();
    const ResourceAccessRoleArn = `arn:aws:iam::${ACCOUNT}:role/Other`;
    await addRole(opened.store, ResourceAccessRoleArn, { trustPolicy, tags: [{ key: 'Locked', value: 'yes' }] });
    const made = create(opened, { ResourceAccessRoleArn });
    if (assumable) assert.equal((await made).MediaInsightsPipelineConfiguration?.ResourceAccessRoleArn, ResourceAccessRoleArn);
    else await assert.rejects(made, { code: 'BadRequestException', message: /cannot assume the role/ });
  });
}

test('CreateMediaInsightsPipelineConfiguration: a role ARN with a path that the role does not have is BadRequestException', async () => {
  const opened = await openFixture();
  await assert.rejects(create(opened, { ResourceAccessRoleArn: ROLE.replace('/analytics', '') }), { code: 'BadRequestException' });
});

test('UpdateMediaInsightsPipelineConfiguration: replaces all settings; the name, ID and tags remain', async () => {
  const opened = await openFixture();
  const { MediaInsightsPipelineConfiguration: made } = await create(opened, {
    RealTimeAlertConfiguration: ALERTS,
    Tags: [{ Key: 'a', Value: 'b' }],
  });
  const update = { Identifier: ARN, ResourceAccessRoleArn: ROLE, Elements: [VOICE] };
  const changed = await opened.run('UpdateMediaInsightsPipelineConfiguration', update, { now: LATER });
  const { RealTimeAlertConfiguration: _, ...rest } = made ?? {};
  assert.deepEqual(changed.MediaInsightsPipelineConfiguration, { ...rest, Elements: [VOICE], UpdatedTimestamp: LATER });
  assert.deepEqual(await opened.run('GetMediaInsightsPipelineConfiguration', { Identifier: 'calls' }), changed);
  assert.deepEqual((await opened.run('ListTagsForResource', { ResourceARN: ARN })).Tags, [{ Key: 'a', Value: 'b' }]);
});

// biome-ignore format: a table
const REFUSED_UPDATES: readonly [title: string, more: object, code: string][] = [
  ['an unknown configuration',   { Identifier: 'others', Elements: [], ResourceAccessRoleArn: `${ROLE}2` }, 'NotFoundException'  ],
  ['no element',                 { Elements: [], ResourceAccessRoleArn: `${ROLE}2` },                       'BadRequestException'],
  ['an unknown role',            { ResourceAccessRoleArn: `${ROLE}2` },                                     'BadRequestException'],
];

for (const [title, more, code] of REFUSED_UPDATES) {
  test(`UpdateMediaInsightsPipelineConfiguration: ${title} is ${code}, and nothing changes`, async () => {
    const opened = await openFixture();
    const made = await create(opened);
    const update = { Identifier: 'calls', ResourceAccessRoleArn: ROLE, Elements: [VOICE], ...more };
    await assert.rejects(opened.run('UpdateMediaInsightsPipelineConfiguration', update), { code });
    assert.deepEqual(await opened.run('GetMediaInsightsPipelineConfiguration', { Identifier: 'calls' }), made);
  });
}

test('ListMediaInsightsPipelineConfigurations: sorted by name; a token of another region is invalid', async () => {
  const opened = await openFixture();
  for (const name of ['cc', 'aa', 'bb']) await create(opened, { MediaInsightsPipelineConfigurationName: name });
  const list = (input: object, as: Parameters<Opened['run']>[2] = {}) => opened.run('ListMediaInsightsPipelineConfigurations', input, as);
  const first = await list({ MaxResults: 2 });
  assert.deepEqual(Object.keys(first.MediaInsightsPipelineConfigurations?.[0] ?? {}).sort(), [
    'MediaInsightsPipelineConfigurationArn',
    'MediaInsightsPipelineConfigurationId',
    'MediaInsightsPipelineConfigurationName',
  ]);
  const second = await list({ MaxResults: 2, NextToken: first.NextToken });
  assert.deepEqual(
    [first, second].map((page) => page.MediaInsightsPipelineConfigurations?.map((each) => each.MediaInsightsPipelineConfigurationName)),
    [['aa', 'bb'], ['cc']],
  );
  assert.equal(second.NextToken, undefined);
  await assert.rejects(list({ NextToken: first.NextToken }, { region: 'eu-central-1' }), { code: 'BadRequestException' });
});

test('Configurations: a configuration of another account or region is NotFoundException', async () => {
  const opened = await openFixture();
  await create(opened);
  for (const as of [{ accountId: OTHER_ACCOUNT }, { region: 'eu-central-1' }]) {
    assert.deepEqual(await names(opened, as), []);
    for (const Identifier of ['calls', ARN]) {
      await assert.rejects(opened.run('GetMediaInsightsPipelineConfiguration', { Identifier }, as), { code: 'NotFoundException' });
      await assert.rejects(opened.run('DeleteMediaInsightsPipelineConfiguration', { Identifier }, as), { code: 'NotFoundException' });
    }
  }
  assert.deepEqual(await names(opened), ['calls']);
});

test('DeleteMediaInsightsPipelineConfiguration: frees the name; a second deletion is NotFoundException', async () => {
  const opened = await openFixture();
  await create(opened);
  const remove = () => opened.run('DeleteMediaInsightsPipelineConfiguration', { Identifier: ARN });
  await remove();
  await assert.rejects(remove(), { code: 'NotFoundException' });
  assert.deepEqual(await names(opened), []);
  await create(opened);
});
