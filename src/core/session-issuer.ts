import type { AccountId } from './arn.ts';
import type { Instant } from './instant.ts';
import type { SessionFacts } from './principal.ts';

/**
 * Content of a session token: the principal and the facts of its session.
 *
 * The claims identify a user only by unique ID, because users can be renamed and another user can take over the name.
 * Roles cannot be renamed, so the claims of a role also contain its name. The server uses the name to find the role.
 */
export type SessionClaims =
  /** Session of AssumeRole, AssumeRoleWithSAML or AssumeRoleWithWebIdentity. */
  | {
      readonly kind: 'role';
      readonly accountId: AccountId;
      readonly session: SessionFacts;
      readonly roleId: string;
      readonly roleName: string;
      readonly sessionName: string;
    }
  /** Session of GetSessionToken. */
  | {
      readonly kind: 'user';
      readonly accountId: AccountId;
      readonly session: SessionFacts;
      readonly userId: string;
    }
  | { readonly kind: 'root'; readonly accountId: AccountId; readonly session: SessionFacts }
  /** Session of GetFederationToken. If the root called it, `issuerId` is the account ID. */
  | {
      readonly kind: 'federated';
      readonly accountId: AccountId;
      readonly session: SessionFacts;
      readonly federatedName: string;
      readonly issuerId: string;
    };

/** Temporary credentials as returned to a client. */
export interface IssuedSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Instant;
}

/** Issues temporary credentials. The server does not store them: the sealed session token contains all facts. */
export interface SessionIssuer {
  /**
   * Issues credentials. Returns `too-large` if the session policies and tags exceed the maximum size of a token.
   *
   * `packedPolicyPercent` is absent if there are no session policies or tags.
   * `random` must return unpredictable bytes. The secrecy of the credentials depends on these bytes and on the operator
   * key, the server's master key for encryption.
   */
  issue(
    claims: SessionClaims,
    random: (bytes: number) => Uint8Array,
  ):
    | { readonly outcome: 'issued'; readonly credentials: IssuedSession; readonly packedPolicyPercent?: number }
    | { readonly outcome: 'too-large'; readonly packedPolicyPercent: number };
}
