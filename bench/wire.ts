/**
 * Measures the CPU time to decode one request and to encode one response. Compares both times with JSON.parse and
 * JSON.stringify of the same documents. Prints medians of interleaved rounds. Command: `node bench/wire.ts`.
 *
 * Goal: 2.5 µs to encode the response of GetMeeting, 3 µs to decode and validate the request of CreateMeeting.
 */

import type { Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { decode } from '#wire/decode.ts';
import { encode } from '#wire/encode.ts';
import { route } from '#wire/route.ts';
import type { Routed } from '#wire/routed.ts';

const ROUNDS = 9;
const CALLS = 40_000;
const SETTINGS = { guide2021: false };
const MEETING_ID = '2f1f7b0e-0d8a-4b6e-9d5c-6a0a5b1c2d3e';

function received(method: string, target: string, body: string, type = 'application/json', scope = 'chime'): Received {
  return {
    requestId: MEETING_ID,
    receivedAt: instant(0),
    method,
    target,
    rawHeaders: [
      ...[
        'host',
        'localhost:8080',
        'content-type',
        type,
        'user-agent',
        'aws-sdk-js/3.1142.0 ua/2.1 os/linux lang/js md/nodejs#24 api/chime-sdk-meetings#3.1142.0',
      ],
      ...[
        'x-amz-date',
        '20261122T000000Z',
        'x-amz-content-sha256',
        '0'.repeat(64),
        'amz-sdk-invocation-id',
        MEETING_ID,
        'amz-sdk-request',
        'attempt=1; max=3',
      ],
      ...[
        'authorization',
        `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261122/us-east-1/${scope}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
      ],
    ],
    body: Buffer.from(body),
    sourceIp: '127.0.0.1',
  };
}

function routed(request: Received): Routed {
  const found = route(request, SETTINGS);
  if (found.kind === 'refused') throw found.error;
  return found;
}

const CREATE = JSON.stringify({
  ClientRequestToken: MEETING_ID,
  MediaRegion: 'us-east-1',
  ExternalMeetingId: 'weekly-planning-2026-11-22',
  MeetingHostId: 'host-1',
  NotificationsConfiguration: { SqsQueueArn: 'arn:aws:sqs:us-east-1:111122223333:meetings' },
  MeetingFeatures: { Audio: { EchoReduction: 'AVAILABLE' }, Attendee: { MaxCount: 100 } },
  Tags: [
    { Key: 'team', Value: 'blue' },
    { Key: 'cost-centre', Value: '4711' },
  ],
});
const MEETING = {
  Meeting: {
    MeetingId: MEETING_ID,
    MeetingHostId: 'host-1',
    ExternalMeetingId: 'weekly-planning-2026-11-22',
    MediaRegion: 'us-east-1',
    MediaPlacement: {
      AudioHostUrl: 'meeting.example.com:3478',
      AudioFallbackUrl: 'wss://meeting.example.com/fallback',
      SignalingUrl: 'wss://meeting.example.com/control',
      TurnControlUrl: 'https://meeting.example.com/turn',
      ScreenDataUrl: 'wss://meeting.example.com/screen',
      ScreenViewingUrl: 'wss://meeting.example.com/view',
      ScreenSharingUrl: 'wss://meeting.example.com/share',
      EventIngestionUrl: 'https://meeting.example.com/events',
    },
    MeetingFeatures: { Audio: { EchoReduction: 'AVAILABLE' } },
    TenantIds: [],
    MeetingArn: `arn:aws:chime:us-east-1:111122223333:meeting/${MEETING_ID}`,
  },
};
const USERS = {
  IsTruncated: false,
  Users: Array.from({ length: 100 }, (_, i) => ({
    Path: '/',
    UserName: `user-${i}`,
    UserId: `AIDA${i}`,
    Arn: `arn:aws:iam::111122223333:user/user-${i}`,
    CreateDate: 1_795_305_600_000 + i,
  })),
};

const create = received('POST', '/meetings', CREATE);
const get = received('GET', `/meetings/${MEETING_ID}`, '');
const createUser = received(
  'POST',
  '/',
  'Action=CreateUser&Version=2010-05-08&UserName=alice&Path=%2Fdivision%2F&Tags.member.1.Key=team&Tags.member.1.Value=blue',
  'application/x-www-form-urlencoded',
  'iam',
);
const listUsers = routed(received('POST', '/', 'Action=ListUsers&Version=2010-05-08', 'application/x-www-form-urlencoded', 'iam'));
const [routedCreate, routedGet, routedCreateUser] = [routed(create), routed(get), routed(createUser)];

const MEASURED: readonly (readonly [name: string, work: () => unknown, share: number])[] = [
  ['JSON.stringify GetMeeting', () => JSON.stringify(MEETING), 1],
  ['encode GetMeeting', () => encode(routedGet, MEETING, MEETING_ID), 1],
  ['JSON.parse CreateMeeting', () => JSON.parse(Buffer.from(create.body).toString('utf8')), 1],
  ['decode CreateMeeting', () => decode(routedCreate, create), 1],
  ['decode CreateUser (query)', () => decode(routedCreateUser, createUser), 1],
  ['encode ListUsers of 100 (XML)', () => encode(listUsers, USERS, MEETING_ID), 20],
  ['route CreateMeeting', () => route(create, SETTINGS), 1],
  ['route CreateUser', () => route(createUser, SETTINGS), 1],
];

const samples = new Map<string, number[]>(MEASURED.map(([name]) => [name, []]));
for (let round = -2; round < ROUNDS; round++) {
  for (const [name, work, share] of MEASURED) {
    const calls = CALLS / share;
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) work();
    const { user, system } = process.cpuUsage(before);
    if (round >= 0) samples.get(name)?.push((user + system) / calls);
  }
}
for (const [name, found] of samples) {
  const sorted = found.toSorted((a, b) => a - b);
  console.log(
    `${name.padEnd(32)} ${(sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(2).padStart(8)} µs   best ${(sorted[0] ?? 0).toFixed(2)}`,
  );
}
