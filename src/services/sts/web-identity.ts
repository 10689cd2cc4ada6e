import type { Federation } from '#core/federation.ts';
import type { AssumeRoleWithWebIdentityRequest, StsApi } from '#model/generated/sts.ts';
import type { Call, DeclaredOperation } from '../kit/operation.ts';
import type { StsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { broughtBy, federatedAccess, federatedSession } from './federated.ts';

const ACTION = 'sts:AssumeRoleWithWebIdentity';

/**
 * Makes a session of a role for who brings a token of an OpenID Connect provider that the role trusts.
 *
 * @throws AwsError InvalidIdentityToken the provider was deleted, or no longer takes the token's audience
 * @throws AwsError ValidationError      ProviderId, which is for tokens that are not OpenID Connect's; as AssumeRole
 *
 * Source: STS API reference, AssumeRoleWithWebIdentity. Requirement FED-2.
 */
export function assumeRoleWithWebIdentity(
  deps: StsDeps,
): DeclaredOperation<AssumeRoleWithWebIdentityRequest, StsApi['AssumeRoleWithWebIdentity']['output']> {
  return {
    access: (input, { principal }) => federatedAccess(input, principal, broughtBy(principal, 'web-identity'), input.RoleSessionName),
    async handle(call, input) {
      const federation = broughtBy(call.principal, 'web-identity');
      if (input.ProviderId !== undefined) {
        throw new AwsError('ValidationError', 'ProviderId must not be given with a token of an OpenID Connect provider.');
      }
      await ensureProvider(call, federation);
      return {
        ...(await federatedSession(deps, call, ACTION, input, federation, input.RoleSessionName)),
        SubjectFromWebIdentityToken: federation.subject,
        Provider: federation.issuer,
        Audience: federation.audience,
      };
    },
  };
}

/** The token was verified before the transaction began: what it was verified by must still be there. */
async function ensureProvider({ tx, principal }: Call, { issuer, audience, provider }: Federation): Promise<void> {
  const record = await tx.identity.get(principal.accountId, 'oidc-provider', issuer.slice('https://'.length));
  if (record?.arn !== provider || !record.clientIds.includes(audience)) {
    throw new AwsError('InvalidIdentityTokenException', `No OpenIDConnect provider found in your account for ${issuer}`);
  }
}
