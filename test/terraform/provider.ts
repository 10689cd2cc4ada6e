/**
 * Requests of Terraform's AWS provider for the resources of Chime. Terraform itself does not run in the tests: each resource here sends the
 * requests of the provider's create, read, update and delete, in their order, and expects the same errors.
 *
 * Source: AWS provider of Terraform 5 and 6, internal/service/chime, chimesdkvoice and chimesdkmediapipelines. Attributes have the names of
 * the provider's schema. A block that occurs at most once is an object here, and the state has `tags_all` instead of `tags`.
 */
import * as pipelines from '@aws-sdk/client-chime-sdk-media-pipelines';
import * as voice from '@aws-sdk/client-chime-sdk-voice';
import { dashed } from '../../tools/parity/clients.ts';
import type { TestAccount } from '../kit/account.ts';

/** Tags of a resource, by key. */
export type Tags = Readonly<Record<string, string>>;

/** Attributes of a resource in a configuration, or in the state of Terraform. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Resource of the provider. */
export interface Resource {
  /** Sends the requests of `create`. Returns the ID, by which the resource can be imported. */
  create(config: Attributes): Promise<string>;
  /** Returns the state, or undefined if the provider removes the resource from its state. */
  read(id: string): Promise<Attributes | undefined>;
  update(id: string, before: Attributes, after: Attributes): Promise<void>;
  destroy(id: string, config: Attributes): Promise<void>;
  /** True if the resource can still be read after `destroy`, while its Voice Connector exists. */
  readonly remains?: true;
}

/** Names of the API that differ from those of the provider in more than their case. */
const API_NAMES: Readonly<Record<string, string>> = {
  EnableSipLogs: 'EnableSIPLogs',
  OutputEncryptionKmsKeyId: 'OutputEncryptionKMSKeyId',
};

function apiName(attribute: string): string {
  const name = attribute.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return API_NAMES[name] ?? name;
}

function renamed(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => renamed(each, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [rename(name), renamed(each, rename)]));
}

/** Returns attributes in the shape of the API: `{ voice_connector_id }` as `{ VoiceConnectorId }`. */
function toApi<Input>(attributes: object): Input {
  return renamed(attributes, apiName) as Input;
}

/** Returns the listed attributes of a response of the API. */
function toState(output: object | undefined, ...names: readonly string[]): Attributes {
  const state = renamed(output, (name) => dashed(name, '_')) as Attributes;
  return Object.fromEntries(names.map((name) => [name, state[name]]));
}

/** Returns the attributes without those that have their zero value, which the provider does not send. */
function withoutZero(attributes: Attributes, ...names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name, value]) => !names.includes(name) || Boolean(value)));
}

/** Returns the output of a call, or undefined if the resource does not exist. */
async function unlessGone<Output>(sent: Promise<Output>): Promise<Output | undefined> {
  return await sent.catch((error: Error) => {
    if (error.name === 'NotFoundException') return undefined;
    throw error;
  });
}

/** Client of the operations for tags, which both services have. */
interface TagClient {
  list(ResourceARN: string): Promise<{ readonly Tags?: readonly Partial<voice.Tag>[] | undefined }>;
  untag(ResourceARN: string, TagKeys: string[]): Promise<unknown>;
  tag(ResourceARN: string, tags: voice.Tag[]): Promise<unknown>;
}

const toTags = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
/** Returns the tags of a new resource. Undefined if there are none, because the provider then sends no list. */
const newTags = (tags: unknown) => (tags === undefined ? undefined : toTags(tags as Tags));
const tagsOf = ({ tags_all }: Attributes) => (tags_all ?? {}) as Tags;

async function readTags(client: TagClient, arn: string): Promise<Tags> {
  const { Tags = [] } = await client.list(arn);
  return Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));
}

