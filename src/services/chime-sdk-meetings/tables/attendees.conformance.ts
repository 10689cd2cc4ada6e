import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type AttendeeRecord, attendees } from './attendees.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('attendees', () => {
    const attendee = (meetingId: string, attendeeId: string, more: Partial<AttendeeRecord> = {}): AttendeeRecord => ({
      meetingId,
      attendeeId,
      externalUserId: `user of ${attendeeId}`,
      audio: 'SendReceive',
      video: 'Send',
      content: 'None',
      createdAt: NOON,
      ...more,
    });

    test('attendees: get finds an attendee by ID or by external user ID, which is unique in a meeting', async () => {
      const meetingId = `meeting of ${fresh()}`;
      const one = attendee(meetingId, 'a');
      const read = await within(async (tx) => [
        await tx.of(attendees).add(one),
        await tx.of(attendees).add(attendee(meetingId, 'b', { externalUserId: one.externalUserId })),
        await tx.of(attendees).add(attendee('another meeting', 'a')),
        await tx.of(attendees).get(meetingId, 'a'),
        await tx.of(attendees).get(meetingId, 'b'),
        await tx.of(attendees).getByExternalUserId(meetingId, one.externalUserId),
        await tx.of(attendees).count(meetingId),
      ]);
      assert.deepEqual(read, ['added', 'exists', 'added', one, undefined, one, 1]);
    });

    test('attendees: list returns attendees in the order of IDs; an attendee can be changed and removed', async () => {
      const meetingId = `meeting of ${fresh()}`;
      const capabilities = { audio: 'None', video: 'None', content: 'Receive' };
      const read = await within(async (tx) => {
        for (const id of ['c', 'a', 'B', 'd']) await tx.of(attendees).add(attendee(meetingId, id));
        const ids = async (limit: number, after?: string) =>
          (await tx.of(attendees).list(meetingId, limit, after)).map(({ attendeeId }) => attendeeId);
        return [
          await ids(9),
          await ids(2, 'a'),
          await tx.of(attendees).setCapabilities({ meetingId, attendeeId: 'a', ...capabilities }),
          await tx.of(attendees).setCapabilities({ meetingId, attendeeId: 'z', ...capabilities }),
          await tx.of(attendees).get(meetingId, 'a'),
          await tx.of(attendees).remove(meetingId, 'a'),
          await tx.of(attendees).remove(meetingId, 'a'),
        ];
      });
      assert.deepEqual(read, [
        ['B', 'a', 'c', 'd'],
        ['c', 'd'],
        'changed',
        'absent',
        attendee(meetingId, 'a', capabilities),
        'removed',
        'absent',
      ]);
    });
  });
}
