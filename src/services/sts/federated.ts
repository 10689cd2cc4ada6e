/** Role sessions for tokens of identity providers: common part of AssumeRoleWithWebIdentity and AssumeRoleWithSAML. */

import type { Federation } from '#core/federation.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Principal } from '#core/principal.ts';
import type { PolicyDescriptorType } from '#model/generated/sts.ts';
import type { Tx } from '#store/store.ts';
import type { Call, DeclaredAccess } from '../kit/operation.ts';
import { tagContext } from '../kit/tag-rules.ts';
import type { StsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { findRole, requireArn, roleTags } from './role-arn.ts';
import { type RoleSessionAnswer, roleSession } from './role-session.ts';
import { sessionPolicies } from './session-policies.ts';
import { sessionTags, withSessionActions } from './session-tags.ts';

/** Operations that accept a token of an identity provider. */
export type FederatedAction = 'sts:AssumeRoleWithWebIdentity' | 'sts:AssumeRoleWithSAML';

interface FederatedInput {
  readonly RoleArn: string;
  readonly DurationSeconds?: number;
  readonly Policy?: string;
  readonly PolicyArns?: readonly PolicyDescriptorType[];
}

/**
 * Returns the verified content of the request's token.
 *
 * @throws AwsError InvalidIdentityToken  the request has no verified token of this kind
 */
export function federationOf<Kind extends Federation['kind']>(
  principal: Principal,
  kind: Kind,
): Extract<Federation, { readonly kind: Kind }> {
  const federation = principal.type === 'Unknown' ? principal.federation : undefined;
  if (federation?.kind !== kind) throw new AwsError('InvalidIdentityTokenException', 'The token that was passed could not be validated.');
  return federation as Extract<Federation, { readonly kind: Kind }>;
}

/**
 * Returns the actions that the role's trust policy must allow, with the token's condition keys as context.
 *
 * The request is unsigned, so only the trust policy is evaluated.
 */
export function federatedAccess(
  { RoleArn }: FederatedInput,
  principal: Principal,
  federation: Federation,
  sessionName: string,
): readonly DeclaredAccess[] {
  requireArn(RoleArn);
  const { tags, transitiveTagKeys } = sessionTags(principal, federation.tags, federation.transitiveTagKeys);
  const context = new Map<string, string | readonly string[]>([
    ...federation.context,
    ['aws:federatedprovider', federation.provider],
    ['sts:rolesessionname', sessionName],
    ...tagContext(tags),
  ]);
  if (federation.sourceIdentity !== undefined) context.set('sts:sourceidentity', federation.sourceIdentity);
  if (transitiveTagKeys.length > 0) context.set('sts:transitivetagkeys', transitiveTagKeys);

  const own: DeclaredAccess = {
    resources: [RoleArn],
    trustPolicyOf: RoleArn,
    context,
    resourceTags: (tx: Tx) => roleTags(tx, RoleArn),
  };
  return withSessionActions(own, tags, federation.sourceIdentity);
}

/**
 * Creates a role session for a verified token of an identity provider.
 *
 * @throws AwsError AccessDenied  the role was deleted
 * @throws AwsError ValidationError, InvalidParameterValue, MalformedPolicyDocument, PackedPolicyTooLarge  in the same
 *   cases as AssumeRole
 *
 * Assumed: the session does not count as chained (created from another session), so it may be as long as the role
 * allows.
 */
export async function federatedSession(
  deps: StsDeps,
  call: Call,
  action: FederatedAction,
  input: FederatedInput,
  federation: Federation,
  sessionName: string,
): Promise<RoleSessionAnswer> {
  const role = await findRole(call.tx, input.RoleArn);
  if (role === undefined) throw notAuthorized(action);
  const { sourceIdentity } = federation;
  const latestEnd = latestEndOf(federation, call.now);
  return roleSession(deps, call, role, {
    sessionName,
    durationSeconds: input.DurationSeconds,
    mfaAuthenticated: false,
    chained: false,
    federatedProvider: federation.provider,
    federatedContext: federation.sessionContext,
    ...(sourceIdentity !== undefined && { sourceIdentity }),
    ...(federation.kind === 'web-identity' && omitUndefined({ personSignIn: federation.personSignIn })),
    ...(latestEnd !== undefined && { latestEnd }),
    ...sessionTags(call.principal, federation.tags, federation.transitiveTagKeys),
    ...(await sessionPolicies(call.tx, role.accountId, input)),
  });
}

/**
 * Returns the latest time at which the session of a SAML assertion can end. Returns undefined if the assertion limits
 * neither the end time nor the duration of the session.
 *
 * Source: IAM User Guide, "Configure SAML assertions for the authentication response", SessionDuration: this attribute
 * shortens the session of AssumeRoleWithSAML. If the assertion also has SessionNotOnOrAfter, the earlier limit applies.
 */
function latestEndOf(federation: Federation, now: Instant): Instant | undefined {
  if (federation.kind !== 'saml') return undefined;
  const { latestEnd, consoleSeconds } = federation;
  if (consoleSeconds === undefined) return latestEnd;
  return instant(Math.min(latestEnd ?? Number.POSITIVE_INFINITY, now + consoleSeconds * 1000));
}

/** Returns the AccessDenied error for a request with a token. As in AWS, the message names neither caller nor role. */
export function notAuthorized(action: FederatedAction): AwsError {
  return new AwsError('AccessDenied', `Not authorized to perform ${action}`);
}
