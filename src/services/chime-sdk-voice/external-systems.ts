import { omitUndefined } from '#core/omit-undefined.ts';
import { member } from '../kit/resource-member.ts';
import { VOICE_CONNECTOR } from './kinds.ts';

/**
 * Systems that a Voice Connector connects to. Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorExternalSystemsConfiguration.
 *
 * Assumed: a second Put replaces the first. AWS does not document the reason for its ConflictException.
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
