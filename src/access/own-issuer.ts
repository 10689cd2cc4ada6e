/**
 * The server as an OpenID provider: its tokens identify people of Amazon Chime that have signed in. Each AWS account has an issuer of its own,
 * so that a role of one account does not trust the people of another one.
 */
import { createHash, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';
import type { AccountId } from '#core/arn.ts';
import { ED25519_SEED_BYTES, ed25519Key } from '#core/ed25519.ts';
import type { Instant } from '#core/instant.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { derivedFrom, type OperatorKeys } from './operator-keys.ts';

/** Algorithm of the tokens: Ed25519. */
export const OWN_ALGORITHM = 'EdDSA';
/** Audience of the tokens. */
export const OWN_AUDIENCE = 'amazon-chime';
/** Session tag with the user ID, which policies use as `${aws:PrincipalTag/ChimeUserId}`. */
export const USER_ID_TAG = 'ChimeUserId';
/** Lifetime of a token. The server exchanges it for credentials at once. */
const TOKEN_SECONDS = 300;
const PATH = '/chime/openid/';
const OWN_ISSUER = /^https:\/\/[^/]+\/chime\/openid\/([0-9]{12})$/;

/** Person that a token identifies. */
export interface OwnSubject {
  readonly issuer: string;
  readonly userId: string;
  /** ID of the sign-in. The credentials end with it. */
  readonly signInId: string;
  /** The only role that the token is valid for. */
  readonly roleArn: string;
}

/** Signs tokens, and has the keys that verify them. */
export interface OwnIssuer {
  sign(subject: OwnSubject, now: Instant): Promise<string>;
  /** Returns the public keys, the newest first. */
  keys(): JSONWebKeySet;
}

/** Returns the issuer of an AWS account on a server. Issuers are https URLs, also if the server has no TLS. */
export function ownIssuerUrl(publicUrl: string, accountId: AccountId): string {
  return `https://${new URL(publicUrl).host}${PATH}${accountId}`;
}

/** Returns the account of an issuer of this server or of an earlier address of it; undefined for another issuer. */
export function accountOfOwnIssuer(issuer: string): AccountId | undefined {
  return OWN_ISSUER.exec(issuer)?.[1] as AccountId | undefined;
}

/**
 * Creates the issuer. Its keys are derived from the operator keys, so all servers of a database have the same ones, and none is stored. After a
 * change of the operator key, tokens of the earlier key remain valid while the server knows it.
 */
export function ownIssuer(operatorKeys: OperatorKeys): OwnIssuer {
  const pairs = derivedFrom(operatorKeys, (keys) => keys.map(pairOf));
  return {
    async sign({ issuer, userId, signInId, roleArn }, now) {
      const { SignJWT } = await import('jose');
      const [newest] = pairs();
      if (newest === undefined) throw new Error('there is no operator key');
      const tags = { principal_tags: { [USER_ID_TAG]: [userId] }, transitive_tag_keys: [USER_ID_TAG] };
      const claims = { sid: signInId, 'https://aws.amazon.com/tags': tags, 'https://aws.amazon.com/roles': [roleArn] };
      const seconds = Math.floor(now / 1000);
      return await new SignJWT(claims)
        .setProtectedHeader({ alg: OWN_ALGORITHM, kid: newest.shown.kid as string, typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(userId)
        .setAudience(OWN_AUDIENCE)
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + TOKEN_SECONDS)
        .sign(newest.secret);
    },
    keys: () => ({ keys: pairs().map(({ shown }) => shown) }),
  };
}

/** Derives a key pair. Each seed of 32 bytes is a private key of Ed25519. Source: RFC 8032, 5.1.5. */
function pairOf(operatorKey: Uint8Array): { readonly secret: KeyObject; readonly shown: JWK } {
  const secret = ed25519Key(new Uint8Array(hkdfSync('sha256', operatorKey, '', 'belfry chime openid', ED25519_SEED_BYTES)));
  const { x = '' } = createPublicKey(secret).export({ format: 'jwk' });
  const kid = createHash('sha256').update(x).digest('base64url').slice(0, 22);
  return { secret, shown: { kty: 'OKP', crv: 'Ed25519', x, alg: OWN_ALGORITHM, use: 'sig', kid } };
}

/** Returns keys of issuers, in which the server does not fetch its own keys. Only the server has signed a token that they verify. */
export function withOwnKeys(fetched: IssuerKeys, own: Pick<OwnIssuer, 'keys'>): IssuerKeys {
  return {
    keysOf: (issuer, thumbprints, now, refetch) =>
      accountOfOwnIssuer(issuer) === undefined ? fetched.keysOf(issuer, thumbprints, now, refetch) : Promise.resolve(own.keys()),
  };
}

/** Returns the discovery document of an issuer. Source: OpenID Connect Discovery 1.0, section 3. */
export function discoveryOf(issuer: string): Readonly<Record<string, unknown>> {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [OWN_ALGORITHM],
    claims_supported: ['iss', 'sub', 'aud', 'iat', 'exp', 'sid'],
  };
}
