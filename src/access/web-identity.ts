import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { AwsError } from '#core/aws-error.ts';
import type { Federation } from '#core/federation.ts';
import type { Instant } from '#core/instant.ts';
import type { OidcProviderRecord } from '#store/identity.ts';
import { FetchProblem } from './guarded-fetch.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { invalid, type Passed, passed } from './passed-tags.ts';

/** Public-key algorithms only: a shared-secret one would take the published key for the secret. */
const ALGORITHMS: string[] = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
const CLOCK_TOLERANCE_SECONDS = 300;

/** Who a token says issued it, unverified: by that its provider is sought. */
export function issuerOf(token: string): string {
  try {
    const { iss } = decodeJwt(token);
    if (typeof iss === 'string') return iss;
  } catch {
    // Said below in AWS's words.
  }
  throw invalid('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)');
}

/**
 * Verifies an OpenID Connect token of a provider, and answers what it says.
 *
 * @throws AwsError InvalidIdentityToken  signature, issuer, audience or a claim that must be there
 * @throws AwsError ExpiredTokenException
 * @throws AwsError IDPCommunicationError the provider's keys could not be had
 *
 * Source: IAM User Guide, "Available keys for AWS web identity federation", "Passing session tags using AssumeRoleWithWebIdentity";
 * STS API reference, AssumeRoleWithWebIdentity. Requirement FED-2. Texts: as people report them of real accounts.
 * Assumed: clocks may differ by five minutes, as in signatures; where `azp` and `aud` are both there, `azp` is the audience.
 */
export async function verifyWebIdentity(token: string, provider: OidcProviderRecord, keys: IssuerKeys, now: Instant): Promise<Federation> {
  // Providers are kept without the slash that some issuers end with.
  const issuer = issuerOf(token).endsWith('/') ? `https://${provider.url}/` : `https://${provider.url}`;
  const keySet = (afresh?: 'afresh') => keys.keysOf(issuer, provider.thumbprints, now, afresh);
  let payload: JWTPayload;
  try {
    payload = await verify(token, issuer, now, keySet);
  } catch (problem) {
    throw inAwsWords(problem, now);
  }
  return federationOf(payload, provider);
}

async function verify(
  token: string,
  issuer: string,
  now: Instant,
  keySet: (afresh?: 'afresh') => Promise<JSONWebKeySet>,
): Promise<JWTPayload> {
  const options = {
    algorithms: ALGORITHMS,
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
    // The provider may have changed its keys since.
    return (await jwtVerify(token, createLocalJWKSet(await keySet('afresh')), options)).payload;
  }
}

/** Where a token names no key and several could be it: each is tried. */
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

function inAwsWords(problem: unknown, now: Instant): unknown {
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
  const audiences = typeof payload.aud === 'string' ? [payload.aud] : (payload.aud ?? []);
  const azp = typeof payload['azp'] === 'string' ? payload['azp'] : undefined;
  const candidates = azp === undefined ? audiences : [azp];
  const audience = candidates.find((one) => provider.clientIds.includes(one));
  if (audience === undefined) throw invalid('Incorrect token audience');
  const subject = payload.sub as string;

  const name = provider.url.toLowerCase();
  const context = new Map<string, string | readonly string[]>([
    [`${name}:aud`, audience],
    [`${name}:sub`, subject],
  ]);
  if (azp !== undefined) context.set(`${name}:oaud`, audiences);
  const amr = textList(payload['amr']);
  if (amr.length > 0) context.set(`${name}:amr`, amr);

  return {
    kind: 'web-identity',
    provider: provider.arn,
    issuer: `https://${provider.url}`,
    subject,
    audience,
    context,
    ...passedBy(payload),
  };
}

const TAGS_CLAIM = 'https://aws.amazon.com/tags';
const SOURCE_IDENTITY_CLAIM = 'https://aws.amazon.com/source_identity';

/** Tags and source identity that a token passes into the session. */
function passedBy(payload: JWTPayload): Passed {
  const claim = (payload[TAGS_CLAIM] ?? {}) as { readonly principal_tags?: unknown; readonly transitive_tag_keys?: unknown };
  const pairs = typeof claim.principal_tags === 'object' && claim.principal_tags !== null ? Object.entries(claim.principal_tags) : [];
  const sourceIdentity = payload[SOURCE_IDENTITY_CLAIM];
  return passed(
    pairs.map(([key, value]) => [key, textList(value)]),
    textList(claim.transitive_tag_keys),
    // What is no text is no source identity either.
    sourceIdentity === undefined ? undefined : typeof sourceIdentity === 'string' ? sourceIdentity : '',
  );
}

function textList(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
