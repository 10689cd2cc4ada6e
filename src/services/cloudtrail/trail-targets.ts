/** Checks of the topic, the key and the log group of a trail. */
import type { OrganizationRecord } from '#store/identity/organization-records.ts';
import type { Tx } from '#store/store.ts';
import { AwsError } from './errors.ts';
import { type LogGroupProblem, type LogGroups, logGroupNameOf, logStreamOf } from './log-groups.ts';
import type { TrailConfiguration } from './tables/logging-periods.ts';
import type { TrailName } from './tables/trails.ts';
import { type LogTopics, topicArnOf } from './topics.ts';

/** Targets of trails of a server. */
export interface TrailTargets {
  readonly logTopics: LogTopics;
  readonly logGroups: LogGroups;
}

/**
 * Returns a configuration with the ARN of its topic.
 *
 * @throws InvalidSnsTopicNameException         see `topicArnOf`
 * @throws InsufficientSnsTopicPolicyException  the operator has no endpoint of SNS for the topic
 * Source: moto's tests, the message. Assumed: the server does not ask the endpoint whether the topic exists and its policy allows CloudTrail.
 * A failed notification is in `LatestNotificationError`.
 */
export async function withTopicArn(
  tx: Tx,
  topics: LogTopics,
  name: TrailName,
  { SnsTopicARN: _, ...configuration }: TrailConfiguration,
): Promise<TrailConfiguration> {
  if (configuration.SnsTopicName === undefined) return configuration;
  const SnsTopicARN = topicArnOf(configuration.SnsTopicName, name);
  if (!(await topics.has(tx, SnsTopicARN, name.accountId))) {
    throw new AwsError('InsufficientSnsTopicPolicyException', 'SNS Topic does not exist or the topic policy is incorrect!');
  }
  return { ...configuration, SnsTopicARN };
}

/** Refuses a key of KMS. @throws KmsKeyNotFoundException  the request has a key: Belfry has no KMS. Assumed: the message */
export function refuseKey(key: string | undefined): void {
  if (key) throw new AwsError('KmsKeyNotFoundException', 'The KMS key does not exist, or is not in the same region as the S3 bucket.');
}

const INVALID_GROUP = "Check the log group ARN: CloudTrail can't validate it.";

/** Source: issues on GitHub: aws/aws-cli 5098, cloudposse/terraform-aws-cloudtrail-cloudwatch-alarms 2. Assumed: the message about a missing role. */
const PROBLEMS: Readonly<Record<LogGroupProblem, () => Error>> = {
  'no such group': () => new AwsError('InvalidCloudWatchLogsLogGroupArnException', INVALID_GROUP),
  'no such role': () =>
    new AwsError('InvalidCloudWatchLogsRoleArnException', 'Access denied. Check the trust relationships for your role.'),
  'not trusted': () => new AwsError('InvalidCloudWatchLogsRoleArnException', 'Access denied. Check the trust relationships for your role.'),
  denied: () => new AwsError('InvalidCloudWatchLogsLogGroupArnException', 'Access denied. Check the permissions for your role.'),
};

/**
 * Checks that a trail can write to its log group.
 *
 * @throws InvalidCloudWatchLogsRoleArnException      the trail has a log group without a role · the role does not exist · the role does not
 *   trust CloudTrail
 * @throws InvalidCloudWatchLogsLogGroupArnException  the trail has a role without a log group · the group is not a group of the trail's account
 *   and home region · the role does not allow to write to the group
 *
 * Source: issues on GitHub: pulumi/docs 5117, terraform-provider-aws 18038, and those of `PROBLEMS`.
 * Assumed: (1) a role without a log group. (2) CloudWatchLogsDeliveryUnavailableException never occurs, because each region has log groups.
 */
export async function requireLogGroup(
  tx: Tx,
  groups: LogGroups,
  name: TrailName,
  { CloudWatchLogsLogGroupArn: logGroupArn, CloudWatchLogsRoleArn: roleArn }: TrailConfiguration,
  organization: OrganizationRecord | undefined,
): Promise<void> {
  if (logGroupArn === undefined && roleArn === undefined) return;
  if (roleArn === undefined) {
    throw new AwsError('InvalidCloudWatchLogsRoleArnException', 'You must specify a role ARN as well as a log group.');
  }
  if (logGroupArn === undefined || logGroupNameOf(logGroupArn, name) === undefined) throw PROBLEMS['no such group']();
  const outcome = await groups.check(tx, { trail: name, logGroupArn, roleArn, streams: streamsOf(name, organization) });
  if (outcome !== 'ok') throw PROBLEMS[outcome]();
}

/** Returns the stream of the trail's account and, for an organization trail, a stream of an example member. */
function streamsOf(name: TrailName, organization: OrganizationRecord | undefined): readonly string[] {
  const own = logStreamOf(name, name.accountId, undefined);
  return organization === undefined ? [own] : [own, `${organization.organizationId}_${own}`];
}