/** Removes the removed tags, and then adds the new and changed tags. */
async function updateTags(client: TagClient, arn: string, before: Tags, after: Tags): Promise<void> {
  const removed = Object.keys(before).filter((key) => !(key in after));
  if (removed.length > 0) await client.untag(arn, removed);
  const changed = Object.entries(after).filter(([key, value]) => before[key] !== value);
  if (changed.length > 0) await client.tag(arn, toTags(Object.fromEntries(changed)));
}

/** Clients of an account. */
interface Clients {
  readonly sdk: { readonly voice: voice.ChimeSDKVoiceClient; readonly pipelines: pipelines.ChimeSDKMediaPipelinesClient };
  readonly voiceTags: TagClient;
  readonly pipelineTags: TagClient;
  readonly accountId: string;
}

function connectorResource({ sdk, voiceTags }: Clients): Resource {
  return {
    async create({ tags_all, ...config }) {
      const input = { ...toApi<voice.CreateVoiceConnectorCommandInput>(config), Tags: newTags(tags_all) };
      const { VoiceConnector } = await sdk.voice.send(new voice.CreateVoiceConnectorCommand(input));
      return VoiceConnector?.VoiceConnectorId as string;
    },
    async read(VoiceConnectorId) {
      const output = await unlessGone(sdk.voice.send(new voice.GetVoiceConnectorCommand({ VoiceConnectorId })));
      if (output === undefined) return undefined;
      const arn = output.VoiceConnector?.VoiceConnectorArn as string;
      const state = toState(output.VoiceConnector, 'name', 'aws_region', 'require_encryption', 'outbound_host_name');
      return { ...state, arn, tags_all: await readTags(voiceTags, arn) };
    },
    async update(VoiceConnectorId, before, after) {
      const { name, require_encryption } = after;
      const input = {
        VoiceConnectorId,
        ...toApi<Omit<voice.UpdateVoiceConnectorCommandInput, 'VoiceConnectorId'>>({ name, require_encryption }),
      };
      const output = await sdk.voice.send(new voice.UpdateVoiceConnectorCommand(input));
      await updateTags(voiceTags, output.VoiceConnector?.VoiceConnectorArn as string, tagsOf(before), tagsOf(after));
    },
    async destroy(VoiceConnectorId) {
      await unlessGone(sdk.voice.send(new voice.DeleteVoiceConnectorCommand({ VoiceConnectorId })));
    },
  };
}

function groupResource({ sdk }: Clients): Resource {
  const group: Resource = {
    async create({ name, connector }) {
      const input: voice.CreateVoiceConnectorGroupCommandInput = { Name: String(name), VoiceConnectorItems: toApi(connector as object) };
      const { VoiceConnectorGroup } = await sdk.voice.send(new voice.CreateVoiceConnectorGroupCommand(input));
      return VoiceConnectorGroup?.VoiceConnectorGroupId as string;
    },
    async read(VoiceConnectorGroupId) {
      const output = await unlessGone(sdk.voice.send(new voice.GetVoiceConnectorGroupCommand({ VoiceConnectorGroupId })));
      if (output === undefined) return undefined;
      const { name, voice_connector_items: connector } = toState(output.VoiceConnectorGroup, 'name', 'voice_connector_items');
      return { name, connector };
    },
    async update(VoiceConnectorGroupId, _, { name, connector }) {
      const VoiceConnectorItems = toApi<voice.VoiceConnectorItem[]>(connector as object);
      const input = { VoiceConnectorGroupId, Name: String(name), VoiceConnectorItems };
      await sdk.voice.send(new voice.UpdateVoiceConnectorGroupCommand(input));
    },
    async destroy(VoiceConnectorGroupId, { name }) {
      const input = { VoiceConnectorGroupId, Name: String(name), VoiceConnectorItems: [] };
      if ((await group.read(VoiceConnectorGroupId)) !== undefined) await sdk.voice.send(new voice.UpdateVoiceConnectorGroupCommand(input));
      await unlessGone(sdk.voice.send(new voice.DeleteVoiceConnectorGroupCommand({ VoiceConnectorGroupId })));
    },
  };
  return group;
}

