/** Media insights pipeline configurations: what calls are to be analysed with. The pipelines that would run by them are not built. */

import { type Instant, instant } from '#core/instant.ts';
import type {
  ChimeSdkMediaPipelinesApi,
  CreateMediaInsightsPipelineConfigurationRequest,
  MediaInsightsPipelineConfiguration,
  MediaInsightsPipelineConfigurationElement,
  RealTimeAlertConfiguration,
} from '#model/generated/chime-sdk-media-pipelines.ts';
import type { ResourceRecord } from '#store/resources.ts';
import { pageOf } from '../chime/page.ts';
import { onNew, withTags } from '../chime/tags.ts';
import { everyOfAccount } from '../chime-sdk-voice/found.ts';
import { VOICE_CONNECTOR } from '../chime-sdk-voice/kinds.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { requestHash } from '../kit/request-hash.ts';
import { CONFIGURATION, configurationArn, findConfiguration, onConfiguration } from './access.ts';
import { requireAlerts, requireElements } from './elements.ts';
import { AwsError } from './errors.ts';
import { requireAccessRole } from './resource-access-role.ts';
import { requireNewTags } from './tags.ts';

export interface ConfigurationDocument {
  /** A configuration made anew under the name has another. */
  readonly configurationId: string;
  readonly resourceAccessRoleArn: string;
  readonly realTimeAlertConfiguration?: RealTimeAlertConfiguration;
  readonly elements: readonly MediaInsightsPipelineConfigurationElement[];
}

type Configuration = ResourceRecord<ConfigurationDocument>;

/** Source: Chime SDK Developer Guide, "Call analytics service quotas": 100 a region. */
const CONFIGURATIONS_MAX = 100;

/** Assumed: how long a client's token is known. */
const TOKEN_LIFE_MS = 24 * 60 * 60_000;

/**
 * Source: chime-sdk-media-pipelines 2021-07-15, CreateMediaInsightsPipelineConfiguration … UpdateMediaInsightsPipelineConfiguration;
 * Chime SDK Developer Guide, "Pausing and resuming call analytics pipelines": configurations go by their name or their ARN.
 * Assumed: names differ in case; the texts.
 */
export const configurationOperations = {
  /**
   * Makes a configuration, or answers with the one this token made before.
   *
   * Assumed: a name that is taken and a token that was used for another configuration are BadRequestException, because the model has no
   * ConflictException here.
   * @throws BadRequestException            elements, alerts or tags that cannot be; a role the service cannot assume; the name is taken
   * @throws ResourceLimitExceededException the account has 100 configurations in this region
   */
  CreateMediaInsightsPipelineConfiguration: {
    access: (input, caller) => onNew(caller, 'chime:CreateMediaInsightsPipelineConfiguration', configurationArn(caller, '*'), input.Tags),
    async handle(call, input) {
      return { MediaInsightsPipelineConfiguration: toConfiguration(await makeConfiguration(call, input)) };
    },
  },

  /** @throws NotFoundException no such configuration */
  GetMediaInsightsPipelineConfiguration: {
    access: (input, caller) => onConfiguration(caller, 'chime:GetMediaInsightsPipelineConfiguration', input.Identifier),
    async handle(call, input) {
      return { MediaInsightsPipelineConfiguration: toConfiguration(await configurationOrNotFound(call, input.Identifier)) };
    },
  },

  /** In the order of names. */
  ListMediaInsightsPipelineConfigurations: {
    access: (_, caller) => onNew(caller, 'chime:ListMediaInsightsPipelineConfigurations', configurationArn(caller, '*'), undefined),
    async handle({ tx, accountId, region }, input) {
      const { things, rest } = await pageOf(
        `${accountId} ${region} ${CONFIGURATION.name}`,
        input,
        (limit, after) => tx.resources.list(CONFIGURATION, { accountId, region, parent: '' }, limit, after),
        ({ id }) => id,
      );
      return { MediaInsightsPipelineConfigurations: things.map(toSummary), ...rest };
    },
  },

  /**
   * Assumed: what is given takes the place of everything; alerts that are not given are gone.
   * @throws NotFoundException   no such configuration
   * @throws BadRequestException elements or alerts that cannot be; a role the service cannot assume
   */
  UpdateMediaInsightsPipelineConfiguration: {
    access: (input, caller) => onConfiguration(caller, 'chime:UpdateMediaInsightsPipelineConfiguration', input.Identifier),
    async handle(call, input) {
      const { document, ...record } = await configurationOrNotFound(call, input.Identifier);
      await requireSettings(call, record.id, input);
      const changed = { ...record, updatedAt: call.now, document: toDocument(document.configurationId, input) };
      await call.tx.resources.put(CONFIGURATION, changed);
      return { MediaInsightsPipelineConfiguration: toConfiguration(changed) };
    },
  },

  /**
   * Assumed: one that a Voice Connector streams with is in use; the text.
   * @throws NotFoundException no such configuration · ConflictException a Voice Connector streams with it
   */
  DeleteMediaInsightsPipelineConfiguration: {
    access: (input, caller) => onConfiguration(caller, 'chime:DeleteMediaInsightsPipelineConfiguration', input.Identifier),
    async handle(call, input) {
      const configuration = await configurationOrNotFound(call, input.Identifier);
      const arn = configurationArn(call, configuration.id);
      const connectors = await everyOfAccount(call.tx, call, VOICE_CONNECTOR);
      const user = connectors.find(
        ({ document }) => document.configurations.streaming?.MediaInsightsConfiguration?.ConfigurationArn === arn,
      );
      if (user !== undefined) throw new AwsError('ConflictException', `The configuration is used by Voice Connector ${user.id}.`);
      await call.tx.resources.remove(CONFIGURATION, configuration);
      return {};
    },
  },
} satisfies Partial<ServiceOperations<ChimeSdkMediaPipelinesApi>>;

