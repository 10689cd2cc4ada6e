import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { channelEvents } from './channel-events.ts';

export function conformance({ within }: Suite): void {
  describe('channel events', () => {
    const append = (document: string, at = NOON) =>
      within((tx) => tx.of(channelEvents).append({ appInstanceId: 'app', channelId: 'general', document }, at));
    const last = () => within((tx) => tx.of(channelEvents).last());

    test('channel events: `after()` returns events with larger numbers in commit order, up to the limit', async () => {
      const before = await last();
      for (const document of ['"one"', '"two"', '"three"']) await append(document);
      const read = await within((tx) => tx.of(channelEvents).after(before, 2));
      assert.deepEqual(
        read.map(({ number: _, ...event }) => event),
        ['"one"', '"two"'].map((document) => ({ appInstanceId: 'app', channelId: 'general', at: NOON, document })),
      );
      const rest = await within((tx) => tx.of(channelEvents).after(read[1]?.number ?? 0, 2));
      assert.deepEqual([rest.map(({ document }) => document), rest[0]?.number], [['"three"'], await last()]);
    });

    test('channel events: an event of a rolled-back transaction is never read', async () => {
      const before = await last();
      await assert.rejects(
        within(async (tx) => {
          await tx.of(channelEvents).append({ appInstanceId: 'app', channelId: '', document: '"taken back"' }, NOON);
          throw new Error('no');
        }),
      );
      await append('"kept"');
      const read = await within((tx) => tx.of(channelEvents).after(before, 10));
      assert.deepEqual(
        read.map(({ document }) => document),
        ['"kept"'],
      );
    });

    test('channel events: `among()` returns the existing events, even if the list of event numbers is long', async () => {
      const first = await last();
      for (let i = 0; i < 70; i++) await append(String(i));
      const end = await last();
      const numbers = Array.from({ length: end - first + 5 }, (_, i) => first + 1 + i);
      const found = await within((tx) => tx.of(channelEvents).among(numbers));
      assert.deepEqual(
        found.map(({ document }) => document),
        Array.from({ length: 70 }, (_, i) => String(i)),
      );
      assert.deepEqual(await within((tx) => tx.of(channelEvents).among([])), []);
    });

    test('channel events: `forget()` deletes the oldest events, and new events do not reuse their numbers', async () => {
      await within((tx) => tx.of(channelEvents).forget(instant(NOON + 10), 1_000));
      for (const at of [NOON, NOON, instant(NOON + 5)]) await append('"old"', at);
      const newest = await last();
      const forgotten = await within(async (tx) => [
        await tx.of(channelEvents).forget(instant(NOON + 5), 1),
        await tx.of(channelEvents).forget(instant(NOON + 5), 10),
        await tx.of(channelEvents).forget(instant(NOON + 6), 10),
        await tx.of(channelEvents).last(),
      ]);
      assert.deepEqual(forgotten, [1, 1, 1, 0]);
      await append('"new"');
      assert.ok((await last()) > newest);
    });
  });
}