/** Returns a resource that is one setting of a Voice Connector. Its ID is that of the Voice Connector. */
function settingOf(
  put: (VoiceConnectorId: string, config: Attributes) => Promise<unknown>,
  get: (VoiceConnectorId: string) => Promise<Attributes>,
  remove: (VoiceConnectorId: string) => Promise<unknown>,
  more: Pick<Resource, 'remains'> = {},
): Resource {
  return {
    async create({ voice_connector_id, ...config }) {
      await put(String(voice_connector_id), config);
      return String(voice_connector_id);
    },
    async read(id) {
      const state = await unlessGone(get(id));
      return state && { voice_connector_id: id, ...state };
    },
    async update(id, _, { voice_connector_id: __, ...after }) {
      await put(id, after);
    },
    async destroy(id) {
      await unlessGone(remove(id));
    },
    ...more,
  };
}

function loggingResource({ sdk }: Clients): Resource {
  const putLogging = (VoiceConnectorId: string, config: object) =>
    sdk.voice.send(
      new voice.PutVoiceConnectorLoggingConfigurationCommand({
        VoiceConnectorId,
        LoggingConfiguration: toApi<voice.LoggingConfiguration>(config),
      }),
    );
  return settingOf(
    putLogging,
    async (VoiceConnectorId) => {
      const output = await sdk.voice.send(new voice.GetVoiceConnectorLoggingConfigurationCommand({ VoiceConnectorId }));
      return toState(output.LoggingConfiguration, 'enable_media_metric_logs', 'enable_sip_logs');
    },
    // The provider has no request that deletes the configuration.
    (id) => putLogging(id, { enable_media_metric_logs: false, enable_sip_logs: false }),
    { remains: true },
  );
}

function originationResource({ sdk }: Clients): Resource {
  return settingOf(
    (VoiceConnectorId, { route, ...config }) => {
      const Origination = toApi<voice.Origination>({ routes: route, ...withoutZero(config, 'disabled') });
      return sdk.voice.send(new voice.PutVoiceConnectorOriginationCommand({ VoiceConnectorId, Origination }));
    },
    async (VoiceConnectorId) => {
      const output = await sdk.voice.send(new voice.GetVoiceConnectorOriginationCommand({ VoiceConnectorId }));
      const { routes: route, disabled } = toState(output.Origination, 'routes', 'disabled');
      return { route, disabled };
    },
    (VoiceConnectorId) => sdk.voice.send(new voice.DeleteVoiceConnectorOriginationCommand({ VoiceConnectorId })),
  );
}

function terminationResource({ sdk }: Clients): Resource {
  return settingOf(
    (VoiceConnectorId, { cidr_allow_list: cidr_allowed_list, ...config }) => {
      const Termination = toApi<voice.Termination>({ cidr_allowed_list, ...withoutZero(config, 'disabled', 'default_phone_number') });
      return sdk.voice.send(new voice.PutVoiceConnectorTerminationCommand({ VoiceConnectorId, Termination }));
    },
    async (VoiceConnectorId) => {
      const { Termination } = await sdk.voice.send(new voice.GetVoiceConnectorTerminationCommand({ VoiceConnectorId }));
      const state = toState(Termination, 'calling_regions', 'cps_limit', 'default_phone_number', 'disabled');
      return { ...state, cidr_allow_list: Termination?.CidrAllowedList };
    },
    (VoiceConnectorId) => sdk.voice.send(new voice.DeleteVoiceConnectorTerminationCommand({ VoiceConnectorId })),
  );
}

