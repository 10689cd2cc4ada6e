import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Instant, instant } from '#core/instant.ts';
import { BOB, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type BucketRecord, buckets } from './buckets.ts';
import { garbage } from './garbage.ts';
import { type ObjectRecord, objects } from './objects.ts';
import { type PartRecord, type UploadRecord, uploads } from './uploads.ts';

const object = (bucket: string, key: string, more: Partial<ObjectRecord> = {}): ObjectRecord => ({
  bucket,
  key,
  bodyId: `body of ${bucket} ${key}`,
  parts: 0,
  size: 3,
  etag: 'e',
  checksumAlgorithm: 'CRC64NVME',
  checksumType: 'FULL_OBJECT',
  checksum: 'c',
  modifiedAt: NOON,
  document: { contentType: 'text/plain', metadata: { a: 'b' } },
  ...more,
});

const part = (uploadId: string, partNumber: number, size: number): PartRecord => ({
  uploadId,
  partNumber,
  fileId: `${uploadId} ${partNumber}`,
  size,
  etag: 'e',
  checksum: 'c',
  modifiedAt: NOON,
});

/** Keys in the order of their UTF-8 bytes. UTF-16 would order the last two differently. */
const ORDERED = ['', ' ', 'A', 'Z', 'a', 'a/', 'a/b', 'a0', 'b', 'é', '\uffee', '\u{1f600}'].map((tail) => `k${tail}`);

export function conformance(suite: Suite): void {
  bucketsConformance(suite);
  objectsConformance(suite);
  uploadsConformance(suite);
}

function bucketsConformance({ within, fresh }: Suite): void {
  describe('buckets', () => {
    test('buckets: a name is unique among all accounts; policy and lifecycle change independently', async () => {
      const accountId = fresh();
      const name = `b-${accountId}`;
      const bucket: BucketRecord = { name, accountId, region: 'us-east-1', createdAt: NOON };
      const policy = { policy: '{}', principals: {} } as unknown as NonNullable<BucketRecord['policy']>;
      const lifecycle = { rules: [{ id: 'r', enabled: true, prefix: '', at: 'Filter', days: 1 }] } as const;
      const read = await within(async (tx) => {
        const table = tx.of(buckets);
        const added = [await table.add(bucket), await table.add({ ...bucket, accountId: BOB })];
        await table.setPolicy({ name, policy });
        await table.setLifecycle({ name, lifecycle });
        const full = await table.get(name);
        await table.setPolicy({ name });
        const next = await table.nextWithLifecycle(name.slice(0, -1));
        await table.setLifecycle({ name });
        return [added, full, next, await table.get(name), await table.remove(name), await table.remove(name)];
      });
      assert.deepEqual(read, [
        ['added', 'exists'],
        { ...bucket, policy, lifecycle },
        { ...bucket, lifecycle },
        bucket,
        'removed',
        'absent',
      ]);
    });

    test('buckets: list returns the buckets of an account by name, prefix and region', async () => {
      const accountId = fresh();
      const read = await within(async (tx) => {
        for (const [name, region] of [
          ['c', 'us-east-1'],
          ['a', 'eu-west-1'],
          ['b', 'us-east-1'],
        ] as const)
          await tx.of(buckets).add({ name: `${accountId}-${name}`, accountId, region, createdAt: NOON });
        const all = { prefix: '', after: '', region: undefined, limit: 9 };
        const names = async (more: Partial<typeof all> | { region: string }) =>
          (await tx.of(buckets).list(accountId, { ...all, ...more })).map(({ name }) => name.at(-1));
        return [
          await names({}),
          await names({ after: `${accountId}-a`, limit: 1 }),
          await names({ region: 'eu-west-1' }),
          await names({ prefix: `${accountId}-c` }),
          await tx.of(buckets).count(accountId, 2),
        ];
      });
      assert.deepEqual(read, [['a', 'b', 'c'], ['b'], ['a'], ['c'], 2]);
    });
  });
}

