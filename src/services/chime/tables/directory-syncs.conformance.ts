import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ALICE, type Suite } from '#store/conformance-fixtures.ts';
import { directorySyncs } from './directory-syncs.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('chime directory syncs', () => {
    test('directory syncs: those that are due are returned in the order of their time, and a restart forgets the turn', async () => {
      const here = fresh();
      const sync = (id: string, dueAt: number) => ({ chimeAccountId: `${here} ${id}`, accountId: ALICE, dueAt: instant(dueAt) });
      const read = await within(async (tx) => {
        const syncs = tx.of(directorySyncs);
        const due = async (now: number) =>
          (await syncs.due(instant(now), 1_000))
            .filter(({ chimeAccountId }) => chimeAccountId.startsWith(here))
            .map(({ chimeAccountId }) => chimeAccountId.slice(here.length + 1))
            .join(' ');
        for (const each of [sync('a', 5), sync('b', 3), sync('c', 9)]) await syncs.put(each);
        const steps = [await due(2), await due(5)];
        const taken = { ...sync('a', 20), turnId: 't', afterUserId: 'u', syncedAt: instant(4), problem: 'p' };
        await syncs.put(taken);
        const kept = await syncs.get(taken.chimeAccountId);
        steps.push(await due(10));
        await syncs.restart(taken.chimeAccountId, instant(1));
        await syncs.restart(`${here} unknown`, instant(1));
        await syncs.remove(`${here} c`);
        steps.push(await due(10));
        return { steps, kept: kept?.turnId, after: await syncs.get(taken.chimeAccountId) };
      });
      assert.deepEqual(read, {
        steps: ['', 'b a', 'b c', 'a b'],
        kept: 't',
        after: { ...sync('a', 1), syncedAt: instant(4), problem: 'p' },
      });
    });
  });
}
