/** Topics of SNS that receive the notifications of trails. */
import type { AccountId } from '#core/arn.ts';
import { arn, isAccountId, parseArn } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import { AwsError } from './errors.ts';
import type { TrailName } from './tables/trails.ts';

/** Topics that trails can notify. */
export interface LogTopics {
  /** Reports whether the server can send messages of an account to a topic: whether the operator configured an endpoint for it. */
  has(tx: Tx, topicArn: string, accountId: AccountId): Promise<boolean>;
}

/** Maximum length of the name or ARN. Source: cloudtrail 2013-11-01, CreateTrail, SnsTopicName. */
const LENGTH_MAX = 256;
/** Source: Amazon SNS API reference, CreateTopic, Name. CloudTrail does not support FIFO topics (CloudTrail User Guide). */
const NAME = /^[A-Za-z0-9_-]{1,256}$/;

/**
 * Returns the ARN of a topic from its name or ARN. A name means a topic of the trail's account and region.
 *
 * @throws InvalidSnsTopicNameException  the string has more than 256 characters, or is neither a name nor an ARN of a standard topic
 * Source: cloudtrail 2013-11-01, the code. Assumed: the messages.
 */
export function topicArnOf(topic: string, { accountId, homeRegion }: Pick<TrailName, 'accountId' | 'homeRegion'>): string {
  if (topic.length > LENGTH_MAX) {
    throw new AwsError('InvalidSnsTopicNameException', `SNS topic name is longer than maximum length: ${LENGTH_MAX} characters.`);
  }
  if (NAME.test(topic)) return arn('sns', homeRegion, accountId, topic);
  const parts = parseArn(topic);
  if (parts?.service === 'sns' && parts.region !== '' && isAccountId(parts.accountId) && NAME.test(parts.resource)) {
    const topicArn = arn('sns', parts.region, parts.accountId as AccountId, parts.resource);
    if (topicArn === topic) return topicArn;
  }
  throw new AwsError(
    'InvalidSnsTopicNameException',
    `The SNS topic name '${topic}' is invalid. Specify the name or the ARN of a standard topic.`,
  );
}
