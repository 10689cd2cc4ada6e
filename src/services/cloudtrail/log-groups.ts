/** Log groups to which trails write their records, and the names of their streams. */
import { type AccountId, arn, parseArn } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import type { TrailName } from './tables/trails.ts';

/** Log group and role of a trail. */
export interface LogGroupRequest {
  readonly trail: TrailName;
  readonly logGroupArn: string;
  readonly roleArn: string;
  /** Names of the streams that the trail writes. */
  readonly streams: readonly string[];
}

/** Why a trail cannot write to a log group. */
export type LogGroupProblem = 'no such group' | 'no such role' | 'not trusted' | 'denied';

/** Log groups that can receive the records of trails. */
export interface LogGroups {
  /**
   * Returns 'ok', or why a trail cannot write to a log group. The role must trust `cloudtrail.amazonaws.com`, and allow
   * `logs:CreateLogStream` and `logs:PutLogEvents` on each stream.
   */
  check(tx: Tx, request: LogGroupRequest): Promise<'ok' | LogGroupProblem>;
}

/**
 * Returns the name of a log group from its ARN with `:*` at its end, or `undefined` if it is not the ARN of a log group of the trail's account
 * and home region.
 *
 * Source: Terraform's documentation of `aws_cloudtrail`: CloudTrail requires `:*`. Assumed: a group of another account or region is refused.
 */
export function logGroupNameOf(logGroupArn: string, { accountId, homeRegion }: TrailName): string | undefined {
  const name = parseArn(logGroupArn)?.resource.match(/^log-group:([.\-_/#A-Za-z0-9]{1,512}):\*$/)?.[1];
  return name !== undefined && arn('logs', homeRegion, accountId, `log-group:${name}:*`) === logGroupArn ? name : undefined;
}

/**
 * Returns the name of the stream with the records of an account.
 *
 *     111122223333_CloudTrail_us-east-1                   the account of the trail
 *     o-exampleorgid_444455556666_CloudTrail_us-east-1    a member account, for an organization trail
 *
 * Source: CloudTrail User Guide, "Role policy document for CloudTrail to use CloudWatch Logs for monitoring". Assumed: the region is the home
 * region of the trail, because the documented policy of a trail of all regions allows only its streams.
 */
export function logStreamOf({ accountId, homeRegion }: TrailName, recorded: AccountId, organizationId: string | undefined): string {
  const prefix = recorded === accountId || organizationId === undefined ? '' : `${organizationId}_`;
  return `${prefix}${recorded}_CloudTrail_${homeRegion}`;
}
