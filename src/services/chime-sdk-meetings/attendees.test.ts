import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AttendeeCapabilities, MeetingFeaturesConfiguration } from '#model/generated/chime-sdk-meetings.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { observedSqlite } from '#store/engine/sqlite-fixture.ts';
import { ACCOUNT, openFixture, START, TOKENS } from './fixture.ts';

const ALL: AttendeeCapabilities = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' };
const LISTENER: AttendeeCapabilities = { Audio: 'Receive', Video: 'None', Content: 'None' };
const UNKNOWN = 'ffffffff-0000-4000-8000-000000000000';

test('CreateAttendee: returns an attendee with all capabilities and its own join token', async () => {
  const { run, meeting } = await openFixture();
  const MeetingId = await meeting();
  const { Attendee } = await run('CreateAttendee', { MeetingId, ExternalUserId: 'ada' });
  assert.deepEqual([Attendee?.ExternalUserId, Attendee?.Capabilities], ['ada', ALL]);
  const facts = {
    accountId: ACCOUNT,
    region: 'us-east-1',
    meetingId: MeetingId,
    attendeeId: Attendee?.AttendeeId,
    externalUserId: 'ada',
    expiresAt: START + 24 * HOUR_MS,
  };
  assert.deepEqual(TOKENS.verify(Attendee?.JoinToken as string, START), facts);
  assert.equal(TOKENS.verify(Attendee?.JoinToken as string, instant(START + 24 * HOUR_MS)), undefined);
  assert.deepEqual(await run('GetAttendee', { MeetingId, AttendeeId: Attendee?.AttendeeId as string }), { Attendee });
});

test('CreateAttendee: executes two SELECT statements and one INSERT in one transaction', async () => {
  const texts: string[] = [];
  const note = (text: string) => void texts.push(text.trim());
  const { run, meeting, store } = await openFixture({}, await openSqlite(':memory:', { open: observedSqlite(note, note) }));
  const MeetingId = await meeting();
  texts.length = 0;
  await run('CreateAttendee', { MeetingId, ExternalUserId: 'ada' });
  assert.deepEqual(
    texts.map((text) => text.split(' ', 2).join(' ')),
    ['BEGIN IMMEDIATE', 'SELECT *', 'SELECT COUNT(*)', 'INSERT INTO', 'COMMIT'],
  );
  await store.close();
});

test('CreateAttendee: an external user ID in use returns the existing attendee, even in a full meeting', async () => {
  const { run, meeting } = await openFixture({ attendees: 1 });
  const MeetingId = await meeting();
  const first = await run('CreateAttendee', { MeetingId, ExternalUserId: 'ada' });
  assert.deepEqual(await run('CreateAttendee', { MeetingId, ExternalUserId: 'ada', Capabilities: LISTENER }), first);
});

// biome-ignore format: a table
const REFUSED: readonly [title: string, meeting: string, user: string, capabilities: AttendeeCapabilities | undefined, code: string][] = [
  // The rows are in the order of the operation's checks.
  ['an unknown meeting',                       UNKNOWN, 'bob',   undefined,                                'NotFoundException'     ],
  ['a reserved external user id',              'known', 'aws:b', undefined,                                'BadRequestException'   ],
  ['content received without video',           'known', 'bob',   { ...LISTENER, Content: 'Receive' },      'BadRequestException'   ],
  ['a full meeting',                           'known', 'bob',   undefined,                                'LimitExceededException'],
];

for (const [title, meetingId, ExternalUserId, Capabilities, code] of REFUSED) {
  test(`CreateAttendee: ${title} is ${code}`, async () => {
    const { run, meeting, attendee } = await openFixture();
    const known = await meeting({ MeetingFeatures: { Attendee: { MaxCount: 1 } } });
    await attendee(known, 'ada');
    const MeetingId = meetingId === 'known' ? known : meetingId;
    await assert.rejects(run('CreateAttendee', omitUndefined({ MeetingId, ExternalUserId, Capabilities })), { code });
  });
}

