/**
 * Contents of objects in an S3-compatible service. The service is another Belfry on SQLite, with a key that has the documented permissions
 * only. The servers that use the service share a database in PostgreSQL.
 */
import assert from 'node:assert/strict';
import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { AccountId } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { deliveryFixture, START, testClock } from '#delivery/delivery-fixture.ts';
import { ownBucketTarget } from '#delivery/targets/own-buckets.ts';
import { deleteGarbage, deleteOrphans } from '#server/core/contents.ts';
import { openObjectService } from '#server/object-service.ts';
import type { ObjectServiceLimits } from '#server/object-service-link.ts';
import { putBody } from '#server/stored-body.ts';
import { buckets } from '#services/s3/tables/buckets.ts';
import { objects } from '#services/s3/tables/objects.ts';
import { openStore } from '#store/engine/open.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { accountOn } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import { freePort } from '../kit/free-port.ts';
import { allow } from '../kit/policy.ts';
import { connect, type Reply } from '../kit/raw.ts';
import { headOf, type S3Request, s3Caller, signS3 } from '../kit/s3.ts';
import { startSecondServer, startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';

const PERMISSIONS = [
  's3:PutObject',
  's3:GetObject',
  's3:DeleteObject',
  's3:AbortMultipartUpload',
  's3:ListBucket',
  's3:ListBucketMultipartUploads',
];
const STORE = 'store';
const MEBIBYTE = 2 ** 20;

const postgres = await testPostgres();
// The service stops, and starts again on the same port.
const address = `127.0.0.1:${await freePort()}`;
let service = await startTestServer({ BELFRY_HTTP: address });
const serviceClient = new S3Client({ ...service.client(), forcePathStyle: true });
await serviceClient.send(new CreateBucketCommand({ Bucket: STORE }));
const resources = [`arn:aws:s3:::${STORE}`, `arn:aws:s3:::${STORE}/*`];
const storeKeys = await accountOn(service).user('belfry', ...resources.map((resource) => allow(PERMISSIONS, resource)));
const keyFolder = newFolder('key');
const keyFile = join(keyFolder, 'key');
writeFileSync(keyFile, `aws_access_key_id = ${storeKeys.accessKeyId}\naws_secret_access_key = ${storeKeys.secretAccessKey}\n`, {
  mode: 0o600,
});

const settings = {
  BELFRY_DATABASE: postgres.url,
  BELFRY_OBJECTS_ENDPOINT: service.endpoint,
  BELFRY_OBJECTS_BUCKET: STORE,
  BELFRY_OBJECTS_PREFIX: 'belfry/',
  BELFRY_OBJECTS_KEY_FILE: keyFile,
};
const server = await startTestServer(settings);

const other = await startSecondServer(server, settings);
// After the servers have stopped.
after(() => postgres.stop());

const clientOf = ({ endpoint }: TestServer) => new S3Client({ ...server.client(), endpoint, forcePathStyle: true });
const s3 = clientOf(server);
const Bucket = 'logs';
await s3.send(new CreateBucketCommand({ Bucket }));

/** Returns bytes without a period that divides the length of a part. */
const bytesOf = (length: number): Buffer => Buffer.alloc(length, Buffer.from(Array.from({ length: 251 }, (_, i) => i)));
const read = async (Key: string, from = s3, Range?: string): Promise<Buffer> => {
  const { Body } = await from.send(new GetObjectCommand({ Bucket, Key, Range }));
  return await buffer(Body as Readable);
};
const storedKeys = async (): Promise<readonly string[]> =>
  ((await serviceClient.send(new ListObjectsV2Command({ Bucket: STORE }))).Contents ?? []).map(({ Key = '' }) => Key);
const openUploads = async (): Promise<number> =>
  ((await serviceClient.send(new ListMultipartUploadsCommand({ Bucket: STORE }))).Uploads ?? []).length;

test('Object service: an object of 12 MB from a stream is in the service, and every server of the database reads it', async () => {
  const content = bytesOf(12_000_000);
  const Body = Readable.from([content.subarray(0, 5_000_001), content.subarray(5_000_001)]);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'large', Body, ContentLength: content.length }));
  assert.ok((await read('large', clientOf(other))).equals(content));
  const border = 8 * MEBIBYTE;
  const range = await read('large', s3, `bytes=${border - 3}-${border + 2}`);
  assert.deepEqual(range, content.subarray(border - 3, border + 3));
  const keys = await storedKeys();
  assert.equal(keys.length, 1);
  assert.match(keys[0] ?? '', /^belfry\/[0-9a-f]{32}\/[0-9a-f]{32}$/);
  assert.equal(await openUploads(), 0);
  assert.deepEqual(globSync('objects/**/*', { cwd: server.dataFolder }), []);
});

test('Object service: objects of no bytes and of exactly one part', async () => {
  for (const length of [0, 8 * MEBIBYTE]) {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'edge', Body: bytesOf(length) }));
    assert.ok((await read('edge')).equals(bytesOf(length)), `${length} bytes`);
  }
});

