import { parseArn } from '#core/arn.ts';
import type { ChimeSdkVoiceApi, StreamingConfiguration } from '#model/generated/chime-sdk-voice.ts';
import type { Tx } from '#store/store.ts';
import { tagValues } from '../chime/tags.ts';
import { findConfiguration } from '../chime-sdk-media-pipelines/access.ts';
import type { Access, Call, Caller, ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { configurationOrNotFound, connectorOrNotFound, onConnector, putConfiguration, removeConfiguration } from './found.ts';
import { makeVoiceConnectorRole, onVoiceConnectorRole } from './linked-role.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

/**
 * Whether and for how long the media of a connector's calls is kept. Requirement RES-2. The choice is kept; there are no calls.
 *
 * Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorStreamingConfiguration and its like.
 */
export function streamingOperations(): Pick<
  Operations,
  'GetVoiceConnectorStreamingConfiguration' | 'PutVoiceConnectorStreamingConfiguration' | 'DeleteVoiceConnectorStreamingConfiguration'
> {
  return {
    /** @throws NotFoundException no such connector, or it has none */
    GetVoiceConnectorStreamingConfiguration: {
      access: (input, caller) => onConnector(caller, 'chime:GetVoiceConnectorStreamingConfiguration', input),
      handle: async (call, input) => ({ StreamingConfiguration: await configurationOrNotFound(call, input, 'streaming') }),
    },

    /**
     * Makes the service-linked role of Voice Connectors where there is none. Requirement SLR-6.
     *
     * Assumed: whether streaming is on or not, as the role is kept for whoever has a streaming configuration (SLR-14).
     * @throws NotFoundException   no such connector, no such configuration of call analytics
     * @throws BadRequestException a notification target that is none or is given twice, call analytics without their configuration
     * @throws ForbiddenException  people have made a role of the service-linked role's name
     */
    PutVoiceConnectorStreamingConfiguration: {
      access: (input, caller) => [onStreaming(input, caller), onVoiceConnectorRole(caller)],
      async handle(call, input) {
        const connector = await connectorOrNotFound(call, input);
        requireStreaming(input.StreamingConfiguration);
        await requireAnalytics(call, input.StreamingConfiguration);
        await makeVoiceConnectorRole(call);
        await putConfiguration(call, connector, 'streaming', input.StreamingConfiguration);
        return { StreamingConfiguration: input.StreamingConfiguration };
      },
    },

    /** @throws NotFoundException no such connector */
    DeleteVoiceConnectorStreamingConfiguration: {
      access: (input, caller) => onConnector(caller, 'chime:DeleteVoiceConnectorStreamingConfiguration', input),
      async handle(call, input) {
        await removeConfiguration(call, await connectorOrNotFound(call, input), 'streaming');
        return {};
      },
    },
  };
}

/**
 * Asks for the connector, and for the configuration of call analytics where one is named.
 *
 * Source: service authorization reference, PutVoiceConnectorStreamingConfiguration: media-insights-pipeline-configuration, not required.
 */
function onStreaming(input: ChimeSdkVoiceApi['PutVoiceConnectorStreamingConfiguration']['input'], caller: Caller): Access {
  const connector = onConnector(caller, 'chime:PutVoiceConnectorStreamingConfiguration', input);
  const configurationArn = input.StreamingConfiguration.MediaInsightsConfiguration?.ConfigurationArn;
  if (caller.profile === 'classic' || configurationArn === undefined) return connector;
  const { resources, resourceTags } = connector;
  return {
    ...connector,
    resources: [...resources, configurationArn],
    resourceTags: async (tx) => [
      ...((await resourceTags?.(tx)) ?? []),
      tagValues((await findAnalytics(tx, caller, configurationArn))?.tags),
    ],
  };
}

/** The configuration of an ARN of the account, in whatever region. */
async function findAnalytics(tx: Tx, { accountId }: Pick<Caller, 'accountId'>, configurationArn: string) {
  const parts = parseArn(configurationArn);
  return parts && (await findConfiguration(tx, { accountId, region: parts.region }, configurationArn));
}

/** Assumed: all of it, and the texts. */
function requireStreaming({ StreamingNotificationTargets = [], MediaInsightsConfiguration }: StreamingConfiguration): void {
  const targets = new Set<string>();
  for (const { NotificationTarget } of StreamingNotificationTargets) {
    if (NotificationTarget === undefined) throw new AwsError('BadRequestException', 'A notification target must be given.');
    if (targets.has(NotificationTarget)) throw new AwsError('BadRequestException', `Duplicate notification target: ${NotificationTarget}`);
    targets.add(NotificationTarget);
  }
  if (MediaInsightsConfiguration && !MediaInsightsConfiguration.Disabled && MediaInsightsConfiguration.ConfigurationArn === undefined) {
    throw new AwsError('BadRequestException', 'ConfigurationArn must be given where call analytics are not disabled.');
  }
}

/** Assumed: a configuration must be there, also where it is disabled; the text, which does not repeat what the model calls sensitive. */
async function requireAnalytics(call: Call, { MediaInsightsConfiguration }: StreamingConfiguration): Promise<void> {
  const configurationArn = MediaInsightsConfiguration?.ConfigurationArn;
  if (configurationArn !== undefined && (await findAnalytics(call.tx, call, configurationArn)) === undefined) {
    throw new AwsError('NotFoundException', 'The media insights pipeline configuration was not found.');
  }
}
