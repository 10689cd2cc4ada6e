import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instant, instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { emitterOf, subscription } from './events.ts';

type RoomEvent = { readonly type: 'RoomOpened'; readonly name: string } | { readonly type: 'RoomClosed'; readonly at: Instant };
const TX = {} as Tx;
const CONTEXT = { tx: TX, now: instant(7), newId: () => 'id' };

test("emit: subscribers run in the order of the list, with the emitter's transaction and time", async () => {
  const heard: string[] = [];
  const first = subscription<RoomEvent>()(['RoomOpened'], async ({ tx, now }, { name }) => {
    assert.deepEqual([tx === TX, now], [true, 7]);
    heard.push(`first ${name}`);
  });
  const second = subscription<RoomEvent>()(['RoomOpened', 'RoomClosed'], async (_, { type }) => void heard.push(`second ${type}`));
  const work = emitterOf([first, second])(CONTEXT);
  await work.emit<RoomEvent>({ type: 'RoomOpened', name: 'a' });
  await work.emit<RoomEvent>({ type: 'RoomClosed', at: instant(1) });
  assert.deepEqual(heard, ['first a', 'second RoomOpened', 'second RoomClosed']);
});

test('emit: an event without a subscriber does nothing', async () => {
  await emitterOf([])(CONTEXT).emit<RoomEvent>({ type: 'RoomOpened', name: 'a' });
});

test('emit: a subscriber can emit further events', async () => {
  const closed: Instant[] = [];
  const close = subscription<RoomEvent>()(['RoomOpened'], (work) => work.emit<RoomEvent>({ type: 'RoomClosed', at: work.now }));
  const note = subscription<RoomEvent>()(['RoomClosed'], async (_, { at }) => void closed.push(at));
  await emitterOf([close, note])(CONTEXT).emit<RoomEvent>({ type: 'RoomOpened', name: 'a' });
  assert.deepEqual(closed, [7]);
});

test('emit: if a subscriber throws, emit rejects with the same error', async () => {
  const failing = subscription<RoomEvent>()(['RoomOpened'], async () => {
    throw new Error('the room is on fire');
  });
  await assert.rejects(emitterOf([failing])(CONTEXT).emit<RoomEvent>({ type: 'RoomOpened', name: 'a' }), /on fire/);
});
