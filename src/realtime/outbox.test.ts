import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newOutbox } from './outbox.ts';
import { CLOSINGS, type SocketOrder } from './protocol.ts';
import type { Session } from './sessions.ts';

/**
 * Returns an outbox with three connected sessions. A test adds to `marked` the sessions that must be authorized again
 * before they receive frames.
 */
function open() {
  const batches: SocketOrder[][] = [];
  const sessions = [1, 2, 3].map((socket) => ({ socket }) as Session) as [Session, Session, Session];
  const connected = new Set<Session>(sessions);
  const marked = new Set<Session>();
  const outbox = newOutbox({
    sessions: { has: (session) => connected.has(session) },
    isMarked: (session) => marked.has(session),
    follow: (orders) => batches.push([...orders]),
  });
  return { outbox, batches, sessions, connected, marked };
}

const sent = (send: readonly string[], ...to: readonly number[]): SocketOrder => ({ send, to: Uint32Array.from(to) });

test('Outbox: consecutive frames with the same recipients are one order, and one batch has all orders', () => {
  const { outbox, batches, sessions } = open();
  const [one, two] = sessions;
  const both = [one, two];
  outbox.send([
    { frame: 'a', to: both },
    { frame: 'b', to: both },
    { frame: 'c', to: [one] },
    { frame: 'd', to: both },
  ]);
  assert.deepEqual(batches, [[sent(['a', 'b'], 1, 2), sent(['c'], 1), sent(['d'], 1, 2)]]);
});

test('Outbox: closed sessions receive nothing, and frames without recipients cause no batch', () => {
  const { outbox, batches, sessions, connected } = open();
  connected.delete(sessions[0]);
  outbox.send([{ frame: 'a', to: sessions }]);
  outbox.send([{ frame: 'b', to: [sessions[0]] }]);
  outbox.send([]);
  assert.deepEqual(batches, [[sent(['a'], 2, 3)]]);
});

test('Outbox: frames for a marked session wait for its release, other frames are sent immediately', () => {
  const { outbox, batches, sessions, marked } = open();
  const [one, two, three] = sessions;
  marked.add(one).add(two);
  outbox.send([
    { frame: 'a', to: sessions },
    { frame: 'b', to: [one] },
  ]);
  outbox.send([{ frame: 'c', to: [two, one] }]);
  assert.deepEqual([batches, [...outbox.waiting()]], [[[sent(['a'], 3)]], [one, two]]);
  marked.clear();
  outbox.release([two, one, three]);
  assert.deepEqual(batches[1], [sent(['a'], 2, 1), sent(['b'], 1), sent(['c'], 2, 1)]);
  assert.deepEqual([...outbox.waiting()], []);
});

test('Outbox: a marked session that is closed before its release receives nothing', () => {
  const { outbox, batches, sessions, marked } = open();
  const [one, two] = sessions;
  marked.add(one).add(two);
  outbox.send([{ frame: 'a', to: sessions }]);
  outbox.close([one], CLOSINGS.withdrawn);
  outbox.forget(two);
  marked.clear();
  outbox.release([one, two]);
  assert.deepEqual(batches.slice(1), [[{ close: CLOSINGS.withdrawn, to: [1] }]]);
});

test('Outbox: `send()` returns a session with more than 1 MiB of withheld frames', () => {
  const { outbox, sessions, marked } = open();
  marked.add(sessions[0]);
  const half = 'x'.repeat(512 * 1024);
  const results = [half, half, 'x'].map((frame) => outbox.send([{ frame, to: sessions }]));
  assert.deepEqual(results, [[], [], [sessions[0]]]);
});
