import { type AccountId, type Arn, NO_ACCOUNT } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { REGIONS } from '#core/regions.ts';
import type { Vault } from '#core/vault.ts';
import { readSignature, type SignatureClaim } from '#sigv4/claim.ts';
import type { SigningKeyCache } from '#sigv4/signing-key.ts';
import { verifySignature } from '#sigv4/verify.ts';
import { principalsOf } from './principals.ts';
import type { SessionTokens } from './session-token.ts';
import type { Snapshot } from './snapshot.ts';

/** Authenticated request. The principal is `Unknown` if the operation accepts unsigned requests and the request is unsigned. */
export interface Authenticated {
  readonly principal: Principal;
  /** Absent for an unsigned request. */
  readonly accessKeyId?: string;
  /** Region of the credential scope, or the only region of a global service. */
  readonly region: string;
  /** Version of the identity snapshot that authenticated the request. */
  readonly identityVersion: number;
}

/**
 * Failed authentication, with the unverified claims of the request for the trail. `accountId` is the account of the access key.
 * `principal` is present only if the signature was correct and another check failed, such as an expired session or an unknown region.
 */
export class Unauthenticated extends AwsError {
  readonly claimed: {
    readonly accessKeyId?: string;
    readonly accountId?: AccountId;
    readonly region?: string;
    readonly principal?: Principal;
  };

  constructor(code: string, message: string, claimed: Unauthenticated['claimed']) {
    super(code, message);
    this.claimed = claimed;
  }
}

/** Dependencies of `authenticating`. */
export interface AuthenticateParts {
  readonly snapshot: Snapshot;
  readonly vault: Vault;
  readonly sessions: SessionTokens;
  readonly keyCache: SigningKeyCache;
  /** Region of unsigned requests. */
  readonly region: string;
}

const INVALID_TOKEN = 'The security token included in the request is invalid.';
const EXPIRED_TOKEN = 'The security token included in the request is expired';

/** Scope that the signature of a request must have. */
export interface ExpectedScope {
  /** Absent if the request names no known service. Then a signature for any service identifies the signer of the rejected request. */
  readonly signingName?: string;
  readonly unsigned: boolean;
  /**
   * Region of a global service. A request signed for any existing region counts as signed for this one. The reason is that clients with a
   * custom endpoint sign for the region of their profile.
   */
  readonly onlyRegion?: string;
}

/** Verifies the signature of a request by a long-term key or a session, and returns its signer. */
export type Authenticate = (received: Received, expected: ExpectedScope, now: Instant) => Authenticated;

/**
 * Creates the stage that authenticates.
 *
 * The order of the checks is the same for every request, so that a response reveals as little as possible.
 *
 * `Authenticate` throws `Unauthenticated` with one of these codes, in the order of the checks:
 * @throws MissingAuthenticationToken  the request is unsigned, and the operation requires a signature
 * @throws IncompleteSignature         the signature is malformed
 * @throws InvalidClientTokenId        the access key is unknown, inactive or deleted, or the session token belongs to another key
 * @throws SignatureDoesNotMatch       the secret, the request, the scope, the region or the time is wrong
 * @throws ExpiredToken                the session has expired
 * Source: requirements AUTHN-1 to AUTHN-4.
 */
export function authenticating({ snapshot, vault, sessions, keyCache, region }: AuthenticateParts): Authenticate {
  /** Decrypted secrets of long-term keys, by record. A changed record is a new object. */
  const secrets = new WeakMap<object, string>();
  const principals = principalsOf(snapshot);

  return (received, { signingName, unsigned, onlyRegion }, now) => {
    const identityVersion = snapshot.version();
    const signature = readSignature(received);
    if (signature.kind === 'none') {
      if (!unsigned) throw new Unauthenticated('MissingAuthenticationToken', 'Missing Authentication Token', {});
      return { principal: anonymous(), region, identityVersion };
    }
    if (signature.kind === 'malformed') throw new Unauthenticated(signature.code, signature.message, {});

    const { claim } = signature;
    const holder = claim.sessionToken === undefined ? ofLongTermKey(claim) : ofSession(claim);
    const verification = verifySignature(received, claim, {
      secret: holder?.secret,
      signingName: signingName ?? claim.service,
      now,
      keyCache,
    });
    const known = claim.region === region || REGIONS.has(claim.region);
    const claimed = {
      accessKeyId: claim.accessKeyId,
      region: onlyRegion ?? (known ? claim.region : region),
      ...(holder === undefined ? {} : { accountId: holder.principal.accountId }),
    };
    // Verifies before this check even for an unknown key, so that the response time does not reveal whether the key exists.
    if (holder === undefined) throw new Unauthenticated('InvalidClientTokenId', INVALID_TOKEN, claimed);
    if (!verification.verified) throw new Unauthenticated(verification.code, verification.message, claimed);
    const { principal } = holder;
    // Source: the message, with its trailing space, in users' reports of IAM (rusoto 1870), STS (cognitect aws-api 27) and others.
    if (!known) {
      const message = `Credential should be scoped to a valid region, not '${claim.region}'. `;
      throw new Unauthenticated('SignatureDoesNotMatch', message, { ...claimed, principal });
    }
    if (principal.session !== undefined && principal.session.expiresAt <= now) {
      throw new Unauthenticated('ExpiredToken', EXPIRED_TOKEN, { ...claimed, principal });
    }
    return { principal, accessKeyId: claim.accessKeyId, region: claimed.region, identityVersion };
  };

  function ofLongTermKey(claim: SignatureClaim): { secret: string; principal: Principal } | undefined {
    const key = snapshot.accessKey(claim.accessKeyId);
    if (key === undefined || key.status !== 'Active') return undefined;
    const principal = key.userName === undefined ? principals.root(key.accountId) : principals.user(key.accountId, key.userName);
    if (principal === undefined) return undefined;
    let secret = secrets.get(key);
    if (secret === undefined) secrets.set(key, (secret = vault.open(key.sealedSecret, key.accessKeyId)));
    return { secret, principal };
  }

  function ofSession(claim: SignatureClaim): { secret: string; principal: Principal } | undefined {
    const opened = sessions.open(claim.accessKeyId, claim.sessionToken as string);
    if (opened === undefined) return undefined;
    const principal = principals.session(opened.claims);
    return principal && { secret: opened.secretAccessKey, principal };
  }
}

/** Returns the principal of an unsigned request. */
function anonymous(): Principal {
  return { type: 'Unknown', accountId: NO_ACCOUNT, arn: 'arn:aws:iam:::anonymous' as Arn, principalId: 'anonymous' };
}
