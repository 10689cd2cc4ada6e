import type { AccountId, Arn } from './arn.ts';
import type { ConditionContext } from './condition-context.ts';
import type { Federation } from './federation.ts';
import type { Instant } from './instant.ts';

/** Facts about a session that its temporary credentials carry. Source: IAM User Guide, "Temporary security credentials". */
export interface SessionFacts {
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
  readonly mfaAuthenticated: boolean;
  readonly sourceIdentity?: string;
  /** Session tags. They override tags of the role with the same key, ignoring case. */
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
  /** Inline session policy, and ARNs of managed session policies. Both are absent if no session policy was passed. */
  readonly sessionPolicy?: string;
  readonly sessionPolicyArns?: readonly Arn[];
  /** `aws:FederatedProvider` of a SAML or web identity session. */
  readonly federatedProvider?: string;
  /**
   * Condition keys and values from the provider's token or assertion. The session keeps them for its requests. Keys are
   * in lower case: `idp.example:sub`, `saml:sub` … Absent after role chaining.
   */
  readonly federatedContext?: ConditionContext;
  /**
   * Sign-in of a person of Amazon Chime with which the session ends: `<account ID>/<ID of the sign-in>`. Sessions that the session creates have
   * it too.
   */
  readonly personSignIn?: string;
  /**
   * End of the session at the identity provider (`SessionNotOnOrAfter` of SAML). Credentials of the session expire at
   * this time or earlier.
   */
  readonly latestEnd?: Instant;
  /** True if another session created this session (role chaining). */
  readonly chained: boolean;
  /** True for the credentials of a console sign-in: CloudTrail's `sessionCredentialFromConsole`. */
  readonly fromConsole?: boolean;
}

/**
 * The authenticated caller. `type` is the identity type of CloudTrail.
 *
 * `principalId` is the value of `aws:userid`: the account ID for a root user, `AIDA…` for an IAM user,
 * `AROA…:session` for a role session, and `account:name` for a federated user.
 * Source: IAM User Guide, "IAM JSON policy elements: Variables", table of principal values.
 */
export type Principal =
  | {
      readonly type: 'Root';
      readonly accountId: AccountId;
      readonly arn: Arn;
      readonly principalId: string;
      readonly session?: SessionFacts;
    }
  | {
      readonly type: 'IAMUser';
      readonly accountId: AccountId;
      readonly arn: Arn;
      readonly principalId: string;
      readonly userName: string;
      /** Present for credentials of GetSessionToken. */
      readonly session?: SessionFacts;
    }
  | {
      readonly type: 'AssumedRole';
      readonly accountId: AccountId;
      /** ARN of the session: `arn:aws:sts::<account>:assumed-role/<role name>/<session>`. */
      readonly arn: Arn;
      readonly principalId: string;
      readonly roleArn: Arn;
      readonly roleId: string;
      readonly roleName: string;
      readonly sessionName: string;
      readonly session: SessionFacts;
    }
  | {
      readonly type: 'FederatedUser';
      readonly accountId: AccountId;
      /** `arn:aws:sts::<account>:federated-user/<name>`. */
      readonly arn: Arn;
      readonly principalId: string;
      readonly userName: string;
      /** ARN of the caller of GetFederationToken: an IAM user or the root. */
      readonly issuerArn: Arn;
      readonly issuerId: string;
      readonly session: SessionFacts;
    }
  | {
      readonly type: 'AWSService';
      readonly accountId: AccountId;
      readonly arn: Arn;
      readonly principalId: string;
      readonly service: string;
      readonly session?: SessionFacts;
    }
  /** Caller of an unsigned request: AssumeRoleWithSAML, AssumeRoleWithWebIdentity. */
  | {
      readonly type: 'Unknown';
      readonly accountId: AccountId;
      readonly arn: Arn;
      readonly principalId: string;
      readonly session?: SessionFacts;
      /** Facts from the verified token or assertion. */
      readonly federation?: Federation;
    };
