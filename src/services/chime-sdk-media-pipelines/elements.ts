/** Checks of the elements of a media insights pipeline configuration: processors, sinks and alerts, and their combinations. */
import { parseArn } from '#core/arn.ts';
import type {
  MediaInsightsPipelineConfigurationElement,
  MediaInsightsPipelineConfigurationElementType,
  RealTimeAlertConfiguration,
} from '#model/generated/chime-sdk-media-pipelines.ts';
import type { Where } from '../kit/resource-kind.ts';
import { AwsError } from './errors.ts';
import { requireTranscribeSettings } from './transcribe-settings.ts';

interface ElementRule {
  /** True if the element's own configuration is optional. */
  readonly bare?: true;
  /** Member of the element's configuration that contains the ARN of the output, and the service of the ARN. */
  readonly target?: readonly [member: 'InsightsTarget' | 'Destination', service: string];
}

/** Rules by element type. Assumed: which elements require a configuration of their own. */
// biome-ignore format: a table
const RULES: Readonly<Record<MediaInsightsPipelineConfigurationElementType, ElementRule>> = {
  AmazonTranscribeCallAnalyticsProcessor: {},
  AmazonTranscribeProcessor:              {},
  VoiceAnalyticsProcessor:                { bare: true },
  VoiceEnhancementSink:                   { bare: true },
  KinesisDataStreamSink:                  { target: ['InsightsTarget', 'kinesis'] },
  LambdaFunctionSink:                     { target: ['InsightsTarget', 'lambda'] },
  SqsQueueSink:                           { target: ['InsightsTarget', 'sqs'] },
  SnsTopicSink:                           { target: ['InsightsTarget', 'sns'] },
  S3RecordingSink:                        { target: ['Destination', 's3'] },
};

/**
 * Checks the elements of a configuration.
 *
 * Source: Chime SDK Developer Guide, "Call analytics processor and output destinations": an element occurs at most
 * once, a configuration has at most one of the two Transcribe processors, and sinks are in the caller's account and
 * region.
 * Assumed: (1) There is at least one element. (2) The wording of the error messages.
 * @throws BadRequestException an element is invalid, or two elements exclude each other
 */
export function requireElements(where: Where, elements: readonly MediaInsightsPipelineConfigurationElement[]): void {
  if (elements.length === 0) throw new AwsError('BadRequestException', 'Elements must not be empty.');
  const types = new Set<string>();
  for (const element of elements) {
    const { Type } = element;
    if (types.has(Type)) throw new AwsError('BadRequestException', `Elements must contain '${Type}' at most once.`);
    types.add(Type);
    requireOwnConfiguration(element, RULES[Type].bare);
    requireTarget(where, element);
  }
  if (types.has('AmazonTranscribeCallAnalyticsProcessor') && types.has('AmazonTranscribeProcessor')) {
    throw new AwsError(
      'BadRequestException',
      'Elements must not contain both AmazonTranscribeCallAnalyticsProcessor and AmazonTranscribeProcessor.',
    );
  }
  for (const { AmazonTranscribeProcessorConfiguration: plain, AmazonTranscribeCallAnalyticsProcessorConfiguration: calls } of elements) {
    if (plain !== undefined) requireTranscribeSettings(plain);
    if (calls === undefined) continue;
    requireTranscribeSettings(calls);
    if (calls.PostCallAnalyticsSettings?.DataAccessRoleArn === '') {
      throw new AwsError('BadRequestException', 'PostCallAnalyticsSettings requires a DataAccessRoleArn.');
    }
  }
}

/**
 * Checks the alerts of a configuration.
 *
 * @throws BadRequestException a rule lacks the configuration of its type, or has the configuration of another type
 */
export function requireAlerts(alerts: RealTimeAlertConfiguration | undefined): void {
  for (const rule of alerts?.Rules ?? []) requireOwnConfiguration(rule);
}

/**
 * Checks that an element or rule has only the configuration of its own type. For example, the type `Sentiment` has
 * `SentimentConfiguration`.
 *
 * Assumed: AWS checks this rule.
 */
function requireOwnConfiguration(typed: { readonly Type: string }, bare = false): void {
  const own = `${typed.Type}Configuration`;
  if (!bare && !(own in typed)) throw new AwsError('BadRequestException', `${typed.Type} requires ${own}.`);
  const other = Object.keys(typed).find((member) => member !== 'Type' && member !== own);
  if (other !== undefined) throw new AwsError('BadRequestException', `${other} is not valid if Type is '${typed.Type}'.`);
}

function requireTarget({ accountId, region }: Where, element: MediaInsightsPipelineConfigurationElement): void {
  const { target } = RULES[element.Type];
  if (target === undefined) return;
  const [member, service] = target;
  const targetArn = (element[`${element.Type}Configuration`] as Readonly<Record<string, string | undefined>>)[member];
  const parts = targetArn === undefined ? undefined : parseArn(targetArn);
  // ARNs of buckets have neither account nor region.
  const here = service === 's3' || (parts?.accountId === accountId && parts.region === region);
  if (parts?.service !== service || !here) {
    throw new AwsError('BadRequestException', `The ${member} of ${element.Type} must be an ARN of this account and region.`);
  }
}
