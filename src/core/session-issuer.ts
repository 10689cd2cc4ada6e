import type { AccountId } from './arn.ts';
import type { Instant } from './instant.ts';
import type { SessionFacts } from './principal.ts';

/** What a session token says: whose session it is, by the unique id that a name used again does not inherit, and under which facts. */
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
      readonly userName: string;
    }
  | { readonly kind: 'root'; readonly accountId: AccountId; readonly session: SessionFacts }
  /** Of GetFederationToken; without `issuerName` the account's root called it. */
  | {
      readonly kind: 'federated';
      readonly accountId: AccountId;
      readonly session: SessionFacts;
      readonly federatedName: string;
      readonly issuerId: string;
      readonly issuerName?: string;
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
