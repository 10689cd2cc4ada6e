import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import type { Tx } from '#store/store.ts';
import { type FindingRange, type FindingRecord, findings } from './findings.ts';

const at = (seconds: number) => instant(NOON + seconds * 1_000);
const OWNER = '111122223333' as AccountId;

function finding(analyzerId: string, id: string, more: Partial<FindingRecord> = {}): FindingRecord {
  return {
    ...{ analyzerId, id, resource: `arn ${id}`, accessKey: 'k', resourceType: 'AWS::IAM::Role', ownerAccount: OWNER },
    ...{ findingType: 'UnusedIAMRole', status: 'ACTIVE', isPublic: false, details: [{ findingType: 'UnusedIAMRole' }] },
    ...{ createdAt: NOON, analyzedAt: NOON, updatedAt: NOON },
    ...more,
  };
}

const ids = (records: readonly FindingRecord[]) => records.map(({ id }) => id);

/** Returns the numbers of findings by a second way: from the findings themselves. */
async function counted(tx: Tx, analyzerId: string) {
  const all = await tx.of(findings).list({ analyzerId, order: 'id', descending: false }, 1_000);
  const groups = Map.groupBy(all, ({ status, findingType, resourceType, isPublic }) =>
    JSON.stringify({ status, findingType, resourceType, isPublic }),
  );
  return [...groups].map(([key, those]) => ({ ...JSON.parse(key), findings: those.length })).toSorted(byText);
}

const byText = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

