import { hkdfSync } from 'node:crypto';
import { derivedFrom, type OperatorKeys } from '#access/operator-keys.ts';
import type { AccountId } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { signedTexts } from './signed-texts.ts';

/** Invitation that a token proves. The token is in the mail, so only a person with access to the mailbox has it. */
export interface InvitationFacts {
  readonly accountId: AccountId;
  readonly chimeAccountId: string;
  readonly userId: string;
  /** Time of the invitation. If the user is removed and invited again, the time is another one, and earlier tokens are invalid. */
  readonly invitedAt: Instant;
}

/** Address that a link in a mail proves. The person chooses a password there, and becomes a user if an account claimed the domain. */
export interface ConfirmationFacts {
  readonly email: string;
  readonly issuedAt: Instant;
  /** Time of the last change of the person's password, or 0. The first use of a link changes it, so a link is used once. */
  readonly changedAt: Instant;
}

export interface InvitationTokens {
  issue(facts: InvitationFacts): string;
  /** Returns the facts of a token that the server issued, otherwise undefined. Does not check whether the invitation is still pending. */
  verify(token: string): InvitationFacts | undefined;
  issueConfirmation(facts: ConfirmationFacts): string;
  /** Returns the facts of a token that the server issued, otherwise undefined. Does not check its age or use. */
  verifyConfirmation(token: string): ConfirmationFacts | undefined;
}

/** Creates the tokens with keys of which the first one signs. The others are previous keys, whose tokens remain valid. */
export function invitationTokens(keys: readonly Uint8Array[]): InvitationTokens {
  const invitations = signedTexts(keys, 'belfry chime invitation');
  const confirmations = signedTexts(keys, 'belfry chime confirmation');
  return {
    issue: ({ accountId, chimeAccountId, userId, invitedAt }) => invitations.issue([accountId, chimeAccountId, userId, invitedAt]),
    verify(token) {
      const facts = invitations.verify(token) as [AccountId, string, string, number] | undefined;
      if (facts === undefined) return undefined;
      const [accountId, chimeAccountId, userId, invitedAt] = facts;
      return { accountId, chimeAccountId, userId, invitedAt: instant(invitedAt) };
    },
    issueConfirmation: ({ email, issuedAt, changedAt }) => confirmations.issue([email, issuedAt, changedAt]),
    verifyConfirmation(token) {
      const facts = confirmations.verify(token) as [string, number, number] | undefined;
      if (facts === undefined) return undefined;
      const [email, issuedAt, changedAt] = facts;
      return { email, issuedAt: instant(issuedAt), changedAt: instant(changedAt) };
    },
  };
}

/** Creates the tokens with keys that are derived from the operator keys. They follow a change of the operator keys. */
export function derivedInvitationTokens(operatorKeys: OperatorKeys): InvitationTokens {
  const tokens = derivedFrom(operatorKeys, (keys) =>
    invitationTokens(keys.map((key) => Buffer.from(hkdfSync('sha256', key, '', 'belfry chime invitations', 32)))),
  );
  return {
    issue: (facts) => tokens().issue(facts),
    verify: (token) => tokens().verify(token),
    issueConfirmation: (facts) => tokens().issueConfirmation(facts),
    verifyConfirmation: (token) => tokens().verifyConfirmation(token),
  };
}
