import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, Arn } from '#core/arn.ts';
import type { TranscriptionConfiguration } from '#model/generated/chime-sdk-meetings.ts';
import type { RoleRecord } from '#store/identity.ts';
import { ACCOUNT, type Fixture, openFixture, START } from './fixture.ts';

const ENGLISH: TranscriptionConfiguration = { EngineTranscribeSettings: { LanguageCode: 'en-US' } };
const MEDICAL: TranscriptionConfiguration = {
  EngineTranscribeMedicalSettings: { LanguageCode: 'en-US', Specialty: 'CARDIOLOGY', Type: 'CONVERSATION' },
};

async function addRole({ store }: Fixture, linkedService?: string): Promise<void> {
  const role: RoleRecord = {
    accountId: ACCOUNT as AccountId,
    arn: `arn:aws:iam::${ACCOUNT}:role/aws-service-role/transcription.chime.amazonaws.com/AWSServiceRoleForAmazonChimeTranscription` as Arn,
    path: '/aws-service-role/transcription.chime.amazonaws.com/',
    createdAt: START,
    attachedPolicyArns: [],
    inlinePolicies: {},
    roleName: 'AWSServiceRoleForAmazonChimeTranscription',
    roleId: 'AROA1',
    trustPolicy: '{}',
    maxSessionSeconds: 3600,
    tags: [],
    ...(linkedService !== undefined && { linkedService }),
  };
  await store.transaction((tx) => tx.identity.put(ACCOUNT, 'role', 'awsserviceroleforamazonchimetranscription', role));
}

test('StartMeetingTranscription: without the transcription role, and with one of the name that no service owns, it is ForbiddenException (SLR-18)', async () => {
  const fixture = await openFixture();
  const MeetingId = await fixture.meeting();
  const start = () => fixture.run('StartMeetingTranscription', { MeetingId, TranscriptionConfiguration: ENGLISH });
  await assert.rejects(start(), { code: 'ForbiddenException' });
  await addRole(fixture);
  await assert.rejects(start(), { code: 'ForbiddenException' });
});

test('StartMeetingTranscription: what is transcribed is known until it is stopped, or the meeting ends', async () => {
  const fixture = await openFixture();
  await addRole(fixture, 'transcription.chime.amazonaws.com');
  const MeetingId = await fixture.meeting();
  const transcribed = () => fixture.store.transaction((tx) => tx.meetings.transcribed(ACCOUNT, START, 10));

  await fixture.run('StartMeetingTranscription', { MeetingId, TranscriptionConfiguration: ENGLISH });
  await fixture.run('StartMeetingTranscription', { MeetingId, TranscriptionConfiguration: MEDICAL });
  assert.deepEqual(
    (await transcribed()).map((each) => JSON.parse(each.transcription ?? '')),
    [MEDICAL],
  );
  await fixture.run('StopMeetingTranscription', { MeetingId });
  await fixture.run('StopMeetingTranscription', { MeetingId });
  assert.deepEqual(await transcribed(), []);
  assert.deepEqual(
    fixture.told.map(({ type }) => type),
    ['MeetingStarted', 'TranscriptionStarted', 'TranscriptionStarted', 'TranscriptionStopped'],
  );
});

test('Transcription: of an unknown meeting is NotFoundException', async () => {
  const { run } = await openFixture();
  const MeetingId = 'ffffffff-0000-4000-8000-000000000000';
  await assert.rejects(run('StartMeetingTranscription', { MeetingId, TranscriptionConfiguration: {} }), { code: 'NotFoundException' });
  await assert.rejects(run('StopMeetingTranscription', { MeetingId }), { code: 'NotFoundException' });
});

// biome-ignore format: a table
const CONTRADICTIONS: readonly [title: string, configuration: TranscriptionConfiguration][] = [
  ['no engine',                             {}                                                                                                  ],
  ['two engines',                           { ...ENGLISH, ...MEDICAL }                                                                          ],
  ['no language',                           { EngineTranscribeSettings: {} }                                                                    ],
  ['a language that is to be found out',    { EngineTranscribeSettings: { LanguageCode: 'en-US', IdentifyLanguage: true } }                     ],
  ['options of a known language',           { EngineTranscribeSettings: { LanguageCode: 'en-US', LanguageOptions: 'en-US,de-DE' } }             ],
  ['a preferred language without options',  { EngineTranscribeSettings: { IdentifyLanguage: true, PreferredLanguage: 'de-DE' } }                ],
  ['identification and redaction at once',  { EngineTranscribeSettings: { LanguageCode: 'en-US', ContentIdentificationType: 'PII', ContentRedactionType: 'PII' } }],
  ['entity types of nothing',               { EngineTranscribeSettings: { LanguageCode: 'en-US', PiiEntityTypes: 'NAME' } }                     ],
  ['a stability that is off',               { EngineTranscribeSettings: { LanguageCode: 'en-US', PartialResultsStability: 'high' } }            ],
];

for (const [title, TranscriptionConfiguration] of CONTRADICTIONS) {
  test(`StartMeetingTranscription: ${title} is BadRequestException`, async () => {
    const fixture = await openFixture();
    await addRole(fixture, 'transcription.chime.amazonaws.com');
    await assert.rejects(fixture.run('StartMeetingTranscription', { MeetingId: await fixture.meeting(), TranscriptionConfiguration }), {
      code: 'BadRequestException',
    });
  });
}
