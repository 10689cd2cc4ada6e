import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ChimeSDKMeetingsClient,
  CreateMeetingCommand,
  StartMeetingTranscriptionCommand,
  StopMeetingTranscriptionCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateServiceLinkedRoleCommand,
  DeleteServiceLinkedRoleCommand,
  GetServiceLinkedRoleDeletionStatusCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import { startTestServer } from '../server.ts';

const server = await startTestServer();
const meetings = new ChimeSDKMeetingsClient(server.client());
const iam = new IAMClient(server.client());
const ROLE = 'AWSServiceRoleForAmazonChimeTranscription';

test('Transcription: without its service-linked role it is refused; with it the service assumes the role, and the trail shows it (SLR-10, SLR-14, SLR-18, ROLE-16)', async () => {
  const { Meeting } = await meetings.send(
    new CreateMeetingCommand({ ClientRequestToken: 'acting', MediaRegion: 'us-east-1', ExternalMeetingId: 'acting' }),
  );
  const MeetingId = Meeting?.MeetingId;
  const start = () =>
    meetings.send(
      new StartMeetingTranscriptionCommand({
        MeetingId,
        TranscriptionConfiguration: { EngineTranscribeSettings: { LanguageCode: 'en-US' } },
      }),
    );
  await assert.rejects(start(), { name: 'ForbiddenException' });

  await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'transcription.chime.amazonaws.com' }));
  await start();
  const { Events } = await new CloudTrailClient(server.client()).send(
    new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'AssumeRole' }] }),
  );
  const [event] = (Events ?? []).map((each) => JSON.parse(each.CloudTrailEvent as string));
  assert.equal(event.userIdentity.invokedBy, 'transcription.chime.amazonaws.com');
  assert.match(event.serviceEventDetails.roleArn, new RegExp(`:role/aws-service-role/transcription\\.chime\\.amazonaws\\.com/${ROLE}$`));

  // While a meeting is transcribed the role stays, and the task lists the meeting.
  const status = async () => {
    const { DeletionTaskId } = await iam.send(new DeleteServiceLinkedRoleCommand({ RoleName: ROLE }));
    return await iam.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }));
  };
  const kept = await status();
  assert.equal(kept.Status, 'FAILED');
  assert.deepEqual(kept.Reason?.RoleUsageList?.[0]?.Resources, [Meeting?.MeetingArn]);
  await meetings.send(new StopMeetingTranscriptionCommand({ MeetingId }));
  assert.equal((await status()).Status, 'SUCCEEDED');
});
