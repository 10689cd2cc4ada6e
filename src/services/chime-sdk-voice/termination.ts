import { omitUndefined } from '#core/omit-undefined.ts';
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

/**
 * Clients that may make outbound calls, and the countries that they may call.
 * Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorTermination.
 */
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
        // Assumed: the credentials and the health are deleted with the termination.
        resets: { Credentials: [], TerminationHealth: undefined },
      },
    }),

    /**
     * Returns the source and the time of the last SIP OPTIONS request from an allowed source. The server stores them at most every 10 seconds.
     * Assumed: the response is empty if there was none, or if the Voice Connector has no termination.
     *
     * @throws NotFoundException the Voice Connector does not exist
     */
    GetVoiceConnectorTerminationHealth: {
      access: onResource(VOICE_CONNECTOR),
      async handle(call, { VoiceConnectorId }) {
        const { Termination, TerminationHealth } = (await findOrThrow(call, VOICE_CONNECTOR, { VoiceConnectorId })).document;
        return Termination === undefined ? {} : omitUndefined({ TerminationHealth });
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;
}

/**
 * Checks and returns a termination with its defaults. An empty `CidrAllowedList` allows no calls.
 *
 * Source: Chime SDK API reference, Termination: `CallingRegions` is required and contains countries of ISO 3166-1.
 * `CidrAllowedList` is in CIDR format. `CpsLimit` is 1 by default and at most the account's quota. The source for the
 * ranges is in `sip-peers.ts`.
 * Assumed: (1) The wording of the error messages. (2) Any `DefaultPhoneNumber` is valid. A call with a number
 * that the Voice Connector does not have is refused.
 * @throws BadRequestException
 */
function toTermination(termination: Termination, { limits: { callsPerSecond }, sipPeers }: VoiceDeps): Termination {
  const { CallingRegions = [], CidrAllowedList = [], CpsLimit = 1, Disabled = false } = termination;
  if (CallingRegions.length === 0) throw new AwsError('BadRequestException', 'CallingRegions is required.');
  const noCountry = CallingRegions.find((region) => !isCountry(region));
  if (noCountry !== undefined)
    throw new AwsError('BadRequestException', `Invalid calling region '${noCountry}'. It must be a two-letter country code of ISO 3166-1.`);
  const noRange = CidrAllowedList.find((range) => !sipPeers.allowsRange(range));
  if (noRange !== undefined) {
    throw new AwsError(
      'BadRequestException',
      `Invalid CIDR '${noRange}'. It must be a range from /27 to /32 that is public or within BELFRY_PRIVATE_SIP_PEERS.`,
    );
  }
  if (CpsLimit > callsPerSecond) throw new AwsError('BadRequestException', `CpsLimit must be at most ${callsPerSecond}.`);
  return { ...termination, CallingRegions, CidrAllowedList, CpsLimit, Disabled };
}
