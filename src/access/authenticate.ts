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

/** Who signed a request, proven; or that nobody did, where nobody has to. */
export interface Authenticated {
  readonly principal: Principal;
  /** Absent where nobody signed. */
  readonly accessKeyId?: string;
  /** Of the credential scope, or that of a service that has only one. */
  readonly region: string;
  /** The identity snapshot's version this was true of. */
  readonly identityVersion: number;
}

/**
 * A refusal with what was claimed and is not proven, for the trail: the account of the access key, if there is one.
 * `principal` is present only if the signature was right and something else was wrong: an expired session, an unknown region.
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

export interface AuthenticateParts {
  readonly snapshot: Snapshot;
  readonly vault: Vault;
  readonly sessions: SessionTokens;
  readonly keyCache: SigningKeyCache;
  /** The region of what has none: unsigned requests. */
  readonly region: string;
}

const INVALID_TOKEN = 'The security token included in the request is invalid.';
const EXPIRED_TOKEN = 'The security token included in the request is expired';

/** What a request must be signed for. */
export interface ExpectedScope {
  /** Absent if the request names no service and is refused: any service in the scope identifies its signer. */
  readonly signingName?: string;
  readonly unsigned: boolean;
  /**
   * Region of a service that has no regions. A request signed for any existing region counts as signed for this one, because
   * clients with an endpoint of ours sign for the region of their profile.
   */
  readonly onlyRegion?: string;
}

/** Proves who signed a request, by long-term key or by session. */
export type Authenticate = (received: Received, expected: ExpectedScope, now: Instant) => Authenticated;

/**
 * Makes the stage that authenticates.
 *
 * Order, the same for every request so that no answer tells more than another: signature present, well formed, key known and
 * active with the token that belongs to it, signature right, session not expired.
 *
 * @throws Unauthenticated (of `Authenticate`)
 *   MissingAuthenticationToken nobody signed, and somebody has to ·
 *   IncompleteSignature what there is of a signature is not one ·
 *   InvalidClientTokenId unknown, inactive or deleted key, or a token that is not this key's ·
 *   SignatureDoesNotMatch wrong secret, altered request, wrong scope, a region that is none, skewed clock ·
 *   ExpiredToken the session is over
 * Source: requirements AUTHN-1 to AUTHN-4.
 */
export function authenticating({ snapshot, vault, sessions, keyCache, region }: AuthenticateParts): Authenticate {
  /** Opened secrets of long-term keys, by the record they belong to: a changed record is another object. */
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
    // The verification is done first even for an unknown key, so that time tells nothing; the answer names the key's fault.
    if (holder === undefined) throw new Unauthenticated('InvalidClientTokenId', INVALID_TOKEN, claimed);
    if (!verification.verified) throw new Unauthenticated(verification.code, verification.message, claimed);
    const { principal } = holder;
    // Source: the text, with the space at its end, as users report it of IAM (rusoto 1870), STS (cognitect aws-api 27) and others.
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

/** Whoever calls an operation that nobody signs. */
function anonymous(): Principal {
  return { type: 'Unknown', accountId: NO_ACCOUNT, arn: 'arn:aws:iam:::anonymous' as Arn, principalId: 'anonymous' };
}
