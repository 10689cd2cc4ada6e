import type { LoggingConfiguration } from '#model/generated/chime-sdk-voice.ts';
import { member } from '../kit/resource-member.ts';
import { VOICE_CONNECTOR } from './kinds.ts';

/**
 * Logs of a Voice Connector's calls, off by default. Requirement LOG-27. This server stores the choice and carries no calls.
 *
 * Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorLoggingConfiguration, GetVoiceConnectorLoggingConfiguration.
 */
export const loggingOperations = member(VOICE_CONNECTOR, 'LoggingConfiguration', {
  read: { operation: 'GetVoiceConnectorLoggingConfiguration', otherwise: withDefaults({}) },
  put: {
    operation: 'PutVoiceConnectorLoggingConfiguration',
    value: (input) => withDefaults(input.LoggingConfiguration),
  },
});

/** Assumed: an absent member is false. */
function withDefaults({ EnableSIPLogs = false, EnableMediaMetricLogs = false }: LoggingConfiguration): LoggingConfiguration {
  return { EnableSIPLogs, EnableMediaMetricLogs };
}
