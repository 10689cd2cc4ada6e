/** Test kit of this folder: a server with a role for media pipelines, and calls that pass the role. */
import {
  ChimeSDKMediaPipelinesClient,
  CreateMediaCapturePipelineCommand,
  CreateMediaInsightsPipelineConfigurationCommand,
  type CreateMediaInsightsPipelineConfigurationCommandInput,
} from '@aws-sdk/client-chime-sdk-media-pipelines';
import { CreateRoleCommand, CreateServiceLinkedRoleCommand } from '@aws-sdk/client-iam';
import { type Guide, type Keys, policy, startGuide } from '../guide/rig.ts';

export const MEDIA_PIPELINES = 'mediapipelines.chime.amazonaws.com';

export interface PipelinesRig extends Guide {
  /** Example: `arn:aws:iam::…:role/analytics/Access`. */
  readonly accessRole: string;
  pipelines(keys?: Keys): ChimeSDKMediaPipelinesClient;
  /** Returns a configuration that records calls. */
  configuration(
    name: string,
    more?: Partial<CreateMediaInsightsPipelineConfigurationCommandInput>,
  ): CreateMediaInsightsPipelineConfigurationCommand;
  /** Returns a capture pipeline, which is not implemented. */
  capture(SinkIamRoleArn?: string): CreateMediaCapturePipelineCommand;
}

export async function startPipelines(environment: Readonly<Record<string, string>> = {}): Promise<PipelinesRig> {
  const guide = await startGuide(environment);
  const { accountId, admin } = guide;
  const trust = { Effect: 'Allow', Principal: { Service: MEDIA_PIPELINES }, Action: 'sts:AssumeRole' };
  const { Role } = await admin.send(
    new CreateRoleCommand({ RoleName: 'Access', Path: '/analytics/', AssumeRolePolicyDocument: policy(trust) }),
  );
  await admin.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: MEDIA_PIPELINES }));
  const accessRole = Role?.Arn as string;
  return {
    ...guide,
    accessRole,
    pipelines: (keys) => new ChimeSDKMediaPipelinesClient(guide.at('chime-sdk-media-pipelines', keys)),
    configuration: (MediaInsightsPipelineConfigurationName, more = {}) =>
      new CreateMediaInsightsPipelineConfigurationCommand({
        MediaInsightsPipelineConfigurationName,
        ResourceAccessRoleArn: accessRole,
        Elements: [{ Type: 'S3RecordingSink', S3RecordingSinkConfiguration: { Destination: 'arn:aws:s3:::calls' } }],
        ...more,
      }),
    capture: (SinkIamRoleArn) =>
      new CreateMediaCapturePipelineCommand({
        SourceType: 'ChimeSdkMeeting',
        SourceArn: `arn:aws:chime:us-east-1:${accountId}:meeting/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d`,
        SinkType: 'S3Bucket',
        SinkArn: 'arn:aws:s3:::captures',
        ...(SinkIamRoleArn !== undefined && { SinkIamRoleArn }),
      }),
  };
}
