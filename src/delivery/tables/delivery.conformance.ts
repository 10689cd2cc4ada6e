import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type DeliveredFile, deliveredFiles } from './delivered-files.ts';
import { type DeliveryTarget, deliveryTargets } from './delivery-targets.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('delivery', () => {
    test('delivery targets: a name is bound once, and the list is in the order of names', async () => {
      const folder: DeliveryTarget = { bucket: 'folder', location: { kind: 'folder', path: '/logs' }, createdAt: NOON };
      const service: DeliveryTarget = {
        bucket: 'bucket',
        accountId: '111122223333' as AccountId,
        location: { kind: 's3', endpoint: 'https://s3.example', region: 'eu-west-1', accessKeyId: 'AKIA', allowInternal: true },
        sealedSecret: 'sealed',
        createdAt: NOON,
      };
      await within(async (tx) => {
        const targets = tx.of(deliveryTargets);
        assert.equal(await targets.add(folder), 'added');
        assert.equal(await targets.add(service), 'added');
        assert.equal(await targets.add({ ...folder, location: { kind: 'folder', path: '/other' } }), 'exists');
        assert.deepEqual(await targets.list(), [service, folder]);
        await targets.setSecret('bucket', 'again');
        assert.deepEqual(await targets.get('bucket'), { ...service, sealedSecret: 'again' });
        assert.deepEqual([await targets.remove('folder'), await targets.remove('folder')], ['removed', 'absent']);
        assert.equal(await targets.get('folder'), undefined);
      });
    });

    test('delivered files: a page has the files of one trail, account and region, in the order of keys', async () => {
      const accountId = fresh();
      const file = (key: string, more: Partial<DeliveredFile> = {}): DeliveredFile => {
        const times = { oldest: instant(1), newest: instant(2), deliveredAt: instant(3) };
        return { trailArn: 'trail', accountId, region: 'us-east-1', key, bucket: 'logs', hash: 'abc', ...times, ...more };
      };
      await within(async (tx) => {
        const files = tx.of(deliveredFiles);
        for (const key of ['c', 'a', 'b']) await files.add(file(key));
        await files.add(file('a', { region: 'eu-west-1' }));
        await files.add(file('a', { trailArn: 'other' }));
        assert.deepEqual(await files.page(file(''), '', 2), [file('a'), file('b')]);
        assert.deepEqual(await files.page(file(''), 'b', 2), [file('c')]);
        await files.remove(file('a'));
        assert.deepEqual(await files.page(file(''), '', 9), [file('b'), file('c')]);
      });
    });

    test('delivery retries: the last failure counts, until a success', async () => {
      const trailId = fresh();
      await within(async (tx) => {
        const files = tx.of(deliveredFiles);
        const last = { trailId, periodId: 'a', failures: 2, retryAt: instant(20) };
        await files.putRetry({ ...last, failures: 1, retryAt: instant(10) });
        await files.putRetry(last);
        await files.putRetry({ ...last, periodId: 'b' });
        assert.deepEqual(await files.retry(trailId, 'a'), last);
        await files.endRetry(trailId, 'a');
        assert.deepEqual([await files.retry(trailId, 'a'), await files.retry(trailId, 'b')], [undefined, { ...last, periodId: 'b' }]);
      });
    });
  });
}
