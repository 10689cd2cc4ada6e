import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_ACCOUNT } from '#core/arn.ts';
import type { Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { boundUnproven } from './unproven-summaries.ts';

/**
 * Creates a limit of one record per minute for requests without a proven identity. The clock advances only in calls of
 * `at`.
 */
async function bound() {
  const store = await openSqlite(':memory:');
  let nowMs = 0;
  const timers: { readonly at: number; readonly fn: () => void }[] = [];
  const clock = {
    monotonic: () => nowMs,
    wall: () => instant(nowMs),
    after(milliseconds: number, fn: () => void) {
      const timer = { at: nowMs + milliseconds, fn };
      timers.push(timer);
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
    },
  };
  const { unproven, part } = boundUnproven({
    store,
    region: 'us-east-1',
    recordsPerMinute: 1,
    clock,
    newId: () => `e${nowMs}`,
    report: (line) => assert.fail(line),
  });
  return {
    unproven,
    part,
    /** Advances the clock to a time in milliseconds. Runs the timers that are due. Returns the times of the stored summaries. */
    async at(time: number): Promise<readonly number[]> {
      for (let due = timers.find(({ at }) => at <= time); due !== undefined; due = timers.find(({ at }) => at <= time)) {
        nowMs = due.at;
        timers.splice(timers.indexOf(due), 1);
        due.fn();
        // Transactions run in order. When this one ends, the transaction that stores the summary has also ended.
        await store.transaction((tx) => tx.meta.get('none'));
        await new Promise((resolve) => setImmediate(resolve));
      }
      nowMs = time;
      const { rows } = await store.transaction((tx) => tx.trail.since(0, 100));
      return rows.map(({ eventId }) => Number(eventId.slice(1)));
    },
  };
}

const request: Received = {
  requestId: 'r',
  receivedAt: instant(0),
  method: 'GET',
  target: '/',
  rawHeaders: [],
  body: new Uint8Array(),
  sourceIp: '192.0.2.7',
};

test('Unproven summaries: in a flood, the first summary is stored after 1 s and the next one 60 s later', async () => {
  const { unproven, at } = await bound();
  const omit = (time: number) => {
    for (let i = 0; i < 3; i++) unproven.admit({ ...request }, NO_ACCOUNT, instant(time));
  };
  omit(0);
  assert.deepEqual(await at(999), []);
  assert.deepEqual(await at(1_000), [1_000]);
  omit(1_001);
  assert.deepEqual(await at(60_999), [1_000]);
  assert.deepEqual(await at(61_000), [1_000, 61_000]);
});

test('Unproven summaries: the first summary of a second flood of requests is stored after 1 s, as in the first flood', async () => {
  const { unproven, at } = await bound();
  const omit = (time: number) => {
    for (let i = 0; i < 3; i++) unproven.admit({ ...request }, NO_ACCOUNT, instant(time));
  };
  omit(0);
  // No request was omitted in the minute after the summary, so the timer that is due at 61,000 ms stores nothing.
  assert.deepEqual(await at(61_500), [1_000]);
  omit(61_500);
  assert.deepEqual(await at(62_500), [1_000, 62_500]);
});