export function conformance({ within, fresh }: Suite): void {
  describe('findings', () => {
    test('findings are stored, changed and counted', async () => {
      const a = fresh();
      await within(async (tx) => {
        const own = tx.of(findings);
        const [one, two, three] = [
          finding(a, '1'),
          finding(a, '2', { resource: 'arn 1', accessKey: 'l', isPublic: true, findingType: 'ExternalAccess' }),
          finding(a, '3', { ownerAccount: '444455556666' as AccountId }),
        ] as const;
        await own.put([{ finding: one }, { finding: two }, { finding: three }]);
        assert.deepEqual(await own.get(a, '2'), two);
        assert.deepEqual(await own.ofAccess(a, 'arn 1', 'l'), two);
        assert.deepEqual(ids(await own.open(a, 'arn 1')), ['1', '2']);
        const resolved = { ...one, status: 'RESOLVED', updatedAt: at(1) } as const;
        await own.put([{ before: one, finding: resolved }]);
        await own.touch(a, 'arn 1', at(2));
        assert.deepEqual(ids(await own.open(a, 'arn 1')), ['2']);
        assert.deepEqual([(await own.get(a, '1'))?.analyzedAt, (await own.get(a, '2'))?.analyzedAt], [NOON, at(2)]);
        const present = async () => (await own.totals(a)).filter((each) => each.findings !== 0).toSorted(byText);
        assert.deepEqual(await present(), await counted(tx, a));
        assert.deepEqual(await own.topAccounts(a, 5), [
          { account: OWNER, findings: 1, ofType: { ExternalAccess: 1 } },
          { account: '444455556666', findings: 1, ofType: { UnusedIAMRole: 1 } },
        ]);
        await own.remove([resolved, three]);
        assert.deepEqual(await present(), await counted(tx, a));
        assert.deepEqual(ids(await own.list({ analyzerId: a, order: 'id', descending: false }, 9)), ['2']);
      });
    });

    test('ranges are in each order, in both directions, with a status or a resource', async () => {
      const a = fresh();
      // biome-ignore format: a table
      const rows = [
        finding(a, '1', { resource: 'r2', createdAt: at(3), updatedAt: at(1) }),
        finding(a, '2', { resource: 'r1', createdAt: at(2), updatedAt: at(1), status: 'RESOLVED' }),
        finding(a, '3', { resource: 'r1', createdAt: at(1), updatedAt: at(3), accessKey: 'j' }),
        finding(a, '4', { resource: 'r3', createdAt: at(1), updatedAt: at(2), status: 'RESOLVED' }),
      ];
      await within((tx) => tx.of(findings).put(rows.map((each) => ({ finding: each }))));
      // biome-ignore format: a table
      const ranges: readonly (readonly [Omit<FindingRange, 'analyzerId'>, readonly string[]])[] = [
        [{ order: 'id',        descending: false },                                             ['1', '2', '3', '4']],
        [{ order: 'id',        descending: true,  after: ['3', '3'] },                          ['2', '1']],
        [{ order: 'createdAt', descending: false },                                             ['3', '4', '2', '1']],
        [{ order: 'createdAt', descending: false, after: [at(1), '3'] },                        ['4', '2', '1']],
        [{ order: 'updatedAt', descending: true },                                              ['3', '4', '2', '1']],
        [{ order: 'updatedAt', descending: true,  after: [at(1), '2'] },                        ['1']],
        [{ order: 'updatedAt', descending: true,  status: 'RESOLVED' },                         ['4', '2']],
        [{ order: 'updatedAt', descending: true,  status: 'RESOLVED', after: [at(2), '4'] },    ['2']],
        [{ order: 'resource',  descending: false },                                             ['3', '2', '1', '4']],
        [{ order: 'resource',  descending: false, after: ['r1', 'j'] },                         ['2', '1', '4']],
        [{ order: 'resource',  descending: true,  resource: 'r1' },                             ['2', '3']],
        [{ order: 'resource',  descending: false, resource: 'r1', after: ['r1', 'j'] },         ['2']],
      ];
      for (const [range, expected] of ranges) {
        const found = await within((tx) => tx.of(findings).list({ analyzerId: a, ...range }, 9));
        assert.deepEqual(ids(found), expected, JSON.stringify(range));
      }
      const excess = await within((tx) => tx.of(findings).excess(a, 'r1', 0));
      assert.deepEqual([ids(excess), await within((tx) => tx.of(findings).excess(a, 'r1', 1))], [['2'], []]);
      const [old, limited] = await within(async (tx) => [
        ids(await tx.of(findings).resolvedBefore(at(2), 9)).filter((id) => id === '2' || id === '4'),
        (await tx.of(findings).resolvedBefore(at(999), 1)).length,
      ]);
      assert.deepEqual([old, limited], [['2'], 1]);
      await within((tx) => tx.of(findings).remove(rows));
    });

    test('analyzed resources are listed by type and by the time of their analysis', async () => {
      const a = fresh();
      const resource = (name: string, seconds: number, resourceType: 'AWS::IAM::Role' | 'AWS::S3::Bucket') => ({
        ...{ analyzerId: a, resource: name, resourceType, ownerAccount: OWNER },
        ...{ createdAt: NOON, analyzedAt: at(seconds), updatedAt: NOON },
      });
      const result = await within(async (tx) => {
        const own = tx.of(findings);
        const of = (records: readonly { readonly resource: string }[]) => records.map((each) => each.resource);
        for (const each of [resource('b', 1, 'AWS::S3::Bucket'), resource('a', 3, 'AWS::IAM::Role'), resource('c', 2, 'AWS::IAM::Role')])
          await own.putResource(each);
        const listed = [
          of(await own.resources(a, undefined, '', 2)),
          of(await own.resources(a, 'AWS::IAM::Role', 'a', 9)),
          of(await own.analyzedBefore(a, at(3), 9)),
          (await own.lastAnalyzed(a))?.resource,
        ];
        await own.removeResource(a, 'a');
        return [
          ...listed,
          await own.resource(a, 'a'),
          await own.forgetResources(a, 1),
          await own.forgetResources(a, 9),
          await own.lastAnalyzed(a),
        ];
      });
      assert.deepEqual(result, [['a', 'b'], ['c'], ['b', 'c'], 'a', undefined, 'more', 'done', undefined]);
    });
  });
}
