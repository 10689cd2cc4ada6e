import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { BOB, NOON, type Within } from './conformance-fixtures.ts';
import type { AttendeeRecord, MeetingRecord } from './meetings.ts';

export function meetingsConformance(within: Within, fresh: () => AccountId): void {
  describe('meetings', () => {
    let made = 0;
    const meeting = (accountId: AccountId, more: Partial<MeetingRecord> = {}): MeetingRecord => ({
      accountId,
      region: 'us-east-1',
      meetingId: `m-${++made}`,
      createdAt: NOON,
      endsAt: instant(NOON + 1000),
      document: '{}',
      tags: [],
      ...more,
    });
    const attendee = (meetingId: string, attendeeId: string, more: Partial<AttendeeRecord> = {}): AttendeeRecord => ({
      meetingId,
      attendeeId,
      externalUserId: `user of ${attendeeId}`,
      capabilities: { audio: 'SendReceive', video: 'Send', content: 'None' },
      createdAt: NOON,
      ...more,
    });

    test('meetings: a meeting is read back as it was added, in its own account and region, until it ends', async () => {
      const accountId = fresh();
      const full = meeting(accountId, { tags: [{ key: 'k', value: 'v' }], transcription: '{"a":1}' });
      const { meetingId, region, endsAt } = full;
      const read = await within(async ({ meetings }) => {
        await meetings.add(full);
        return [
          await meetings.get(accountId, region, meetingId, NOON),
          await meetings.get(accountId, region, meetingId, endsAt),
          await meetings.get(BOB, region, meetingId, NOON),
          await meetings.get(accountId, 'eu-central-1', meetingId, NOON),
          await meetings.getInAnyRegion(accountId, meetingId, NOON),
          await meetings.getInAnyRegion(BOB, meetingId, NOON),
        ];
      });
      assert.deepEqual(read, [full, undefined, undefined, undefined, full, undefined]);
    });

    test('meetings: those that have not ended are counted, and no further than asked', async () => {
      const accountId = fresh();
      const counts = await within(async ({ meetings }) => {
        for (const endsAt of [1, 2, 3, 4]) await meetings.add(meeting(accountId, { endsAt: instant(NOON + endsAt) }));
        const at = (now: number, most: number) => meetings.count(accountId, 'us-east-1', now as Instant, most);
        return [await at(NOON, 10), await at(NOON + 2, 10), await at(NOON, 3), await at(NOON + 4, 3)];
      });
      assert.deepEqual(counts, [4, 2, 3, 0]);
    });

    test('meetings: what ended is removed with its attendees, the earliest first', async () => {
      const accountId = fresh();
      const [first, second] = [meeting(accountId, { endsAt: 1 as Instant }), meeting(accountId, { endsAt: 2 as Instant })];
      const read = await within(async ({ meetings }) => {
        await meetings.add(second);
        await meetings.add(first);
        await meetings.addAttendee(attendee(first.meetingId, 'a'));
        return [
          await meetings.removeEnded(2 as Instant, 1),
          await meetings.countAttendees(first.meetingId),
          await meetings.removeEnded(2 as Instant, 9),
        ];
      });
      assert.deepEqual(read, [[first], 0, [second]]);
    });

    test('meetings: removing an absent meeting answers absent, in another account or region too', async () => {
      const accountId = fresh();
      const one = meeting(accountId);
      const read = await within(async ({ meetings }) => {
        await meetings.add(one);
        return [
          await meetings.remove(BOB, one.region, one.meetingId),
          await meetings.remove(accountId, 'eu-central-1', one.meetingId),
          await meetings.remove(accountId, one.region, one.meetingId),
          await meetings.remove(accountId, one.region, one.meetingId),
        ];
      });
      assert.deepEqual(read, ['absent', 'absent', 'removed', 'absent']);
    });

    test('meetings: end, tags and transcription change on their own', async () => {
      const accountId = fresh();
      const one = meeting(accountId);
      const tags = [{ key: 'k', value: 'v' }];
      const read = await within(async ({ meetings }) => {
        await meetings.add(one);
        await meetings.setTags(one.meetingId, tags);
        await meetings.setTranscription(one.meetingId, '{}');
        const transcribed = (await meetings.transcribed(accountId, NOON, 5)).map(({ meetingId }) => meetingId);
        const ends = [await meetings.endAt(one.meetingId, instant(NOON + 5000)), await meetings.endAt('no such meeting', NOON)];
        const changed = await meetings.get(accountId, one.region, one.meetingId, instant(NOON + 4000));
        await meetings.setTranscription(one.meetingId, undefined);
        return { transcribed, ends, changed, left: await meetings.transcribed(accountId, NOON, 5) };
      });
      assert.deepEqual(read, {
        transcribed: [one.meetingId],
        ends: ['changed', 'absent'],
        changed: { ...one, endsAt: NOON + 5000, tags, transcription: '{}' },
        left: [],
      });
    });

    test('meetings: an attendee is read back by id and by external user id, and one of each is enough', async () => {
      const { meetingId } = meeting(fresh());
      const one = attendee(meetingId, 'a');
      const read = await within(async ({ meetings }) => [
        await meetings.addAttendee(one),
        await meetings.addAttendee(attendee(meetingId, 'a', { externalUserId: 'other' })),
        await meetings.addAttendee(attendee(meetingId, 'b', { externalUserId: one.externalUserId })),
        await meetings.addAttendee(attendee('another meeting', 'a')),
        await meetings.getAttendee(meetingId, 'a'),
        await meetings.getAttendee(meetingId, 'b'),
        await meetings.getAttendeeByExternalUserId(meetingId, one.externalUserId),
        await meetings.countAttendees(meetingId),
      ]);
      assert.deepEqual(read, ['added', 'exists', 'exists', 'added', one, undefined, one, 1]);
    });

    test('meetings: attendees are listed in the order of ids, changed and removed', async () => {
      const { meetingId } = meeting(fresh());
      const capabilities = { audio: 'None', video: 'None', content: 'Receive' };
      const read = await within(async ({ meetings }) => {
        for (const id of ['c', 'a', 'B', 'd']) await meetings.addAttendee(attendee(meetingId, id));
        const ids = async (limit: number, after?: string) =>
          (await meetings.listAttendees(meetingId, limit, after)).map(({ attendeeId }) => attendeeId);
        return [
          await ids(9),
          await ids(2, 'a'),
          await meetings.setCapabilities(meetingId, 'a', capabilities),
          await meetings.setCapabilities(meetingId, 'z', capabilities),
          (await meetings.getAttendee(meetingId, 'a'))?.capabilities,
          await meetings.removeAttendee(meetingId, 'a'),
          await meetings.removeAttendee(meetingId, 'a'),
        ];
      });
      assert.deepEqual(read, [['B', 'a', 'c', 'd'], ['c', 'd'], 'changed', 'absent', capabilities, 'removed', 'absent']);
    });
  });
}