function streamingResource({ sdk }: Clients): Resource {
  return settingOf(
    (VoiceConnectorId, { data_retention, disabled, streaming_notification_targets, media_insights_configuration }) => {
      const StreamingConfiguration: voice.StreamingConfiguration = {
        ...toApi<voice.StreamingConfiguration>({ data_retention_in_hours: data_retention, disabled }),
        StreamingNotificationTargets: (streaming_notification_targets as voice.NotificationTarget[] | undefined)?.map(
          (NotificationTarget) => ({ NotificationTarget }),
        ),
        MediaInsightsConfiguration: media_insights_configuration === undefined ? undefined : toApi(media_insights_configuration as object),
      };
      return sdk.voice.send(new voice.PutVoiceConnectorStreamingConfigurationCommand({ VoiceConnectorId, StreamingConfiguration }));
    },
    async (VoiceConnectorId) => {
      const output = await sdk.voice.send(new voice.GetVoiceConnectorStreamingConfigurationCommand({ VoiceConnectorId }));
      const { DataRetentionInHours, StreamingNotificationTargets } = output.StreamingConfiguration ?? {};
      return {
        ...toState(output.StreamingConfiguration, 'disabled', 'media_insights_configuration'),
        data_retention: DataRetentionInHours,
        streaming_notification_targets: StreamingNotificationTargets?.map(({ NotificationTarget }) => NotificationTarget),
      };
    },
    (VoiceConnectorId) => sdk.voice.send(new voice.DeleteVoiceConnectorStreamingConfigurationCommand({ VoiceConnectorId })),
  );
}

/** Returns the user names of credentials in a configuration. */
export function usernamesOf(credentials: unknown): string[] {
  return (credentials as readonly { readonly username: string }[]).map(({ username }) => username);
}

function credentialsResource({ sdk }: Clients): Resource {
  return {
    ...settingOf(
      (VoiceConnectorId, config) =>
        sdk.voice.send(
          new voice.PutVoiceConnectorTerminationCredentialsCommand({
            VoiceConnectorId,
            ...toApi<Pick<voice.PutVoiceConnectorTerminationCredentialsCommandInput, 'Credentials'>>(config),
          }),
        ),
      // The state keeps the credentials of the configuration, because no request returns passwords.
      async (VoiceConnectorId) => {
        const output = await sdk.voice.send(new voice.ListVoiceConnectorTerminationCredentialsCommand({ VoiceConnectorId }));
        return { usernames: output.Usernames };
      },
      async () => undefined,
      { remains: true },
    ),
    async destroy(VoiceConnectorId, config) {
      const input = { VoiceConnectorId, Usernames: usernamesOf(config['credentials']) };
      await unlessGone(sdk.voice.send(new voice.DeleteVoiceConnectorTerminationCredentialsCommand(input)));
    },
  };
}

function globalSettingsResource({ sdk, accountId }: Clients): Resource {
  const putSettings = (VoiceConnector: voice.VoiceConnectorSettings) =>
    sdk.voice.send(new voice.UpdateGlobalSettingsCommand({ VoiceConnector }));
  const globalSettings: Resource = {
    async create({ voice_connector }) {
      await putSettings(toApi(voice_connector as object));
      return accountId;
    },
    async read() {
      const { VoiceConnector } = await sdk.voice.send(new voice.GetGlobalSettingsCommand({}));
      return VoiceConnector?.CdrBucket === undefined ? undefined : { voice_connector: toState(VoiceConnector, 'cdr_bucket') };
    },
    async update(_, __, after) {
      await globalSettings.create(after);
    },
    async destroy() {
      await putSettings({});
    },
  };
  return globalSettings;
}

