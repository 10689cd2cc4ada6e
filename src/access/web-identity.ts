import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { isRoleArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Federation } from '#core/federation.ts';
import type { Instant } from '#core/instant.ts';
import type { OidcProviderRecord } from '#store/identity/identity.ts';
import { FetchProblem } from './guarded-fetch.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { accountOfOwnIssuer, OWN_ALGORITHM } from './own-issuer.ts';
import { invalid, type Passed, passed } from './passed-tags.ts';
import { tokenKeys } from './provider-claims.ts';

/** Accepted algorithms. They use public keys. With a shared-secret algorithm, the published key would be the secret. */
const ALGORITHMS: string[] = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
const CLOCK_TOLERANCE_SECONDS = 300;

/**
 * Returns the unverified issuer of a token. The caller finds the provider by this issuer.
 *
 * @throws InvalidIdentityTokenException  the token is not a JWT with an issuer
 */
export function issuerOf(token: string): string {
  try {
    const { iss } = decodeJwt(token);
    if (typeof iss === 'string') return iss;
  } catch {
    // Falls through to the error below, which has AWS's message.
  }
  throw invalid('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)');
}

/**
 * Verifies an OpenID Connect token of a provider and returns its content.
 *
 * @throws IDPCommunicationErrorException  the provider's keys cannot be fetched
 * @throws ExpiredTokenException           the token has expired
 * @throws InvalidIdentityTokenException   the signature, issuer, audience or a required claim is missing or invalid
 *
 * Source: IAM User Guide, "Available keys for AWS web identity federation", "Passing session tags using AssumeRoleWithWebIdentity";
 * STS API reference, AssumeRoleWithWebIdentity. Requirement FED-2. The error messages are from users' reports of AWS.
 * Assumed: (1) clocks may differ by five minutes, as in the verification of signatures; (2) if the token has `azp` and
 * `aud`, `azp` is the audience.
 */
export async function verifyWebIdentity(token: string, provider: OidcProviderRecord, keys: IssuerKeys, now: Instant): Promise<Federation> {
  const issuer = `https://${provider.url}`;
  const keySet = (refetch?: 'refetch') => keys.keysOf(issuer, provider.thumbprints, now, refetch);
  let payload: JWTPayload;
  try {
    payload = await verify(token, issuer, now, keySet);
  } catch (problem) {
    throw toAwsError(problem, now);
  }
  return federationOf(payload, provider);
}

async function verify(
  token: string,
  issuer: string,
  now: Instant,
  keySet: (refetch?: 'refetch') => Promise<JSONWebKeySet>,
): Promise<JWTPayload> {
  const options = {
    algorithms: accountOfOwnIssuer(issuer) === undefined ? ALGORITHMS : [OWN_ALGORITHM],
    issuer,
    requiredClaims: ['sub', 'aud', 'exp', 'iat'],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: new Date(now),
  };
  const known = await keySet();
  try {
    return (await jwtVerify(token, createLocalJWKSet(known), options)).payload;
  } catch (problem) {
    if (problem instanceof errors.JWKSMultipleMatchingKeys) return await verifyByAny(token, known, options);
    if (!(problem instanceof errors.JWKSNoMatchingKey)) throw problem;
    // No cached key matches. The provider may have changed its keys since the last fetch.
    return (await jwtVerify(token, createLocalJWKSet(await keySet('refetch')), options)).payload;
  }
}

/** Verifies a token that does not name its key: tries each of the provider's keys. */
async function verifyByAny(token: string, { keys }: JSONWebKeySet, options: Parameters<typeof jwtVerify>[2]): Promise<JWTPayload> {
  let last: unknown;
  for (const key of keys) {
    try {
      return (await jwtVerify(token, createLocalJWKSet({ keys: [key] }), options)).payload;
    } catch (problem) {
      if (!(problem instanceof errors.JWSSignatureVerificationFailed || problem instanceof errors.JWKSNoMatchingKey)) throw problem;
      last = problem;
    }
  }
  throw last;
}

/** Returns the AWS error for a failed verification, or the original exception if it is a bug. */
function toAwsError(problem: unknown, now: Instant): unknown {
  if (problem instanceof FetchProblem) {
    return new AwsError(
      'IDPCommunicationErrorException',
      `Couldn't retrieve verification key from your identity provider: ${problem.message}`,
    );
  }
  if (problem instanceof errors.JWTExpired) {
    const end = Number(problem.payload.exp);
    return new AwsError(
      'ExpiredTokenException',
      `Token expired: current date/time ${Math.floor(now / 1000)} must be before the expiration date/time ${end}`,
    );
  }
  if (problem instanceof errors.JWKSNoMatchingKey) {
    return invalid(
      "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
    );
  }
  if (problem instanceof errors.JWTClaimValidationFailed) {
    return invalid(problem.reason === 'missing' ? `Missing a required claim: ${problem.claim}` : `Invalid claim: ${problem.claim}`);
  }
  if (problem instanceof errors.JOSEError) return invalid('The web identity token that was passed could not be validated.');
  return problem;
}

