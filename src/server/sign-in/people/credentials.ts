/**
 * Credentials of people of Amazon Chime: the server signs a token for a signed-in person, and exchanges it for a session of the role that the
 * administrator of the AWS account has selected. STS authorizes and records the exchange, as for every OpenID provider.
 */
import { accountOfOwnIssuer, discoveryOf } from '#access/own-issuer.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Answer } from '#core/exchange.ts';
import { isoSeconds } from '#core/instant.ts';
import { sourceOf } from '#core/source-address.ts';
import type { AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse } from '#model/generated/sts.ts';
import { calledOperation } from '../../core/call.ts';
import { fromOwnPage, jsonAnswer, readCookie, refusal } from '../http.ts';
import type { SignInParts } from '../parts.ts';
import { callFactsOf } from '../saml.ts';
import type { PageRequest } from '../site.ts';
import { COOKIE, type Pages } from './page-parts.ts';

const OPERATION = 'AssumeRoleWithWebIdentity';

/**
 * Returns credentials to the browser of a signed-in person, and the ARN of their app instance user. The credentials end when the session ends,
 * after an hour at the latest.
 */
export async function credentials({ parts, people }: Pick<Pages, 'parts' | 'people'>, request: PageRequest): Promise<Answer> {
  if (!fromOwnPage(request)) return refusal(403, 'CrossSite', 'The request must come from a page of this server.');
  const secret = readCookie(request, COOKIE);
  const begun =
    secret === undefined
      ? undefined
      : await parts.store.transaction((tx) => people.beginCredentials({ tx, now: parts.now(), random: parts.random }, secret));
  if (begun === undefined) return refusal(401, 'NotSignedIn', 'No person is signed in.');
  if (begun === 'none') return refusal(403, 'NoRole', 'The AWS account of the person has not selected a role for people.');
  const { accountId, userId, roleArn: RoleArn } = begun;
  try {
    const WebIdentityToken = await people.issuer.sign(begun, parts.now());
    const input: AssumeRoleWithWebIdentityRequest = { RoleArn, RoleSessionName: userId, WebIdentityToken };
    const principal = await parts.federate(OPERATION, input, parts.now(), sourceOf(request.sourceIp));
    if (principal === undefined) throw new Error('a token of this server was not verified');
    const caller = { principal, region: parts.region, identityVersion: parts.snapshot.version() };
    const output = await parts.call(calledOperation('sts', OPERATION), input, caller, callFactsOf(request));
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = (output as AssumeRoleWithWebIdentityResponse).Credentials ?? {};
    return jsonAnswer(200, {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiration: Expiration === undefined ? undefined : isoSeconds(Expiration),
      appInstanceUserArn: people.chimeUserArn(accountId, userId),
    });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return refusal(403, 'RoleNotAvailable', 'The role for people does not exist, or does not trust the people of this server.');
  }
}

/** Returns the discovery document of the issuer in the path of a request. */
export function discovery({ publicUrl }: Pick<SignInParts, 'publicUrl'>, { target }: PageRequest): Answer {
  const issuer = `https://${new URL(publicUrl()).host}${target.slice(0, target.indexOf('/.well-known/'))}`;
  if (accountOfOwnIssuer(issuer) === undefined) return refusal(404, 'NotFound', 'There is no such page.');
  return jsonAnswer(200, discoveryOf(issuer));
}
