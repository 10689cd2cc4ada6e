import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant, isoSeconds } from '#core/instant.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Tx } from '#store/store.ts';
import { trailDate } from '#trail/redact.ts';
import type { MeetingEvent } from '../chime-kit/events.ts';
import { addRole } from '../iam/fixture.ts';
import { emitterOf } from '../kit/events.ts';
import { ACCOUNT, START, workFor } from '../kit/fixture.ts';
import { meetings } from './tables/meetings.ts';
import { assumeTranscriptionRole, TRANSCRIPTION_ROLE } from './transcription-role.ts';

const SERVICE = 'transcription.chime.amazonaws.com';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/aws-service-role/${SERVICE}/AWSServiceRoleForAmazonChimeTranscription`;
const trusting = (service: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
});
const STARTED: MeetingEvent = {
  type: 'TranscriptionStarted',
  accountId: ACCOUNT,
  region: 'us-east-1',
  meetingId: 'aaaaaaaa-0000-4000-8000-000000000000',
  externalMeetingId: 'meeting',
  mediaRegion: 'us-east-1',
};

const start = (tx: Tx) => emitterOf([assumeTranscriptionRole])(workFor(tx, START)).emit<MeetingEvent>(STARTED);

test('Transcription: the service assumes its linked role, with a record in the trail (SLR-10, ROLE-16)', async () => {
  const store = await openSqlite(':memory:');
  await addRole(store, ROLE, { linkedService: SERVICE, trustPolicy: trusting(SERVICE) });
  await store.transaction((tx) => start(tx));
  const { rows } = await store.transaction(({ trail }) => trail.since(0, 10));
  const [event, ...others] = rows.map(({ document }) => JSON.parse(document));
  assert.deepEqual(others, []);
  const { eventID: _, requestID: __, sharedEventID, ...rest } = event;
  const { accessKeyId } = event.responseElements.credentials;
  assert.match(sharedEventID, /^[0-9a-f-]{36}$/);
  assert.match(accessKeyId, /^ASIA[A-Z2-7]{16}$/);
  const name = 'AWSServiceRoleForAmazonChimeTranscription';
  const session = STARTED.meetingId;
  // Source: a CloudTrail record of 2022-10-27, in which backup.amazonaws.com assumes AWSServiceRoleForBackup.
  assert.deepEqual(rest, {
    eventVersion: '1.08',
    userIdentity: { type: 'AWSService', invokedBy: SERVICE },
    eventTime: isoSeconds(START),
    eventSource: 'sts.amazonaws.com',
    eventName: 'AssumeRole',
    awsRegion: 'us-east-1',
    sourceIPAddress: SERVICE,
    userAgent: SERVICE,
    requestParameters: { roleArn: ROLE, roleSessionName: session, durationSeconds: 3600 },
    responseElements: {
      credentials: { accessKeyId, expiration: trailDate(instant(START + 3_600_000), ', ') },
      assumedRoleUser: {
        assumedRoleId: `${rest.responseElements.assumedRoleUser.assumedRoleId.split(':')[0]}:${session}`,
        arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${name}/${session}`,
      },
    },
    readOnly: true,
    resources: [{ accountId: ACCOUNT, type: 'AWS::IAM::Role', ARN: ROLE }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: 'Management',
  });
});

for (const [what, trust] of [
  ['without the role', undefined],
  ['with a role that trusts another service', 'messaging.chime.amazonaws.com'],
] as const) {
  test(`Transcription: starting ${what} is ForbiddenException, and the trail gets no record (SLR-18)`, async () => {
    const store = await openSqlite(':memory:');
    if (trust !== undefined) await addRole(store, ROLE, { linkedService: SERVICE, trustPolicy: trusting(trust) });
    await assert.rejects(
      store.transaction((tx) => start(tx)),
      { code: 'ForbiddenException' },
    );
    assert.deepEqual((await store.transaction(({ trail }) => trail.since(0, 10))).rows, []);
  });
}

test('Transcription: a meeting that is being transcribed uses the service-linked role (SLR-14)', async () => {
  const store = await openSqlite(':memory:');
  const now = START;
  const usage = () => store.transaction((tx) => TRANSCRIPTION_ROLE.usedBy({ tx, now }, ACCOUNT, 10));
  const { meetingId, accountId, region } = STARTED;
  const meeting = {
    meetingId,
    accountId,
    region,
    createdAt: now,
    endsAt: instant(now + 3_600_000),
    document: '{}',
    tags: [],
    transcription: '{}',
  };
  await store.transaction((tx) => tx.of(meetings).add(meeting));
  assert.deepEqual(await usage(), [{ region, arn: `arn:aws:chime:${region}:${ACCOUNT}:meeting/${meetingId}` }]);
  await store.transaction((tx) => tx.of(meetings).setTranscription(meetingId, undefined));
  assert.deepEqual(await usage(), []);
});
