/** Uploads on a disk that they could fill: they leave a reserve, so that the server can still record requests and delete objects. */
import assert from 'node:assert/strict';
import { readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { diskReserve } from '#server/disk-reserve.ts';
import { noSmallDisks, startOnSmallDisk } from '../kit/small-disk.ts';

const MEBIBYTE = 2 ** 20;
const RESERVE_MEBIBYTES = 4;

/** Returns the code and the status of a refused upload. */
async function refusalOf(upload: Promise<unknown>): Promise<string> {
  return await upload.then(
    () => 'stored',
    ({ name, $metadata }) => `${name} ${$metadata.httpStatusCode}`,
  );
}

test('Reserve: uploads are refused before the disk is full, and DeleteObject and the trail still work', {
  skip: noSmallDisks([]),
}, async () => {
  const { server, disk, breakable } = await startOnSmallDisk([], { BELFRY_OBJECTS_RESERVE_MIB: String(RESERVE_MEBIBYTES) });
  const s3 = new S3Client({ ...breakable.settings, forcePathStyle: true });
  const Bucket = 'full-disk';
  await s3.send(new CreateBucketCommand({ Bucket }));
  const put = (Key: string, bytes: number) => refusalOf(s3.send(new PutObjectCommand({ Bucket, Key, Body: new Uint8Array(bytes) })));
  const free = () => {
    const { bavail, bsize } = statfsSync(disk);
    return bavail * bsize;
  };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }));
  // An upload that is larger than the disk ends when it reaches the reserve.
  assert.equal(await put('larger', 32 * MEBIBYTE), 'InsufficientStorage 507');
  let stored = 0;
  while ((await put(`one ${stored}`, 256 * 1_024)) === 'stored') stored++;
  assert.ok(stored > 0 && stored < 48, `${stored} objects`);
  // Less than one of these objects may still fit.
  let pages = 0;
  while ((await put(`page ${pages}`, 4_096)) === 'stored') pages++;
  assert.ok(pages < 256, `${pages} pages`);
  assert.ok(free() > (RESERVE_MEBIBYTES - 2) * MEBIBYTE, `${free()} bytes are free`);
  assert.equal(await put('small', 1), 'InsufficientStorage 507');
  const part = new UploadPartCommand({ Bucket, Key: 'parts', UploadId, PartNumber: 1, Body: new Uint8Array(MEBIBYTE) });
  assert.equal(await refusalOf(s3.send(part)), 'InsufficientStorage 507');
  assert.deepEqual(readdirSync(join(disk, 'objects', 'incoming')), []);
  // Everything else works.
  await new IAMClient(breakable.settings).send(new CreateUserCommand({ UserName: 'ann' }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'one 0' }));
  assert.equal((await Body?.transformToByteArray())?.length, 256 * 1_024);
  for (let i = 0; i < stored; i++) await s3.send(new DeleteObjectCommand({ Bucket, Key: `one ${i}` }));
  assert.equal(await refusalOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'one 0' }))), 'NotFound 404');
  assert.doesNotMatch(server.written(), /the trail cannot be written/);
  assert.equal(await server.stop(), 0);
});

test('Reserve: reads the free space once for each MiB of all uploads, and never without a reserve', async () => {
  let reads = 0;
  let free = 100 * MEBIBYTE;
  const count = async () => {
    reads++;
    return free;
  };
  const reserve = diskReserve('/', 10 * MEBIBYTE, count);
  for (let i = 0; i < 160; i++) await reserve.require(65_536);
  assert.equal(reads, 10);
  free = 10 * MEBIBYTE;
  await assert.rejects(reserve.require(2 * MEBIBYTE), { code: 'InsufficientStorage' });
  await assert.rejects(reserve.require(1), { code: 'InsufficientStorage' });
  await diskReserve('/', 0, count).require(MEBIBYTE);
  assert.equal(reads, 12);
});
