import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TranscriptionConfiguration } from '#model/generated/chime-sdk-meetings.ts';
import { addRole } from '../iam/fixture.ts';
import { ACCOUNT, openFixture, START } from './fixture.ts';
import { meetings } from './tables/meetings.ts';

const ENGLISH: TranscriptionConfiguration = { EngineTranscribeSettings: { LanguageCode: 'en-US' } };
const CONTRADICTION: TranscriptionConfiguration = { EngineTranscribeSettings: { LanguageCode: 'en-US', IdentifyLanguage: true } };
const MEDICAL: TranscriptionConfiguration = {
  EngineTranscribeMedicalSettings: { LanguageCode: 'en-US', Specialty: 'CARDIOLOGY', Type: 'CONVERSATION' },
};

const ROLE = `arn:aws:iam::${ACCOUNT}:role/aws-service-role/transcription.chime.amazonaws.com/AWSServiceRoleForAmazonChimeTranscription`;
const LINKED = { linkedService: 'transcription.chime.amazonaws.com' };

test('StartMeetingTranscription: ForbiddenException if the service-linked role does not exist (SLR-18)', async () => {
  const fixture = await openFixture();
  const MeetingId = await fixture.meeting();
  const start = () => fixture.run('StartMeetingTranscription', { MeetingId, TranscriptionConfiguration: ENGLISH });
  await assert.rejects(start(), { code: 'ForbiddenException' });
  await addRole(fixture.store, ROLE);
  await assert.rejects(start(), { code: 'ForbiddenException' });
});

// Source: Chime SDK API reference, EngineTranscribeSettings: an invalid combination of settings causes the event
// TranscriptFailed, not an error.
for (const [what, TranscriptionConfiguration] of [
  ['Transcribe', ENGLISH],
  ['Transcribe with settings that contradict each other', CONTRADICTION],
  ['Transcribe Medical', MEDICAL],
] as const) {
  test(`StartMeetingTranscription: with the service-linked role, ${what} is NotYetImplementedException and stores nothing`, async () => {
    const fixture = await openFixture();
    await addRole(fixture.store, ROLE, LINKED);
    const MeetingId = await fixture.meeting();
    await assert.rejects(fixture.run('StartMeetingTranscription', { MeetingId, TranscriptionConfiguration }), {
      code: 'NotYetImplementedException',
    });
    assert.deepEqual(await fixture.store.transaction((tx) => tx.of(meetings).transcribed(ACCOUNT, START, 10)), []);
    assert.deepEqual(
      fixture.emitted.map(({ type }) => type),
      ['MeetingStarted'],
    );
  });
}

test('StopMeetingTranscription: ends a running transcription, or does nothing if no transcription runs', async () => {
  const fixture = await openFixture();
  const MeetingId = await fixture.meeting();
  await fixture.run('StopMeetingTranscription', { MeetingId });
  await fixture.store.transaction((tx) => tx.of(meetings).setTranscription(MeetingId, JSON.stringify(ENGLISH)));
  await fixture.run('StopMeetingTranscription', { MeetingId });
  await fixture.run('StopMeetingTranscription', { MeetingId });
  assert.deepEqual(await fixture.store.transaction((tx) => tx.of(meetings).transcribed(ACCOUNT, START, 10)), []);
  assert.deepEqual(
    fixture.emitted.map(({ type }) => type),
    ['MeetingStarted', 'TranscriptionStopped'],
  );
});

test('Transcription: an unknown meeting is NotFoundException', async () => {
  const { run } = await openFixture();
  const MeetingId = 'ffffffff-0000-4000-8000-000000000000';
  await assert.rejects(run('StartMeetingTranscription', { MeetingId, TranscriptionConfiguration: {} }), { code: 'NotFoundException' });
  await assert.rejects(run('StopMeetingTranscription', { MeetingId }), { code: 'NotFoundException' });
});

for (const [title, TranscriptionConfiguration] of [
  ['no engine', {}],
  ['two engines', { ...ENGLISH, ...MEDICAL }],
] as const) {
  test(`StartMeetingTranscription: ${title} is BadRequestException`, async () => {
    const fixture = await openFixture();
    await addRole(fixture.store, ROLE, LINKED);
    await assert.rejects(fixture.run('StartMeetingTranscription', { MeetingId: await fixture.meeting(), TranscriptionConfiguration }), {
      code: 'BadRequestException',
    });
  });
}
