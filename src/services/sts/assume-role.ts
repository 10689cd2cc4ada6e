import type { Instant } from '#core/instant.ts';
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
 * Passed or inherited tags also require `sts:TagSession`, and a source identity requires `sts:SetSourceIdentity`. Like `sts:AssumeRole`,
 * both must be allowed by the caller's policies and by the trust policy.
 *
 * @throws AwsError ValidationError       the role is not an ARN; the session would be too long
 * @throws AwsError InvalidParameterValue the tags cannot be passed
 * @throws AwsError AccessDenied          the source identity differs from the calling session's; MFA fails; the role was deleted
 * @throws AwsError MalformedPolicyDocument, PackedPolicyTooLarge  the session policies are invalid or too large
 *
 * Source: STS API reference, AssumeRole; IAM User Guide, "Monitor and control actions taken with assumed roles". Requirements
 * STS-2 to STS-9.
 * Assumed: code and message for a changed source identity, and for ProvidedContexts, which only IAM Identity Center passes.
 * Assumed: the condition keys of an identity provider's token apply to its own session only. A session created from that
 * session has none of them.
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
    // An MFA code in the request satisfies MFA conditions of the trust policy.
    ...(input.SerialNumber !== undefined && {
      resolveContext: async (tx: Tx, now: Instant) =>
        new Map((await mfaProven(deps, { ...caller, tx, now }, input, 'look')) ? MFA_PRESENT : []),
    }),
    // `authorize` hides the tags of another account's role from the caller's policies until the role trusts the caller. Requirement STS-4.
    resourceTags: (tx: Tx) => roleTags(tx, RoleArn),
  };
  return withSessionActions(own, tags, sourceIdentity);
}
