import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MediaInsightsPipelineConfigurationElement, RealTimeAlertRule } from '#model/generated/chime-sdk-media-pipelines.ts';
import { ACCOUNT, CALLER, OTHER_ACCOUNT } from '../kit/fixture.ts';
import { requireAlerts, requireElements } from './elements.ts';
import { STREAM } from './fixture.ts';

type Element = MediaInsightsPipelineConfigurationElement;

const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:${ACCOUNT}:${resource}`;
const POST_CALL = { OutputLocation: 's3://calls/', DataAccessRoleArn: `arn:aws:iam::${ACCOUNT}:role/PostCall` };

const PLAIN: Element = { Type: 'AmazonTranscribeProcessor', AmazonTranscribeProcessorConfiguration: { LanguageCode: 'en-US' } };
const CALLS: Element = {
  Type: 'AmazonTranscribeCallAnalyticsProcessor',
  AmazonTranscribeCallAnalyticsProcessorConfiguration: { LanguageCode: 'en-US', PostCallAnalyticsSettings: POST_CALL },
};
const VOICE: Element = { Type: 'VoiceAnalyticsProcessor' };
const LAMBDA: Element = { Type: 'LambdaFunctionSink', LambdaFunctionSinkConfiguration: { InsightsTarget: arn('lambda', 'function:f') } };
const SQS: Element = { Type: 'SqsQueueSink', SqsQueueSinkConfiguration: { InsightsTarget: arn('sqs', 'queue') } };
const SNS: Element = { Type: 'SnsTopicSink', SnsTopicSinkConfiguration: { InsightsTarget: arn('sns', 'topic') } };
const S3: Element = {
  Type: 'S3RecordingSink',
  S3RecordingSinkConfiguration: { Destination: 'arn:aws:s3:::calls/recorded', RecordingFileFormat: 'Wav' },
};
const ENHANCED: Element = { Type: 'VoiceEnhancementSink', VoiceEnhancementSinkConfiguration: { Disabled: false } };

const stream = (InsightsTarget?: string): Element => ({
  Type: 'KinesisDataStreamSink',
  KinesisDataStreamSinkConfiguration: InsightsTarget === undefined ? {} : { InsightsTarget },
});
const plain = (more: object): Element => ({ Type: 'AmazonTranscribeProcessor', AmazonTranscribeProcessorConfiguration: more });
const calls = (more: object): Element => ({
  Type: 'AmazonTranscribeCallAnalyticsProcessor',
  AmazonTranscribeCallAnalyticsProcessorConfiguration: { LanguageCode: 'en-US', ...more },
});

// biome-ignore format: a table
const ELEMENTS: readonly [title: string, elements: readonly Element[], refusal: RegExp | undefined][] = [
  // title                                            elements                                                                refusal
  ['every element but one of the processors',         [CALLS, VOICE, STREAM, LAMBDA, SQS, SNS, S3, ENHANCED],                 undefined],
  ['the other processor',                             [PLAIN, STREAM],                                                        undefined],
  ['a recording alone',                               [S3],                                                                   undefined],
  ['no elements',                                     [],                                                                     /must not be empty/],
  ['an element twice',                                [STREAM, STREAM],                                                       /'KinesisDataStreamSink' at most once/],
  ['both of Transcribe’s processors',                 [PLAIN, CALLS],                                                         /must not contain both/],
  ['a processor without its configuration',           [{ Type: 'AmazonTranscribeProcessor' }],                                /requires AmazonTranscribeProcessorConfiguration/],
  ['a sink without its configuration',                [{ Type: 'SqsQueueSink' }],                                             /requires SqsQueueSinkConfiguration/],
  ['an element with two configurations',              [{ ...STREAM, ...LAMBDA, Type: 'LambdaFunctionSink' }],                 /KinesisDataStreamSinkConfiguration is not valid/],
  ['an optional configuration of another type',       [{ ...STREAM, Type: 'VoiceAnalyticsProcessor' }],                       /KinesisDataStreamSinkConfiguration is not valid/],
  ['a sink without a target',                         [stream()],                                                             /InsightsTarget of KinesisDataStreamSink/],
  ['a target that is not an ARN',                     [stream('arn-insights')],                                               /InsightsTarget of KinesisDataStreamSink/],
  ['a target of another service',                     [stream(arn('sqs', 'queue'))],                                          /InsightsTarget of KinesisDataStreamSink/],
  ['a target in another region',                      [stream(arn('kinesis', 'stream/s').replace('us-east-1', 'us-west-2'))], /of this account and region/],
  ['a target of another account',                     [stream(arn('kinesis', 'stream/s').replace(ACCOUNT, OTHER_ACCOUNT))],   /of this account and region/],
  ['a recording without a bucket',                    [{ Type: 'S3RecordingSink', S3RecordingSinkConfiguration: {} }],        /Destination of S3RecordingSink/],
  ['a plain processor without a language',            [plain({})],                                                            /LanguageCode is required/],  
  ['languages to identify',                           [plain({ IdentifyMultipleLanguages: true, LanguageOptions: 'en-US,de-DE' })], undefined],
  ['one and several languages to identify',           [plain({ IdentifyLanguage: true, IdentifyMultipleLanguages: true })],   /exclude each other/],
  ['a language that is also identified',              [plain({ LanguageCode: 'en-US', IdentifyMultipleLanguages: true })],    /LanguageCode is not valid/],
  ['call analytics with contradictory settings',      [calls({ PiiEntityTypes: 'NAME' })],                                    /PiiEntityTypes requires/],
  ['post-call analytics without a role',              [calls({ PostCallAnalyticsSettings: { ...POST_CALL, DataAccessRoleArn: '' } })], /requires a DataAccessRoleArn/],
];

for (const [title, elements, refusal] of ELEMENTS) {
  test(`Elements: ${title} ${refusal ? 'is BadRequestException' : 'is valid'}`, () => {
    const required = () => requireElements(CALLER, elements);
    if (refusal) assert.throws(required, { code: 'BadRequestException', message: refusal });
    else assert.doesNotThrow(required);
  });
}

const KEYWORDS: RealTimeAlertRule = { Type: 'KeywordMatch', KeywordMatchConfiguration: { RuleName: 'words', Keywords: ['cancel'] } };
const SENTIMENT: RealTimeAlertRule = {
  Type: 'Sentiment',
  SentimentConfiguration: { RuleName: 'bad', SentimentType: 'NEGATIVE', TimePeriod: 60 },
};

// biome-ignore format: a table
const ALERTS: readonly [title: string, rules: readonly RealTimeAlertRule[] | undefined, refusal: RegExp | undefined][] = [
  ['no alerts',                              undefined,                                     undefined],
  ['rules with their configurations',        [KEYWORDS, SENTIMENT],                         undefined],
  ['a rule without its configuration',       [{ Type: 'IssueDetection' }],                  /requires IssueDetectionConfiguration/],
  ['a rule with two configurations',         [{ ...KEYWORDS, ...SENTIMENT }],               /KeywordMatchConfiguration is not valid/],
];

for (const [title, Rules, refusal] of ALERTS) {
  test(`Alerts: ${title} ${refusal ? 'is BadRequestException' : 'is valid'}`, () => {
    const required = () => requireAlerts(Rules && { Rules });
    if (refusal) assert.throws(required, { code: 'BadRequestException', message: refusal });
    else assert.doesNotThrow(required);
  });
}
