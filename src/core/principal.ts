import type { AccountId, Arn } from './arn.ts';
import type { ConditionContext } from './condition-context.ts';
import type { Federation } from './federation.ts';
import type { Instant } from './instant.ts';

/** What a temporary credential says about the call that made it. Source: IAM User Guide, "Temporary security credentials". */
export interface SessionFacts {
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
  readonly mfaAuthenticated: boolean;
  readonly sourceIdentity?: string;
  /** Session tags; they override tags of the role with the same key, whatever its case. */
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
  /** Texts of inline session policies, and ARNs of managed ones. Both absent: no session policy was passed. */
  readonly sessionPolicy?: string;
  readonly sessionPolicyArns?: readonly Arn[];
  /** `aws:FederatedProvider` of a SAML or web-identity session. */
  readonly federatedProvider?: string;
  /** Keys of the provider's token that stay in the session: `idp.example:sub`, `saml:sub` …, lower-cased. Absent after role chaining. */
  readonly federatedContext?: ConditionContext;
  /** End of the session at the identity provider (`SessionNotOnOrAfter` of SAML). No credentials of the session are valid longer. */
  readonly latestEnd?: Instant;
  /** True where the session was made by a session (role chaining). */
  readonly chained: boolean;
  /** True where these are the credentials of a console sign-in: CloudTrail's `sessionCredentialFromConsole`. */
  readonly fromConsole?: boolean;
}

/**
 * Who is calling, once authenticated. `type` is CloudTrail's word.
 *
 * `principalId` is `aws:userid`: the account id of a root, `AIDA…` of a user, `AROA…:session` of a role session, `account:name` of a federated user.
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
      /** Present with credentials of GetSessionToken. */
      readonly session?: SessionFacts;
    }
  | {
      readonly type: 'AssumedRole';
      readonly accountId: AccountId;
      /** The session's: `arn:aws:sts::<account>:assumed-role/<role name>/<session>`. */
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
      /** Who called GetFederationToken: an IAM user's ARN, or the root's. */
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
  /** Nobody signed: AssumeRoleWithSAML, AssumeRoleWithWebIdentity. */
  | {
      readonly type: 'Unknown';
      readonly accountId: AccountId;
      readonly arn: Arn;
      readonly principalId: string;
      readonly session?: SessionFacts;
      /** What the token in place of a signature says, verified. */
      readonly federation?: Federation;
    };
