/** Authorization of an AWS service that acts with a role, such as CloudTrail writing to a log group. */
import { type AccountId, accountIdOf, arn, parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { decideTrust } from '#policy/engine.ts';
import { StepsExceeded } from '#policy/steps.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Authorize } from './authorize.ts';
import { Denied } from './denied.ts';
import { serviceContext } from './service-authorization.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stacks } from './stacks.ts';

/** Request of a service with a role. */
export interface RoleRequest {
  /** Service principal: `cloudtrail.amazonaws.com`. */
  readonly service: string;
  readonly roleArn: string;
  /** Name of the role session of the service. */
  readonly sessionName: string;
  /** Actions that the role must allow, each on each resource. */
  readonly actions: readonly `${string}:${string}`[];
  /** ARNs of the resources. */
  readonly resources: readonly string[];
  /** Resource for which the service acts, such as a trail: `aws:SourceArn`. */
  readonly sourceArn: string;
  /** Account of that resource, which must own the role: `aws:SourceAccount`. */
  readonly sourceAccount: AccountId;
  readonly region: string;
  readonly now: Instant;
  /**
   * Resource-based policy of the resources, such as that of a bus, with `text: undefined` if they have none. Set it if this server has the
   * policy. Otherwise the service of the resources evaluates it, so it does not limit this decision.
   */
  readonly resourcePolicy?: { readonly text: string | undefined };
  /** Account that owns the resources, if their ARNs have no account. */
  readonly resourceOwner?: AccountId | undefined;
  /** More condition keys of the request, in lower case, such as `events:source`. */
  readonly context?: ConditionContext;
}

/**
 * Decision about a request of a service with a role.
 *
 * - `no-role`: the account of the source has no role with this ARN.
 * - `not-trusted`: the trust policy of the role does not allow the service to assume it.
 * - `denied`: the policies of the role do not allow an action, or the policy of the resource does not.
 */
export type RoleDecision = 'allowed' | 'no-role' | 'not-trusted' | 'denied';

/**
 * Decides whether a service may assume a role, and whether the role may perform actions. Decides with the current identity snapshot, so a
 * change of the role applies at once.
 *
 * @throws AwsError ServiceUnavailable  the server has no lease, so its identity snapshot may be outdated
 */
export type DecideRole = (tx: Tx, request: RoleRequest) => Promise<RoleDecision>;

/** Resource-based policy of a resource of another account, whose own service evaluates its policy. */
const EVALUATED_ELSEWHERE = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"*","Resource":"*"}}';
/** Duration of a role session of a service. */
const SESSION_MS = HOUR_MS;

/**
 * Creates the function that decides.
 *
 * Source: IAM User Guide, "Create a role to delegate permissions to an AWS service" and "The confused deputy problem"; CloudTrail User Guide,
 * "Role policy document for CloudTrail to use CloudWatch Logs for monitoring".
 * Assumed: the service connects over TLS, and `aws:SourceIp` is not an address. The condition keys `aws:SourceArn` and `aws:SourceAccount` are
 * in the trust policy's context only, unless `context` has them.
 */
export function roleDeciding(parts: {
  readonly snapshot: Snapshot;
  readonly stacks: Stacks;
  readonly authorize: Authorize;
  readonly holds: () => boolean;
}): DecideRole {
  const { snapshot, stacks, authorize, holds } = parts;

  function isTrusted(role: RoleRecord, request: RoleRequest): boolean {
    const context = serviceContext({ ...request, action: 'sts:AssumeRole', owner: role.accountId });
    try {
      const { service } = request;
      return (
        decideTrust(stacks.trustOf(role), { service }, { action: 'sts:AssumeRole', resources: [role.arn], context }).effect === 'Allow'
      );
    } catch (error) {
      if (error instanceof StepsExceeded) return false;
      throw error;
    }
  }

  return async (tx, request) => {
    if (!holds()) throw new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
    const { roleArn, sourceAccount, region, now, actions, resources, resourcePolicy, resourceOwner, context } = request;
    const role = snapshot.role(sourceAccount, roleNameOf(roleArn));
    if (role === undefined || role.arn !== roleArn) return 'no-role';
    if (!isTrusted(role, request)) return 'not-trusted';
    const asked = actions.flatMap((action) =>
      resources.map((resource) => ({
        action,
        resources: [resource],
        ...(context !== undefined && { context }),
        ...(resourceOwner !== undefined && { resourceOwner: async () => resourceOwner }),
        ...(resourcePolicy !== undefined && { resourcePolicy: async () => resourcePolicy.text }),
        ...(resourcePolicy === undefined &&
          resource !== '*' &&
          accountIdOf(resource) !== role.accountId && { resourcePolicy: async () => EVALUATED_ELSEWHERE }),
      })),
    );
    const authenticated = { principal: serviceSessionOf(role, request), region, identityVersion: snapshot.version() };
    const received = { requestId: '', rawHeaders: [], sourceIp: '', secureTransport: true };
    try {
      await authorize({ received, authenticated, profile: 'sdk', asked, now }, tx);
      return 'allowed';
    } catch (error) {
      if (error instanceof Denied) return 'denied';
      throw error;
    }
  };
}

/** Returns the name of the role in an ARN with a path: `reader` of `arn:aws:iam::111122223333:role/team/reader`. */
export function roleNameOf(roleArn: string): string {
  const resource = parseArn(roleArn)?.resource ?? '';
  return resource.startsWith('role/') ? resource.slice(resource.lastIndexOf('/') + 1) : '';
}

/** Returns the role session of a service. */
export function serviceSessionOf(
  { accountId, roleName, roleId, arn: roleArn }: Pick<RoleRecord, 'accountId' | 'roleId' | 'roleName' | 'arn'>,
  { sessionName, now }: Pick<RoleRequest, 'sessionName' | 'now'>,
): Principal {
  return {
    type: 'AssumedRole',
    accountId,
    arn: arn('sts', '', accountId, `assumed-role/${roleName}/${sessionName}`),
    principalId: `${roleId}:${sessionName}`,
    roleArn,
    roleId,
    roleName,
    sessionName,
    session: {
      issuedAt: now,
      expiresAt: instant(now + SESSION_MS),
      mfaAuthenticated: false,
      tags: {},
      transitiveTagKeys: [],
      chained: false,
    },
  };
}
