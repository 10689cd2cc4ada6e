/** Fixture of the tests in this folder: the operations on a real store in memory, with one role that the service can assume. */
import type {
  ChimeSdkMediaPipelinesApi,
  CreateMediaInsightsPipelineConfigurationRequest,
  MediaInsightsPipelineConfigurationElement,
} from '#model/generated/chime-sdk-media-pipelines.ts';
import { addRole } from '../iam/fixture.ts';
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

export async function openFixture() {
  const opened = await openOperations<ChimeSdkMediaPipelinesApi>(mediaPipelinesOperations());
  await addRole(opened.store, ROLE, { trustPolicy: trustOf('mediapipelines.chime.amazonaws.com') });
  return opened;
}
