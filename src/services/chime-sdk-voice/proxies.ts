import { refused } from '../kit/not-yet.ts';
import { onResource } from '../kit/resource-access.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import { AwsError } from './errors.ts';
import { VOICE_CONNECTOR } from './kinds.ts';

/**
 * Proxies of Voice Connectors and their sessions, which AWS does not support since April 7, 2026. No request succeeds.
 *
 * Source: chime-sdk-voice 2022-08-03, deprecation messages of these operations.
 * Assumed: (1) The error code, because no document names one. (2) The Voice Connector is checked first.
 */
export const proxyOperations = {
  PutVoiceConnectorProxy: ended(),
  GetVoiceConnectorProxy: ended(),
  DeleteVoiceConnectorProxy: ended(),
  CreateProxySession: ended(),
  GetProxySession: ended(),
  UpdateProxySession: ended(),
  DeleteProxySession: ended(),
  ListProxySessions: ended(),
};

/**
 * Returns the declaration of an operation that AWS does not support any more.
 *
 * @throws NotFoundException   the Voice Connector does not exist
 * @throws ForbiddenException  otherwise
 */
function ended() {
  return refused<{ readonly VoiceConnectorId: string }>({
    access: onResource(VOICE_CONNECTOR),
    async handle(call, input) {
      await findOrThrow(call, VOICE_CONNECTOR, input);
      throw new AwsError('ForbiddenException', 'AWS ended support for Amazon Chime SDK proxy sessions on April 7, 2026.');
    },
  });
}
