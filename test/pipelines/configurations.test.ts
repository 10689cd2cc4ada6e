/** Media insights pipeline configurations, with AWS's own client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteMediaInsightsPipelineConfigurationCommand,
  GetMediaInsightsPipelineConfigurationCommand,
  ListMediaInsightsPipelineConfigurationsCommand,
  ListTagsForResourceCommand,
  paginateListMediaInsightsPipelineConfigurations,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateMediaInsightsPipelineConfigurationCommand,
} from '@aws-sdk/client-chime-sdk-media-pipelines';
import {
  ChimeSDKVoiceClient,
  CreateVoiceConnectorCommand,
  GetVoiceConnectorStreamingConfigurationCommand,
  PutVoiceConnectorStreamingConfigurationCommand,
} from '@aws-sdk/client-chime-sdk-voice';
import { DeleteServiceLinkedRoleCommand } from '@aws-sdk/client-iam';
import { denialOf, refusalOf } from '../kit/outcome.ts';
import { allow, deny } from '../kit/policy.ts';
import { startPipelines } from './fixture.ts';

const account = await startPipelines();
const { accessRole, accountId, pipelines } = account;
const client = pipelines();
const arnOf = (name: string) => `arn:aws:chime:us-east-1:${accountId}:media-insights-pipeline-configuration/${name}`;

test('DeleteMediaInsightsPipelineConfiguration: a configuration that is in use can be deleted', async () => {
  await client.send(account.configuration('streamed'));
  const voice = new ChimeSDKVoiceClient(account.at('chime-sdk-voice'));
  const { VoiceConnector } = await voice.send(new CreateVoiceConnectorCommand({ Name: 'trunk', RequireEncryption: true }));
  const { VoiceConnectorId } = VoiceConnector ?? {};
  const MediaInsightsConfiguration = { Disabled: false, ConfigurationArn: arnOf('streamed') };
  const StreamingConfiguration = { DataRetentionInHours: 1, Disabled: false, MediaInsightsConfiguration };
  const put = () => voice.send(new PutVoiceConnectorStreamingConfigurationCommand({ VoiceConnectorId, StreamingConfiguration }));
  await put();
  await client.send(new DeleteMediaInsightsPipelineConfigurationCommand({ Identifier: 'streamed' }));
  const stored = await voice.send(new GetVoiceConnectorStreamingConfigurationCommand({ VoiceConnectorId }));
  assert.deepEqual(stored.StreamingConfiguration?.MediaInsightsConfiguration, MediaInsightsConfiguration);
  assert.equal((await refusalOf(put())).name, 'NotFoundException');
});

test('Configurations: a configuration can be created, read by name and ARN, updated, tagged and deleted', async () => {
  const { MediaInsightsPipelineConfiguration: made } = await client.send(
    account.configuration('life', { Tags: [{ Key: 'team', Value: 'blue' }], ClientRequestToken: 'life' }),
  );
  assert.equal(made?.MediaInsightsPipelineConfigurationArn, arnOf('life'));
  assert.equal(made?.ResourceAccessRoleArn, accessRole);
  assert.ok(made?.CreatedTimestamp instanceof Date);
  const again = await client.send(account.configuration('life', { Tags: [{ Key: 'team', Value: 'blue' }], ClientRequestToken: 'life' }));
  assert.deepEqual(again.MediaInsightsPipelineConfiguration, made);
  for (const Identifier of ['life', arnOf('life')]) {
    const read = await client.send(new GetMediaInsightsPipelineConfigurationCommand({ Identifier }));
    assert.deepEqual(read.MediaInsightsPipelineConfiguration, made);
  }

  const { MediaInsightsPipelineConfiguration: changed } = await client.send(
    new UpdateMediaInsightsPipelineConfigurationCommand({
      Identifier: 'life',
      ResourceAccessRoleArn: accessRole,
      Elements: [{ Type: 'VoiceAnalyticsProcessor' }],
    }),
  );
  assert.deepEqual(
    changed?.Elements?.map(({ Type }) => Type),
    ['VoiceAnalyticsProcessor'],
  );
  assert.equal(changed?.MediaInsightsPipelineConfigurationId, made?.MediaInsightsPipelineConfigurationId);

  const ResourceARN = arnOf('life');
  await client.send(new TagResourceCommand({ ResourceARN, Tags: [{ Key: 'stage', Value: 'test' }] }));
  await client.send(new UntagResourceCommand({ ResourceARN, TagKeys: ['team'] }));
  assert.deepEqual((await client.send(new ListTagsForResourceCommand({ ResourceARN }))).Tags, [{ Key: 'stage', Value: 'test' }]);

  await client.send(new DeleteMediaInsightsPipelineConfigurationCommand({ Identifier: ResourceARN }));
  const { name, status } = await refusalOf(client.send(new GetMediaInsightsPipelineConfigurationCommand({ Identifier: 'life' })));
  assert.deepEqual([name, status], ['NotFoundException', 404]);
});

test('ListMediaInsightsPipelineConfigurations: the paginator returns each configuration once', async () => {
  for (const name of ['page-c', 'page-a', 'page-b']) await client.send(account.configuration(name));
  const seen: (string | undefined)[] = [];
  for await (const page of paginateListMediaInsightsPipelineConfigurations({ client, pageSize: 2 }, {})) {
    seen.push(...(page.MediaInsightsPipelineConfigurations ?? []).map((each) => each.MediaInsightsPipelineConfigurationName));
  }
  assert.deepEqual(seen, ['page-a', 'page-b', 'page-c']);
});

test('CHM-3, TAG-5: policies match configurations by ARN and tag, and tags at creation need permission', async () => {
  await client.send(account.configuration('mine', { Tags: [{ Key: 'owner', Value: 'ada' }] }));
  await client.send(account.configuration('theirs'));
  const get = (Identifier: string) => new GetMediaInsightsPipelineConfigurationCommand({ Identifier });
  const byArn = pipelines(await account.user('by-arn', allow('chime:Get*', arnOf('mine'))));
  await byArn.send(get('mine'));
  assert.match(await denialOf(byArn.send(get('theirs'))), new RegExp(`on resource: ${arnOf('theirs')} because`));
  const byTag = pipelines(
    await account.user('by-tag', allow('chime:Get*', '*', { Condition: { StringEquals: { 'aws:ResourceTag/owner': 'ada' } } })),
  );
  await byTag.send(get(arnOf('mine')));
  await denialOf(byTag.send(get('theirs')));
  await denialOf(byTag.send(new ListMediaInsightsPipelineConfigurationsCommand({})));
  const untagging = pipelines(await account.user('untagging', allow(['chime:*', 'iam:PassRole']), deny('chime:TagResource')));
  await untagging.send(account.configuration('untagged'));
  assert.match(
    await denialOf(untagging.send(account.configuration('tagged', { Tags: [{ Key: 'a', Value: 'b' }] }))),
    /chime:TagResource on resource: \S+\/\* with an explicit deny in an identity-based policy$/,
  );
});

test('SLR-18: an authorized request requires the service-linked role, and is then refused', async () => {
  assert.match((await refusalOf(client.send(account.capture(accessRole)))).message, /carry no media/);
  await account.admin.send(new DeleteServiceLinkedRoleCommand({ RoleName: 'AWSServiceRoleForAmazonChimeSDKMediaPipelines' }));
  const { name, status, message } = await refusalOf(client.send(account.capture(accessRole)));
  assert.deepEqual([name, status], ['ForbiddenException', 403]);
  assert.match(message, /AWSServiceRoleForAmazonChimeSDKMediaPipelines/);
  const unable = pipelines(await account.user('unable', allow('chime:*')));
  assert.match(await denialOf(unable.send(account.capture(accessRole))), /iam:PassRole/);
});
