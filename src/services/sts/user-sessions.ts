/** Sessions of users and of the root user, without a role: GetSessionToken and GetFederationToken. */
import { arn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { GetFederationTokenRequest, GetSessionTokenRequest, StsApi } from '#model/generated/sts.ts';
import type { DeclaredOperation } from '../kit/operation.ts';
import { tagContext } from '../kit/tag-rules.ts';
import { expiresAfter, issue, mfaProven } from './credentials.ts';
import type { StsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { sessionPolicies } from './session-policies.ts';
import { sessionTags } from './session-tags.ts';

const DEFAULT_SECONDS = 43_200;
const ROOT_SECONDS = 3600;

/**
 * Issues temporary credentials of the caller. The session is marked as MFA-authenticated if the request has a valid MFA code. Requires no
 * permission.
 *
 * @throws AwsError AccessDenied  the caller uses session credentials (STS-3); the MFA code is not valid
 *
 * Source: STS API reference, GetSessionToken. A session of the root user lasts at most an hour. If the root user
 * requests a longer session, the operation issues a session of one hour.
 */
export function getSessionToken(deps: StsDeps): DeclaredOperation<GetSessionTokenRequest, StsApi['GetSessionToken']['output']> {
  return {
    access(_input, { principal }) {
      longTerm(principal, 'GetSessionToken');
      return { resources: ['*'], always: true };
    },
    async handle(call, input) {
      const { principal, now } = call;
      const caller = longTerm(principal, 'GetSessionToken');
      const session = {
        issuedAt: now,
        expiresAt: expiresAfter(now, seconds(principal, input.DurationSeconds)),
        mfaAuthenticated: await mfaProven(deps, call, input),
        tags: {},
        transitiveTagKeys: [],
        chained: false,
      };
      const { accountId } = caller;
      return issue(
        deps,
        call,
        caller.type === 'Root' ? { kind: 'root', accountId, session } : { kind: 'user', accountId, session, userId: caller.principalId },
      );
    },
  };
}

/**
 * Issues credentials of a federated user. Both the caller's policies and the session policies must allow an action, so a session without
 * session policies allows nothing.
 *
 * @throws AwsError AccessDenied  the caller uses session credentials (STS-3)
 * @throws AwsError InvalidParameterValue, MalformedPolicyDocument, PackedPolicyTooLarge  the tags or session policies are
 *   invalid or too large
 *
 * Source: STS API reference, GetFederationToken; IAM User Guide, "Permissions for GetFederationToken". Requirement STS-10.
 * Source: output of the AWS CLI in Snowflake's documentation of SYSTEM$AUTHORIZE_PRIVATELINK. It has PackedPolicySize 0
 * for a request without a policy.
 */
export function getFederationToken(deps: StsDeps): DeclaredOperation<GetFederationTokenRequest, StsApi['GetFederationToken']['output']> {
  return {
    access(input, { principal, accountId }) {
      longTerm(principal, 'GetFederationToken');
      const context = new Map(tagContext(sessionTags(principal, input.Tags).tags));
      const own = { resources: [arn('sts', '', accountId, `federated-user/${input.Name}`)], context };
      return context.size === 0 ? own : [own, { ...own, action: 'sts:TagSession' as const }];
    },
    async handle(call, input) {
      const { principal, now, tx } = call;
      const caller = longTerm(principal, 'GetFederationToken');
      const { accountId, principalId: issuerId } = caller;
      const session = {
        issuedAt: now,
        expiresAt: expiresAfter(now, seconds(principal, input.DurationSeconds)),
        mfaAuthenticated: false,
        chained: false,
        ...sessionTags(principal, input.Tags),
        ...(await sessionPolicies(tx, accountId, input)),
      };
      return {
        PackedPolicySize: 0,
        ...issue(deps, call, { kind: 'federated', accountId, session, federatedName: input.Name, issuerId }),
        FederatedUser: { FederatedUserId: `${accountId}:${input.Name}`, Arn: arn('sts', '', accountId, `federated-user/${input.Name}`) },
      };
    },
  };
}

/**
 * Checks that the caller is a user or the root user, with a long-term access key. Returns the caller.
 *
 * @throws AwsError AccessDenied  the caller uses session credentials
 */
function longTerm(principal: Principal, operation: string): Principal & { readonly type: 'IAMUser' | 'Root' } {
  if ((principal.type !== 'IAMUser' && principal.type !== 'Root') || principal.session !== undefined) {
    throw new AwsError('AccessDenied', `Cannot call ${operation} with session credentials`);
  }
  return principal;
}

function seconds(principal: Principal, asked: number = DEFAULT_SECONDS): number {
  return principal.type === 'Root' ? Math.min(asked, ROOT_SECONDS) : asked;
}