function applicationResource({ sdk, voiceTags }: Clients): Resource {
  return {
    async create({ tags_all, ...config }) {
      const input = { ...toApi<voice.CreateSipMediaApplicationCommandInput>(config), Tags: newTags(tags_all) };
      const { SipMediaApplication } = await sdk.voice.send(new voice.CreateSipMediaApplicationCommand(input));
      return SipMediaApplication?.SipMediaApplicationId as string;
    },
    async read(SipMediaApplicationId) {
      const output = await unlessGone(sdk.voice.send(new voice.GetSipMediaApplicationCommand({ SipMediaApplicationId })));
      if (output === undefined) return undefined;
      const arn = output.SipMediaApplication?.SipMediaApplicationArn as string;
      return { ...toState(output.SipMediaApplication, 'name', 'aws_region', 'endpoints'), arn, tags_all: await readTags(voiceTags, arn) };
    },
    async update(SipMediaApplicationId, before, after) {
      const { name, endpoints } = after;
      const input = { SipMediaApplicationId, ...toApi<object>({ name, endpoints }) };
      const { SipMediaApplication } = await sdk.voice.send(new voice.UpdateSipMediaApplicationCommand(input));
      await updateTags(voiceTags, SipMediaApplication?.SipMediaApplicationArn as string, tagsOf(before), tagsOf(after));
    },
    async destroy(SipMediaApplicationId) {
      await unlessGone(sdk.voice.send(new voice.DeleteSipMediaApplicationCommand({ SipMediaApplicationId })));
    },
  };
}

function ruleResource({ sdk }: Clients): Resource {
  return {
    async create(config) {
      const { SipRule } = await sdk.voice.send(new voice.CreateSipRuleCommand(toApi(withoutZero(config, 'disabled'))));
      return SipRule?.SipRuleId as string;
    },
    async read(SipRuleId) {
      const output = await unlessGone(sdk.voice.send(new voice.GetSipRuleCommand({ SipRuleId })));
      return output && toState(output.SipRule, 'name', 'disabled', 'trigger_type', 'trigger_value', 'target_applications');
    },
    async update(SipRuleId, before, after) {
      const changed = ['target_applications', 'disabled'].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
      const changes = Object.fromEntries(changed.map((name) => [name, after[name]]));
      await sdk.voice.send(new voice.UpdateSipRuleCommand({ SipRuleId, Name: String(after['name']), ...toApi<object>(changes) }));
    },
    async destroy(SipRuleId) {
      await unlessGone(sdk.voice.send(new voice.DeleteSipRuleCommand({ SipRuleId })));
    },
  };
}

function configurationResource({ sdk, pipelineTags }: Clients): Resource {
  return {
    async create({ name, tags_all, ...config }) {
      const { MediaInsightsPipelineConfiguration } = await sdk.pipelines.send(
        new pipelines.CreateMediaInsightsPipelineConfigurationCommand({
          ...toApi<Pick<pipelines.CreateMediaInsightsPipelineConfigurationCommandInput, 'Elements' | 'ResourceAccessRoleArn'>>(config),
          MediaInsightsPipelineConfigurationName: String(name),
          Tags: newTags(tags_all),
        }),
      );
      return MediaInsightsPipelineConfiguration?.MediaInsightsPipelineConfigurationArn as string;
    },
    async read(Identifier) {
      const output = await unlessGone(sdk.pipelines.send(new pipelines.GetMediaInsightsPipelineConfigurationCommand({ Identifier })));
      if (output === undefined) return undefined;
      const { MediaInsightsPipelineConfiguration: found } = output;
      const arn = found?.MediaInsightsPipelineConfigurationArn as string;
      return {
        ...toState(found, 'resource_access_role_arn', 'elements', 'real_time_alert_configuration'),
        ...{ arn, name: found?.MediaInsightsPipelineConfigurationName, tags_all: await readTags(pipelineTags, arn) },
      };
    },
    async update(Identifier, before, after) {
      const { name: _, tags_all: __, ...config } = after;
      const input = { ...toApi<pipelines.UpdateMediaInsightsPipelineConfigurationCommandInput>(config), Identifier };
      await sdk.pipelines.send(new pipelines.UpdateMediaInsightsPipelineConfigurationCommand(input));
      await updateTags(pipelineTags, Identifier, tagsOf(before), tagsOf(after));
    },
    async destroy(Identifier) {
      await unlessGone(sdk.pipelines.send(new pipelines.DeleteMediaInsightsPipelineConfigurationCommand({ Identifier })));
    },
  };
}
function domainResource({ sdk, voiceTags }: Clients): Resource {
  return {
    async create({ tags_all, ...config }) {
      const input = { ...toApi<voice.CreateVoiceProfileDomainCommandInput>(config), Tags: newTags(tags_all) };
      const { VoiceProfileDomain } = await sdk.voice.send(new voice.CreateVoiceProfileDomainCommand(input));
      return VoiceProfileDomain?.VoiceProfileDomainId as string;
    },
    async read(VoiceProfileDomainId) {
      const output = await unlessGone(sdk.voice.send(new voice.GetVoiceProfileDomainCommand({ VoiceProfileDomainId })));
      if (output === undefined) return undefined;
      const arn = output.VoiceProfileDomain?.VoiceProfileDomainArn as string;
      const state = toState(output.VoiceProfileDomain, 'name', 'description', 'server_side_encryption_configuration');
      return { ...state, arn, tags_all: await readTags(voiceTags, arn) };
    },
    async update(VoiceProfileDomainId, before, after) {
      const { name, description } = after;
      const input = { VoiceProfileDomainId, ...toApi<object>(withoutZero({ name, description }, 'description')) };
      const { VoiceProfileDomain } = await sdk.voice.send(new voice.UpdateVoiceProfileDomainCommand(input));
      await updateTags(voiceTags, VoiceProfileDomain?.VoiceProfileDomainArn as string, tagsOf(before), tagsOf(after));
    },
    async destroy(VoiceProfileDomainId) {
      await unlessGone(sdk.voice.send(new voice.DeleteVoiceProfileDomainCommand({ VoiceProfileDomainId })));
    },
  };
}

