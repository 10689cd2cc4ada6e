/** Fixture of this folder: an account with a role for media pipelines, and calls that pass the role. */
import {
  CreateMediaCapturePipelineCommand,
  CreateMediaInsightsPipelineConfigurationCommand,
  type CreateMediaInsightsPipelineConfigurationCommandInput,
} from '@aws-sdk/client-chime-sdk-media-pipelines';
import { CreateServiceLinkedRoleCommand } from '@aws-sdk/client-iam';
import { startAccount } from '../kit/account.ts';
import { trustService } from '../kit/policy.ts';

export const MEDIA_PIPELINES = 'mediapipelines.chime.amazonaws.com';

/** Starts a server whose account has the role `/analytics/Access` and the service-linked role of media pipelines. */
export async function startPipelines(environment: Readonly<Record<string, string>> = {}) {
  const account = await startAccount(environment);
  const accessRole = await account.role({ RoleName: 'Access', Path: '/analytics/' }, trustService(MEDIA_PIPELINES));
  await account.admin.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: MEDIA_PIPELINES }));
  return {
    ...account,
    /** ARN of the role. Example: `arn:aws:iam::…:role/analytics/Access`. */
    accessRole,
    /** Returns a request for a configuration that records calls. */
    configuration: (
      MediaInsightsPipelineConfigurationName: string,
      more: Partial<CreateMediaInsightsPipelineConfigurationCommandInput> = {},
    ) =>
      new CreateMediaInsightsPipelineConfigurationCommand({
        MediaInsightsPipelineConfigurationName,
        ResourceAccessRoleArn: accessRole,
        Elements: [{ Type: 'S3RecordingSink', S3RecordingSinkConfiguration: { Destination: 'arn:aws:s3:::calls' } }],
        ...more,
      }),
    /** Returns a request for a capture pipeline, which the server refuses. */
    capture: (SinkIamRoleArn?: string) =>
      new CreateMediaCapturePipelineCommand({
        SourceType: 'ChimeSdkMeeting',
        SourceArn: `arn:aws:chime:us-east-1:${account.accountId}:meeting/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d`,
        SinkType: 'S3Bucket',
        SinkArn: 'arn:aws:s3:::captures',
        ...(SinkIamRoleArn !== undefined && { SinkIamRoleArn }),
      }),
  };
}
