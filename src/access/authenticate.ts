import { type AccountId, type Arn, NO_ACCOUNT } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { REGIONS } from '#core/regions.ts';
import type { Vault } from '#core/vault.ts';
import { readSignature, type SignatureClaim } from '#sigv4/claim.ts';
import type { SignedPayload } from '#sigv4/payload.ts';
import { readS3Signature } from '#sigv4/s3-claim.ts';
import { verifyS3Signature } from '#sigv4/s3-verify.ts';
import type { SigningKeyCache } from '#sigv4/signing-key.ts';
import { verifySignature } from '#sigv4/verify.ts';
import { principalsOf } from './principals.ts';
import type { SignatureFacts } from './request-context.ts';
import type { SessionTokens } from './session-token.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Result of authentication. The principal of an unsigned request has the type `Unknown`. Only operations that accept
 * unsigned requests receive such a principal.
 */
export interface Authenticated {
  readonly principal: Principal;
  /** Absent for an unsigned request. */
  readonly accessKeyId?: string;
  /** Region of the credential scope, or the only region of a global service. */
  readonly region: string;
  /** Version of the identity snapshot that authenticated the request. */
  readonly identityVersion: number;
  /** Absent for an unsigned request, and for a call of the server itself. */
  readonly signature?: SignatureFacts;
}

/** Result of authenticating a request to S3. */
export interface AuthenticatedRequest extends Authenticated {
  /**
   * Facts about the body that the signature states. The body must be verified before any use (`wire/body-verifier.ts`). Only requests to S3 have
   * them: the signature of any other request covers the received body. They can contain a secret, so they are never stored or logged.
   */
  readonly payload?: SignedPayload;
}

/**
 * Failed authentication. `claimed` describes the signer for the trail record. The members `accessKeyId`, `accountId`
 * (the account of the access key) and `region` can be unverified. `principal` is verified. It is present only if the
 * signature was correct and another check failed, such as an expired session or an unknown region.
 */
export class Unauthenticated extends AwsError {
  readonly claimed: {
    readonly accessKeyId?: string;
    readonly accountId?: AccountId;
    readonly region?: string;
    readonly principal?: Principal;
  };

