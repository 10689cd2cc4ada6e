import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type PreviewContent, type PreviewRecord, previews } from './previews.ts';

const at = (seconds: number) => instant(NOON + seconds * 1_000);
/** Time before all others of this suite and of other suites. */
const LONG_AGO = instant(1_000);

function preview(analyzerId: string, id: string, more: Partial<PreviewRecord & PreviewContent> = {}): PreviewRecord & PreviewContent {
  return { analyzerId, id, status: 'COMPLETED', createdAt: NOON, configurations: { a: { iamRole: { trustPolicy: '{}' } } }, ...more };
}

export function conformance({ within, fresh }: Suite): void {
  describe('access previews', () => {
    test('previews are stored with their content, and are absent after their time', async () => {
      const a = fresh();
      const findings = [{ id: 'f', accessKey: 'k', changeType: 'NEW', status: 'ACTIVE' }] as const;
      const proposal = { resourceType: 'AWS::IAM::Role', arn: 'r', policy: '{}', findings } as const;
      await within(async (tx) => {
        await tx.of(previews).add(preview(a, '1', { proposal }));
        await tx.of(previews).add(preview(a, '2', { status: 'FAILED', reason: 'INVALID_CONFIGURATION' }));
      });
      await within(async (tx) => {
        const own = tx.of(previews);
        const { configurations } = preview(a, '1');
        assert.deepEqual(await own.get(a, '1', NOON), { analyzerId: a, id: '1', status: 'COMPLETED', createdAt: NOON });
        assert.deepEqual(await own.content(a, '1'), { analyzerId: a, id: '1', configurations, proposal });
        assert.deepEqual((await own.get(a, '2', NOON))?.reason, 'INVALID_CONFIGURATION');
        assert.deepEqual(await own.content(a, '2'), { analyzerId: a, id: '2', configurations });
        assert.equal(await own.get(a, '1', at(1)), undefined);
        assert.equal(await own.get(fresh(), '1', NOON), undefined);
      });
    });

    test('previews of an analyzer are counted, and listed with the newest first', async () => {
      const [a, other] = [fresh(), fresh()];
      await within(async (tx) => {
        for (const [id, seconds] of [
          ['1', 0],
          ['2', 1],
          ['3', 1],
          ['4', 2],
        ] as const)
          await tx.of(previews).add(preview(a, id, { createdAt: at(seconds) }));
        await tx.of(previews).add(preview(other, '5', { createdAt: at(9) }));
      });
      await within(async (tx) => {
        const own = tx.of(previews);
        const ids = async (since: number, before: readonly [number, string], limit = 10) =>
          (await own.list(a, at(since), before, limit)).map(({ id }) => id);
        const end = [Number.MAX_SAFE_INTEGER, ''] as const;
        assert.deepEqual([await own.count(a, NOON), await own.count(a, at(1)), await own.count(a, at(3))], [4, 3, 0]);
        assert.deepEqual(await ids(0, end), ['4', '3', '2', '1']);
        assert.deepEqual(await ids(1, end), ['4', '3', '2']);
        assert.deepEqual(await ids(0, end, 2), ['4', '3']);
        assert.deepEqual(await ids(0, [at(1), '3']), ['2', '1']);
      });
    });

    test('old previews of all analyzers are deleted in parts', async () => {
      const [a, b] = [fresh(), fresh()];
      const old = instant(LONG_AGO - 1);
      await within(async (tx) => {
        for (const [analyzerId, id] of [
          [a, '1'],
          [a, '2'],
          [b, '3'],
        ] as const)
          await tx.of(previews).add(preview(analyzerId, id, { createdAt: old }));
        await tx.of(previews).add(preview(b, '4', { createdAt: LONG_AGO }));
      });
      await within(async (tx) => {
        assert.equal(await tx.of(previews).removeBefore(LONG_AGO, 2), 'more');
        assert.equal(await tx.of(previews).removeBefore(LONG_AGO, 2), 'done');
      });
      await within(async (tx) => {
        const own = tx.of(previews);
        for (const [analyzerId, id] of [
          [a, '1'],
          [a, '2'],
          [b, '3'],
        ] as const) {
          assert.equal(await own.get(analyzerId, id, instant(0)), undefined);
          assert.equal(await own.content(analyzerId, id), undefined);
        }
        assert.ok(await own.content(b, '4'));
      });
    });
  });
}
