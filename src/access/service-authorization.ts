/**
 * Authorization of an AWS service that acts for an account, such as CloudTrail delivering log files to a bucket. A service
 * has no policies of its own, so only the resource-based policy decides.
 */
import type { AccountId, Arn } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { StatementRef } from '#policy/decision.ts';
import { decideTrust, tryCompilePolicy } from '#policy/engine.ts';
import { StepsExceeded } from '#policy/steps.ts';
import { resourcePolicyId } from './decisions.ts';

/** Request of a service. */
export interface ServiceRequest {
  /** Service principal: `cloudtrail.amazonaws.com`. */
  readonly service: string;
  readonly action: `${string}:${string}`;
  /** ARN of the resource: `arn:aws:s3:::logs/AWSLogs/111122223333/CloudTrail/…`. */
  readonly resource: string;
  /** Text of the resource's policy as stored. `undefined` if the resource has no policy. */
  readonly policy: string | undefined;
  /** Account that owns the resource. */
  readonly owner: AccountId;
  /** Resource for which the service acts, such as a trail: `aws:SourceArn`. */
  readonly sourceArn: Arn | string;
  /** Account of that resource: `aws:SourceAccount`. */
  readonly sourceAccount: AccountId;
  readonly region: string;
  readonly now: Instant;
  /** More condition keys, in lower case, such as `s3:x-amz-acl`. They cannot replace the keys that this module sets. */
  readonly context?: ConditionContext;
}

/**
 * Decision about a request of a service.
 *
 * - `no-policy`: the resource has no policy.
 * - `explicit`: the statement `by` denies.
 * - `implicit`: no statement allows.
 * - `limit`: the evaluation exceeds its step limit.
 * - `malformed`: the policy cannot be evaluated. The server stores only valid policies, so this is a bug.
 */
export type ServiceDecision =
  | { readonly allowed: true; readonly by: StatementRef }
  | { readonly allowed: false; readonly reason: 'explicit'; readonly by: StatementRef }
  | { readonly allowed: false; readonly reason: 'no-policy' | 'implicit' | 'limit' | 'malformed' };

/**
 * Decides whether a service may perform an action on a resource. Pure and synchronous. Compiles the policy at each call,
 * so call it once for each delivery, and not once for each record.
 *
 * The policy must name the service in `Principal`. `*` names no service. The owner's own service gets no exception.
 *
 * Source: IAM User Guide, "The confused deputy problem" and "AWS global condition context keys"; CloudTrail User Guide,
 * "Amazon S3 bucket policy for CloudTrail". Requirements CD-1 to CD-3.
 * Assumed: a service connects over TLS, and from no address (`aws:SourceIp` is absent). Service control policies limit
 * principals of accounts, and no services.
 */
export function authorizeService(request: ServiceRequest): ServiceDecision {
  const { service, action, resource, policy } = request;
  if (policy === undefined) return { allowed: false, reason: 'no-policy' };
  const compiled = tryCompilePolicy(policy);
  if ('problems' in compiled) return { allowed: false, reason: 'malformed' };
  try {
    const asked = { action, resources: [resource], context: serviceContext(request) };
    const decision = decideTrust(compiled.policy, { service }, asked, 'resource');
    if (decision.effect === 'Deny' && decision.kind === 'implicit') return { allowed: false, reason: 'implicit' };
    const by = { ...decision.by, policyId: resourcePolicyId(resource) };
    return decision.effect === 'Allow' ? { allowed: true, by } : { allowed: false, reason: 'explicit', by };
  } catch (error) {
    if (error instanceof StepsExceeded) return { allowed: false, reason: 'limit' };
    throw error;
  }
}

/** Returns the condition keys of a request of a service. */
export function serviceContext({
  service,
  action,
  owner,
  sourceArn,
  sourceAccount,
  region,
  now,
  context,
}: Omit<ServiceRequest, 'resource' | 'policy'>): ConditionContext {
  return new Map<string, string | readonly string[]>([
    ...(context ?? []),
    ['aws:sourcearn', sourceArn],
    ['aws:sourceaccount', sourceAccount],
    ['aws:principalisawsservice', 'true'],
    ['aws:principalservicename', service],
    ['aws:principalservicenameslist', [service]],
    ['aws:principaltype', 'AWSService'],
    ['aws:viaawsservice', 'false'],
    ['aws:resourceaccount', owner],
    ...(action.startsWith('s3:') ? ([['s3:resourceaccount', owner]] as const) : []),
    ['aws:requestedregion', region],
    ['aws:securetransport', 'true'],
    ['aws:currenttime', isoSeconds(now)],
    ['aws:epochtime', String(Math.floor(now / 1000))],
  ]);
}
