import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AssumeRoleRequest, StsApi } from '#model/generated/sts.ts';
import type { Tx } from '#store/store.ts';
import type { Call, Caller, DeclaredAccess, DeclaredOperation } from '../kit/operation.ts';
import { tagContext } from '../kit/tag-rules.ts';
import { mfaProven } from './credentials.ts';
import type { StsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { findRole, requireArn, roleTags } from './role-arn.ts';
import { roleSession } from './role-session.ts';
import { sessionPolicies } from './session-policies.ts';
import { sessionTags, withSessionActions } from './session-tags.ts';

/**
 * Creates a session of a role that trusts the caller.
 *
 * A session with tags, passed or inherited, also requires `sts:TagSession`. A session with a source identity also
 * requires `sts:SetSourceIdentity`. The caller's policies and the trust policy must allow each required action.
 *
 * @throws AwsError ValidationError       RoleArn is not an ARN; the requested duration is too long; ProvidedContexts is
 *   set
 * @throws AwsError InvalidParameterValue the tags cannot be passed
 * @throws AwsError AccessDenied          the source identity differs from that of the calling session; the MFA code is
 *   not valid; the role was deleted
 * @throws AwsError MalformedPolicyDocument, PackedPolicyTooLarge  the session policies are invalid or too large
 *
 * Source: STS API reference, AssumeRole; IAM User Guide, "Monitor and control actions taken with assumed roles". Requirements
 * STS-2 to STS-9.
 * Assumed: error code and message (1) for a changed source identity, and (2) for ProvidedContexts, which only IAM
 * Identity Center passes.
 * Assumed: the condition keys of an identity provider's token apply only to the session that was created with the
 * token. If that session assumes another role, the new session does not have these condition keys.
 */
export function assumeRole(deps: StsDeps): DeclaredOperation<AssumeRoleRequest, StsApi['AssumeRole']['output']> {
  return { access: (input, caller) => accessOf(deps, input, caller), handle };

  async function handle(call: Call, input: AssumeRoleRequest) {
    const { principal, tx } = call;
    const role = await findRole(tx, input.RoleArn);
    // The role was deleted after authorization. The error is the same as for a role that never existed. Requirement STS-4.
    if (role === undefined) {
      throw new AwsError(
        'AccessDenied',
        `User: ${principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${input.RoleArn}`,
      );
    }
    if (input.ProvidedContexts !== undefined) throw new AwsError('ValidationError', 'ProvidedContexts are not supported.');
    const given = principal.session?.sourceIdentity;
    if (given !== undefined && input.SourceIdentity !== undefined && input.SourceIdentity !== given) {
      throw new AwsError('AccessDenied', 'The source identity of a session cannot be changed by role chaining.');
    }
    const sourceIdentity = given ?? input.SourceIdentity;
    return roleSession(deps, call, role, {
      sessionName: input.RoleSessionName,
      durationSeconds: input.DurationSeconds,
      mfaAuthenticated: await mfaProven(deps, call, input),
      chained: principal.type === 'AssumedRole',
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      // Otherwise a person could keep access after the end of their sign-in.
      ...omitUndefined({ personSignIn: principal.session?.personSignIn }),
      ...sessionTags(principal, input.Tags, input.TransitiveTagKeys),
      ...(await sessionPolicies(tx, role.accountId, input)),
    });
  }
}

const MFA_PRESENT: readonly (readonly [string, string])[] = [
  ['aws:multifactorauthpresent', 'true'],
  ['aws:multifactorauthage', '0'],
];

function accessOf(deps: StsDeps, input: AssumeRoleRequest, caller: Caller): readonly DeclaredAccess[] {
  const { principal } = caller;
  const { RoleArn } = input;
  requireArn(RoleArn);
  const { tags, transitiveTagKeys } = sessionTags(principal, input.Tags, input.TransitiveTagKeys);
  const sourceIdentity = input.SourceIdentity ?? principal.session?.sourceIdentity;
  const context = new Map<string, string | readonly string[]>([['sts:rolesessionname', input.RoleSessionName], ...tagContext(tags)]);
  if (input.ExternalId !== undefined) context.set('sts:externalid', input.ExternalId);
  if (sourceIdentity !== undefined) context.set('sts:sourceidentity', sourceIdentity);
  if (transitiveTagKeys.length > 0) context.set('sts:transitivetagkeys', transitiveTagKeys);

  const own: DeclaredAccess = {
    resources: [RoleArn],
    trustPolicyOf: RoleArn,
    context,
    // A valid MFA code in the request satisfies MFA conditions of the trust policy.
    ...(input.SerialNumber !== undefined && {
      resolveContext: async (tx: Tx, now: Instant) =>
        new Map((await mfaProven(deps, { ...caller, tx, now }, input, 'look')) ? MFA_PRESENT : []),
    }),
    // If the role belongs to another account and does not trust the caller, `authorize` hides the role's tags from the
    // caller's policies. Requirement STS-4.
    resourceTags: (tx: Tx) => roleTags(tx, RoleArn),
  };
  return withSessionActions(own, tags, sourceIdentity);
}