test('CreateAttendee: MaxCount does not raise the limit of the server', async () => {
  const { run, meeting, attendee } = await openFixture({ attendees: 1 });
  const MeetingId = await meeting({ MeetingFeatures: { Attendee: { MaxCount: 250 } } });
  await attendee(MeetingId, 'ada');
  await assert.rejects(run('CreateAttendee', { MeetingId, ExternalUserId: 'bob' }), { code: 'LimitExceededException' });
});

const NO_VIDEO: MeetingFeaturesConfiguration = { Video: { MaxResolution: 'None' } };
const NO_CONTENT: MeetingFeaturesConfiguration = { Content: { MaxResolution: 'None' } };

// biome-ignore format: a table
const DEFAULTS: readonly [title: string, features: MeetingFeaturesConfiguration, expected: AttendeeCapabilities][] = [
  ['without limits',            { Audio: { EchoReduction: 'AVAILABLE' } }, ALL                                                             ],
  ['without video',             NO_VIDEO,                                  { Audio: 'SendReceive', Video: 'Receive', Content: 'SendReceive' }],
  ['without content',           NO_CONTENT,                                { Audio: 'SendReceive', Video: 'SendReceive', Content: 'None' }   ],
  ['without video and content', { ...NO_VIDEO, ...NO_CONTENT },            { Audio: 'SendReceive', Video: 'None', Content: 'None' }          ],
];

for (const [title, MeetingFeatures, expected] of DEFAULTS) {
  test(`CreateAttendee: in a meeting ${title} the capabilities are ${Object.values(expected).join(', ')}`, async () => {
    const { run, meeting } = await openFixture();
    const { Attendee } = await run('CreateAttendee', { MeetingId: await meeting({ MeetingFeatures }), ExternalUserId: 'ada' });
    assert.deepEqual(Attendee?.Capabilities, expected);
  });
}

// biome-ignore format: a table
const CHANGES: readonly [title: string, features: MeetingFeaturesConfiguration, capabilities: AttendeeCapabilities, code: string | undefined][] = [
  ['listening only',                     {},         LISTENER,                                                    undefined            ],
  ['video without content',              {},         { ...ALL, Content: 'None' },                                 undefined            ],
  ['content sent without video',         {},         { Audio: 'None', Video: 'None', Content: 'Send' },           undefined            ],
  ['content received, video only sent',  {},         { ...ALL, Video: 'Send' },                                   'BadRequestException'],
  ['video in a meeting without it',      NO_VIDEO,   ALL,                                                         'ValidationError'    ],
  ['content in a meeting without it',    NO_CONTENT, ALL,                                                         'ValidationError'    ],
];

for (const [title, MeetingFeatures, Capabilities, code] of CHANGES) {
  test(`UpdateAttendeeCapabilities: ${title} is ${code ?? 'stored'}`, async () => {
    const { run, meeting, attendee } = await openFixture();
    const MeetingId = await meeting({ MeetingFeatures });
    const AttendeeId = await attendee(MeetingId, 'ada');
    const changed = run('UpdateAttendeeCapabilities', { MeetingId, AttendeeId, Capabilities });
    if (code !== undefined) return assert.rejects(changed, { code });
    assert.deepEqual((await changed).Attendee?.Capabilities, Capabilities);
    assert.deepEqual((await run('GetAttendee', { MeetingId, AttendeeId })).Attendee?.Capabilities, Capabilities);
  });
}