test('Object service: a multipart upload of a client, a range over its parts, and its deletion', async () => {
  const parts = [bytesOf(9 * MEBIBYTE), Buffer.from('the end')];
  const upload = { Bucket, Key: 'parts' };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...upload, ChecksumAlgorithm: 'CRC32' }));
  const Parts = [];
  for (const [i, Body] of parts.entries()) {
    const PartNumber = i + 1;
    Parts.push({ PartNumber, ETag: (await s3.send(new UploadPartCommand({ ...upload, UploadId, PartNumber, Body }))).ETag });
  }
  await s3.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }));
  const content = Buffer.concat(parts);
  assert.ok((await read('parts')).equals(content));
  const border = 9 * MEBIBYTE;
  assert.deepEqual(await read('parts', s3, `bytes=${border - 2}-${border + 2}`), content.subarray(border - 2, border + 3));
  await s3.send(new DeleteObjectCommand(upload));
  await assert.rejects(read('parts'), { name: 'NoSuchKey' });
  const aborted = await s3.send(new CreateMultipartUploadCommand(upload));
  await s3.send(new AbortMultipartUploadCommand({ ...upload, UploadId: aborted.UploadId }));
});

/** Sends the head of an upload and returns its connection. */
async function beginUpload(target: string, length: number, headers: Record<string, string> = {}) {
  const put: S3Request = { method: 'PUT', target, payload: 'UNSIGNED-PAYLOAD', headers };
  const connection = await connect(server.endpoint);
  connection.write(headOf(put, { ...signS3(server.endpoint, server.credentials, put).headers, 'content-length': String(length) }));
  return connection;
}

test('Object service: an abandoned upload and a refused one leave nothing in the service', async () => {
  const before = await storedKeys();
  const abandoned = await beginUpload('/logs/abandoned', 20 * MEBIBYTE);
  abandoned.write(bytesOf(10 * MEBIBYTE));
  await until(
    async () => (await openUploads()) === 1,
    () => 'no multipart upload begins',
  );
  abandoned.close();
  await until(
    async () => (await openUploads()) === 0,
    () => 'the multipart upload is not aborted',
  );
  const refused = await beginUpload('/logs/refused', 10 * MEBIBYTE, { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' });
  refused.write(bytesOf(10 * MEBIBYTE));
  assert.equal((await refused.reply()).status, 400);
  refused.close();
  assert.equal(await openUploads(), 0);
  assert.deepEqual(await storedKeys(), before);
});

/** Opens the service as a server does, with a folder of its own. */
const contentsIn = (folder: string, lines: string[] = [], limits: Partial<ObjectServiceLimits> = {}) =>
  openObjectService({
    service: { endpoint: service.endpoint, region: 'us-east-1', bucket: STORE, prefix: 'direct/' },
    key: () => storeKeys,
    folder: async () => folder,
    report: (line) => lines.push(line),
    limits,
  });

const openTestStore = () => openStore(postgres.url, { server: 'test', fatal: (error) => assert.fail(String(error)) });

async function idsOf(pages: AsyncIterable<readonly string[]>): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const page of pages) ids.push(...page);
  return ids;
}
const clockAt = (milliseconds: number) => ({ wall: () => milliseconds }) as never;

test('Object service: a content is listed only from the age of orphans, and only orphans are deleted', async () => {
  const contents = contentsIn('a'.repeat(32));
  const { id } = await putBody(contents, bytesOf(100));
  const elsewhere = await putBody(contentsIn('b'.repeat(32)), bytesOf(100));
  assert.deepEqual(await idsOf(contents.list(Date.now() - HOUR_MS)), []);
  assert.deepEqual(await idsOf(contents.list(Date.now() + HOUR_MS)), [id]);
  const abandoned = await contents.create();
  await abandoned.write(bytesOf(9 * MEBIBYTE));
  const store = await openTestStore();
  try {
    const day = 24 * HOUR_MS;
    await deleteOrphans({ contents, store, clock: clockAt(Date.now() + day - HOUR_MS) });
    assert.deepEqual([await idsOf(contents.list(Date.now() + HOUR_MS)), await openUploads()], [[id], 1]);
    await deleteOrphans({ contents, store, clock: clockAt(Date.now() + day + HOUR_MS) });
    assert.deepEqual([await idsOf(contents.list(Date.now() + HOUR_MS)), await openUploads()], [[], 0]);
    await assert.rejects(contents.read(id, 0, 1), { code: 'ServiceUnavailable' });
  } finally {
    await store.close();
  }
  assert.deepEqual(await idsOf(contentsIn('b'.repeat(32)).list(Date.now() + HOUR_MS)), [elsewhere.id]);
});

