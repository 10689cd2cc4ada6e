import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type LicensedGroupRecord, licensedGroups } from './licensed-groups.ts';

const group = (chimeAccountId: string, groupName: string, more: Partial<LicensedGroupRecord> = {}): LicensedGroupRecord => ({
  ...{ chimeAccountId, groupName, groupId: `id of ${groupName}`, license: 'Pro' },
  ...more,
});

export function conformance({ within, fresh }: Suite): void {
  describe('chime licensed groups', () => {
    test('licensed groups: a group is found by name and ID, listed by name, reported once, replaced and deleted', async () => {
      const [here, there] = [fresh(), fresh()];
      const [a, b] = [group(here, 'A'), group(here, 'B')];
      const read = await within(async (tx) => {
        const repository = tx.of(licensedGroups);
        for (const each of [b, a, group(there, 'A')]) await repository.put(each);
        await repository.put({ ...b, license: 'Basic' });
        await repository.report(here, ['A', 'unknown'], NOON);
        await repository.report(here, ['A'], (NOON + 1) as typeof NOON);
        await repository.report(here, [], NOON);
        const found = [
          await repository.get(here, 'A'),
          ...(await repository.named(here, ['B', 'unknown'])),
          ...(await repository.withIds(here, [b.groupId, 'unknown'])),
          ...(await repository.named(here, [])),
          ...(await repository.withIds(here, [])),
        ];
        const lists = [await repository.list(here, 1), await repository.list(here, 9, 'A')];
        const counts = [await repository.count(here)];
        await repository.remove(here, 'B');
        counts.push(await repository.count(here));
        await repository.removeOf(here);
        counts.push(await repository.count(here), await repository.count(there));
        return { found, lists, counts };
      });
      const [reported, basic] = [
        { ...a, reportedAt: NOON },
        { ...b, license: 'Basic' },
      ];
      assert.deepEqual(read, { found: [reported, basic, basic], lists: [[reported], [basic]], counts: [2, 1, 0, 1] });
    });
  });
}
