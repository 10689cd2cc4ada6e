import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ALICE, type Suite } from '#store/conformance-fixtures.ts';
import { type DataExportRecord, dataExports } from './data-exports.ts';

const dataExport = (chimeAccountId: string, name: string, createdAt: number): DataExportRecord => ({
  ...{ chimeAccountId, exportId: `${chimeAccountId} ${name}`, accountId: ALICE, bucket: 'records', status: 'InProgress' },
  ...{ createdAt: instant(createdAt), claimedUntil: instant(0), revision: 0, progress: { cursor: { part: 'account' }, parts: {} } },
});

export function conformance({ within, fresh }: Suite): void {
  describe('chime data exports', () => {
    test('data exports: the oldest one that is not claimed is due, and only its newest revision can be changed', async () => {
      const [here, there] = [fresh(), fresh()];
      const [first, next] = [dataExport(here, 'a', 1), dataExport(here, 'b', 2)];
      const other: DataExportRecord = { ...dataExport(there, 'a', 1), status: 'Completed', endedAt: instant(2), userId: 'u' };
      const claimed = { ...first, claimedUntil: instant(50), progress: { cursor: { part: 'users' as const }, parts: {} } };
      const read = await within(async (tx) => {
        const repository = tx.of(dataExports);
        for (const each of [first, next, other]) await repository.add(each);
        const before = { createdAt: instant(0), exportId: '' };
        const due = [await repository.due(instant(9), before)];
        const changed = [await repository.change(claimed), await repository.change(claimed), await repository.change(other)];
        due.push(await repository.due(instant(49), before), await repository.due(instant(50), before));
        const ended: DataExportRecord = { ...claimed, revision: 1, status: 'Failed', failure: 'TimedOut', endedAt: instant(60) };
        changed.push(await repository.change(ended), await repository.change({ ...ended, revision: 2 }));
        const lists = [await repository.list(here, 1), await repository.list(here, 9, next), await repository.list(there, 9)];
        const counts = [
          await repository.count(here, instant(0)),
          await repository.count(here, instant(2)),
          await repository.count(there, instant(0)),
        ];
        await repository.removeBefore(here, instant(2));
        lists.push(await repository.list(here, 9));
        return { due: due.filter((each) => each === undefined || each.chimeAccountId === here), changed, lists, counts };
      });
      const after = { ...claimed, revision: 1 };
      const failed = { ...after, revision: 2, status: 'Failed', failure: 'TimedOut', endedAt: instant(60) };
      assert.deepEqual(read.due, [first, next, after]);
      assert.deepEqual(read.changed, [after, undefined, undefined, failed, undefined]);
      assert.deepEqual(read.lists, [[next], [failed], [other], [next]]);
      assert.deepEqual(
        read.counts.map(({ inProgress, ofAccount, ofUsers }) => [inProgress, ofAccount, ofUsers]),
        [
          [1, 1, 0],
          [0, 0, 0],
          [0, 0, 1],
        ],
      );
    });
  });
}
