import type { LoggingConfiguration } from '#model/generated/chime-sdk-voice.ts';
import { member } from '../kit/resource-member.ts';
import { VOICE_CONNECTOR } from './kinds.ts';

/**
 * Configuration of the logs of a Voice Connector's calls. The logs are off by default. Requirement LOG-27. `sip/sip-logs.ts` writes the
 * SIP logs. There are no metrics of media, so `EnableMediaMetricLogs` has no effect.
 *
 * Assumed: a configuration is stored although the log group does not exist or does not allow the service. AWS creates both, or returns
 * ForbiddenException.
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
