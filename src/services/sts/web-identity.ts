import { AwsError } from '#core/aws-error.ts';
import type { Federation } from '#core/federation.ts';
import type { Principal } from '#core/principal.ts';
import type { AssumeRoleWithWebIdentityRequest, StsApi } from '#model/generated/sts.ts';
import type { Access, Call, Operation } from '../operation.ts';
import type { StsDeps } from './deps.ts';
import { findRole, readRoleArn } from './role-arn.ts';
import { roleSession } from './role-session.ts';
import { sessionPolicies } from './session-policies.ts';
import { sessionTags, tagContext } from './session-tags.ts';

/**
 * Makes a session of a role for who brings a token of an OpenID Connect provider that the role trusts. Nobody signs: the trust
 * policy alone decides, by the token's own keys.
 *
 * @throws AwsError InvalidIdentityToken    the provider was deleted, or no longer takes the token's audience
 * @throws AwsError ValidationError         the ARN is none; ProviderId, which is for tokens that are not OpenID Connect's; too long a session
 * @throws AwsError InvalidParameterValue, MalformedPolicyDocument, PackedPolicyTooLarge  tags and session policies
 *
 * Source: STS API reference, AssumeRoleWithWebIdentity. Requirement FED-2.
 * Assumed: a role session of a web identity is not chained: its session may be as long as the role allows.
 */
export function assumeRoleWithWebIdentity(
  deps: StsDeps,
): Operation<AssumeRoleWithWebIdentityRequest, StsApi['AssumeRoleWithWebIdentity']['output']> {
  return {
    access(input, { principal }) {
      const { RoleArn } = input;
      readRoleArn(RoleArn);
      const federation = federationOf(principal);
      const { tags, transitiveTagKeys } = sessionTags(principal, federation.tags, federation.transitiveTagKeys);
      const context = new Map<string, string | readonly string[]>([
        ...federation.context,
        ['aws:federatedprovider', federation.provider],
        ['sts:rolesessionname', input.RoleSessionName],
        ...tagContext(tags),
      ]);
      if (input.DurationSeconds !== undefined) context.set('sts:durationseconds', String(input.DurationSeconds));
      if (federation.sourceIdentity !== undefined) context.set('sts:sourceidentity', federation.sourceIdentity);
      if (transitiveTagKeys.length > 0) context.set('sts:transitivetagkeys', transitiveTagKeys);

      const on = (action: Access['action']): Access => ({ action, resources: [RoleArn], trustPolicyOf: RoleArn, context });
      return [
        on('sts:AssumeRoleWithWebIdentity'),
        ...(Object.keys(tags).length > 0 ? [on('sts:TagSession')] : []),
        ...(federation.sourceIdentity !== undefined ? [on('sts:SetSourceIdentity')] : []),
      ];
    },

    async handle(call, input) {
      const federation = federationOf(call.principal);
      if (input.ProviderId !== undefined) {
        throw new AwsError('ValidationError', 'ProviderId must not be given with a token of an OpenID Connect provider.');
      }
      await ensureProvider(call, federation);
      const role = await findRole(call.tx, input.RoleArn);
      if (role === undefined) throw new AwsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
      const { sourceIdentity } = federation;
      return {
        ...roleSession(deps, call, role, {
          sessionName: input.RoleSessionName,
          durationSeconds: input.DurationSeconds,
          mfaAuthenticated: false,
          chained: false,
          federatedProvider: federation.provider,
          ...(sourceIdentity !== undefined && { sourceIdentity }),
          ...sessionTags(call.principal, federation.tags, federation.transitiveTagKeys),
          ...(await sessionPolicies(call.tx, role.accountId, input)),
        }),
        SubjectFromWebIdentityToken: federation.subject,
        Provider: federation.issuer,
        Audience: federation.audience,
      };
    },
  };
}

function federationOf(principal: Principal): Federation {
  const federation = principal.type === 'Unknown' ? principal.federation : undefined;
  if (federation?.kind !== 'web-identity')
    throw new AwsError('InvalidIdentityTokenException', 'The web identity token that was passed could not be validated.');
  return federation;
}

/** The token was verified before the transaction began: what it was verified by must still be there. */
async function ensureProvider({ tx, principal }: Call, { issuer, audience, provider }: Federation): Promise<void> {
  const record = await tx.identity.get(principal.accountId, 'oidc-provider', issuer.slice('https://'.length));
  if (record?.arn !== provider || !record.clientIds.includes(audience)) {
    throw new AwsError('InvalidIdentityTokenException', `No OpenIDConnect provider found in your account for ${issuer}`);
  }
}
