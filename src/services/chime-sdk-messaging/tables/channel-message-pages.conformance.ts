import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { ALL_MEMBERS, channelMessages } from './channel-messages.ts';
import { channel, message } from './conformance-fixtures.ts';

/** Compares the pages of a list with a filter of all messages in memory. */
export function conformance({ within, fresh }: Suite): void {
  test('channel messages: the pages of a list are the visible messages of its range, in order', async () => {
    const People = fc.constantFrom('user/ada', 'user/bob', 'user/eve');
    const Sent = fc.record({ sender: People, audience: fc.oneof(fc.constantFrom(ALL_MEMBERS, ''), People) });
    const Time = fc.integer({ min: -1, max: 16 });
    const List = fc.record({
      ...{ reader: People, order: fc.constantFrom('ASCENDING' as const, 'DESCENDING' as const), from: Time, to: Time },
      size: fc.integer({ min: 1, max: 5 }),
    });
    const property = fc.asyncProperty(fc.array(Sent, { maxLength: 16 }), fc.array(List, { minLength: 1, maxLength: 6 }), (sent, lists) =>
      within(async (tx) => {
        const here = channel(fresh(), 'a');
        const { channelKey } = here;
        const repository = tx.of(channelMessages);
        for (const [i, each] of sent.entries()) await repository.add(message(here, `m${i}`, { ...each, createdAt: instant(NOON + i) }));
        for (const { reader, order, from, to, size } of lists) {
          const visible = sent.flatMap(({ sender, audience }, i) =>
            i >= from && i <= to && (audience === ALL_MEMBERS || audience === reader || sender === reader) ? [`m${i}`] : [],
          );
          const range = { channelKey, subChannelId: '', reader, notBefore: instant(NOON + from), notAfter: instant(NOON + to), order };
          const found: string[] = [];
          for (let page = await repository.list(range, size); page.length > 0; page = await repository.list(range, size, page.at(-1)))
            found.push(...page.map(({ messageId }) => messageId));
          assert.deepEqual(found, order === 'ASCENDING' ? visible : visible.toReversed());
        }
      }),
    );
    await fc.assert(property, { numRuns: 25 });
  });
}
