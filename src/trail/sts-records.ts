/**
 * Records of STS. They have additional fields, so that an administrator can trace every session key to the request that issued it.
 *
 * Source: IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", the samples of STS.
 */
import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { ServiceName } from '#model/services.ts';
import { type TrailResource, trailResource } from './resources.ts';

/** Operations that issue credentials. Their records have `responseElements`, although most of them are read-only. */
const ISSUING: ReadonlySet<string> = new Set([
  'AssumeRole',
  'AssumeRoleWithSAML',
  'AssumeRoleWithWebIdentity',
  'GetFederationToken',
  'GetSessionToken',
]);

/** Reports whether an operation issues credentials. */
export function issuesCredentials(service: ServiceName, operation: string): boolean {
  return service === 'sts' && ISSUING.has(operation);
}

/**
 * Reports whether the record of a failed request omits its parameters and resources.
 *
 * Source: records of denied AssumeRole calls, with `"requestParameters": null`.
 */
export function omitsParameters(service: ServiceName | undefined, operation: string, errorCode: string | undefined): boolean {
  return service === 'sts' && operation === 'AssumeRole' && errorCode === 'AccessDenied';
}

/**
 * Returns parameters that the request itself does not contain. The new session inherits their values from the calling
 * session, or takes them from the caller's token.
 *
 *     { sAMLAssertionID: '_a1', roleSessionName: 'ada', sourceIdentity: 'ada', principalTags: { Team: 'blue' }, transitiveTagKeys: ['Team'] }
 */
export function addedParameters(operation: string, principal: Principal | undefined, input: unknown): Readonly<Record<string, unknown>> {
  if (principal === undefined) return {};
  if (principal.type === 'Unknown') {
    const { federation } = principal;
    if (federation === undefined) return {};
    const { sourceIdentity, tags, transitiveTagKeys } = federation;
    return {
      ...(federation.kind === 'saml' && { sAMLAssertionID: federation.assertionId, roleSessionName: federation.sessionName }),
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      ...(tags.length > 0 && { principalTags: Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])) }),
      ...(transitiveTagKeys.length > 0 && { transitiveTagKeys }),
    };
  }
  const { session } = principal;
  if (operation !== 'AssumeRole' || session === undefined) return {};
  const { sourceIdentity } = session;
  const repeated = (input as { readonly SourceIdentity?: unknown } | undefined)?.SourceIdentity !== undefined;
  const inherited = session.transitiveTagKeys.map((key) => [key, session.tags[key]]);
  return {
    ...(sourceIdentity !== undefined && !repeated && { sourceIdentity }),
    ...(inherited.length > 0 && { incomingTransitiveTags: Object.fromEntries(inherited) }),
  };
}

/**
 * Returns the resources of a record: the role and, if the caller has a token of an identity provider, the provider.
 *
 * Belfry lists SAML providers, as AWS does, and also OpenID Connect providers.
 */
export function stsResources(authorized: readonly string[], principal: Principal | undefined): readonly TrailResource[] {
  const provider = principal?.type === 'Unknown' ? principal.federation?.provider : undefined;
  const arns = new Set([...authorized.filter((arn) => arn.includes(':role/')), ...(provider === undefined ? [] : [provider])]);
  return [...arns].map((arn) => trailResource(arn)).filter((resource) => resource !== undefined);
}

/**
 * Returns the names under which LookupEvents finds the request that issued credentials: the access key ID and the
 * session.
 */
export function issuedNames(output: unknown): readonly { readonly type: string; readonly name: string }[] {
  const { Credentials, AssumedRoleUser, FederatedUser } = (output ?? {}) as {
    readonly Credentials?: { readonly AccessKeyId?: string };
    readonly AssumedRoleUser?: { readonly Arn?: string };
    readonly FederatedUser?: { readonly Arn?: string };
  };
  return [
    { type: 'AWS::IAM::AccessKey', name: Credentials?.AccessKeyId },
    { type: 'AWS::STS::AssumedRole', name: AssumedRoleUser?.Arn },
    { type: 'AWS::STS::FederatedUser', name: FederatedUser?.Arn },
  ].filter((each): each is { type: string; name: string } => each.name !== undefined);
}

/**
 * Returns the second account that gets a record of a successful request: the account that owns the assumed role.
 * Returns `undefined` if there is no second account.
 *
 * Source: IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", cross-account AWS STS API events.
 */
export function otherRecipient(
  service: ServiceName | undefined,
  operation: string,
  input: unknown,
  recipient: AccountId,
): AccountId | undefined {
  if (service !== 'sts' || !operation.startsWith('AssumeRole')) return undefined;
  const owner = parseArn(String((input as { readonly RoleArn?: unknown } | undefined)?.RoleArn))?.accountId;
  return owner !== undefined && isAccountId(owner) && owner !== recipient ? owner : undefined;
}
