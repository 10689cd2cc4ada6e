/** Bodies of objects: when the server reads them, where it stores them, and what an interrupted upload leaves. */
import assert from 'node:assert/strict';
import { existsSync, globSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAccount } from '../kit/account.ts';
import { deny, policy } from '../kit/policy.ts';
import { type Connection, connect, errorCodeOf } from '../kit/raw.ts';
import { contentMd5, headOf, type S3Request, s3Caller, signS3 } from '../kit/s3.ts';
import { startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const account = await startAccount();
const { server, keys } = account;
const call = s3Caller(server.endpoint, keys);
await call({ method: 'PUT', target: '/logs' });

const files = (dataFolder = server.dataFolder): readonly string[] =>
  globSync('objects/**/*', { cwd: dataFolder, withFileTypes: true })
    .filter((each) => each.isFile())
    .map(({ name }) => name);

const fileNames = () => files().join(' ');
const heldBytes = () => `${server.counts().bytes} bytes`;

/** Opens a connection and sends the head of an upload. */
async function beginUpload(
  request: Partial<S3Request> & { readonly target: string },
  headers: Record<string, string>,
): Promise<Connection> {
  const put: S3Request = { method: 'PUT', payload: 'UNSIGNED-PAYLOAD', ...request };
  const connection = await connect(server.endpoint);
  connection.write(headOf(put, { ...signS3(server.endpoint, keys, put).headers, ...headers }));
  return connection;
}

test('PutObject: a refused head gets its response without 100 Continue, and nothing is stored', async () => {
  const before = files();
  const connection = await beginUpload({ target: '/no-such-bucket/k' }, { 'content-length': '1000000', expect: '100-continue' });
  let received = '';
  connection.socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
  const reply = await connection.reply();
  assert.equal(errorCodeOf(reply), 'NoSuchBucket');
  assert.doesNotMatch(received, /100 Continue/);
  assert.equal(reply.headers['connection'], 'close');
  await connection.closed;
  assert.deepEqual(files(), before);
});

test('PutObject: an accepted head gets 100 Continue, and the body is stored', async () => {
  const connection = await beginUpload({ target: '/logs/continued' }, { 'content-length': '5', expect: '100-continue' });
  let received = '';
  connection.socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
  await until(
    () => received.startsWith('HTTP/1.1 100 Continue'),
    () => received,
  );
  connection.write('hello');
  assert.equal((await connection.reply()).status, 200);
  connection.close();
  assert.equal((await call({ method: 'GET', target: '/logs/continued' })).body.toString(), 'hello');
});

test('PutObject: a bucket policy that denies the caller refuses the head', async () => {
  await call({ method: 'PUT', target: '/denied' });
  const Policy = policy({ ...deny('s3:PutObject', 'arn:aws:s3:::denied/*'), Principal: '*' } as never);
  assert.equal((await call({ method: 'PUT', target: '/denied?policy', body: Policy, headers: contentMd5(Policy) })).status, 204);
  const connection = await beginUpload({ target: '/denied/k' }, { 'content-length': '1000000', expect: '100-continue' });
  assert.equal(errorCodeOf(await connection.reply()), 'AccessDenied');
  connection.close();
});

test('PutObject: an abandoned upload leaves no file and no object', async () => {
  const before = files().length;
  const connection = await beginUpload({ target: '/logs/abandoned' }, { 'content-length': '1000000' });
  connection.write(Buffer.alloc(300_000));
  await until(() => files().length === before + 1, fileNames);
  connection.close();
  await until(() => files().length === before, fileNames);
  assert.equal((await call({ method: 'GET', target: '/logs/abandoned' })).status, 404);
});

test('PutObject: a body that is refused at its end leaves no file, and the connection stays usable', async () => {
  const before = files().length;
  const connection = await beginUpload(
    { target: '/logs/bad', headers: { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' } },
    { 'content-length': '5' },
  );
  connection.write('hello');
  assert.equal(errorCodeOf(await connection.reply()), 'BadDigest');
  assert.equal(files().length, before);
  const next: S3Request = { method: 'GET', target: '/logs/continued' };
  connection.write(headOf(next, signS3(server.endpoint, keys, next).headers));
  assert.equal((await connection.reply()).body.toString(), 'hello');
  connection.close();
});

const BYTES = 200 * 2 ** 20;
const PIECE = Buffer.alloc(2 ** 18, 7);

for (const framing of ['content-length', 'chunks'] as const) {
  test(`PutObject: a body of 200 MiB with ${framing} is never in memory as a whole`, async () => {
    const bytes = framing === 'chunks' ? BYTES / 10 : BYTES;
    const headers = framing === 'chunks' ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(bytes) };
    const connection = await beginUpload({ target: '/logs/big' }, headers as Record<string, string>);
    const before = process.memoryUsage().arrayBuffers;
    let held = 0;
    let buffers = 0;
    for (let sent = 0; sent < bytes; sent += PIECE.length) {
      if (framing === 'chunks') connection.write(`${PIECE.length.toString(16)}\r\n`);
      if (!connection.socket.write(PIECE)) await new Promise((resolve) => connection.socket.once('drain', resolve));
      if (framing === 'chunks') connection.write('\r\n');
      held = Math.max(held, server.counts().bytes);
      buffers = Math.max(buffers, process.memoryUsage().arrayBuffers - before);
    }
    if (framing === 'chunks') connection.write('0\r\n\r\n');
    assert.equal((await connection.reply()).status, 200);
    connection.close();
    assert.ok(held < 2 ** 20, `the server counts ${held} bytes`);
    assert.ok(buffers < BYTES / 2, `the process has ${buffers} more bytes of buffers`);
    const head = await call({ method: 'HEAD', target: '/logs/big' });
    assert.equal(head.headers['content-length'], String(bytes));
  });
}

test('GetObject: a client that does not read holds no more than a piece of a large object', async () => {
  const get: S3Request = { method: 'GET', target: '/logs/big' };
  const connection = await connect(server.endpoint);
  connection.socket.pause();
  connection.write(headOf(get, signS3(server.endpoint, keys, get).headers));
  await until(() => server.counts().bytes > 100_000, heldBytes);
  assert.ok(server.counts().bytes < 2 ** 20);
  connection.close();
  await until(() => server.counts().bytes === 0, heldBytes);
});

test('Files: a start deletes unfinished uploads and files without an object, and keeps the files of objects', async () => {
  const first = await startTestServer();
  const firstCall = s3Caller(first.endpoint, first.credentials);
  await firstCall({ method: 'PUT', target: '/logs' });
  await firstCall({ method: 'PUT', target: '/logs/k', body: 'kept' });
  const { dataFolder } = first;
  const [kept] = files(dataFolder);
  await first.stop();
  const orphan = 'ab'.repeat(16);
  mkdirSync(join(dataFolder, 'objects', 'ab'), { recursive: true });
  for (const path of [join('ab', orphan), join('incoming', 'cd'.repeat(16))]) {
    writeFileSync(join(dataFolder, 'objects', path), 'x');
    utimesSync(join(dataFolder, 'objects', path), 1, 1);
  }
  const second = await startTestServer({}, dataFolder);
  await until(
    () => !existsSync(join(dataFolder, 'objects', 'ab', orphan)),
    () => files(dataFolder).join(' '),
  );
  assert.deepEqual(files(dataFolder), [kept]);
  const read = await s3Caller(second.endpoint, first.credentials)({ method: 'GET', target: '/logs/k' });
  assert.equal(read.body.toString(), 'kept');
});

test('Trail: a record of a bucket has the host, the document and the owner of the bucket', async () => {
  const [record] = (await account.records('PutBucketPolicy')) as unknown as readonly Record<string, unknown>[];
  const statement = { ...deny('s3:PutObject', 'arn:aws:s3:::denied/*'), Principal: '*' };
  assert.deepEqual(record?.['requestParameters'], {
    bucketName: 'denied',
    bucketPolicy: JSON.parse(policy(statement as never)),
    'Content-MD5': contentMd5(policy(statement as never))['content-md5'],
    Host: new URL(server.endpoint).host,
    policy: '',
  });
  assert.deepEqual(record?.['resources'], [{ accountId: account.accountId, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::denied' }]);
  assert.equal(record?.['managementEvent'], true);
});

test('Trail: calls on objects are not in the event history, also denied ones; calls on buckets are', async () => {
  const ada = s3Caller(server.endpoint, await account.user('ada'));
  assert.equal((await ada({ method: 'GET', target: '/logs/continued' })).status, 403);
  assert.equal((await ada({ method: 'PUT', target: '/ada-bucket' })).status, 403);
  assert.deepEqual(await account.records('GetObject'), []);
  assert.deepEqual(await account.records('PutObject'), []);
  assert.equal((await call({ method: 'HEAD', target: '/logs' })).status, 200);
  assert.deepEqual(await account.records('HeadBucket'), []);
  const created = await account.records('CreateBucket');
  assert.deepEqual(
    created.map((record) => (record as { errorCode?: string }).errorCode),
    ['AccessDenied', undefined, undefined],
  );
});
