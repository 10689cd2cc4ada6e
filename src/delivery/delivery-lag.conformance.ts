import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trails } from '#services/cloudtrail/tables/trails.ts';
import { NOON, type Suite, trailRow } from '#store/conformance-fixtures.ts';
import { timeOf } from '#store/engine/position.ts';
import { oldestUndelivered } from './delivery-lag.ts';

const configuration = {
  S3BucketName: 'logs',
  IncludeGlobalServiceEvents: true,
  IsMultiRegionTrail: false,
  LogFileValidationEnabled: false,
  IsOrganizationTrail: false,
};

export function conformance({ within, fresh }: Suite): void {
  test('oldestUndelivered: returns the time of the first record after the position of the pending trail that is behind all others', async () => {
    const accountId = fresh();
    const row = trailRow(`lag-${accountId}`, NOON, { accountId });
    await within((tx) => tx.trail.append(row));
    const last = await within(({ sql }) => sql.row<{ readonly position: number }>('SELECT MAX(position) AS position FROM trail_pack'));
    const position = last?.position as number;
    // Other suites have trails too. The transaction is rolled back.
    const read: unknown[] = [];
    const work = within(async (tx) => {
      read.length = 0;
      await tx.sql.run('UPDATE cloudtrail_trail SET pending = 0', []);
      read.push(await tx.of(oldestUndelivered));
      const facts = {
        selectsData: false,
        customSelectors: false,
        insights: false,
        createdAt: NOON,
        logging: true,
        pending: true,
        logsPending: false,
        periods: [],
      };
      for (const [name, deliveredPosition] of [
        ['behind', position - 1],
        ['ahead', position],
      ] as const) {
        const trail = {
          trailId: `${name} ${accountId}`,
          accountId,
          homeRegion: 'us-east-1',
          name,
          configuration,
          ...facts,
          deliveredPosition,
        };
        await tx.of(trails).add(trail, { tags: [] });
      }
      read.push(await oldestUndelivered(tx.sql));
      await tx.sql.run('UPDATE cloudtrail_trail SET pending = 0 WHERE name = $1', ['behind']);
      read.push(await oldestUndelivered(tx.sql));
      throw new Error('rolled back');
    });
    await assert.rejects(work, /rolled back/);
    assert.deepEqual(read, [undefined, timeOf(position), undefined]);
  });
}
