import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartMeetingTranscriptionCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { CreateServiceLinkedRoleCommand } from '@aws-sdk/client-iam';
import { startAccount } from '../kit/account.ts';
import { deleteLinkedRole } from '../kit/linked-role.ts';
import { createMeeting } from '../kit/meeting.ts';

const account = await startAccount();
const { admin: iam } = account;
const meetings = account.meetings();
const ROLE = 'AWSServiceRoleForAmazonChimeTranscription';

test('SLR-18: StartMeetingTranscription fails, assumes no role, and does not prevent deletion of its role', async () => {
  const { Meeting } = await meetings.send(createMeeting('acting'));
  const start = new StartMeetingTranscriptionCommand({
    MeetingId: Meeting?.MeetingId,
    TranscriptionConfiguration: { EngineTranscribeSettings: { LanguageCode: 'en-US' } },
  });
  await assert.rejects(meetings.send(start), { name: 'ForbiddenException' });
  await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'transcription.chime.amazonaws.com' }));
  await assert.rejects(meetings.send(start), { name: 'NotYetImplementedException' });

  assert.deepEqual(
    (await account.records('StartMeetingTranscription')).map(({ errorCode }) => errorCode),
    ['NotYetImplementedException', 'ForbiddenException'],
  );
  assert.deepEqual(await account.records('AssumeRole'), []);

  assert.equal((await deleteLinkedRole(iam, ROLE)).Status, 'SUCCEEDED');
});
