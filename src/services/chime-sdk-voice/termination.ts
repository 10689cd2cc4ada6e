import type { ChimeSdkVoiceApi, Termination } from '#model/generated/chime-sdk-voice.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onResource } from '../kit/resource-access.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import { member } from '../kit/resource-member.ts';
import { isCountry } from './countries.ts';
import type { VoiceDeps } from './deps.ts';
import { refuseForEmergencyCalling } from './emergency-calling.ts';
import { AwsError } from './errors.ts';
import { VOICE_CONNECTOR } from './kinds.ts';

/** Clients that may make outbound calls, and the destinations. Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorTermination. */
export function terminationOperations(deps: VoiceDeps) {
  return {
    ...member(VOICE_CONNECTOR, 'Termination', {
      read: { operation: 'GetVoiceConnectorTermination' },
      put: {
        operation: 'PutVoiceConnectorTermination',
        value: (input) => toTermination(input.Termination, deps),
        guard: [refuseForEmergencyCalling],
      },
      delete: {
        operation: 'DeleteVoiceConnectorTermination',
        guard: [refuseForEmergencyCalling],
        // Assumed: the credentials are deleted with the termination.
        resets: { Credentials: [] },
      },
    }),

    /**
     * Returns the time of the last SIP OPTIONS ping. Without a SIP plane there is none. Assumed: the response is then empty.
     *
     * @throws NotFoundException the Voice Connector does not exist
     */
    GetVoiceConnectorTerminationHealth: {
      access: onResource(VOICE_CONNECTOR),
      async handle(call, { VoiceConnectorId }) {
        await findOrThrow(call, VOICE_CONNECTOR, { VoiceConnectorId });
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;
}

/**
 * Checks and returns a termination with its defaults. An empty `CidrAllowedList` allows no calls.
 *
 * Source: Chime SDK API reference, Termination: `CallingRegions` are required and countries of ISO 3166-1, `CidrAllowedList` is in CIDR
 * format, `CpsLimit` is 1 by default and at most the account's quota; `sip-peers.ts` for the ranges.
 * Assumed: the messages. Any `DefaultPhoneNumber` is valid, because there is no inventory.
 * @throws BadRequestException
 */
function toTermination(termination: Termination, { limits: { callsPerSecond }, sipPeers }: VoiceDeps): Termination {
  const { CallingRegions = [], CidrAllowedList = [], CpsLimit = 1, Disabled = false } = termination;
  if (CallingRegions.length === 0) throw new AwsError('BadRequestException', 'CallingRegions is required.');
  const noCountry = CallingRegions.find((region) => !isCountry(region));
  if (noCountry !== undefined)
    throw new AwsError('BadRequestException', `Invalid calling region '${noCountry}'. It must be a code of ISO 3166-1 alpha-2.`);
  const noRange = CidrAllowedList.find((range) => !sipPeers.allowsRange(range));
  if (noRange !== undefined) {
    throw new AwsError(
      'BadRequestException',
      `Invalid CIDR '${noRange}' (valid: a public range from /27 to /32, or a private one of the operator)`,
    );
  }
  if (CpsLimit > callsPerSecond) throw new AwsError('BadRequestException', `CpsLimit must be at most ${callsPerSecond}.`);
  return { ...termination, CallingRegions, CidrAllowedList, CpsLimit, Disabled };
}
