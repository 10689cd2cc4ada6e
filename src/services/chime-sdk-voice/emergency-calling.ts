import type { EmergencyCallingConfiguration } from '#model/generated/chime-sdk-voice.ts';
import type { ResourceRecord } from '#store/resources.ts';
import { refused } from '../kit/not-yet.ts';
import type { Call } from '../kit/operation.ts';
import { type MemberChange, member } from '../kit/resource-member.ts';
import { isCountry } from './countries.ts';
import { AwsError } from './errors.ts';
import { VOICE_CONNECTOR, type VoiceConnectorDocument } from './kinds.ts';

/**
 * Destinations of emergency calls, and their addresses.
 *
 * Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorEmergencyCallingConfiguration, ValidateE911Address.
 */
export const emergencyCallingOperations = {
  ...member(VOICE_CONNECTOR, 'EmergencyCallingConfiguration', {
    read: { operation: 'GetVoiceConnectorEmergencyCallingConfiguration' },
    put: { operation: 'PutVoiceConnectorEmergencyCallingConfiguration', guard: [requireOriginationAndTermination, requireCountries] },
    delete: { operation: 'DeleteVoiceConnectorEmergencyCallingConfiguration' },
  }),

  /**
   * Refuses to validate an address. A phone system would send a validated address to an emergency call center, so an answer
   * without the data of a carrier would be dangerous.
   *
   * Source: Chime SDK API reference, ValidateE911Address, Country: an ISO 3166-1 alpha-2 code.
   * Assumed: (1) The checks and their error codes. (2) The wording of the messages, which omit the address because the model
   * marks it as sensitive.
   * @throws ForbiddenException   the account is not the caller's
   * @throws BadRequestException  the country does not exist
   * @throws ForbiddenException   otherwise
   */
  ValidateE911Address: refused<{ readonly AwsAccountId: string; readonly Country: string }>({
    async handle({ accountId }, { AwsAccountId, Country }) {
      if (AwsAccountId !== accountId) throw new AwsError('ForbiddenException', 'AwsAccountId must be the account of the caller.');
      if (!isCountry(Country)) throw new AwsError('BadRequestException', 'Country must be a two-letter country code of ISO 3166-1.');
      throw new AwsError('ForbiddenException', 'This server has no carrier that could validate the address.');
    },
  }),
};

/**
 * Checks that origination and termination are enabled.
 *
 * Source: Amazon Chime API reference, PutVoiceConnectorEmergencyCallingConfiguration: origination and termination must
 * be enabled before emergency calling is configured.
 * Assumed: the error code and the wording of the message.
 * @throws BadRequestException origination or termination is absent or disabled
 */
function requireOriginationAndTermination(_: Call, { before }: MemberChange<VoiceConnectorDocument, unknown>): void {
  const { Origination, Termination } = before.document;
  if (Origination?.Disabled !== false || Termination?.Disabled !== false) {
    throw new AwsError('BadRequestException', 'Origination and termination must be enabled before emergency calling is configured.');
  }
}

/**
 * Checks the calling countries. Assumed: the wording of the error message.
 *
 * @throws BadRequestException a calling country does not exist
 */
function requireCountries(_: Call, { value }: MemberChange<VoiceConnectorDocument, EmergencyCallingConfiguration>): void {
  const unknown = value?.DNIS?.find(({ CallingCountry }) => !isCountry(CallingCountry));
  if (unknown !== undefined)
    throw new AwsError(
      'BadRequestException',
      `Invalid calling country '${unknown.CallingCountry}'. It must be a two-letter country code of ISO 3166-1.`,
    );
}

/**
 * Checks that a Voice Connector has no emergency calling configuration, which requires origination and termination.
 *
 * Source: Chime SDK API reference, DeleteVoiceConnectorOrigination, DeleteVoiceConnectorTermination; Amazon Chime API
 * reference, PutVoiceConnectorOrigination, PutVoiceConnectorTermination.
 * Assumed: (1) The error code is BadRequestException, because the models of these operations have no ConflictException.
 * (2) The wording of the message.
 * @throws BadRequestException
 */
export function requireNoEmergencyCalling({ document }: ResourceRecord<VoiceConnectorDocument>): void {
  if (document.EmergencyCallingConfiguration !== undefined) {
    throw new AwsError(
      'BadRequestException',
      'Emergency calling is configured and requires origination and termination. Delete the emergency calling configuration first.',
    );
  }
}

/** Calls `requireNoEmergencyCalling` for a change that deletes or disables origination or termination. */
export function refuseForEmergencyCalling(
  _: Call,
  { value, before }: MemberChange<VoiceConnectorDocument, { readonly Disabled?: boolean }>,
): void {
  if (value === undefined || value.Disabled) requireNoEmergencyCalling(before);
}
