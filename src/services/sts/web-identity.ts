import type { Federation } from '#core/federation.ts';
import type { AssumeRoleWithWebIdentityRequest, StsApi } from '#model/generated/sts.ts';
import type { Call, DeclaredOperation } from '../kit/operation.ts';
import type { StsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { federatedAccess, federatedSession, federationOf } from './federated.ts';

const ACTION = 'sts:AssumeRoleWithWebIdentity';

/**
 * Creates a role session for a token of an OpenID Connect provider that the role trusts.
 *
 * @throws AwsError InvalidIdentityToken  the provider was deleted, or no longer accepts the token's audience
 * @throws AwsError ValidationError       the request has a ProviderId, which is only for OAuth 2.0 tokens; RoleArn is
 *   not an ARN; the requested duration is too long
 *
 * Source: STS API reference, AssumeRoleWithWebIdentity. In the response, `Provider` is the provider's ARN. Source: IAM
 * User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", the sample of OIDC. Requirement FED-2.
 */
export function assumeRoleWithWebIdentity(
  deps: StsDeps,
): DeclaredOperation<AssumeRoleWithWebIdentityRequest, StsApi['AssumeRoleWithWebIdentity']['output']> {
  return {
    access: (input, { principal }) => federatedAccess(input, principal, federationOf(principal, 'web-identity'), input.RoleSessionName),
    async handle(call, input) {
      const federation = federationOf(call.principal, 'web-identity');
      if (input.ProviderId !== undefined) {
        throw new AwsError('ValidationError', 'ProviderId must not be specified with a token of an OpenID Connect provider.');
      }
      await ensureProvider(call, federation);
      return {
        ...(await federatedSession(deps, call, ACTION, input, federation, input.RoleSessionName)),
        SubjectFromWebIdentityToken: federation.subject,
        Provider: federation.provider,
        Audience: federation.audience,
      };
    },
  };
}

/**
 * Checks that the provider still exists and accepts the token's audience. The token was verified before the transaction
 * began, and the provider may have changed since then.
 */
async function ensureProvider({ tx, principal }: Call, { issuer, audience, provider }: Federation): Promise<void> {
  const record = await tx.identity.get(principal.accountId, 'oidc-provider', issuer.slice('https://'.length));
  if (record?.arn !== provider || !record.clientIds.includes(audience)) {
    throw new AwsError('InvalidIdentityTokenException', `No OpenIDConnect provider found in your account for ${issuer}`);
  }
}
