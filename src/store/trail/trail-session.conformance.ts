import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '../conformance-fixtures.ts';
import { trailSessions } from './trail-session.ts';

export function conformance({ within }: Suite): void {
  test('trail sessions: note() stores a session once', async () => {
    const session = { id: 'once', facts: '{}', expiresAt: instant(NOON + 100 * HOUR_MS) };
    const read = await within(async (tx) => {
      const sessions = tx.of(trailSessions);
      await sessions.note(session);
      await sessions.note({ ...session, facts: 'other' });
      return [await sessions.get('once'), await sessions.get('absent')];
    });
    assert.deepEqual(read, [session, undefined]);
  });

  test('trail sessions: forgetBefore() deletes at most `limit` sessions that ended before all remaining records', async () => {
    const endings = [-3, -2, -1, 0, 1];
    const counts = await within(async (tx) => {
      const sessions = tx.of(trailSessions);
      for (const hours of endings) await sessions.note({ id: `end ${hours}`, facts: '{}', expiresAt: instant(NOON + hours * HOUR_MS) });
      return [await sessions.forgetBefore(NOON, 2), await sessions.forgetBefore(NOON, 2), await sessions.forgetBefore(NOON, 2)];
    });
    assert.deepEqual(counts, [2, 1, 0]);
    const left = await within((tx) => Promise.all(endings.map((hours) => tx.of(trailSessions).get(`end ${hours}`))));
    // The session that ended at noon can still be in a record of the following minutes.
    assert.deepEqual(
      left.map((each) => each?.id),
      [undefined, undefined, undefined, 'end 0', 'end 1'],
    );
  });
}
