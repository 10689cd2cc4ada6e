import type { AccountId } from '#core/arn.ts';
import type { SessionIssuer } from '#core/session-issuer.ts';
import type { VerifyMfa } from '../iam/mfa.ts';

/** What the operations of STS need besides a call. */
export interface StsDeps {
  readonly sessions: SessionIssuer;
  /** What a refusal encoded for this account; undefined where the text is no such message, or another account's. */
  readonly openMessage?: (encoded: string, accountId: AccountId) => string | undefined;
  /** Whether the code is the device's now. Absent: there are no devices, and every code is refused. */
  readonly verifyMfa?: VerifyMfa;
}
