import type { AccountId } from './arn.ts';
import type { Instant } from './instant.ts';
import type { SessionFacts } from './principal.ts';

/**
 * What a session token says: whose session it is, and under which facts. A user is its unique id alone: it may have another name by then, and
 * another user its name. A role cannot be renamed, so its name stands beside its id, to be found by.
 */
export type SessionClaims =
  /** Of AssumeRole and its kin. */
  | {
      readonly kind: 'role';
      readonly accountId: AccountId;
      readonly session: SessionFacts;
      readonly roleId: string;
      readonly roleName: string;
      readonly sessionName: string;
    }
  /** Of GetSessionToken. */
  | {
      readonly kind: 'user';
      readonly accountId: AccountId;
      readonly session: SessionFacts;
      readonly userId: string;
    }
  | { readonly kind: 'root'; readonly accountId: AccountId; readonly session: SessionFacts }
  /** Of GetFederationToken; where `issuerId` is the account's id, its root called it. */
  | {
      readonly kind: 'federated';
      readonly accountId: AccountId;
      readonly session: SessionFacts;
      readonly federatedName: string;
      readonly issuerId: string;
    };

/** Temporary credentials as a client gets them. */
export interface IssuedSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Instant;
}

/** Makes temporary credentials. Nothing of them is kept: the token says it all, sealed. */
export interface SessionIssuer {
  /**
   * 'too-large' where session policies and tags do not fit. `packedPolicyPercent` is absent where there are none of either.
   *
   * `random` must not be foreseeable: the whole secrecy of the credentials is in it and in the operator key.
   */
  issue(
    claims: SessionClaims,
    random: (bytes: number) => Uint8Array,
  ):
    | { readonly outcome: 'issued'; readonly credentials: IssuedSession; readonly packedPolicyPercent?: number }
    | { readonly outcome: 'too-large'; readonly packedPolicyPercent: number };
}