/** Returns the resources of an account. */
export function providerFor(account: TestAccount) {
  const sdk = { voice: account.voice(), pipelines: account.pipelines() };
  const voiceTags: TagClient = {
    list: (ResourceARN) => sdk.voice.send(new voice.ListTagsForResourceCommand({ ResourceARN })),
    untag: (ResourceARN, TagKeys) => sdk.voice.send(new voice.UntagResourceCommand({ ResourceARN, TagKeys })),
    tag: (ResourceARN, Tags) => sdk.voice.send(new voice.TagResourceCommand({ ResourceARN, Tags })),
  };
  const pipelineTags: TagClient = {
    list: (ResourceARN) => sdk.pipelines.send(new pipelines.ListTagsForResourceCommand({ ResourceARN })),
    untag: (ResourceARN, TagKeys) => sdk.pipelines.send(new pipelines.UntagResourceCommand({ ResourceARN, TagKeys })),
    tag: (ResourceARN, Tags) => sdk.pipelines.send(new pipelines.TagResourceCommand({ ResourceARN, Tags })),
  };
  const clients: Clients = { sdk, voiceTags, pipelineTags, accountId: account.accountId };
  return {
    aws_chime_voice_connector: connectorResource(clients),
    aws_chime_voice_connector_group: groupResource(clients),
    aws_chime_voice_connector_logging: loggingResource(clients),
    aws_chime_voice_connector_origination: originationResource(clients),
    aws_chime_voice_connector_streaming: streamingResource(clients),
    aws_chime_voice_connector_termination: terminationResource(clients),
    aws_chime_voice_connector_termination_credentials: credentialsResource(clients),
    aws_chimesdkmediapipelines_media_insights_pipeline_configuration: configurationResource(clients),
    aws_chimesdkvoice_global_settings: globalSettingsResource(clients),
    aws_chimesdkvoice_sip_media_application: applicationResource(clients),
    aws_chimesdkvoice_sip_rule: ruleResource(clients),
    aws_chimesdkvoice_voice_profile_domain: domainResource(clients),
  } satisfies Readonly<Record<string, Resource>>;
}