function federationOf(payload: JWTPayload, provider: OidcProviderRecord): Federation {
  const audiences = texts(payload.aud ?? [], 'aud');
  const { azp } = payload;
  if (azp !== undefined && typeof azp !== 'string') throw invalid('Invalid claim: azp');
  const subject = typeof payload.sub === 'number' ? String(payload.sub) : payload.sub;
  if (typeof subject !== 'string') throw invalid('Invalid claim: sub');
  const candidates = azp === undefined ? audiences : [azp];
  const audience = candidates.find((one) => provider.clientIds.includes(one));
  if (audience === undefined) throw invalid('Incorrect token audience');
  const roleArns = rolesOf(payload);
  const { context, sessionContext } = tokenKeys(provider.url, { ...payload, sub: subject }, audience);
  return {
    kind: 'web-identity',
    provider: provider.arn,
    issuer: `https://${provider.url}`,
    subject,
    audience,
    context: new Map([...context, ['sts:roleauthorizedbyidp', roleArns === undefined ? 'false' : 'true']]),
    sessionContext,
    ...(roleArns !== undefined && { roleArns }),
    ...personSignInOf(payload, `https://${provider.url}`),
    ...passedBy(payload),
  };
}

const SIGN_IN_ID = /^[\w-]{43}$/;

/** @throws InvalidIdentityTokenException  a token of this server does not name the sign-in of a person */
function personSignInOf({ sid }: JWTPayload, issuer: string): { readonly personSignIn?: string } {
  const accountId = accountOfOwnIssuer(issuer);
  if (accountId === undefined) return {};
  if (typeof sid !== 'string' || !SIGN_IN_ID.test(sid)) throw invalid('Invalid claim: sid');
  return { personSignIn: `${accountId}/${sid}` };
}

const ROLES_CLAIM = 'https://aws.amazon.com/roles';
const ROLES_MAX = 1_000;

/**
 * Returns the roles to which the provider limits a token, or `undefined` if the token has no roles claim.
 *
 * The claim is one ARN, a list of ARNs, or ARNs separated by semicolons. The ARNs are compared exactly, so role names
 * and patterns match nothing. Any other value, including `null`, is an error. If such a value were ignored, the token
 * would be valid for every role.
 *
 * @throws InvalidIdentityTokenException  the claim has another format, or contains no role ARN
 * Source: Service Authorization Reference, STS, `sts:RoleAuthorizedByIdp`; Aidan Steele, "OIDC tokens can now restrict which AWS roles they
 * assume", 2026-07-13, which reports tests of the claim.
 * Assumed: (1) the error messages; (2) `null` is an error; (3) ARNs can be separated by semicolons, because another
 * implementation accepts them.
 */
function rolesOf(payload: JWTPayload): readonly string[] | undefined {
  const claim = payload[ROLES_CLAIM];
  if (claim === undefined) return undefined;
  const listed = typeof claim === 'string' ? claim.split(';') : claim;
  if (!Array.isArray(listed) || listed.length > ROLES_MAX || !listed.every((one) => typeof one === 'string')) {
    throw invalid('The roles claim is not in a supported format');
  }
  const roleArns = listed.map((one) => one.trim());
  if (!roleArns.some((one) => isRoleArn(one) && !/[*?]/.test(one))) throw invalid('The roles claim contains no valid role ARNs');
  return roleArns;
}

const TAGS_CLAIM = 'https://aws.amazon.com/tags';
const SOURCE_IDENTITY_CLAIM = 'https://aws.amazon.com/source_identity';

/** Claims of providers that cannot issue one nested object, because they support only strings and lists as values. */
const FLAT_TAG = `${TAGS_CLAIM}/principal_tags/`;
const FLAT_TRANSITIVE = `${TAGS_CLAIM}/transitive_tag_keys`;

/**
 * Returns the tags and the source identity that a token passes into the session, from the nested claim and the flattened claims.
 *
 * A claim with another format is an error. If the claim were ignored, a trust policy that does not allow
 * `sts:TagSession` would accept the token.
 *
 * @throws InvalidIdentityTokenException  a claim has another format
 * Source: IAM User Guide, "Pass session tags in AWS STS", "Passing session tags using AssumeRoleWithWebIdentity": the nested
 * format.
 * Assumed: (1) the flattened format, which Microsoft Entra and Okta send; (2) the error messages; (3) a token may have
 * tags in the nested and in the flattened format; (4) a tag key that is in both formats is an error.
 */
function passedBy(payload: JWTPayload): Passed {
  const { [TAGS_CLAIM]: claim = {}, [FLAT_TRANSITIVE]: flatTransitive = [] } = payload;
  if (!isRecord(claim)) throw invalid('Session tags passed in claim are not in correct format.');
  const { principal_tags: nested = {}, transitive_tag_keys: transitive = [] } = claim;
  if (!isRecord(nested)) throw invalid('principal_tags passed in claim is not in correct format.');
  const flat = Object.entries(payload)
    .filter(([name]) => name.startsWith(FLAT_TAG))
    .map(([name, value]) => [name.slice(FLAT_TAG.length), value] as const);
  const sourceIdentity = payload[SOURCE_IDENTITY_CLAIM];
  return passed(
    [...Object.entries(nested), ...flat].map(([key, value]) => [key, texts(value, 'principal_tags')]),
    [...texts(transitive, 'transitive_tag_keys'), ...texts(flatTransitive, 'transitive_tag_keys')],
    // If the claim is not a string, `passed` rejects the empty string as an invalid source identity.
    sourceIdentity === undefined ? undefined : typeof sourceIdentity === 'string' ? sourceIdentity : '',
  );
}

/**
 * Converts a claim to a list of strings.
 *
 * @throws InvalidIdentityTokenException  the claim is neither a string nor a list of strings
 */
function texts(value: unknown, name: string): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw invalid(`${name} passed in claim is not in correct format.`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
