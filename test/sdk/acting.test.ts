import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChimeSDKMeetingsClient, CreateMeetingCommand, StartMeetingTranscriptionCommand } from '@aws-sdk/client-chime-sdk-meetings';
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

test('Transcription: it is refused, the service assumes no role, and the role can be deleted (SLR-18)', async () => {
  const { Meeting } = await meetings.send(
    new CreateMeetingCommand({ ClientRequestToken: 'acting', MediaRegion: 'us-east-1', ExternalMeetingId: 'acting' }),
  );
  const start = new StartMeetingTranscriptionCommand({
    MeetingId: Meeting?.MeetingId,
    TranscriptionConfiguration: { EngineTranscribeSettings: { LanguageCode: 'en-US' } },
  });
  await assert.rejects(meetings.send(start), { name: 'ForbiddenException' });
  await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'transcription.chime.amazonaws.com' }));
  await assert.rejects(meetings.send(start), { name: 'NotYetImplementedException' });

  const events = async (AttributeValue: string) => {
    const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue }];
    const { Events } = await new CloudTrailClient(server.client()).send(new LookupEventsCommand({ LookupAttributes }));
    return (Events ?? []).map((each) => JSON.parse(each.CloudTrailEvent as string));
  };
  assert.deepEqual(
    (await events('StartMeetingTranscription')).map(({ errorCode }) => errorCode),
    ['NotYetImplementedException', 'ForbiddenException'],
  );
  assert.deepEqual(await events('AssumeRole'), []);

  const { DeletionTaskId } = await iam.send(new DeleteServiceLinkedRoleCommand({ RoleName: ROLE }));
  const { Status } = await iam.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }));
  assert.equal(Status, 'SUCCEEDED');
});
