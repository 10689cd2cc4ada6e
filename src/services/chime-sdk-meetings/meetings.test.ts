import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { CreateMeetingRequest } from '#model/generated/chime-sdk-meetings.ts';
import { workFor } from '../kit/fixture.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture, START, TOKENS } from './fixture.ts';
import { sweepEndedMeetings } from './sweep.ts';
import { attendees } from './tables/attendees.ts';
import { meetings } from './tables/meetings.ts';

const REQUEST: CreateMeetingRequest = { ClientRequestToken: 'once', MediaRegion: 'eu-central-1', ExternalMeetingId: 'standup' };
const UNKNOWN = 'ffffffff-0000-4000-8000-000000000000';

test('CreateMeeting: returns everything that a client needs to join, and GetMeeting returns the same', async () => {
  const { run } = await openFixture();
  const { Meeting } = await run('CreateMeeting', {
    ...REQUEST,
    MeetingHostId: 'host-1',
    TenantIds: ['tenant1'],
    MeetingFeatures: { Audio: { EchoReduction: 'AVAILABLE' } },
  });
  const MeetingId = Meeting?.MeetingId as string;
  assert.deepEqual(Meeting, {
    MeetingId,
    MeetingHostId: 'host-1',
    ExternalMeetingId: 'standup',
    MediaRegion: 'eu-central-1',
    MediaPlacement: {
      AudioHostUrl: 'meet.example.org:3478',
      AudioFallbackUrl: `wss://meet.example.org/calls/${MeetingId}`,
      SignalingUrl: `wss://meet.example.org/control/${MeetingId}`,
      TurnControlUrl: 'https://meet.example.org/v2/turn_sessions',
      ScreenDataUrl: `wss://meet.example.org/v2/screen/${MeetingId}`,
      ScreenViewingUrl: `wss://meet.example.org/ws/connect?passcode=null&viewer_uuid=null&X-BitHub-Call-Id=${MeetingId}`,
      ScreenSharingUrl: `wss://meet.example.org/v2/screen/${MeetingId}`,
      EventIngestionUrl: 'https://meet.example.org/v1/client-events',
    },
    MeetingFeatures: { Audio: { EchoReduction: 'AVAILABLE' }, Video: { MaxResolution: 'HD' }, Content: { MaxResolution: 'FHD' } },
    TenantIds: ['tenant1'],
    MeetingArn: `arn:aws:chime:us-east-1:${ACCOUNT}:meeting/${MeetingId}`,
  });
  assert.deepEqual(await run('GetMeeting', { MeetingId: MeetingId.toUpperCase() }), { Meeting });
});

test('MediaPlacement: only a caller that connects from the same machine without TLS gets ws and http URLs', async () => {
  const { run } = await openFixture();
  const { Meeting } = await run('CreateMeeting', REQUEST, { localPlain: true });
  const { MeetingId = '', MediaPlacement: local } = Meeting ?? {};
  const { MediaPlacement: other } = (await run('GetMeeting', { MeetingId })).Meeting ?? {};
  assert.deepEqual(
    [local?.SignalingUrl, local?.EventIngestionUrl, other?.SignalingUrl],
    [`ws://127.0.0.1:7080/control/${MeetingId}`, 'http://127.0.0.1:7080/v1/client-events', `wss://meet.example.org/control/${MeetingId}`],
  );
});

// Source: chime-sdk-meetings 2021-07-15, ConflictException: it is only for simultaneous requests.
test('CreateMeeting: a repeated token returns the same meeting, even if other parameters differ', async () => {
  const { run } = await openFixture({ activeMeetings: 1 });
  const first = await run('CreateMeeting', REQUEST);
  for (const change of [{}, { ExternalMeetingId: 'other' }, { MediaRegion: 'us-east-1' }, { Tags: [{ Key: 'k', Value: '' }] }]) {
    assert.deepEqual(await run('CreateMeeting', { ...REQUEST, ...change }), first);
  }
});

