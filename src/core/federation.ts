import type { Arn } from './arn.ts';
import type { ConditionContext } from './condition-context.ts';
import type { Instant } from './instant.ts';

interface Brought {
  /** The provider's ARN, which a trust policy names as `Federated`, and `aws:FederatedProvider` of the session. */
  readonly provider: Arn;
  /** The token's `iss`, or the assertion's Issuer. */
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  /** Keys for the trust policy's conditions, lower-cased: `idp.example:sub`, `saml:aud` … */
  readonly context: ConditionContext;
  /** The keys of `context` that the role session keeps for its own requests. As JSON without the issuer at most `SESSION_KEYS_MAX_BYTES`. */
  readonly sessionContext: ConditionContext;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity?: string;
}

/**
 * What a verified token of an identity provider says about who brings it. Only `access` makes one.
 * It is no principal yet: what it becomes is a session of the role that trusts the provider.
 */
export type Federation =
  | (Brought & {
      readonly kind: 'web-identity';
      /** The roles that the token is for, if it is limited to roles: no other can be assumed with it. */
      readonly roleArns?: readonly string[];
    })
  | (Brought & {
      readonly kind: 'saml';
      readonly sessionName: string;
      /** `persistent`, `transient`, or the whole URN of another format. */
      readonly subjectType: string;
      /** Tells the same subject of two providers apart. */
      readonly nameQualifier: string;
      /** Names the assertion: it is good once. */
      readonly assertionId: string;
      /** After this it is refused for its age. */
      readonly redeemUntil: Instant;
      /** The roles that the assertion offers with this provider. */
      readonly roleArns: readonly string[];
      /** The session ends no later. */
      readonly latestEnd?: Instant;
      /** Seconds that a sign-in to the console lasts (`SessionDuration`). A session of STS is shortened to it, never extended. */
      readonly consoleSeconds?: number;
    });

/** The most bytes of JSON that the keys kept in a session take: they are part of every session token. */
export const SESSION_KEYS_MAX_BYTES = 1024;