test('BatchUpdateAttendeeCapabilitiesExcept: changes all but the listed attendees; ID case is ignored', async () => {
  const { run, meeting, emitted } = await openFixture();
  const MeetingId = await meeting();
  const users = Array.from({ length: 100 }, (_, i) => ({ ExternalUserId: `user-${i}` }));
  const { Attendees = [] } = await run('BatchCreateAttendee', { MeetingId, Attendees: users });
  await run('CreateAttendee', { MeetingId, ExternalUserId: 'the last' });
  const ExcludedAttendeeIds = [{ AttendeeId: String(Attendees[3]?.AttendeeId).toUpperCase() }, { AttendeeId: UNKNOWN }];
  await run('BatchUpdateAttendeeCapabilitiesExcept', { MeetingId, ExcludedAttendeeIds, Capabilities: LISTENER });
  const all = [
    ...((await run('ListAttendees', { MeetingId, MaxResults: 100 })).Attendees ?? []),
    (await run('CreateAttendee', { MeetingId, ExternalUserId: 'the last' })).Attendee,
  ];
  assert.deepEqual(
    all.filter((each) => each?.Capabilities?.Video !== 'None').map((each) => each?.ExternalUserId),
    ['user-3'],
  );
  const changes = emitted.filter((event) => event.type === 'AttendeeCapabilitiesUpdated');
  assert.equal(changes.length, 100);
});

test('BatchCreateAttendee: a listed attendee that exists already does not count toward the limit', async () => {
  const { run, meeting, attendee } = await openFixture({ attendees: 2 });
  const MeetingId = await meeting();
  const ada = await attendee(MeetingId, 'ada');
  const items = ['ada', 'bob', 'carol', 'bob'].map((ExternalUserId) => ({ ExternalUserId }));
  const { Attendees, Errors } = await run('BatchCreateAttendee', { MeetingId, Attendees: items });
  assert.deepEqual(
    Attendees?.map((each) => each.ExternalUserId),
    ['ada', 'bob', 'bob'],
  );
  assert.equal(Attendees?.[0]?.AttendeeId, ada);
  assert.deepEqual(
    Errors?.map((each) => each.ExternalUserId),
    ['carol'],
  );
});

test('ListAttendees: no attendee is on two pages, even if others are added and deleted between the pages', async () => {
  const { run, meeting, attendee } = await openFixture();
  const MeetingId = await meeting();
  const ids: string[] = [];
  for (const user of ['ada', 'bob', 'carol', 'dora']) ids.push(await attendee(MeetingId, user));

  const first = await run('ListAttendees', { MeetingId, MaxResults: 2 });
  await run('DeleteAttendee', { MeetingId, AttendeeId: ids[1] as string });
  await attendee(MeetingId, 'erin');
  const second = await run('ListAttendees', { MeetingId, MaxResults: 2, NextToken: first.NextToken as string });
  const third = await run('ListAttendees', { MeetingId, MaxResults: 2, NextToken: second.NextToken as string });

  const names = [first, second, third].map((page) => page.Attendees?.map((each) => each.ExternalUserId));
  assert.deepEqual(names, [['ada', 'bob'], ['carol', 'dora'], ['erin']]);
  assert.equal(third.NextToken, undefined);
});

test('ListAttendees: a token of another meeting and an invalid token are BadRequestException', async () => {
  const { run, meeting, attendee } = await openFixture();
  const MeetingId = await meeting();
  for (const user of ['ada', 'bob']) await attendee(MeetingId, user);
  const { NextToken } = await run('ListAttendees', { MeetingId, MaxResults: 1 });
  const other = await meeting();
  for (const [id, token] of [
    [other, NextToken as string],
    [MeetingId, ''],
    [MeetingId, `${NextToken}AA`],
    [MeetingId, 'not a token'],
  ] as const) {
    await assert.rejects(run('ListAttendees', { MeetingId: id, NextToken: token }), { code: 'BadRequestException' });
  }
});

test('DeleteAttendee: deletes an attendee; a deleted and an unknown attendee are NotFoundException', async () => {
  const { run, meeting, attendee } = await openFixture();
  const MeetingId = await meeting();
  const other = await meeting();
  const AttendeeId = await attendee(MeetingId, 'ada');
  await assert.rejects(run('DeleteAttendee', { MeetingId: other, AttendeeId }), { code: 'NotFoundException' });
  await run('DeleteAttendee', { MeetingId, AttendeeId: AttendeeId.toUpperCase() });
  await assert.rejects(run('GetAttendee', { MeetingId, AttendeeId }), { code: 'NotFoundException' });
  await assert.rejects(run('DeleteAttendee', { MeetingId, AttendeeId }), { code: 'NotFoundException' });
});
