/** Golden records of services, which no request of a client causes. */
import assert from 'node:assert/strict';
import { DAY_MS } from '#core/duration.ts';
import { systemClock } from '#server/core/clock.ts';
import type { MeetingEvent } from '#services/chime-kit/events.ts';
import { assumeTranscriptionRole } from '#services/chime-sdk-meetings/transcription-role.ts';
import { addRole } from '#services/iam/fixture.ts';
import { emitterOf } from '#services/kit/events.ts';
import { ACCOUNT, START, workFor } from '#services/kit/fixture.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { newTestClock } from '../kit/clock.ts';
import { startTestCore } from '../kit/core.ts';
import { until } from '../kit/until.ts';

type Named = readonly [name: string, title: string, record: Readonly<Record<string, unknown>> | undefined];

/** Interval between two sweeps. Other background work has the same interval. */
const SWEEP_MS = 60_000;
const EXPIRATION = { ExpirationDays: 1, ExpirationCriterion: 'CREATED_TIMESTAMP' };

/** Returns the records of expired resources, and of a service that assumes a role. */
export async function serviceRecords(): Promise<readonly Named[]> {
  const [user, channel] = await expirations();
  return [
    ['expire-app-instance-user', 'The server deletes an expired user', user],
    ['expire-channel', 'The server deletes an expired channel', channel],
    ['role-assumed-by-service', 'A service assumes its service-linked role', await assumedByService()],
  ];
}

/** Creates a user and a channel that expire after a day, advances the clock by two days, and runs the sweep with all work that has its interval. */
async function expirations(): Promise<readonly [user: Named[2], channel: Named[2]]> {
  const scheduled = new Set<() => void>();
  const { clock, advance } = newTestClock((milliseconds, fn) => {
    if (milliseconds !== SWEEP_MS) return systemClock.after(milliseconds, fn);
    scheduled.add(fn);
    return () => void scheduled.delete(fn);
  });
  const core = await startTestCore({ clock });
  const identity = '/_chime-sdk-identity';
  const { AppInstanceArn = '' } = await core.chime(`${identity}/app-instances`, { Name: 'chat', ClientRequestToken: 'first' });
  const newUser = (AppInstanceUserId: string, more: object = {}) =>
    core.chime(`${identity}/app-instance-users`, {
      AppInstanceArn,
      AppInstanceUserId,
      Name: 'A',
      ClientRequestToken: AppInstanceUserId,
      ...more,
    });
  const { AppInstanceUserArn = '' } = await newUser('anna');
  await newUser('bert', { ExpirationSettings: EXPIRATION });
  const channel = { AppInstanceArn, Name: 'standup', ClientRequestToken: 'first', ExpirationSettings: EXPIRATION };
  await core.chime('/_chime-sdk-messaging/channels', channel, { 'x-amz-chime-bearer': AppInstanceUserArn });
  advance(2 * DAY_MS);
  assert.ok(scheduled.size > 0, 'no sweep is scheduled');
  for (const work of [...scheduled]) work();
  const found = (eventName: string) => recordOf(core.store, eventName);
  await until(
    async () => (await found('ExpireAppInstanceUser')) !== undefined && (await found('ExpireChannel')) !== undefined,
    () => 'the sweep recorded nothing',
  );
  return [await found('ExpireAppInstanceUser'), await found('ExpireChannel')];
}

/** Emits the event of a started transcription. No operation emits this event yet, so the subscriber runs without a server. */
async function assumedByService(): Promise<Named[2]> {
  const service = 'transcription.chime.amazonaws.com';
  const role = `arn:aws:iam::${ACCOUNT}:role/aws-service-role/${service}/AWSServiceRoleForAmazonChimeTranscription`;
  const trustPolicy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  };
  const store = await openSqlite(':memory:');
  await addRole(store, role, { linkedService: service, trustPolicy });
  const meeting = { meetingId: 'aaaaaaaa-0000-4000-8000-000000000000', externalMeetingId: 'meeting', mediaRegion: 'us-east-1' };
  await store.transaction((tx) =>
    emitterOf([assumeTranscriptionRole])(workFor(tx, START)).emit<MeetingEvent>({
      type: 'TranscriptionStarted',
      accountId: ACCOUNT,
      region: 'us-east-1',
      ...meeting,
    }),
  );
  return await recordOf(store, 'AssumeRole');
}

async function recordOf(store: Store, eventName: string): Promise<Named[2]> {
  const { rows } = await store.transaction(({ trail }) => trail.since(0, 1_000));
  const row = rows.find((each) => each.eventName === eventName);
  return row === undefined ? undefined : (JSON.parse(row.document) as Readonly<Record<string, unknown>>);
}
