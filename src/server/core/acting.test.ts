/** What the server does for an account as a linked service, once meetings carry media and a transcription can start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ACCOUNT, addRole, START } from '#services/chime/fixture.ts';
import type { MeetingEvent } from '#services/chime-sdk-meetings/deps.ts';
import { meetings } from '#services/chime-sdk-meetings/tables/meetings.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { actingOnMeetings } from './acting.ts';
import { linkedRoleUsage } from './linked-role-usage.ts';

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

test('Transcription: the service assumes its linked role, and the trail shows it (SLR-10, ROLE-16)', async () => {
  const store = await openSqlite(':memory:');
  await addRole(store, ROLE, { linkedService: SERVICE, trustPolicy: trusting(SERVICE) });
  await store.transaction((tx) => actingOnMeetings(() => START)(tx, STARTED));
  const rows = await store.transaction(({ sql }) => sql.rows<{ document: string }>('SELECT document FROM trail_event ORDER BY position'));
  const [event, ...others] = rows.map(({ document }) => JSON.parse(document));
  assert.deepEqual(others, []);
  assert.deepEqual([event.eventName, event.userIdentity.invokedBy, event.serviceEventDetails.roleArn], ['AssumeRole', SERVICE, ROLE]);
});

for (const [what, trust] of [
  ['without the role', undefined],
  ['with a role that trusts another service', 'messaging.chime.amazonaws.com'],
] as const) {
  test(`Transcription: ${what} the service is ForbiddenException and nothing is recorded (SLR-18)`, async () => {
    const store = await openSqlite(':memory:');
    if (trust !== undefined) await addRole(store, ROLE, { linkedService: SERVICE, trustPolicy: trusting(trust) });
    await assert.rejects(
      store.transaction((tx) => actingOnMeetings(() => START)(tx, STARTED)),
      { code: 'ForbiddenException' },
    );
    assert.equal((await store.transaction(({ sql }) => sql.rows('SELECT 1 FROM trail_event'))).length, 0);
  });
}

test('Transcription: a meeting whose transcription an earlier version recorded still needs the role (SLR-14)', async () => {
  const store = await openSqlite(':memory:');
  const usage = () => store.transaction((tx) => linkedRoleUsage(tx, ACCOUNT, SERVICE));
  const { meetingId, accountId, region } = STARTED;
  const now = instant(Date.now());
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
  assert.deepEqual(await usage(), [{ region, resources: [`arn:aws:chime:${region}:${ACCOUNT}:meeting/${meetingId}`] }]);
  await store.transaction((tx) => tx.of(meetings).setTranscription(meetingId, undefined));
  assert.deepEqual(await usage(), []);
});
