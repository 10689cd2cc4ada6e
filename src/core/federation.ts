import type { Arn } from './arn.ts';
import type { ConditionContext } from './condition-context.ts';
import type { Instant } from './instant.ts';

interface FederationFacts {
  /** ARN of the identity provider: the `Federated` principal of a trust policy and `aws:FederatedProvider` of the session. */
  readonly provider: Arn;
  /** `iss` of the token, or the assertion's Issuer. */
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  /** Condition context for the trust policy, with lower-case keys: `idp.example:sub`, `saml:aud` … */
  readonly context: ConditionContext;
  /**
   * Part of `context` that the role session keeps for its requests. Session tokens contain it as JSON with keys that
   * omit the provider's name. This JSON has at most `SESSION_KEYS_MAX_BYTES`.
   */
  readonly sessionContext: ConditionContext;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity?: string;
}

/**
 * Facts about the caller from a verified token or assertion of an identity provider.
 * Only code in `src/access` creates such a value.
 *
 * The caller is not a principal until it assumes a role that trusts the provider.
 */
export type Federation =
  | (FederationFacts & {
      readonly kind: 'web-identity';
      /** Sign-in of a person of Amazon Chime, in a token of this server: `<account ID>/<ID of the sign-in>`. */
      readonly personSignIn?: string;
      /** ARNs of the roles to which the token is limited. Absent if the token is valid for every role. */
      readonly roleArns?: readonly string[];
    })
  | (FederationFacts & {
      readonly kind: 'saml';
      readonly sessionName: string;
      /** Format of the subject: `persistent`, `transient`, or the full URN of another format. */
      readonly subjectType: string;
      /** Distinguishes equal subjects of different providers. */
      readonly nameQualifier: string;
      /** Assertion ID. The server accepts each assertion once. */
      readonly assertionId: string;
      /**
       * End of the time limit of five minutes after the assertion's issue, plus a tolerance for clock differences. The
       * server stores the ID of a used assertion until this time.
       */
      readonly redeemUntil: Instant;
      /**
       * Time from which AssumeRoleWithSAML rejects the assertion: `redeemUntil`, or an earlier end that the assertion
       * states.
       */
      readonly validUntil: Instant;
      /**
       * Provider metadata with which the assertion was verified. If the provider has other metadata when the role is
       * assumed, the call fails.
       */
      readonly providerMetadata: string;
      /** ARNs of the roles that the assertion offers with this provider. */
      readonly roleArns: readonly string[];
      /** Latest end of the role session: `SessionNotOnOrAfter` of the assertion. */
      readonly latestEnd?: Instant;
      /**
       * Duration of a console sign-in in seconds (`SessionDuration`). A session of AssumeRoleWithSAML cannot last
       * longer.
       */
      readonly consoleSeconds?: number;
    });

/** Maximum size of `sessionContext` as JSON, in bytes. The limit exists because every session token contains it. */
export const SESSION_KEYS_MAX_BYTES = 1024;
