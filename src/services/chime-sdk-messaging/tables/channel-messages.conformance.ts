import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import type { Sql, SqlValue } from '#store/sql.ts';
import { countOf } from '#store/table.ts';
import { channelMessages, type MessageRange } from './channel-messages.ts';
import { channel, message } from './conformance-fixtures.ts';

/**
 * Query that counts the messages of a sub-channel between two times. The tests pass the times that `list` passed to its
 * own query.
 */
const COUNT_BETWEEN = `
  SELECT COUNT(*) AS count FROM channel_message
  WHERE channel_key = $1 AND sub_channel_id = $2 AND created_at_ms >= $3 AND created_at_ms <= $4`;

export function conformance({ within, fresh }: Suite): void {
  describe('channel messages', () => {
    test('channel messages: get returns a message as added; put replaces its document; remove deletes it', async () => {
      const here = channel(fresh(), 'a');
      const full = message(here, 'm', { audience: 'user/bob' });
      const read = await within(async (tx) => {
        const kept = await tx.of(channelMessages).add(full);
        const found = [await tx.of(channelMessages).get(here.channelKey, '', 'm'), await tx.of(channelMessages).get('another', '', 'm')];
        await tx.of(channelMessages).put({ ...full, document: '{}' });
        const changed = await tx.of(channelMessages).get(here.channelKey, '', 'm');
        await tx.of(channelMessages).remove(full);
        return [kept, ...found, changed, await tx.of(channelMessages).get(here.channelKey, '', 'm')];
      });
      assert.deepEqual(read, [full, full, undefined, { ...full, document: '{}' }, undefined]);
    });

    test('channel messages: messages that are added with the same time get different, ascending times', async () => {
      const here = channel(fresh(), 'a');
      const times = await within(async (tx) => {
        const kept: number[] = [];
        for (const [id, at] of [
          ['z', NOON],
          ['y', NOON],
          ['x', NOON - 5],
          ['w', NOON + 9],
        ] as const) {
          kept.push((await tx.of(channelMessages).add(message(here, id, { createdAt: instant(at) }))).createdAt - NOON);
        }
        return kept;
      });
      assert.deepEqual(times, [0, 1, 2, 9]);
    });

    // biome-ignore format: a table
    for (const [title, order, after, rows] of [
      ['the last page in descending order',    'DESCENDING', 3,   4],
      ['the last page in ascending order',     'ASCENDING',  56,  4],
    ] as const) {
      test(`channel messages: ${title} reads only its own rows and one earlier row`, async () => {
        const here = channel(fresh(), 'a');
        const place = { createdAt: instant(NOON + after), messageId: `m${after}` };
        const range = { channelKey: here.channelKey, subChannelId: '', reader: 'user/bob', notBefore: NOON, notAfter: instant(NOON + 59), order };
        const read = await within(async (tx) => {
          for (let i = 0; i < 60; i++) await tx.of(channelMessages).add(message(here, `m${i}`, { createdAt: instant(NOON + i) }));
          let used: readonly SqlValue[] = [];
          const noting: Sql = {
            ...tx.sql,
            rows(query, values = []) {
              used = values;
              return tx.sql.rows(query, values);
            },
          };
          const page = await channelMessages(noting).list(range, 10, place);
          return [page.length, await countOf(tx.sql, COUNT_BETWEEN, used.slice(0, 4))];
        });
        assert.deepEqual(read, [rows - 1, rows]);
      });
    }

    test('channel messages: list returns the visible messages of a time range, ascending or descending', async () => {
      const here = channel(fresh(), 'a');
      const range: MessageRange = {
        channelKey: here.channelKey,
        subChannelId: '',
        reader: 'user/bob',
        notBefore: NOON,
        notAfter: instant(NOON + 100),
        order: 'ASCENDING',
      };
      const read = await within(async (tx) => {
        for (const [id, at, more] of [
          ['1', 0, {}],
          ['2', 10, { audience: 'user/bob' }],
          ['3', 20, { audience: 'user/carol' }],
          ['4', 30, { audience: '', sender: 'user/bob' }],
          ['5', 40, {}],
        ] as const) {
          await tx.of(channelMessages).add(message(here, id, { createdAt: instant(NOON + at), ...more }));
        }
        const list = async (more: Partial<MessageRange>, limit: number, at?: number, messageId = '') =>
          (
            await tx
              .of(channelMessages)
              .list({ ...range, ...more }, limit, at === undefined ? undefined : { createdAt: instant(NOON + at), messageId })
          ).map((each) => each.messageId);
        return [
          await list({}, 9),
          await list({}, 2, 10, '2'),
          await list({ order: 'DESCENDING' }, 9),
          await list({ order: 'DESCENDING' }, 1, 30, '4'),
          await list({ notBefore: instant(NOON + 10), notAfter: instant(NOON + 30) }, 9),
          await list({ reader: 'user/dora' }, 9),
          await list({ subChannelId: 's' }, 9),
        ];
      });
      assert.deepEqual(read, [['1', '2', '4', '5'], ['4', '5'], ['5', '4', '2', '1'], ['2'], ['2', '4'], ['1', '5'], []]);
    });

    test('channel messages: removeBefore deletes at most `limit` messages that are older than `before`', async () => {
      const here = channel(fresh(), 'a');
      const read = await within(async (tx) => {
        for (const at of [0, 1, 2, 3, 4]) {
          const more = at % 2 === 1 ? { audience: 'user/bob' } : {};
          await tx.of(channelMessages).add(message(here, String(at), { createdAt: instant(NOON + at), ...more }));
        }
        const removed = async (limit: number) => tx.of(channelMessages).removeBefore(here.channelKey, '', instant(NOON + 4), limit);
        return [
          await removed(2),
          await removed(9),
          await removed(9),
          (await tx.of(channelMessages).get(here.channelKey, '', '4'))?.messageId,
        ];
      });
      assert.deepEqual(read, [2, 2, 0, '4']);
    });
  });
}
