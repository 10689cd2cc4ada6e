import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import type { ResourceRecord } from '#store/resources.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { configurationOrNotFound, connectorOrNotFound, onConnector, putConfiguration, removeConfiguration } from './found.ts';
import type { VoiceConnectorDocument } from './kinds.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

/** Whither emergency calls go. Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorEmergencyCallingConfiguration and its like. */
export const emergencyCallingOperations: Pick<
  Operations,
  | 'GetVoiceConnectorEmergencyCallingConfiguration'
  | 'PutVoiceConnectorEmergencyCallingConfiguration'
  | 'DeleteVoiceConnectorEmergencyCallingConfiguration'
> = {
  /** @throws NotFoundException no such connector, or it has none */
  GetVoiceConnectorEmergencyCallingConfiguration: {
    access: (input, caller) => onConnector(caller, 'chime:GetVoiceConnectorEmergencyCallingConfiguration', input),
    handle: async (call, input) => ({ EmergencyCallingConfiguration: await configurationOrNotFound(call, input, 'emergencyCalling') }),
  },

  /**
   * Source: Amazon Chime API reference, PutVoiceConnectorEmergencyCallingConfiguration: origination and termination must be on before.
   * Assumed: BadRequestException, and the text.
   * @throws NotFoundException   no such connector
   * @throws BadRequestException origination or termination is not there, or off
   */
  PutVoiceConnectorEmergencyCallingConfiguration: {
    access: (input, caller) => onConnector(caller, 'chime:PutVoiceConnectorEmergencyCallingConfiguration', input),
    async handle(call, input) {
      const connector = await connectorOrNotFound(call, input);
      const { origination, termination } = connector.document.configurations;
      if (origination?.Disabled !== false || termination?.Disabled !== false) {
        throw new AwsError('BadRequestException', 'Origination and termination must be enabled before emergency calling is configured.');
      }
      await putConfiguration(call, connector, 'emergencyCalling', input.EmergencyCallingConfiguration);
      return { EmergencyCallingConfiguration: input.EmergencyCallingConfiguration };
    },
  },

  /** @throws NotFoundException no such connector */
  DeleteVoiceConnectorEmergencyCallingConfiguration: {
    access: (input, caller) => onConnector(caller, 'chime:DeleteVoiceConnectorEmergencyCallingConfiguration', input),
    async handle(call, input) {
      await removeConfiguration(call, await connectorOrNotFound(call, input), 'emergencyCalling');
      return {};
    },
  },
};

/**
 * What emergency calls need stays as long as they are configured.
 *
 * Source: Chime SDK API reference, DeleteVoiceConnectorOrigination, DeleteVoiceConnectorTermination; Amazon Chime API reference, both Puts.
 * Assumed: the code, since the models have no ConflictException there, and the text.
 * @throws BadRequestException
 */
export function requireNoEmergencyCalling({ document }: ResourceRecord<VoiceConnectorDocument>): void {
  if (document.configurations.emergencyCalling !== undefined) {
    throw new AwsError('BadRequestException', 'Delete the emergency calling configuration first.');
  }
}
