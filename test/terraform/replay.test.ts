/**
 * Life of each resource of Chime that Terraform's AWS provider has: apply, a second apply without changes, changes in place, import, and
 * destroy. `provider.ts` has the requests.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateServiceLinkedRoleCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startAccount } from '../kit/account.ts';
import { trustService } from '../kit/policy.ts';
import { type Attributes, providerFor, type Resource, usernamesOf } from './provider.ts';

const account = await startAccount({ BELFRY_VOICE_CALLS_PER_SECOND: '5' });
const { accountId } = account;
const provider = providerFor(account);
const [lambda, otherLambda] = ['answer', 'greet'].map((name) => `arn:aws:lambda:us-east-1:${accountId}:function:${name}`);
const stream = `arn:aws:kinesis:us-east-1:${accountId}:stream/calls`;
const MEDIA_PIPELINES = 'mediapipelines.chime.amazonaws.com';
const [role, otherRole] = [await account.role('a', trustService(MEDIA_PIPELINES)), await account.role('b', trustService(MEDIA_PIPELINES))];
await account.admin.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: MEDIA_PIPELINES }));
const s3 = new S3Client({ ...account.client(), forcePathStyle: true });
for (const Bucket of ['bucket-1', 'bucket-2']) await s3.send(new CreateBucketCommand({ Bucket }));

/** Tags of a resource, with those of `default_tags`. The second and third change, add and remove a tag. */
const TAGS = [
  { env: 'test', key1: 'value1' },
  { env: 'test', key1: 'value1updated', key2: 'value2' },
  { env: 'test', key2: 'value2' },
];

const CONNECTOR = { name: 'vc', aws_region: 'us-east-1', require_encryption: true, tags_all: TAGS[0] };
const connectorId = await provider.aws_chime_voice_connector.create({ ...CONNECTOR, name: 'first' });
const otherConnectorId = await provider.aws_chime_voice_connector.create({ ...CONNECTOR, name: 'second', aws_region: 'us-west-2' });
const hostName = (await provider.aws_chime_voice_connector.read(connectorId))?.['outbound_host_name'];
const application = { name: 'first', aws_region: 'us-east-1', endpoints: [{ lambda_arn: lambda }] };
const applicationId = await provider.aws_chimesdkvoice_sip_media_application.create(application);
const otherApplicationId = await provider.aws_chimesdkvoice_sip_media_application.create({ ...application, name: 'second' });
const TERMINATION = { voice_connector_id: otherConnectorId, calling_regions: ['US'], cidr_allow_list: ['50.35.78.0/27'], cps_limit: 1 };
await provider.aws_chime_voice_connector_termination.create(TERMINATION);

const kinesis = { type: 'KinesisDataStreamSink', kinesis_data_stream_sink_configuration: { insights_target: stream } };
const insights = { name: 'calls', resource_access_role_arn: role, tags_all: TAGS[0] };
const transcribe = {
  ...{ language_code: 'en-US', language_model_name: 'MyLanguageModel', pii_entity_types: 'ADDRESS,BANK_ACCOUNT_NUMBER' },
  ...{ enable_partial_results_stabilization: true, filter_partial_results: true, partial_results_stability: 'high' },
  ...{ vocabulary_filter_method: 'mask', vocabulary_filter_name: 'MyVocabularyFilter', vocabulary_name: 'MyVocabulary' },
};
const settings = {
  ...{ content_redaction_output: 'redacted', data_access_role_arn: role },
  ...{ output_encryption_kms_key_id: 'MyKmsKeyId ', output_location: 's3://MyBucket' },
};
const callAnalytics = {
  type: 'AmazonTranscribeCallAnalyticsProcessor',
  amazon_transcribe_call_analytics_processor_configuration: {
    ...{ ...transcribe, content_redaction_type: 'PII', call_analytics_stream_categories: ['category_1', 'category_2'] },
    post_call_analytics_settings: settings,
  },
};
const rules = [
  { type: 'IssueDetection', issue_detection_configuration: { rule_name: 'MyIssueDetectionRule' } },
  {
    type: 'KeywordMatch',
    keyword_match_configuration: { keywords: ['keyword1', 'keyword2'], negate: false, rule_name: 'MyKeywordMatchRule' },
  },
  { type: 'Sentiment', sentiment_configuration: { rule_name: 'MySentimentRule', sentiment_type: 'NEGATIVE', time_period: 60 } },
];
const target = (service: string, name: string) => ({ insights_target: `arn:aws:${service}:us-east-1:${accountId}:${name}` });
const insightsArn = await provider.aws_chimesdkmediapipelines_media_insights_pipeline_configuration.create({
  ...{ ...insights, name: 'streamed', elements: [kinesis] },
});

