import { parseArn } from '#core/arn.ts';
import type { ChimeSdkVoiceApi, StreamingConfiguration } from '#model/generated/chime-sdk-voice.ts';
import type { Tx } from '#store/store.ts';
import { findConfiguration } from '../chime-kit/insights-configurations.ts';
import type { Call, Caller, DeclaredAccess } from '../kit/operation.ts';
import { onResource } from '../kit/resource-access.ts';
import { type MemberChange, member } from '../kit/resource-member.ts';
import { tagValues } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';
import { VOICE_CONNECTOR, type VoiceConnectorDocument } from './kinds.ts';
import { createVoiceConnectorRole, onVoiceConnectorRole } from './linked-role.ts';

type Input = ChimeSdkVoiceApi['PutVoiceConnectorStreamingConfiguration']['input'];

/**
 * Media streaming of a Voice Connector's calls, with the retention of the media. Requirement RES-2. This server stores
 * the configuration and carries no media. The Put creates the service-linked role of Voice Connectors if it does not
 * exist. Requirement SLR-6.
 *
 * Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorStreamingConfiguration.
 * Assumed: the Put creates the role even if streaming is disabled, because each streaming configuration prevents the
 * deletion of the role (SLR-14).
 */
export function streamingOperations() {
  return member(VOICE_CONNECTOR, 'StreamingConfiguration', {
    read: { operation: 'GetVoiceConnectorStreamingConfiguration' },
    put: {
      operation: 'PutVoiceConnectorStreamingConfiguration',
      access: (input, caller) => [onStreaming(input, caller), onVoiceConnectorRole(caller)],
      value: (input) => valid(input.StreamingConfiguration),
      guard: [requireAnalytics, (call) => createVoiceConnectorRole(call)],
    },
    delete: { operation: 'DeleteVoiceConnectorStreamingConfiguration' },
  });
}

/**
 * Requires the action on the Voice Connector, and on the call analytics configuration if the request names one.
 *
 * Source: service authorization reference, PutVoiceConnectorStreamingConfiguration: the resource type
 * media-insights-pipeline-configuration is not required.
 */
function onStreaming(input: Input, caller: Caller): DeclaredAccess {
  const connector = onResource(VOICE_CONNECTOR)(input, caller);
  const configurationArn = input.StreamingConfiguration.MediaInsightsConfiguration?.ConfigurationArn;
  if (caller.profile === 'classic' || configurationArn === undefined) return connector;
  const { resources, resourceTags } = connector;
  return {
    ...connector,
    resources: [...resources, configurationArn],
    async resourceTags(tx) {
      const analytics = await findAnalytics(tx, caller, configurationArn);
      return [...((await resourceTags?.(tx)) ?? []), analytics && tagValues(analytics.tags)];
    },
  };
}

/**
 * Returns the call analytics configuration that an ARN identifies, if it is in the account. It may be in any region.
 */
async function findAnalytics(tx: Tx, { accountId }: Pick<Caller, 'accountId'>, configurationArn: string) {
  const parts = parseArn(configurationArn);
  return parts && (await findConfiguration(tx, { accountId, region: parts.region }, configurationArn));
}

/**
 * Checks and returns a streaming configuration. Assumed: AWS applies the rules of this function. The wording of the
 * error messages is also assumed.
 *
 * @throws BadRequestException a notification target is absent or occurs twice, or call analytics are enabled without a
 *   configuration
 */
function valid(configuration: StreamingConfiguration): StreamingConfiguration {
  const { StreamingNotificationTargets = [], MediaInsightsConfiguration } = configuration;
  const targets = new Set<string>();
  for (const { NotificationTarget } of StreamingNotificationTargets) {
    if (NotificationTarget === undefined) throw new AwsError('BadRequestException', 'A NotificationTarget is required.');
    if (targets.has(NotificationTarget)) throw new AwsError('BadRequestException', `Duplicate NotificationTarget '${NotificationTarget}'`);
    targets.add(NotificationTarget);
  }
  if (MediaInsightsConfiguration && !MediaInsightsConfiguration.Disabled && MediaInsightsConfiguration.ConfigurationArn === undefined) {
    throw new AwsError('BadRequestException', 'ConfigurationArn is required unless Disabled of MediaInsightsConfiguration is true.');
  }
  return configuration;
}

/**
 * Checks that the call analytics configuration exists.
 *
 * Assumed: (1) The configuration must exist even if call analytics are disabled. (2) The wording of the message, which
 * omits the ARN because the model marks it as sensitive.
 * @throws NotFoundException
 */
async function requireAnalytics(call: Call, { value }: MemberChange<VoiceConnectorDocument, StreamingConfiguration>): Promise<void> {
  const configurationArn = value?.MediaInsightsConfiguration?.ConfigurationArn;
  if (configurationArn !== undefined && (await findAnalytics(call.tx, call, configurationArn)) === undefined) {
    throw new AwsError('NotFoundException', 'The media insights pipeline configuration was not found.');
  }
}
