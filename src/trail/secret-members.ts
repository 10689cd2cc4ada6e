import type { ServiceName } from '#model/model.ts';

/**
 * Members that hold a secret, in lower case, whatever structure and service they stand in. The models mark most of them `sensitive`;
 * these stand here because some models do not (a PIN, an MFA code, a session token), and so that a secret a later model
 * forgets to mark is hidden by its name. Only text and blobs are hidden so: `passwordResetRequired` stays.
 *
 * Requirement LOG-4. Reviewed against the 13 models of August 2026.
 */
export const SECRET_MEMBERS: ReadonlySet<string> = new Set([
  // Passwords and codes of people.
  'password',
  'newpassword',
  'oldpassword',
  'servicepassword',
  'personalpin',
  'pin',
  'passcode',
  'tokencode',
  'authenticationcode1',
  'authenticationcode2',
  'base32stringseed',
  'qrcodepng',
  // Keys.
  'secretaccesskey',
  'servicecredentialsecret',
  'clientsecret',
  'apikeyvalue',
  'privatekey',
  'addprivatekey',
  // Tokens that open something.
  'sessiontoken',
  'securitytoken',
  'jointoken',
  'devicetoken',
  'voipdevicetoken',
  'webidentitytoken',
  'tradeintoken',
  'samlassertion',
  'contextassertion',
]);

/**
 * What stands in the place of a secret.
 *
 * Source: CloudTrail records of AWS services; the published record of a media pipeline has its own constant
 * (Chime SDK Developer Guide, "Sending media pipeline events to CloudTrail").
 */
export function hiddenText(service: ServiceName): string {
  return service === 'chime-sdk-media-pipelines' ? 'Hidden_For_Security_Reasons' : 'HIDDEN_DUE_TO_SECURITY_REASONS';
}
