/** Common parts of the operations that issue credentials: expiration, MFA, and the members of the response. */

import { type Instant, instant } from '#core/instant.ts';
import type { SessionClaims } from '#core/session-issuer.ts';
import type { Credentials } from '#model/generated/sts.ts';
import type { MfaBearer } from '../iam/mfa.ts';
import { type Call, LastingRefusal } from '../kit/operation.ts';
import type { StsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { packedPolicyTooLarge } from './session-policies.ts';

/** Returns the expiration of a session that begins now, rounded down to a whole second. */
export function expiresAfter(now: Instant, durationSeconds: number): Instant {
  return instant((Math.floor(now / 1000) + durationSeconds) * 1000);
}

/**
 * Issues the credentials of a session.
 *
 * @throws AwsError PackedPolicyTooLarge  the policies and tags do not fit into a token
 */
export function issue(
  deps: StsDeps,
  call: Call,
  claims: SessionClaims,
): { readonly Credentials: Credentials; readonly PackedPolicySize?: number } {
  const issued = deps.sessions.issue(claims, call.random);
  if (issued.outcome === 'too-large') throw packedPolicyTooLarge(issued.packedPolicyPercent);
  const { credentials, packedPolicyPercent } = issued;
  return {
    Credentials: {
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      SessionToken: credentials.sessionToken,
      Expiration: credentials.expiration,
    },
    ...(packedPolicyPercent !== undefined && { PackedPolicySize: packedPolicyPercent }),
  };
}

/**
 * Reports whether the request contains a valid MFA code. Returns false if the request has no MFA members.
 *
 * The mode `take` marks the code as used, in the transaction that issues the session. The mode `look` checks the code
 * without marking it. Authorization uses `look`, because an unauthorized request must not use up the code.
 *
 * @throws AwsError AccessDenied  the request has MFA members, but they are invalid
 * Assumed: the messages are those that users of real accounts report.
 */
export async function mfaProven(
  deps: StsDeps,
  bearer: MfaBearer,
  { SerialNumber, TokenCode }: { readonly SerialNumber?: string; readonly TokenCode?: string },
  mode: 'take' | 'look' = 'take',
): Promise<boolean> {
  if (SerialNumber === undefined && TokenCode === undefined) return false;
  if (SerialNumber === undefined || TokenCode === undefined || deps.verifyMfa === undefined) {
    throw new AwsError(
      'AccessDenied',
      'MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.',
    );
  }
  const shown = await deps.verifyMfa(bearer, SerialNumber, TokenCode, mode);
  if (!shown.right) {
    throw new LastingRefusal('AccessDenied', 'MultiFactorAuthentication failed with invalid MFA one time pass code. ', shown.count);
  }
  return true;
}
