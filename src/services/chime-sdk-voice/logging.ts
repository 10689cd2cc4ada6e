import type { ChimeSdkVoiceApi, LoggingConfiguration } from '#model/generated/chime-sdk-voice.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { connectorOrNotFound, onConnector, putConfiguration } from './found.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

/**
 * What of a connector's calls is to be logged: nothing until somebody says so. Requirement LOG-27. The choice is kept; there are no calls.
 *
 * Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorLoggingConfiguration, GetVoiceConnectorLoggingConfiguration.
 * Assumed: a member that is not given is false.
 */
export const loggingOperations: Pick<Operations, 'GetVoiceConnectorLoggingConfiguration' | 'PutVoiceConnectorLoggingConfiguration'> = {
  /** @throws NotFoundException no such connector */
  GetVoiceConnectorLoggingConfiguration: {
    access: (input, caller) => onConnector(caller, 'chime:GetVoiceConnectorLoggingConfiguration', input),
    async handle(call, input) {
      return { LoggingConfiguration: withDefaults((await connectorOrNotFound(call, input)).document.configurations.logging) };
    },
  },

  /** @throws NotFoundException no such connector */
  PutVoiceConnectorLoggingConfiguration: {
    access: (input, caller) => onConnector(caller, 'chime:PutVoiceConnectorLoggingConfiguration', input),
    async handle(call, input) {
      const LoggingConfiguration = withDefaults(input.LoggingConfiguration);
      await putConfiguration(call, await connectorOrNotFound(call, input), 'logging', LoggingConfiguration);
      return { LoggingConfiguration };
    },
  },
};

function withDefaults(logging: LoggingConfiguration = {}): LoggingConfiguration {
  return { EnableSIPLogs: logging.EnableSIPLogs ?? false, EnableMediaMetricLogs: logging.EnableMediaMetricLogs ?? false };
}
