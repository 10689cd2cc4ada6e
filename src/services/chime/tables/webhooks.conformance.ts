import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { ALICE, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type WebhookRecord, webhooks } from './webhooks.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('chime webhooks', () => {
    test('webhooks: the newest of a bot in a room remain, and a removed bot, a removed room and time end them', async () => {
      const [bot, other, room, hall] = [fresh(), fresh(), fresh(), fresh()];
      const webhook = (id: string, botId: string, roomId: string, createdAt: number, expiresAt?: number): WebhookRecord =>
        omitUndefined({
          ...{ webhookId: `${room} ${id}`, digest: `digest of ${id}`, accountId: ALICE, chimeAccountId: 'c', roomId, botId },
          ...{ type: expiresAt === undefined ? ('Persistent' as const) : ('ShortLived' as const), createdAt: instant(createdAt) },
          expiresAt: expiresAt === undefined ? undefined : instant(expiresAt),
        });
      const all = [
        webhook('old', bot, room, 1),
        webhook('new', bot, room, 2),
        webhook('short', bot, room, 3, NOON),
        webhook('hall', bot, hall, 1),
        webhook('other', other, room, 1),
        webhook('later', other, hall, 1, NOON + 1),
      ];
      const read = await within(async (tx) => {
        const repository = tx.of(webhooks);
        for (const each of all) await repository.add(each);
        await repository.setUsed(all[1] as WebhookRecord, NOON);
        const used = await repository.get(`${room} new`);
        const present = async () => {
          const found: string[] = [];
          for (const { webhookId } of all)
            if ((await repository.get(webhookId)) !== undefined) found.push(webhookId.slice(room.length + 1));
          return found.join(' ');
        };
        await repository.keepNewest({ botId: bot, roomId: room, type: 'Persistent' }, 1);
        const steps = [await present()];
        await repository.removeExpired(NOON, 100);
        steps.push(await present());
        await repository.removeBot(bot, room);
        steps.push(await present());
        await repository.removeBot(bot);
        steps.push(await present());
        await repository.removeRoom(room);
        steps.push(await present());
        await repository.removeRoom(hall);
        return { used, steps };
      });
      assert.deepEqual(read, {
        used: { ...all[1], usedAt: NOON },
        steps: ['new short hall other later', 'new hall other later', 'hall other later', 'other later', 'later'],
      });
    });
  });
}
