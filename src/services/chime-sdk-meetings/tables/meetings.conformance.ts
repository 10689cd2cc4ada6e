import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { BOB, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { attendees } from './attendees.ts';
import { type MeetingRecord, meetings } from './meetings.ts';

/** Returns a function that creates meetings with new IDs. `more` replaces the default values of columns. */
function newMeetings() {
  let created = 0;
  return (accountId: AccountId, more: Partial<MeetingRecord> = {}): MeetingRecord => ({
    accountId,
    region: 'us-east-1',
    meetingId: `m-${++created}`,
    createdAt: NOON,
    endsAt: instant(NOON + 1000),
    document: '{}',
    tags: [],
    ...more,
  });
}

export function conformance({ within, fresh }: Suite): void {
  const meeting = newMeetings();
  describe('meetings', () => {
    test('meetings: get returns a meeting as added, in its account and region, until it ends', async () => {
      const accountId = fresh();
      const full = meeting(accountId, { tags: [{ key: 'k', value: 'v' }], transcription: '{"a":1}' });
      const { meetingId, region, endsAt } = full;
      const read = await within(async (tx) => {
        await tx.of(meetings).add(full);
        return [
          await tx.of(meetings).get(accountId, region, meetingId, NOON),
          await tx.of(meetings).get(accountId, region, meetingId, endsAt),
          await tx.of(meetings).get(BOB, region, meetingId, NOON),
          await tx.of(meetings).get(accountId, 'eu-central-1', meetingId, NOON),
          await tx.of(meetings).getInAnyRegion(accountId, meetingId, NOON),
          await tx.of(meetings).getInAnyRegion(BOB, meetingId, NOON),
        ];
      });
      assert.deepEqual(read, [full, undefined, undefined, undefined, full, undefined]);
    });

    test('meetings: count returns the number of meetings that have not ended, at most the limit', async () => {
      const accountId = fresh();
      const counts = await within(async (tx) => {
        for (const endsAt of [1, 2, 3, 4]) await tx.of(meetings).add(meeting(accountId, { endsAt: instant(NOON + endsAt) }));
        const at = (now: number, most: number) => tx.of(meetings).count(accountId, 'us-east-1', now as Instant, most);
        return [await at(NOON, 10), await at(NOON + 2, 10), await at(NOON, 3), await at(NOON + 4, 3)];
      });
      assert.deepEqual(counts, [4, 2, 3, 0]);
    });

    test('meetings: removeEnded deletes ended meetings with their attendees, earliest end first', async () => {
      const accountId = fresh();
      const [first, second] = [meeting(accountId, { endsAt: 1 as Instant }), meeting(accountId, { endsAt: 2 as Instant })];
      const media = { audio: 'SendReceive', video: 'Send', content: 'None' };
      const attendee = { meetingId: first.meetingId, attendeeId: 'a', externalUserId: 'ada', createdAt: NOON, ...media };
      const read = await within(async (tx) => {
        await tx.of(meetings).add(second);
        await tx.of(meetings).add(first);
        await tx.of(attendees).add(attendee);
        return [
          await tx.of(meetings).removeEnded(2 as Instant, 1),
          await tx.of(attendees).count(first.meetingId),
          await tx.of(meetings).removeEnded(2 as Instant, 9),
        ];
      });
      assert.deepEqual(read, [[first], 0, [second]]);
    });

    test('meetings: remove returns `absent` for an unknown meeting and for another account or region', async () => {
      const accountId = fresh();
      const one = meeting(accountId);
      const read = await within(async (tx) => {
        await tx.of(meetings).add(one);
        return [
          await tx.of(meetings).remove(BOB, one.region, one.meetingId),
          await tx.of(meetings).remove(accountId, 'eu-central-1', one.meetingId),
          await tx.of(meetings).remove(accountId, one.region, one.meetingId),
          await tx.of(meetings).remove(accountId, one.region, one.meetingId),
        ];
      });
      assert.deepEqual(read, ['absent', 'absent', 'removed', 'absent']);
    });

    test('meetings: the end, the tags and the transcription of a meeting change independently', async () => {
      const accountId = fresh();
      const one = meeting(accountId);
      const tags = [{ key: 'k', value: 'v' }];
      const read = await within(async (tx) => {
        await tx.of(meetings).add(one);
        await tx.of(meetings).setTags(one.meetingId, tags);
        await tx.of(meetings).setTranscription(one.meetingId, '{}');
        const transcribed = (await tx.of(meetings).transcribed(accountId, NOON, 5)).map(({ meetingId }) => meetingId);
        const ends = [
          await tx.of(meetings).endAt(one.meetingId, instant(NOON + 5000)),
          await tx.of(meetings).endAt('no such meeting', NOON),
        ];
        const changed = await tx.of(meetings).get(accountId, one.region, one.meetingId, instant(NOON + 4000));
        await tx.of(meetings).setTranscription(one.meetingId, undefined);
        return { transcribed, ends, changed, left: await tx.of(meetings).transcribed(accountId, NOON, 5) };
      });
      assert.deepEqual(read, {
        transcribed: [one.meetingId],
        ends: ['changed', 'absent'],
        changed: { ...one, endsAt: NOON + 5000, tags, transcription: '{}' },
        left: [],
      });
    });
  });
}