test('Object service: on PostgreSQL, a trail delivers to a bucket in the service after the half minute that the trail omits', async () => {
  const database = await testPostgres();
  const clock = testClock(START);
  const store = await openPostgres(database.url, { now: clock.wall });
  const contents = contentsIn('e'.repeat(32));
  const bodies = { put: (bytes: Uint8Array) => putBody(contents, bytes), remove: contents.remove };
  const accountId = '111122223333' as AccountId;
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: ['s3:GetBucketAcl', 's3:PutObject'],
      Resource: ['arn:aws:s3:::trail-logs', 'arn:aws:s3:::trail-logs/*'],
    },
  });
  const created = { name: 'trail-logs', accountId, region: 'us-east-1', createdAt: clock.wall() };
  try {
    await store.transaction((tx) => tx.of(buckets).add({ ...created, policy: { policy, principals: {} } }));
    const own = deliveryFixture(store, clock);
    await own.trail(accountId, { S3BucketName: created.name });
    await own.record(accountId, ['event']);
    const delivery = own.server({ target: ownBucketTarget(store, bodies, clock.wall) });
    const listed = () => own.read((tx) => tx.of(objects).list(created.name, { from: '', before: undefined }, 10));
    clock.set(START + 30_000);
    await delivery.run();
    assert.deepEqual(await listed(), []);
    await own.deliver(delivery);
    assert.deepEqual(own.reports, []);
    const [file] = await listed();
    const { bodyId = '', size = 0 } = file ?? assert.fail('a log file');
    const text = gunzipSync(await buffer(await contents.read(bodyId, 0, size))).toString();
    assert.deepEqual(
      (JSON.parse(text) as { readonly Records: readonly { readonly eventID: string }[] }).Records.map(({ eventID }) => eventID),
      ['event'],
    );
  } finally {
    await store.close();
    await database.stop();
  }
});

test('Object service: an upload in parts that takes too long is refused, and leaves nothing', async () => {
  const contents = contentsIn('d'.repeat(32), [], { uploadMs: 0 });
  await assert.rejects(putBody(contents, bytesOf(9 * MEBIBYTE)), { code: 'RequestTimeout' });
  assert.deepEqual([await openUploads(), await idsOf(contents.list(Date.now() + HOUR_MS))], [0, []]);
  await putBody(contents, bytesOf(8 * MEBIBYTE));
});

test('Object service: two servers may delete the same garbage at the same time', async () => {
  const before = await storedKeys();
  await s3.send(new PutObjectCommand({ Bucket, Key: 'garbage', Body: 'x' }));
  const [added = ''] = (await storedKeys()).filter((key) => !before.includes(key));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'garbage' }));
  const [prefix, folder = ''] = added.split('/');
  const contents = openObjectService({
    service: { endpoint: service.endpoint, region: 'us-east-1', bucket: STORE, prefix: `${prefix}/` },
    key: () => storeKeys,
    folder: async () => folder,
    report: assert.fail,
  });
  const stores = await Promise.all([openTestStore(), openTestStore()]);
  try {
    await Promise.all(stores.map((store) => deleteGarbage({ contents, store, clock: clockAt(Date.now() + 2 * HOUR_MS) })));
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
  assert.ok(!(await storedKeys()).includes(added));
});

test('Object service: while it is down, uploads and downloads are 503 and store nothing; later they succeed', async () => {
  const lines: string[] = [];
  const direct = contentsIn('c'.repeat(32), lines);
  await service.stop();
  const call = s3Caller(server.endpoint, server.credentials);
  const code = ({ status, body }: Reply) => [status, /<Code>(\w+)<\/Code>/.exec(body.toString())?.[1]];
  for (const length of [5, 10 * MEBIBYTE]) {
    assert.deepEqual(
      code(await call({ method: 'PUT', target: '/logs/down', body: bytesOf(length) })),
      [503, 'ServiceUnavailable'],
      `${length}`,
    );
  }
  assert.deepEqual(code(await call({ method: 'GET', target: '/logs/large' })), [503, 'ServiceUnavailable']);
  await assert.rejects(s3.send(new HeadObjectCommand({ Bucket, Key: 'down' })), { name: 'NotFound' });
  await assert.rejects(putBody(direct, bytesOf(5)), { code: 'ServiceUnavailable' });
  assert.ok(lines.length > 0);
  assert.doesNotMatch(lines.join(), new RegExp(storeKeys.secretAccessKey.replaceAll(/[+/]/g, '\\$&')));
  service = await startTestServer({ BELFRY_HTTP: address }, service.dataFolder);
  assert.equal((await call({ method: 'PUT', target: '/logs/down', body: 'up' })).status, 200);
  assert.equal((await read('down')).toString(), 'up');
});

test('Object service: without it, a server on the same database refuses buckets and uploads', async () => {
  const without = await startSecondServer(server, { BELFRY_DATABASE: postgres.url });
  const call = s3Caller(without.endpoint, server.credentials);
  assert.equal((await call({ method: 'PUT', target: '/new-bucket' })).status, 501);
  assert.equal((await call({ method: 'PUT', target: '/logs/k', body: 'x' })).status, 503);
  assert.equal((await call({ method: 'GET', target: '/logs/large' })).status, 503);
  assert.deepEqual(globSync('objects/**/*', { cwd: without.dataFolder }), []);
});
