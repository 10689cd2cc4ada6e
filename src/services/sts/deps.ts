import type { AccountId } from '#core/arn.ts';
import type { SessionIssuer } from '#core/session-issuer.ts';
import type { VerifyMfa } from '../iam/mfa.ts';

/** Dependencies of the STS operations. */
export interface StsDeps {
  readonly sessions: SessionIssuer;
  /**
   * Decodes an authorization message of the account `accountId`. Returns undefined if the message is invalid or belongs
   * to another account.
   */
  readonly openMessage?: (encoded: string, accountId: AccountId) => string | undefined;
  /** Verifies an MFA code. Absent: there are no devices, and every code is rejected. */
  readonly verifyMfa?: VerifyMfa;
}