// biome-ignore format: a table
const REFUSED: readonly [title: string, change: Partial<CreateMeetingRequest>, code: string][] = [
  // The rows are in the order of the operation's checks.
  ['an unknown media region',                     { MediaRegion: 'moon-1' },                          'BadRequestException'   ],
  ['an external id that begins with aws:',        { ExternalMeetingId: 'AWS:x' },                     'BadRequestException'   ],
  ['an external id with a control character',     { ExternalMeetingId: 'a\u0000b' },                  'BadRequestException'   ],
  ['a reserved tag key',                          { Tags: [{ Key: 'aws:x', Value: '' }] },            'BadRequestException'   ],
  ['a tag key that occurs twice',                 { Tags: [{ Key: 'k', Value: '' }, { Key: 'k', Value: '' }] }, 'BadRequestException' ],
  ['26 attendees with FHD video',                 { MeetingFeatures: { Video: { MaxResolution: 'FHD' }, Attendee: { MaxCount: 26 } } }, 'BadRequestException' ],
  ['26 attendees with UHD content',               { MeetingFeatures: { Content: { MaxResolution: 'UHD' }, Attendee: { MaxCount: 26 } } }, 'BadRequestException' ],
  ['an unknown primary meeting',                  { PrimaryMeetingId: UNKNOWN },                      'BadRequestException'   ],
  ['an account with the maximum',                 {},                                                 'LimitExceededException'],
];

for (const [title, change, code] of REFUSED) {
  test(`CreateMeeting: ${title} is ${code}`, async () => {
    const { run, meeting } = await openFixture({ activeMeetings: 1 });
    await meeting();
    await assert.rejects(run('CreateMeeting', { ...REQUEST, ...change }), { code });
  });
}

test('CreateMeeting: the limit counts the active meetings of an account in a region', async () => {
  const { run, meeting } = await openFixture({ activeMeetings: 1 });
  await meeting();
  await run('CreateMeeting', REQUEST, { region: 'eu-west-1' });
  await run('CreateMeeting', REQUEST, { accountId: OTHER_ACCOUNT });
  await run('CreateMeeting', REQUEST, { now: instant(START + 24 * HOUR_MS) });
});

test('CreateMeeting: the primary meeting must be in the account, in any region, and not be a replica', async () => {
  const { run, meeting } = await openFixture();
  const primary = await meeting();
  const { Meeting } = await run('CreateMeeting', { ...REQUEST, PrimaryMeetingId: primary }, { region: 'eu-west-1' });
  assert.equal(Meeting?.PrimaryMeetingId, primary);
  await assert.rejects(run('CreateMeeting', { ...REQUEST, ClientRequestToken: 'two', PrimaryMeetingId: Meeting?.MeetingId as string }), {
    code: 'BadRequestException',
  });
  await assert.rejects(run('CreateMeeting', { ...REQUEST, PrimaryMeetingId: primary }, { accountId: OTHER_ACCOUNT }), {
    code: 'BadRequestException',
  });
});

test('CreateMeeting: after the end of a meeting, its token creates a new meeting', async () => {
  const { run } = await openFixture();
  const first = await run('CreateMeeting', REQUEST);
  await run('DeleteMeeting', { MeetingId: first.Meeting?.MeetingId as string });
  const second = await run('CreateMeeting', REQUEST);
  assert.notEqual(second.Meeting?.MeetingId, first.Meeting?.MeetingId);
});

test('Meetings: other accounts and regions do not find a meeting', async () => {
  const { run, meeting } = await openFixture();
  const MeetingId = await meeting();
  for (const as of [{ accountId: OTHER_ACCOUNT }, { region: 'eu-west-1' }]) {
    await assert.rejects(run('GetMeeting', { MeetingId }, as), { code: 'NotFoundException' });
    await assert.rejects(run('DeleteMeeting', { MeetingId }, as), { code: 'NotFoundException' });
  }
  await run('GetMeeting', { MeetingId });
});

test('Meetings: a meeting ends 24 hours after its creation, and a sweep deletes it', async () => {
  const { run, meeting, store, emitted } = await openFixture();
  const MeetingId = await meeting();
  await run('GetMeeting', { MeetingId }, { now: instant(START + 24 * HOUR_MS - 1) });
  const now = instant(START + 24 * HOUR_MS);
  await assert.rejects(run('GetMeeting', { MeetingId }, { now }), {
    code: 'NotFoundException',
    message: `Meeting <${MeetingId}> not found`,
  });
  const sweep = (at: Instant) => store.transaction((tx) => sweepEndedMeetings(workFor(tx, at, emitted)));
  assert.deepEqual([await sweep(instant(now - 1)), await sweep(now), await sweep(now)], ['done', 'done', 'done']);
  assert.deepEqual(
    emitted.map((each) => [each.type, each.meetingId]),
    [
      ['MeetingStarted', MeetingId],
      ['MeetingEnded', MeetingId],
    ],
  );
});

