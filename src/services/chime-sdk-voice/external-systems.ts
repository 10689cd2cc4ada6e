import { omitUndefined } from '#core/omit-undefined.ts';
import { member } from '../kit/resource-member.ts';
import { VOICE_CONNECTOR } from './kinds.ts';

/**
 * Systems that a Voice Connector connects to. Source: chime-sdk-voice 2022-08-03,
 * PutVoiceConnectorExternalSystemsConfiguration.
 *
 * Assumed: a second Put replaces the configuration. The model of the Put has ConflictException, but AWS does not
 * document when it occurs.
 */
export const externalSystemsOperations = member(VOICE_CONNECTOR, 'ExternalSystemsConfiguration', {
  read: { operation: 'GetVoiceConnectorExternalSystemsConfiguration' },
  put: {
    operation: 'PutVoiceConnectorExternalSystemsConfiguration',
    value: ({ SessionBorderControllerTypes, ContactCenterSystemTypes }) =>
      omitUndefined({ SessionBorderControllerTypes, ContactCenterSystemTypes }),
  },
  delete: { operation: 'DeleteVoiceConnectorExternalSystemsConfiguration' },
});
