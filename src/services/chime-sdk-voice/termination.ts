import type { ChimeSdkVoiceApi, Termination } from '#model/generated/chime-sdk-voice.ts';
import { toRange } from '#policy/values.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import type { VoiceDeps, VoiceLimits } from './deps.ts';
import { requireNoEmergencyCalling } from './emergency-calling.ts';
import { AwsError } from './errors.ts';
import { configurationOrNotFound, connectorOrNotFound, onConnector, putConfiguration, putDocument, withoutConfiguration } from './found.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

const COUNTRY = /^[A-Z]{2}$/;

/** Who may make calls, and whither. Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorTermination and its like. */
export function terminationOperations({
  limits,
}: VoiceDeps): Pick<
  Operations,
  'GetVoiceConnectorTermination' | 'PutVoiceConnectorTermination' | 'DeleteVoiceConnectorTermination' | 'GetVoiceConnectorTerminationHealth'
> {
  return {
    /** @throws NotFoundException no such connector, or it has none */
    GetVoiceConnectorTermination: {
      access: (input, caller) => onConnector(caller, 'chime:GetVoiceConnectorTermination', input),
      handle: async (call, input) => ({ Termination: await configurationOrNotFound(call, input, 'termination') }),
    },

    /**
     * @throws NotFoundException   no such connector
     * @throws BadRequestException no calling regions, one that is no country, a range that is none, more calls a second than the account may
     *   make; emergency calling needs it on
     */
    PutVoiceConnectorTermination: {
      access: (input, caller) => onConnector(caller, 'chime:PutVoiceConnectorTermination', input),
      async handle(call, input) {
        const connector = await connectorOrNotFound(call, input);
        const termination = toTermination(input.Termination, limits);
        if (termination.Disabled) requireNoEmergencyCalling(connector);
        await putConfiguration(call, connector, 'termination', termination);
        return { Termination: termination };
      },
    },

    /**
     * Removes the termination and the credentials for it. Assumed: the credentials.
     *
     * @throws NotFoundException   no such connector
     * @throws BadRequestException emergency calling needs it
     */
    DeleteVoiceConnectorTermination: {
      access: (input, caller) => onConnector(caller, 'chime:DeleteVoiceConnectorTermination', input),
      async handle(call, input) {
        const connector = await connectorOrNotFound(call, input);
        requireNoEmergencyCalling(connector);
        await putDocument(call, connector, { configurations: withoutConfiguration(connector, 'termination'), credentials: [] });
        return {};
      },
    },

    /**
     * When a SIP OPTIONS ping last came. None ever does where there is no SIP plane. Assumed: the answer is then empty.
     *
     * @throws NotFoundException no such connector
     */
    GetVoiceConnectorTerminationHealth: {
      access: (input, caller) => onConnector(caller, 'chime:GetVoiceConnectorTerminationHealth', input),
      async handle(call, input) {
        await connectorOrNotFound(call, input);
        return {};
      },
    },
  };
}

/**
 * Source: Chime SDK API reference, Termination: `CallingRegions` are required and countries of ISO 3166-1, `CidrAllowedList` is in CIDR format,
 * `CpsLimit` is 1 by default and at most the account's quota.
 * Assumed: BadRequestException where it is more, and the texts. There is no inventory to seek `DefaultPhoneNumber` in.
 */
function toTermination(termination: Termination, { callsPerSecond }: VoiceLimits): Termination {
  const { CallingRegions = [], CidrAllowedList = [], CpsLimit = 1, Disabled = false } = termination;
  if (CallingRegions.length === 0) throw new AwsError('BadRequestException', 'CallingRegions must be given.');
  const noCountry = CallingRegions.find((region) => !COUNTRY.test(region));
  if (noCountry !== undefined) throw new AwsError('BadRequestException', `Invalid calling region: ${noCountry}`);
  const noRange = CidrAllowedList.find((range) => !range.includes('/') || toRange(range) === undefined);
  if (noRange !== undefined) throw new AwsError('BadRequestException', `Invalid CIDR: ${noRange}`);
  if (CpsLimit > callsPerSecond) throw new AwsError('BadRequestException', `CpsLimit must not be more than ${callsPerSecond}.`);
  return { ...termination, CallingRegions, CidrAllowedList, CpsLimit, Disabled };
}
