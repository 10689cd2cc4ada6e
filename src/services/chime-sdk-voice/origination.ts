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
 * Source: Chime SDK API reference, Origination, OriginationRoute: required members, and the defaults of the port and, with encryption,
 * the protocol.
 * Assumed: UDP is the default without encryption; a route requires a host; the messages.
 * @throws BadRequestException neither routes nor `Disabled`, no routes or too many, a route without a host or with an invalid one
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
        `Invalid Host '${route.Host}' (valid: a public host name or address, or a private one of the operator)`,
      );
    }
    return { ...route, Port: route.Port ?? DEFAULT_PORT, Protocol: route.Protocol ?? (requireEncryption ? 'TCP' : 'UDP') };
  };
  return { Routes: Routes?.map(toRoute) ?? [], Disabled: Disabled ?? false };
}
