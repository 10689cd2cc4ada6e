import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { ChannelEvent } from '#services/chime-kit/events.ts';
import { inChannel, membership, message } from './fixture.ts';
import { eventFrame, SESSION_ESTABLISHED } from './frames.ts';

const AT = instant(Date.UTC(2026, 10, 22, 2, 25, 0, 123));

test('Frames: the payload is a JSON string with ISO timestamps, and strings that users wrote are unchanged', () => {
  const Metadata = '{"CreatedTimestamp":1}';
  const MessageAttributes = { ReadTimestamp: { StringValues: ['1'] } };
  const frame = JSON.parse(eventFrame(message('general', 'hello', { MessageId: 'm', CreatedTimestamp: AT, Metadata, MessageAttributes })));
  assert.deepEqual(frame.Headers, { 'x-amz-chime-event-type': 'CREATE_CHANNEL_MESSAGE', 'x-amz-chime-message-type': 'STANDARD' });
  const { ChannelArn: _, ...payload } = JSON.parse(frame.Payload);
  assert.deepEqual(payload, {
    MessageId: 'm',
    Content: 'hello',
    Type: 'STANDARD',
    CreatedTimestamp: '2026-11-22T02:25:00.123Z',
    Metadata,
    MessageAttributes,
  });
});

test('Frames: the event for the moderator of a deleted sub-channel has the reason as a header', () => {
  const { Headers } = JSON.parse(eventFrame({ ...membership('DELETE', 'big', 'ada'), reason: 'subchannel_DELETED' } as ChannelEvent));
  assert.deepEqual(Headers, {
    'x-amz-chime-event-type': 'DELETE_CHANNEL_MEMBERSHIP',
    'x-amz-chime-message-type': 'SYSTEM',
    'x-amz-chime-event-reason': 'subchannel_DELETED',
  });
});

// biome-ignore format: a table
const KINDS: readonly (readonly [frame: string, type: string, kind: string, payload: unknown])[] = [
  // frame                                                                                event type                         message type  payload
  [SESSION_ESTABLISHED,                                                                   'SESSION_ESTABLISHED',             'SYSTEM',  undefined],
  [eventFrame(message('general', 'x', { Type: 'CONTROL', MessageId: 'm', ChannelArn: 'c' })), 'CREATE_CHANNEL_MESSAGE',       'CONTROL', { ChannelArn: 'c', MessageId: 'm', Content: 'x', Type: 'CONTROL' }],
  [eventFrame({ type: 'DELETE_CHANNEL', ...inChannel('general'), channel: { Name: 'g' } }), 'DELETE_CHANNEL',                 'SYSTEM',  { Name: 'g' }],
  [eventFrame(membership('DELETE', 'general', 'ada', { ChannelArn: 'c', Member: { Arn: 'a' } })), 'DELETE_CHANNEL_MEMBERSHIP', 'SYSTEM', { ChannelArn: 'c', Member: { Arn: 'a' }, Type: 'DEFAULT' }],
  [eventFrame({ type: 'BATCH_CREATE_CHANNEL_MEMBERSHIP', ...inChannel('general'), memberships: { Members: [] } } satisfies ChannelEvent), 'BATCH_CREATE_CHANNEL_MEMBERSHIP', 'SYSTEM', { Members: [] }],
];

for (const [frame, type, kind, payload] of KINDS) {
  test(`Frames: ${type} is a ${kind} message`, () => {
    const { Headers, Payload } = JSON.parse(frame);
    assert.deepEqual(
      [Headers['x-amz-chime-event-type'], Headers['x-amz-chime-message-type'], Payload && JSON.parse(Payload)],
      [type, kind, payload],
    );
  });
}
