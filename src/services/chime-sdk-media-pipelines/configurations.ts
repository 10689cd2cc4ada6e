/** Media insights pipeline configurations: settings for the analysis of calls. The pipelines that use them are not implemented. */

import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type {
  ChimeSdkMediaPipelinesApi,
  CreateMediaInsightsPipelineConfigurationRequest,
} from '#model/generated/chime-sdk-media-pipelines.ts';
import { type ConfigurationDocument, configurationArn } from '../chime-kit/insights-configurations.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { requestHash } from '../kit/request-hash.ts';
import { type Change, resource } from '../kit/resource.ts';
import { find } from '../kit/resource-kind.ts';
import type { PipelineDeps } from './deps.ts';
import { requireAlerts, requireElements } from './elements.ts';
import { AwsError } from './errors.ts';
import { CONFIGURATION } from './kinds.ts';
import { requireAccessRole } from './resource-access-role.ts';
import { requireTagCount } from './tags.ts';

type Input = CreateMediaInsightsPipelineConfigurationRequest;
type ConfigurationChange<Of = unknown> = Change<ConfigurationDocument, Of>;

/** Validity of a client request token. Assumed: the duration. */
const TOKEN_LIFE_MS = DAY_MS;

/**
 * Source: chime-sdk-media-pipelines 2021-07-15, CreateMediaInsightsPipelineConfiguration …
 * UpdateMediaInsightsPipelineConfiguration.
 * Assumed: an update replaces all settings, and an update without alerts removes the alerts.
 * Assumed: a name in use is BadRequestException, because the Create operation has no ConflictException in the model.
 * Assumed: a configuration can be deleted while a Voice Connector refers to it. ConflictException is for running
 * pipelines, which cannot exist.
 */
function regularOperations({ limits }: PipelineDeps) {
  return resource(CONFIGURATION, {
    limit: { most: limits.configurations, per: 'region', title: 'media insights pipeline configurations in this region' },
    create: {
      operation: 'CreateMediaInsightsPipelineConfiguration',
      id: (_, input) => input.MediaInsightsPipelineConfigurationName,
      document: ({ newId }, input) => toDocument(newId(), input),
      guard: ['tags', (_, { input }) => requireTagCount(input.Tags), requireSettings],
      conflict: ({ MediaInsightsPipelineConfigurationName: name }) =>
        new AwsError('BadRequestException', `A media insights pipeline configuration with the name '${name}' already exists.`),
    },
    read: { operation: 'GetMediaInsightsPipelineConfiguration' },
    update: {
      operation: 'UpdateMediaInsightsPipelineConfiguration',
      document: (_, input, { document }) => toDocument(document.MediaInsightsPipelineConfigurationId, input),
      guard: [requireSettings],
    },
    delete: { operation: 'DeleteMediaInsightsPipelineConfiguration' },
    list: { operation: 'ListMediaInsightsPipelineConfigurations' },
  });
}

/** Returns the operations on configurations. */
export function configurationOperations(deps: PipelineDeps) {
  const regular = regularOperations(deps);
  const { CreateMediaInsightsPipelineConfiguration: create, GetMediaInsightsPipelineConfiguration: read } = regular;

  return {
    ...regular,

    /**
     * Creates a configuration, or returns the configuration that was created with the same client request token.
     *
     * Assumed: a token that was used for a different configuration is BadRequestException, because this operation has no
     * ConflictException in the model.
     * @throws BadRequestException the token was used for another request · errors of `create`
     */
    CreateMediaInsightsPipelineConfiguration: {
      ...create,
      async handle(call, input) {
        const { tx, accountId, region, now } = call;
        const { ClientRequestToken, ...request } = input;
        if (!ClientRequestToken) return await create.handle(call, request);
        const key = { accountId, region, operation: 'chime:CreateMediaInsightsPipelineConfiguration', token: ClientRequestToken };
        const hash = requestHash(request);
        const before = await tx.idempotency.get(key, now);
        if (before && before.requestHash !== hash) {
          throw new AwsError('BadRequestException', 'The client request token was used for a configuration with other parameters.');
        }
        const Identifier = input.MediaInsightsPipelineConfigurationName;
        const present = before && (await find(tx, call, CONFIGURATION, { Identifier }));
        if (present && present.document.MediaInsightsPipelineConfigurationId === before.answer)
          return await read.handle(call, { Identifier });
        const created = await create.handle(call, request);
        const answer = created.MediaInsightsPipelineConfiguration?.MediaInsightsPipelineConfigurationId as string;
        await tx.idempotency.put(key, { requestHash: hash, answer, expiresAt: instant(now + TOKEN_LIFE_MS) });
        return created;
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkMediaPipelinesApi>>;
}

/** Settings of a request. */
type Settings = Pick<Input, 'ResourceAccessRoleArn' | 'RealTimeAlertConfiguration' | 'Elements'>;

function toDocument(MediaInsightsPipelineConfigurationId: string, settings: Settings): ConfigurationDocument {
  const { ResourceAccessRoleArn, RealTimeAlertConfiguration, Elements } = settings;
  return omitUndefined({ MediaInsightsPipelineConfigurationId, ResourceAccessRoleArn, RealTimeAlertConfiguration, Elements });
}

/** @throws BadRequestException invalid elements or alerts, or a role that the service cannot assume */
async function requireSettings(call: Call, change: ConfigurationChange<Partial<Input>>): Promise<void> {
  const { document, before, input } = change;
  requireElements(call, document.Elements);
  requireAlerts(document.RealTimeAlertConfiguration);
  const name = before?.id ?? (input.MediaInsightsPipelineConfigurationName as string);
  await requireAccessRole(call, document.ResourceAccessRoleArn, configurationArn(call, name));
}