  constructor(code: string, message: string, claimed: Unauthenticated['claimed'], members: AwsError['members'] = {}) {
    super(code, message, members);
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
  /**
   * Absent if the request names no known service. The request is then rejected. A correct signature for any service
   * still identifies the signer, for the trail record.
   */
  readonly signingName?: string;
  readonly unsigned: boolean;
  /**
   * Region of a global service. A request that is signed for any existing region counts as signed for this region,
   * because clients with a custom endpoint sign for the region of their profile.
   */
  readonly onlyRegion?: string;
}

/**
 * Verifies the signature of a request, made with a long-term access key or with temporary credentials. Returns the
 * signer.
 */
export type Authenticate = (received: Received, expected: ExpectedScope, now: Instant) => AuthenticatedRequest;

/**
 * Creates the function that authenticates requests.
 *
 * The order of the checks is the same for every request, so that a response reveals as little as possible.
 *
 * `Authenticate` throws `Unauthenticated` with one of these codes, in the order of the checks:
 * @throws MissingAuthenticationToken  the request is unsigned, and the operation requires a signature
 * @throws IncompleteSignature         the signature is malformed
 * @throws InvalidClientTokenId        the access key is unknown, inactive or deleted, or the session token belongs to another key
 * @throws SignatureDoesNotMatch       the secret, the request, the scope, the region or the time is wrong
 * @throws ExpiredToken                the session has expired
 * Requests to S3 have other codes: see `ofS3`.
 * Source: requirements AUTHN-1 to AUTHN-4.
 */
export function authenticating({ snapshot, vault, sessions, keyCache, region }: AuthenticateParts): Authenticate {
  /**
   * Decrypted secrets of long-term access keys. The map key is the record of the access key. A changed record is a new
   * object, so its secret is decrypted again.
   */
  const secrets = new WeakMap<object, string>();
  const principals = principalsOf(snapshot);

  return (received, { signingName, unsigned, onlyRegion }, now) => {
    const identityVersion = snapshot.version();
    if (signingName === S3) return ofS3(received, now, identityVersion);
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
    // The signature was checked above even if the key is unknown. So the response time does not reveal whether the key
    // exists.
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
    const { accessKeyId, presigned, signedAt } = claim;
    return { principal, accessKeyId, region: claimed.region, identityVersion, signature: { presigned, signedAt } };
  };

  /**
   * Authenticates a request to S3. Requests are accepted for every existing region.
   *
   * @throws AccessDenied                       the request is unsigned, a header is not signed, or the URL has expired
   * @throws AuthorizationHeaderMalformed       the header is malformed, or the scope or the region is wrong
   * @throws AuthorizationQueryParametersError  parameters of a presigned URL are missing or invalid
   * @throws InvalidArgument                    there are two signatures, or `x-amz-content-sha256` is invalid
   * @throws InvalidRequest                     the signature is of Signature Version 2, or `x-amz-content-sha256` is missing
   * @throws InvalidAccessKeyId                 the access key is unknown, inactive or deleted
   * @throws InvalidToken                       the session token is invalid, or belongs to another key
   * @throws RequestTimeTooSkewed               the clocks differ by more than 15 minutes
   * @throws SignatureDoesNotMatch              the secret or the request is wrong
   * @throws ExpiredToken                       the session has expired
   * Source: record.md C5, rows 33, 34 and 44 to 48; Amazon S3 API Reference, "Error responses".
   * Assumed: the order of the checks, which is that of the other services.
   */
  function ofS3(received: Received, now: Instant, identityVersion: number): AuthenticatedRequest {
    const signature = readS3Signature(received);
    if (signature.kind === 'none') throw new Unauthenticated('AccessDenied', 'Access Denied', {});
    if (signature.kind === 'malformed') throw new Unauthenticated(signature.code, signature.message, {}, signature.members);

    const { claim } = signature;
    const holder = claim.sessionToken === undefined ? ofLongTermKey(claim) : ofSession(claim);
    const verification = verifyS3Signature(received, claim, { secret: holder?.secret, now, keyCache });
    const known = claim.region === region || REGIONS.has(claim.region);
    const recordedRegion = known ? claim.region : region;
    const claimed = {
      accessKeyId: claim.accessKeyId,
      region: recordedRegion,
      ...(holder === undefined ? {} : { accountId: holder.principal.accountId }),
    };
    if (holder === undefined) throw unknownS3Key(claim, claimed);
    if (!verification.verified) throw new Unauthenticated(verification.code, verification.message, claimed, verification.members);
    const { principal } = holder;
    if (!known) {
      const message = `The authorization header is malformed; the region '${claim.region}' is wrong; expecting '${region}'`;
      throw new Unauthenticated('AuthorizationHeaderMalformed', message, { ...claimed, principal }, { Region: region });
    }
    if (principal.session !== undefined && principal.session.expiresAt <= now)
      throw new Unauthenticated('ExpiredToken', 'The provided token has expired.', { ...claimed, principal });
    return { principal, accessKeyId: claim.accessKeyId, region: recordedRegion, identityVersion, payload: verification.payload };
  }

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

/** Signing name of S3. Its requests have payload modes and errors of their own. */
const S3 = 's3';

function unknownS3Key({ accessKeyId, sessionToken }: SignatureClaim, claimed: Unauthenticated['claimed']): Unauthenticated {
  if (sessionToken !== undefined)
    return new Unauthenticated('InvalidToken', 'The provided token is malformed or otherwise invalid.', claimed);
  const message = 'The AWS Access Key Id you provided does not exist in our records.';
  return new Unauthenticated('InvalidAccessKeyId', message, claimed, { AWSAccessKeyId: accessKeyId });
}

/** Returns the principal of an unsigned request. */
function anonymous(): Principal {
  return { type: 'Unknown', accountId: NO_ACCOUNT, arn: 'arn:aws:iam:::anonymous' as Arn, principalId: 'anonymous' };
}