const of = (id: string, ...settings: readonly Attributes[]) => settings.map((each) => ({ voice_connector_id: id, ...each }));
const route = { host: '200.100.12.1', port: 5060, protocol: 'TCP', priority: 1, weight: 1 };
const item = (voice_connector_id: string, priority: number) => ({ voice_connector_id, priority });
const targetApplication = (sip_media_application_id: string) => ({ sip_media_application_id, priority: 1, aws_region: 'us-east-1' });
const trigger = { trigger_type: 'RequestUriHostname', trigger_value: hostName };

const domain = { name: 'callers', server_side_encryption_configuration: { kms_key_arn: `arn:aws:kms:us-east-1:${accountId}:key/1` } };

/** Configurations of each resource: the first is applied, and the others are changes in place. */
const CONFIGURATIONS: Readonly<Record<keyof typeof provider, readonly Attributes[]>> = {
  aws_chime_voice_connector: [
    CONNECTOR,
    { ...CONNECTOR, name: 'vc-2', require_encryption: false, tags_all: TAGS[1] },
    { ...CONNECTOR, tags_all: TAGS[2] },
  ],
  aws_chime_voice_connector_group: [
    { name: 'group', connector: [item(connectorId, 1)] },
    { name: 'group-2', connector: [item(connectorId, 10), item(otherConnectorId, 99)] },
    { name: 'group-2', connector: [] },
  ],
  aws_chime_voice_connector_logging: of(
    connectorId,
    { enable_sip_logs: true, enable_media_metric_logs: true },
    { enable_sip_logs: false, enable_media_metric_logs: true },
  ),
  aws_chime_voice_connector_origination: of(
    connectorId,
    { route: [route] },
    { route: [{ ...route, host: '200.100.12.2', port: 5061, protocol: 'UDP', priority: 99, weight: 99 }, route], disabled: true },
    { route: [route], disabled: false },
  ),
  aws_chime_voice_connector_streaming: of(
    connectorId,
    { data_retention: 5, disabled: false, streaming_notification_targets: ['SQS'] },
    {
      ...{ data_retention: 2, disabled: false, streaming_notification_targets: ['SQS', 'SNS'] },
      media_insights_configuration: { disabled: false, configuration_arn: insightsArn },
    },
    { data_retention: 0, disabled: true },
  ),
  aws_chime_voice_connector_termination: of(
    connectorId,
    { calling_regions: ['US', 'RU'], cidr_allow_list: ['50.35.78.97/32'], cps_limit: 1 },
    {
      ...{ calling_regions: ['US', 'RU', 'CA'], cidr_allow_list: ['100.35.78.97/32', '50.35.78.0/27'], cps_limit: 3 },
      ...{ disabled: true, default_phone_number: '+12065550100' },
    },
    { calling_regions: ['US'], cidr_allow_list: ['50.35.78.97/32'], cps_limit: 1, disabled: false },
  ),
  aws_chime_voice_connector_termination_credentials: of(
    otherConnectorId,
    { credentials: [{ username: 'test1', password: 'test1!' }] },
    {
      credentials: [
        { username: 'test1', password: 'test1?' },
        { username: 'test2', password: 'test2!' },
      ],
    },
  ),
  aws_chimesdkmediapipelines_media_insights_pipeline_configuration: [
    { ...insights, elements: [callAnalytics, kinesis], real_time_alert_configuration: { disabled: false, rules } },
    {
      ...{ ...insights, tags_all: TAGS[1] },
      elements: [
        {
          type: 'AmazonTranscribeProcessor',
          amazon_transcribe_processor_configuration: { ...transcribe, content_identification_type: 'PII', show_speaker_label: true },
        },
        kinesis,
      ],
    },
    {
      ...{ ...insights, resource_access_role_arn: otherRole, tags_all: TAGS[2] },
      elements: [{ type: 'S3RecordingSink', s3_recording_sink_configuration: { destination: 'arn:aws:s3:::MyBucket' } }],
    },
    {
      ...{ ...insights, resource_access_role_arn: otherRole, tags_all: TAGS[2] },
      elements: [
        {
          type: 'VoiceAnalyticsProcessor',
          voice_analytics_processor_configuration: { speaker_search_status: 'Enabled', voice_tone_analysis_status: 'Enabled' },
        },
        { type: 'LambdaFunctionSink', lambda_function_sink_configuration: target('lambda', 'function:MyFunction') },
        { type: 'SnsTopicSink', sns_topic_sink_configuration: target('sns', 'topic/MyTopic') },
        { type: 'SqsQueueSink', sqs_queue_sink_configuration: target('sqs', 'queue/MyQueue') },
        kinesis,
      ],
    },
  ],
  aws_chimesdkvoice_global_settings: [{ voice_connector: { cdr_bucket: 'bucket-1' } }, { voice_connector: { cdr_bucket: 'bucket-2' } }],
  aws_chimesdkvoice_sip_media_application: [
    { ...application, name: 'sma', tags_all: TAGS[0] },
    { ...application, name: 'sma-2', endpoints: [{ lambda_arn: otherLambda }], tags_all: TAGS[1] },
    { ...application, name: 'sma-2', endpoints: [{ lambda_arn: otherLambda }], tags_all: TAGS[2] },
  ],
  aws_chimesdkvoice_sip_rule: [
    { name: 'rule', disabled: false, ...trigger, target_applications: [targetApplication(applicationId)] },
    { name: 'rule-2', disabled: true, ...trigger, target_applications: [targetApplication(applicationId)] },
    { name: 'rule-2', disabled: false, ...trigger, target_applications: [targetApplication(otherApplicationId)] },
  ],
  aws_chimesdkvoice_voice_profile_domain: [
    { ...domain, tags_all: TAGS[0] },
    { ...domain, name: 'callers-2', description: 'TF Acceptance test resource', tags_all: TAGS[1] },
    { ...domain, name: 'callers-2', description: 'changed', tags_all: TAGS[2] },
  ],
};

