import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { configurationOrNotFound, connectorOrNotFound, onConnector, putConfiguration, removeConfiguration } from './found.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

/**
 * What stands on the other side of a connector. Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorExternalSystemsConfiguration and its like.
 *
 * Assumed: a second Put takes the place of the first; nobody says what its ConflictException is about.
 */
export const externalSystemsOperations: Pick<
  Operations,
  | 'GetVoiceConnectorExternalSystemsConfiguration'
  | 'PutVoiceConnectorExternalSystemsConfiguration'
  | 'DeleteVoiceConnectorExternalSystemsConfiguration'
> = {
  /** @throws NotFoundException no such connector, or it has none */
  GetVoiceConnectorExternalSystemsConfiguration: {
    access: (input, caller) => onConnector(caller, 'chime:GetVoiceConnectorExternalSystemsConfiguration', input),
    handle: async (call, input) => ({ ExternalSystemsConfiguration: await configurationOrNotFound(call, input, 'externalSystems') }),
  },

  /** @throws NotFoundException no such connector */
  PutVoiceConnectorExternalSystemsConfiguration: {
    access: (input, caller) => onConnector(caller, 'chime:PutVoiceConnectorExternalSystemsConfiguration', input),
    async handle(call, input) {
      const connector = await connectorOrNotFound(call, input);
      const { SessionBorderControllerTypes, ContactCenterSystemTypes } = input;
      const ExternalSystemsConfiguration = omitUndefined({ SessionBorderControllerTypes, ContactCenterSystemTypes });
      await putConfiguration(call, connector, 'externalSystems', ExternalSystemsConfiguration);
      return { ExternalSystemsConfiguration };
    },
  },

  /** @throws NotFoundException no such connector */
  DeleteVoiceConnectorExternalSystemsConfiguration: {
    access: (input, caller) => onConnector(caller, 'chime:DeleteVoiceConnectorExternalSystemsConfiguration', input),
    async handle(call, input) {
      await removeConfiguration(call, await connectorOrNotFound(call, input), 'externalSystems');
      return {};
    },
  },
};
