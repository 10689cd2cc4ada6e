/**
 * Names of members that contain a secret, in lower case, for all structures and services.
 *
 * The models mark most of them as `sensitive`. This list covers members that a model does not mark, such as a PIN, an MFA code or a session
 * token. It also covers omissions of later models. It applies only to strings and blobs, so `passwordResetRequired` remains visible.
 *
 * Requirement LOG-4. Reviewed against the 13 models of August 2026.
 */
export const SECRET_MEMBERS: ReadonlySet<string> = new Set([
  // Passwords and codes of users.
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
  // Tokens that grant access.
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