test('Meetings: the media plane can end a meeting before 24 hours have passed', async () => {
  const { run, meeting, store } = await openFixture();
  const MeetingId = await meeting();
  assert.equal(await store.transaction((tx) => tx.of(meetings).endAt(MeetingId, START)), 'changed');
  await assert.rejects(run('GetMeeting', { MeetingId }), { code: 'NotFoundException' });
});

test('DeleteMeeting: deletes the meeting with its attendees; a second deletion is NotFoundException', async () => {
  const { run, meeting, attendee, store, emitted } = await openFixture();
  const MeetingId = await meeting();
  const AttendeeId = await attendee(MeetingId, 'ada');
  await run('DeleteMeeting', { MeetingId });
  await assert.rejects(run('DeleteMeeting', { MeetingId }), { code: 'NotFoundException' });
  assert.equal(await store.transaction((tx) => tx.of(attendees).get(MeetingId, AttendeeId)), undefined);
  assert.deepEqual(
    emitted.map(({ type }) => type),
    ['MeetingStarted', 'AttendeeAdded', 'MeetingEnded'],
  );
});

test('CreateMeetingWithAttendees: lists attendees and errors; a repeated request has the same response', async () => {
  const { run } = await openFixture();
  const input = {
    ...REQUEST,
    MeetingFeatures: { Attendee: { MaxCount: 2 } },
    Attendees: [{ ExternalUserId: 'ada' }, { ExternalUserId: 'aws:no' }, { ExternalUserId: 'bob' }, { ExternalUserId: 'carol' }],
  };
  const first = await run('CreateMeetingWithAttendees', input);
  assert.deepEqual(
    first.Attendees?.map((each) => each.ExternalUserId),
    ['ada', 'bob'],
  );
  assert.deepEqual(
    first.Errors?.map((each) => [each.ExternalUserId, each.ErrorCode]),
    [
      ['aws:no', 'BadRequest'],
      ['carol', 'LimitExceeded'],
    ],
  );
  const again = await run('CreateMeetingWithAttendees', input);
  assert.deepEqual(again, first);
  assert.deepEqual(await run('CreateMeeting', REQUEST), { Meeting: first.Meeting });
  const token = TOKENS.verify(first.Attendees?.[0]?.JoinToken as string, START);
  assert.equal(token?.meetingId, first.Meeting?.MeetingId);
});

test('CreateMeetingWithAttendees: a token of CreateMeeting adds attendees to the existing meeting', async () => {
  const { run } = await openFixture();
  const { Meeting } = await run('CreateMeeting', REQUEST);
  const MeetingId = Meeting?.MeetingId as string;
  const { Attendee } = await run('CreateAttendee', { MeetingId, ExternalUserId: 'ada' });
  const input = { ...REQUEST, ExternalMeetingId: 'other', Attendees: [{ ExternalUserId: 'ada' }, { ExternalUserId: 'bob' }] };
  const joined = await run('CreateMeetingWithAttendees', input);
  assert.deepEqual(joined.Meeting, Meeting);
  assert.deepEqual([joined.Attendees?.[0]?.AttendeeId, joined.Errors], [Attendee?.AttendeeId, []]);
  const listed = await run('ListAttendees', { MeetingId });
  assert.deepEqual(listed.Attendees?.map(({ ExternalUserId }) => ExternalUserId).sort(), ['ada', 'bob']);
});

// Source: Chime SDK API reference, AttendeeFeatures.
for (const MeetingFeatures of [{ Video: { MaxResolution: 'FHD' } }, { Content: { MaxResolution: 'UHD' } }] as const) {
  test(`CreateMeetingWithAttendees: with ${JSON.stringify(MeetingFeatures)} a meeting has at most 25 attendees`, async () => {
    const { run } = await openFixture();
    const users = (count: number, name: string) => Array.from({ length: count }, (_, i) => ({ ExternalUserId: `${name}${i}` }));
    await run('CreateMeetingWithAttendees', { ...REQUEST, MeetingFeatures, Attendees: users(20, 'a') });
    const { Errors } = await run('CreateMeetingWithAttendees', { ...REQUEST, Attendees: users(6, 'b') });
    assert.deepEqual(
      Errors?.map(({ ExternalUserId, ErrorCode }) => [ExternalUserId, ErrorCode]),
      [['b5', 'LimitExceeded']],
    );
  });
}
