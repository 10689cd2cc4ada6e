import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { Suite } from '#store/conformance-fixtures.ts';
import { type PolicyGenerationRecord, policyGenerations } from './policy-generations.ts';

export function conformance({ within, fresh }: Suite): void {
  const job = (accountId: ReturnType<typeof fresh>, name: string, startedAt: number, more: object = {}): PolicyGenerationRecord => ({
    ...{ accountId, region: 'us-east-1', jobId: `${accountId} ${name}`, principalArn: `arn:aws:iam::${accountId}:user/ada` },
    ...{ status: 'IN_PROGRESS', startedAt: instant(startedAt), request: { from: instant(0), to: instant(1) } },
    ...{ revision: 0, claimedUntil: instant(0), ...more },
  });

  describe('policy generations', () => {
    test('policy generations: the oldest job that is not claimed is due, and only its newest revision can be changed', async () => {
      const [here, there] = [fresh(), fresh()];
      const [first, next] = [job(here, 'a', 1), job(here, 'b', 2)];
      const other = job(there, 'a', 1, { status: 'CANCELED', endedAt: instant(2) });
      const claimed = { ...first, claimedUntil: instant(50) };
      const result = { used: [['iam:GetUser', ['*']]] as const, denials: [{ Effect: 'Deny' }], unrecorded: [], isComplete: true };
      const ended: PolicyGenerationRecord = { ...claimed, revision: 1, status: 'SUCCEEDED', endedAt: instant(60), result };
      const read = await within(async (tx) => {
        const jobs = tx.of(policyGenerations);
        for (const each of [first, next, other]) await jobs.add(each);
        const before = { startedAt: instant(0), jobId: '' };
        const due = [await jobs.due(instant(9), before)];
        const changed = [await jobs.change(claimed), await jobs.change(claimed), await jobs.change(other)];
        due.push(await jobs.due(instant(49), before), await jobs.due(instant(50), before), await jobs.due(instant(50), first));
        changed.push(await jobs.change(ended), await jobs.change({ ...ended, revision: 2 }));
        return { due: due.filter((each) => each?.accountId === here), changed, stored: await jobs.get(first) };
      });
      const after = { ...claimed, revision: 1 };
      assert.deepEqual(read.due, [first, next, after, next]);
      assert.deepEqual(read.changed, [after, undefined, undefined, { ...ended, revision: 2 }, undefined]);
      assert.deepEqual(read.stored, { ...ended, revision: 2 });
    });

    test('policy generations: jobs are listed newest first, counted, and deleted by age', async () => {
      const here = fresh();
      const role = `arn:aws:iam::${here}:role/r`;
      const jobs = [
        job(here, 'a', 1),
        job(here, 'b', 2, { principalArn: role }),
        job(here, 'c', 2, { status: 'FAILED', endedAt: instant(3) }),
      ];
      const elsewhere = job(here, 'd', 2, { region: 'eu-west-1' });
      const read = await within(async (tx) => {
        const repository = tx.of(policyGenerations);
        for (const each of [...jobs, elsewhere]) await repository.add(each);
        const list = async (page: object) => (await repository.list(here, 'us-east-1', { limit: 9, ...page })).map(({ jobId }) => jobId);
        const lists = [
          await list({}),
          await list({ limit: 1 }),
          await list({ after: jobs[2] }),
          await list({ principalArn: role }),
          await list({ principalArn: 'arn:other' }),
        ];
        const counts = [await repository.count(here, 'us-east-1', instant(0)), await repository.count(here, 'us-east-1', instant(1))];
        await repository.removeBefore(instant(2), 100);
        return { lists, counts, left: await list({}) };
      });
      const [a, b, c] = jobs.map(({ jobId }) => jobId);
      assert.deepEqual(read.lists, [[c, b, a], [c], [b, a], [b], []]);
      assert.deepEqual(read.counts, [
        { all: 3, inProgress: 2 },
        { all: 2, inProgress: 1 },
      ]);
      assert.deepEqual(read.left, [c, b]);
    });
  });
}
