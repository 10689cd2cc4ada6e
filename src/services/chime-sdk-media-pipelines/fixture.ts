/** Fixture of the tests in this folder: the operations on a real store in memory, with one role that the service can assume. */
import type {
  ChimeSdkMediaPipelinesApi,
  CreateMediaInsightsPipelineConfigurationRequest,
  MediaInsightsPipelineConfigurationElement,
} from '#model/generated/chime-sdk-media-pipelines.ts';
import type { Store } from '#store/store.ts';
import { DEFAULT_PIPELINE_LIMITS, type PipelineLimits } from '../chime-kit/voice-limits.ts';
import { addRole } from '../iam/fixture.ts';
import type { DomainEvent } from '../kit/events.ts';
import { ACCOUNT, openOperations } from '../kit/fixture.ts';
import { mediaPipelinesOperations } from './operations.ts';

export const ROLE = `arn:aws:iam::${ACCOUNT}:role/analytics/Access`;

/** An element that is valid without other elements. */
export const STREAM: MediaInsightsPipelineConfigurationElement = {
  Type: 'KinesisDataStreamSink',
  KinesisDataStreamSinkConfiguration: { InsightsTarget: `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/insights` },
};

export const REQUEST: CreateMediaInsightsPipelineConfigurationRequest = {
  MediaInsightsPipelineConfigurationName: 'calls',
  ResourceAccessRoleArn: ROLE,
  Elements: [STREAM],
};

/** Returns the trust policy that the Chime SDK Developer Guide shows, with `Service` as the trusted service. */
export function trustOf(Service: string, sourceAccount: string = ACCOUNT): object {
  return {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { Service },
      Action: 'sts:AssumeRole',
      Condition: {
        StringEquals: { 'aws:SourceAccount': sourceAccount },
        ArnLike: { 'aws:SourceArn': `arn:aws:chime:*:${sourceAccount}:*` },
      },
    },
  };
}

/** Opens the fixture on a store, by default an empty one in memory. */
export async function openFixture(limits: Partial<PipelineLimits> = {}, store?: Store) {
  const emitted: DomainEvent[] = [];
  const operations = mediaPipelinesOperations({ limits: { ...DEFAULT_PIPELINE_LIMITS, ...limits } });
  const opened = await openOperations<ChimeSdkMediaPipelinesApi>(operations, emitted, store);
  await addRole(opened.store, ROLE, { trustPolicy: trustOf('mediapipelines.chime.amazonaws.com') });
  return { ...opened, emitted };
}
