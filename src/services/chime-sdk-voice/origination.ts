import type { Origination, OriginationRoute } from '#model/generated/chime-sdk-voice.ts';
import { member } from '../kit/resource-member.ts';
import type { VoiceDeps } from './deps.ts';
import { refuseForEmergencyCalling } from './emergency-calling.ts';
import { AwsError } from './errors.ts';
import { VOICE_CONNECTOR } from './kinds.ts';
import type { SipPeers } from './sip-peers.ts';

/** Source: Chime SDK API reference, Origination. */
const ROUTES_MAX = 20;
/** Source: Chime SDK API reference, OriginationRoute. */
const DEFAULT_PORT = 5060;

/** Destinations of inbound calls. Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorOrigination. */
export function originationOperations({ sipPeers }: VoiceDeps) {
  return member(VOICE_CONNECTOR, 'Origination', {
    read: { operation: 'GetVoiceConnectorOrigination' },
    put: {
      operation: 'PutVoiceConnectorOrigination',
      value: (input, { document }) => toOrigination(input.Origination, document.RequireEncryption, sipPeers),
      guard: [refuseForEmergencyCalling],
    },
    delete: { operation: 'DeleteVoiceConnectorOrigination', guard: [refuseForEmergencyCalling] },
  });
}

/**
 * Checks and returns an origination with its defaults.
 *
 * Source: Chime SDK API reference, Origination, OriginationRoute: the required members, the default port, and the
 * default protocol of a Voice Connector that requires encryption.
 * Assumed: (1) The default protocol is UDP if encryption is not required. (2) A route requires a host. (3) The wording
 * of the error messages.
 * @throws BadRequestException neither `Routes` nor `Disabled` is set · `Routes` is empty or has more than 20 members ·
 *   a route has no host or an invalid host
 */
function toOrigination({ Routes, Disabled }: Origination, requireEncryption: boolean, sipPeers: SipPeers): Origination {
  if (Routes === undefined && Disabled === undefined) throw new AwsError('BadRequestException', 'Routes or Disabled is required.');
  if (Routes !== undefined && (Routes.length < 1 || Routes.length > ROUTES_MAX)) {
    throw new AwsError('BadRequestException', `Routes must have between 1 and ${ROUTES_MAX} members.`);
  }
  const toRoute = (route: OriginationRoute): OriginationRoute => {
    if (route.Host === undefined || route.Host.trim() === '') throw new AwsError('BadRequestException', 'A route must have a Host.');
    if (!sipPeers.allowsHost(route.Host)) {
      throw new AwsError(
        'BadRequestException',
        `Invalid Host '${route.Host}'. It must be a public host name or address, or one that BELFRY_PRIVATE_SIP_PEERS allows.`,
      );
    }
    return { ...route, Port: route.Port ?? DEFAULT_PORT, Protocol: route.Protocol ?? (requireEncryption ? 'TCP' : 'UDP') };
  };
  return { Routes: Routes?.map(toRoute) ?? [], Disabled: Disabled ?? false };
}
