/**
 * Names of members that contain a secret, in lower case, for all structures and services.
 *
 * The models mark most of these members as `sensitive`. This list covers members that a model does not mark, such as a
 * PIN, an MFA code or a session token, and members that a later model may not mark. It applies only to strings and
 * blobs, so `passwordResetRequired` remains visible.
 *
 * Requirement LOG-4. Reviewed against the 13 models of August 2026.
 */
export const SECRET_MEMBERS: ReadonlySet<string> = new Set([
  // Passwords and codes of users.
  'password',
  'newpassword',
  'oldpassword',
  'servicepassword',
  'bindpassword',
  'personalpin',
  'pin',
  'passcode',
  'tokencode',
  'authenticationcode1',
  'authenticationcode2',
  'base32stringseed',
  'qrcodepng',
  // Serial number and code of an MFA device, in a header of S3.
  'mfa',
  // Keys.
  'secretaccesskey',
  'servicecredentialsecret',
  'clientsecret',
  'apikeyvalue',
  'privatekey',
  'addprivatekey',
  // Tokens that grant access.
  'sessiontoken',
  'securitytoken',
  'jointoken',
  'invitationtoken',
  'devicetoken',
  'voipdevicetoken',
  'webidentitytoken',
  'tradeintoken',
  'samlassertion',
  'contextassertion',
]);

/**
 * Shapes whose values trail records hide, although their models do not mark them as sensitive, as service and name.
 * Log messages can contain anything that a program writes. Assumed: AWS records the messages of TestMetricFilter.
 */
export const SECRET_SHAPES: ReadonlySet<string> = new Set(['logs EventMessage', 'logs TransformedEventMessage']);

/**
 * Secrets that validation errors quote if they are malformed. A malformed code of an MFA device is never valid.
 * Assumed: AWS quotes these values as it quotes those of all members that are not marked as sensitive.
 */
const QUOTED: ReadonlySet<string> = new Set(['tokencode', 'authenticationcode1', 'authenticationcode2']);

/**
 * Reports whether validation errors must not quote the value of a member, although its model does not mark it as sensitive.
 * The error message is in the response, the log of the client and the trail.
 */
export function isUnquoted(name: string): boolean {
  const key = name.toLowerCase();
  return SECRET_MEMBERS.has(key) && !QUOTED.has(key);
}