function objectsConformance({ within, fresh }: Suite): void {
  describe('objects', () => {
    test('objects: an object is read back as put, and put replaces it', async () => {
      const bucket = `o-${fresh()}`;
      const one = object(bucket, 'k');
      const read = await within(async (tx) => {
        await tx.of(objects).put(object(bucket, 'k', { size: 1, bodyId: `old ${bucket}` }));
        await tx.of(objects).put(one);
        await tx.of(objects).put(object(bucket, 'm', { parts: 2, bodyId: `upload ${bucket}` }));
        return [
          await tx.of(objects).get(bucket, 'k'),
          await tx.of(objects).get(bucket, 'K'),
          await tx.of(objects).hasAny(bucket),
          [...(await tx.of(objects).usedFiles([one.bodyId, `old ${bucket}`, `upload ${bucket}`]))],
          await tx.of(objects).remove(bucket, 'k'),
          await tx.of(objects).remove(bucket, 'k'),
        ];
      });
      assert.deepEqual(read, [one, undefined, true, [one.bodyId], 'removed', 'absent']);
    });

    test('objects: list returns keys in the order of their UTF-8 bytes, within a range', async () => {
      const bucket = `o-${fresh()}`;
      const read = await within(async (tx) => {
        for (const key of ORDERED.toReversed()) await tx.of(objects).put(object(bucket, key));
        await tx.of(objects).put(object(`${bucket}x`, 'k'));
        const keys = async (from: string, exclusive: boolean, before?: string, limit = 99) =>
          (await tx.of(objects).list(bucket, { from, exclusive, before }, limit)).map(({ key }) => key);
        return [await keys('', false), await keys('kA', true, 'kb'), await keys('kA', false, 'kb', 2)];
      });
      assert.deepEqual(read, [ORDERED, ['kZ', 'ka', 'ka/', 'ka/b', 'ka0'], ['kA', 'kZ']]);
    });
  });
}

function uploadsConformance({ within, fresh }: Suite): void {
  describe('uploads', () => {
    test('uploads: uploads are listed by key and ID; pieces are the files of a range', async () => {
      const bucket = `u-${fresh()}`;
      const upload = (key: string, uploadId: string): UploadRecord => ({
        bucket,
        key,
        uploadId: `${bucket} ${uploadId}`,
        initiatedAt: NOON,
        document: { object: {}, initiatorId: 'i', initiatorName: 'n', checksum: { algorithm: 'CRC32', type: 'COMPOSITE' } },
      });
      const [first, second, third] = [upload('a', '1'), upload('a', '2'), upload('b', '0')];
      const id = first.uploadId;
      const read = await within(async (tx) => {
        const table = tx.of(uploads);
        for (const each of [third, second, first]) await table.add(each);
        for (const [number, size] of [
          [7, 30],
          [2, 10],
          [3, 20],
        ] as const)
          await table.putPart(part(id, number, size));
        const pieces = async (start: number, end: number) =>
          (await table.pieces(id, start, end)).map((p) => [p.fileId.at(-1), p.startsAt, p.size]);
        return [
          await table.get(bucket, 'a', id),
          await table.get(bucket, 'b', id),
          (await table.list(bucket, '', '', 9)).length,
          await table.list(bucket, 'a', first.uploadId, 9),
          await pieces(0, 60),
          await pieces(9, 11),
          await pieces(30, 31),
          (await table.parts(id, 2, 9)).map(({ partNumber }) => partNumber),
          await table.countParts(id),
          [...(await table.usedFiles([`${id} 2`, 'none']))],
        ];
      });
      assert.deepEqual(read, [
        first,
        undefined,
        3,
        [second, third],
        [
          ['2', 0, 10],
          ['3', 10, 20],
          ['7', 30, 30],
        ],
        [
          ['2', 0, 10],
          ['3', 10, 20],
        ],
        [['7', 30, 30]],
        [3, 7],
        3,
        [`${id} 2`],
      ]);
    });

    test('uploads: discardParts moves the files of all parts to the garbage, which is due by age', async () => {
      const bucket = `u-${fresh()}`;
      const soon = (NOON + 5) as Instant;
      const read = await within(async (tx) => {
        for (const number of [1, 2]) await tx.of(uploads).putPart(part(bucket, number, 1));
        await tx.of(uploads).discardParts(bucket, soon);
        await tx.of(garbage).add(`old ${bucket}`, instant(1));
        const due = async (until: Instant) => (await tx.of(garbage).due(until, 99)).filter((id) => id.includes(bucket));
        const dues = [await due(NOON), await due(soon)];
        await tx.of(garbage).forget([`old ${bucket}`, `${bucket} 1`]);
        return [
          dues,
          await due(soon),
          await tx.of(uploads).countParts(bucket),
          [...(await tx.of(garbage).usedFiles([`${bucket} 1`, `${bucket} 2`]))],
        ];
      });
      assert.deepEqual(read, [[[`old ${bucket}`], [`old ${bucket}`, `${bucket} 1`, `${bucket} 2`]], [`${bucket} 2`], 0, [`${bucket} 2`]]);
    });
  });
}