/** Removes members with a zero value: Terraform does not distinguish it from an absent one. */
function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutZeros);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => Boolean(each) && !(Array.isArray(each) && each.length === 0))
      .map(([name, each]) => [name, withoutZeros(each)]),
  );
}

/** Attributes that only the server sets. They remain when the resource changes. */
const COMPUTED = ['arn', 'outbound_host_name'];

/** Checks that a plan has no changes. Returns the computed attributes. */
async function requireNoChanges(resource: Resource, id: string, config: Attributes): Promise<Attributes> {
  const state = await resource.read(id);
  const entries = Object.entries(state ?? {});
  const { credentials, ...expected } = config;
  const usernames = credentials && usernamesOf(credentials);
  assert.deepEqual(
    withoutZeros(Object.fromEntries(entries.filter(([name]) => !COMPUTED.includes(name)))),
    withoutZeros({ ...expected, usernames }),
  );
  const computed = entries.filter(([name]) => COMPUTED.includes(name));
  for (const [name, value] of computed) assert.ok(typeof value === 'string' && value !== '', name);
  return Object.fromEntries(computed);
}

for (const [name, configurations] of Object.entries(CONFIGURATIONS)) {
  test(`${name}: is applied, changed and destroyed`, async () => {
    const resource: Resource = provider[name as keyof typeof provider];
    const [first, ...changes] = configurations as readonly [Attributes, ...Attributes[]];
    const id = await resource.create(first);
    const computed = await requireNoChanges(resource, id, first);
    let last = first;
    for (const change of changes) {
      await resource.update(id, last, change);
      last = change;
      assert.deepEqual(await requireNoChanges(resource, id, last), computed);
    }
    await resource.destroy(id, last);
    if (resource.remains) assert.deepEqual(withoutZeros(await resource.read(id)), { voice_connector_id: id });
    else assert.equal(await resource.read(id), undefined);
    // A resource that was deleted outside Terraform is no error.
    await resource.destroy(id, last);
  });
}

test('Terraform: settings of a Voice Connector are applied and destroyed at the same time', async () => {
  const id = await provider.aws_chime_voice_connector.create({ ...CONNECTOR, name: 'module' });
  const settings = ['logging', 'origination', 'streaming', 'termination'] as const;
  const of = (setting: (typeof settings)[number]) => {
    const name = `aws_chime_voice_connector_${setting}` as const;
    return { resource: provider[name] as Resource, config: { ...CONFIGURATIONS[name][0], voice_connector_id: id } };
  };
  await Promise.all(settings.map(of).map(({ resource, config }) => resource.create(config)));
  const credentials = provider.aws_chime_voice_connector_termination_credentials;
  const config = { voice_connector_id: id, credentials: [{ username: 'test1', password: 'test1!' }] };
  await credentials.create(config);
  for (const { resource, config } of settings.map(of)) await requireNoChanges(resource, id, config);
  await requireNoChanges(credentials, id, config);

  await credentials.destroy(id, config);
  await Promise.all(settings.map(of).map(({ resource, config }) => resource.destroy(id, config)));
  await provider.aws_chime_voice_connector.destroy(id, CONNECTOR);
  for (const { resource } of [...settings.map(of), { resource: credentials }]) assert.equal(await resource.read(id), undefined);
});