async function makeConfiguration(call: Call, input: CreateMediaInsightsPipelineConfigurationRequest): Promise<Configuration> {
  const { tx, accountId, region, now } = call;
  const { ClientRequestToken, ...request } = input;
  const token = ClientRequestToken && {
    key: { accountId, region, operation: 'chime:CreateMediaInsightsPipelineConfiguration', token: ClientRequestToken },
    requestHash: requestHash(request),
  };
  const id = input.MediaInsightsPipelineConfigurationName;
  const place = { accountId, region, parent: '' };

  const before = token && (await tx.idempotency.get(token.key, now));
  if (before && before.requestHash !== token.requestHash) {
    throw new AwsError('BadRequestException', 'The client request token was used for a configuration with other parameters.');
  }
  const present = before && (await tx.resources.get(CONFIGURATION, { ...place, id }));
  if (present && present.document.configurationId === before.answer) return present;

  const tags = input.Tags ?? [];
  requireNewTags(tags);
  await requireSettings(call, id, input);
  if ((await tx.resources.count(CONFIGURATION, place, CONFIGURATIONS_MAX)) >= CONFIGURATIONS_MAX) {
    const says = `The account has ${CONFIGURATIONS_MAX} media insights pipeline configurations in ${region}, and may not have more.`;
    throw new AwsError('ResourceLimitExceededException', says);
  }
  const document = toDocument(call.newId(), input);
  const made = { ...place, id, createdAt: now, updatedAt: now, tags: withTags([], tags), document };
  if ((await tx.resources.add(CONFIGURATION, made)) === 'exists') {
    throw new AwsError('BadRequestException', `A media insights pipeline configuration with the name ${id} already exists.`);
  }
  const expiresAt: Instant = instant(now + TOKEN_LIFE_MS);
  if (token) await tx.idempotency.put(token.key, { requestHash: token.requestHash, answer: document.configurationId, expiresAt });
  return made;
}

/** What a request says a configuration is to be. */
type Settings = Pick<CreateMediaInsightsPipelineConfigurationRequest, 'ResourceAccessRoleArn' | 'RealTimeAlertConfiguration' | 'Elements'>;

async function requireSettings(call: Call, name: string, settings: Settings): Promise<void> {
  requireElements(call, settings.Elements);
  requireAlerts(settings.RealTimeAlertConfiguration);
  await requireAccessRole(call, settings.ResourceAccessRoleArn, configurationArn(call, name));
}

function toDocument(configurationId: string, settings: Settings): ConfigurationDocument {
  const { ResourceAccessRoleArn, RealTimeAlertConfiguration, Elements } = settings;
  return {
    configurationId,
    resourceAccessRoleArn: ResourceAccessRoleArn,
    ...(RealTimeAlertConfiguration !== undefined && { realTimeAlertConfiguration: RealTimeAlertConfiguration }),
    elements: Elements,
  };
}

async function configurationOrNotFound(call: Call, identifier: string): Promise<Configuration> {
  const configuration = await findConfiguration(call.tx, call, identifier);
  if (configuration === undefined) throw new AwsError('NotFoundException', `Media insights pipeline configuration ${identifier} not found`);
  return configuration;
}

function toSummary(configuration: Configuration) {
  return {
    MediaInsightsPipelineConfigurationName: configuration.id,
    MediaInsightsPipelineConfigurationId: configuration.document.configurationId,
    MediaInsightsPipelineConfigurationArn: configurationArn(configuration, configuration.id),
  };
}

function toConfiguration(configuration: Configuration): MediaInsightsPipelineConfiguration {
  const { createdAt, updatedAt, document } = configuration;
  return {
    ...toSummary(configuration),
    ResourceAccessRoleArn: document.resourceAccessRoleArn,
    ...(document.realTimeAlertConfiguration && { RealTimeAlertConfiguration: document.realTimeAlertConfiguration }),
    Elements: document.elements,
    CreatedTimestamp: createdAt,
    UpdatedTimestamp: updatedAt,
  };
}
