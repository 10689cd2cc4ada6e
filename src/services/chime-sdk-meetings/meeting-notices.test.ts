import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OUTGOING } from '#services/kit/outgoing.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { MeetingEvent } from '../chime-kit/events.ts';
import type { BusEvent } from '../kit/bus-event.ts';
import { emitterOf, subscription } from '../kit/events.ts';
import { ACCOUNT, START } from './fixture.ts';
import { tellOfMeeting } from './meeting-notices.ts';

const MEETING = {
  accountId: ACCOUNT,
  region: 'eu-central-1',
  meetingId: 'd0a4bfc2-6b7d-4a5e-9a40-8a3f3a1c0001',
  externalMeetingId: 'standup',
  mediaRegion: 'eu-central-1',
};
const ATTENDEE = { attendeeId: 'e1a4bfc2-6b7d-4a5e-9a40-8a3f3a1c0002', externalUserId: 'ada' };
const QUEUE = `arn:aws:sqs:eu-central-1:${ACCOUNT}:notices`;
const TOPIC = `arn:aws:sns:eu-central-1:${ACCOUNT}:notices`;
const FUNCTION = `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:notices`;

/** Emits a meeting event. Returns the events for the bus, and the messages that wait to be sent. */
async function told(event: MeetingEvent) {
  const store = await openSqlite(':memory:');
  const onBus: BusEvent[] = [];
  let ids = 0;
  const withEmit = emitterOf([
    tellOfMeeting,
    subscription<BusEvent>()(['BusEvent'], async (_, each) => {
      onBus.push(each);
    }),
  ]);
  const waiting = await store.transaction(async (tx) => {
    await withEmit({ tx, now: START, newId: () => `id-${++ids}` }).emit<MeetingEvent>(event);
    return tx.of((sql) => ({ all: () => OUTGOING.rows(sql, `SELECT ${OUTGOING.names} FROM outgoing ORDER BY id`, []) })).all();
  });
  await store.close();
  return { onBus, waiting };
}

test('Meeting events: the bus of the account receives the members of the guide, and nothing of the targets', async () => {
  const names = { meetingId: MEETING.meetingId, externalMeetingId: 'standup', mediaRegion: 'eu-central-1' };
  const capabilities = { Audio: 'SendReceive', Video: 'Receive', Content: 'None' } as const;
  // biome-ignore format: a table
  const cases: readonly (readonly [MeetingEvent, object])[] = [
    [{ type: 'MeetingStarted', ...MEETING, notifications: { SqsQueueArn: QUEUE } }, { eventType: 'chime:MeetingStarted', ...names }],
    [{ type: 'AttendeeAdded', ...MEETING, ...ATTENDEE },                            { eventType: 'chime:AttendeeAdded', ...names, ...ATTENDEE }],
    [{ type: 'AttendeeCapabilitiesUpdated', ...MEETING, ...ATTENDEE, capabilities },
      { eventType: 'chime:AttendeeCapabilitiesUpdated', ...names, ...ATTENDEE, success: '1', attendeeCapabilities: { audio: 'SendReceive', video: 'Receive', content: 'None' } }],
  ];
  for (const [event, detail] of cases) {
    const { onBus } = await told(event);
    assert.deepEqual(onBus, [
      {
        ...{ type: 'BusEvent', accountId: ACCOUNT, region: 'eu-central-1', source: 'aws.chime', resources: [] },
        ...{ detailType: 'Chime Meeting State Change', detail: { version: '0', timestamp: START, ...detail } },
      },
    ]);
  }
});

// Requirement CD-2.
test('Meeting notifications: queue, topic and function receive the same event, from the principal of meetings with source account and ARN', async () => {
  const notifications = { SqsQueueArn: QUEUE, SnsTopicArn: TOPIC, LambdaFunctionArn: FUNCTION };
  const { waiting } = await told({ type: 'MeetingEnded', ...MEETING, notifications });
  assert.deepEqual(
    waiting.map(({ target }) => target),
    [
      { kind: 'sqs', arn: QUEUE },
      { kind: 'sns', arn: TOPIC },
      { kind: 'lambda', arn: FUNCTION },
    ],
  );
  const bodies = new Set(waiting.map(({ body }) => body));
  assert.equal(bodies.size, 1);
  assert.deepEqual(JSON.parse([...bodies][0] as string), {
    ...{ version: '0', id: 'id-1', 'detail-type': 'Chime Meeting State Change', source: 'aws.chime', account: ACCOUNT },
    ...{ time: `${new Date(START).toISOString().slice(0, 19)}Z`, region: 'eu-central-1', resources: [] },
    detail: {
      ...{ version: '0', eventType: 'chime:MeetingEnded', timestamp: START, meetingId: MEETING.meetingId },
      ...{ externalMeetingId: 'standup', mediaRegion: 'eu-central-1' },
    },
  });
  for (const { sender } of waiting) {
    assert.deepEqual(sender, { service: 'meetings.chime.amazonaws.com', sourceArn: `arn:aws:chime::${ACCOUNT}:*`, sourceAccount: ACCOUNT });
  }
});
