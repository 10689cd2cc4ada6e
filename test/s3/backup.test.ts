/** `belfry backup` while clients upload, and a server on the restored copy. */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, globSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newFolder } from '../kit/folder.ts';
import { belfry } from '../kit/process.ts';
import { element, s3Caller } from '../kit/s3.ts';
import { startTestServer } from '../kit/server.ts';

const folder = newFolder('s3-backup');
const server = await startTestServer();
const call = s3Caller(server.endpoint, server.credentials);
await call({ method: 'PUT', target: '/logs' });

/** Uploads, replaces and deletes objects until `isDone` returns true. The content of an object names its key. */
async function change(isDone: () => boolean): Promise<number> {
  let count = 0;
  while (!isDone() || count < 20) {
    const target = `/logs/k${count}`;
    for (const version of ['old', 'new']) assert.equal((await call({ method: 'PUT', target, body: `${target} ${version}` })).status, 200);
    if (count % 3 === 0) await call({ method: 'DELETE', target });
    count++;
  }
  return count;
}

async function uploadPart(): Promise<void> {
  const begun = await call({ method: 'POST', target: '/logs/multi?uploads' });
  const upload = element(begun, 'UploadId');
  const part = await call({ method: 'PUT', target: `/logs/multi?partNumber=1&uploadId=${upload}`, body: 'part' });
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers['etag']}</ETag></Part></CompleteMultipartUpload>`;
  assert.equal((await call({ method: 'POST', target: `/logs/multi?uploadId=${upload}`, body })).status, 200);
}

test('belfry backup: during uploads, each object in the copy has its content, and earlier objects are in it', async () => {
  await uploadPart();
  await call({ method: 'PUT', target: '/logs/before', body: '/logs/before new' });
  const target = join(folder, 'backup');
  let done = false;
  const changes = change(() => done);
  const { status, stderr } = await belfry(['backup', target, '--data', server.dataFolder]);
  done = true;
  await changes;
  assert.equal(status, 0, stderr);

  const restored = join(folder, 'restored');
  cpSync(target, restored, { recursive: true });
  copyFileSync(join(server.dataFolder, 'operator.key'), join(restored, 'operator.key'));
  // The kit reads the profiles of the first start.
  cpSync(join(server.dataFolder, 'aws'), join(restored, 'aws'), { recursive: true });
  const second = await startTestServer({}, restored);
  const read = s3Caller(second.endpoint, server.credentials);
  const { body } = await read({ method: 'GET', target: '/logs' });
  const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => `/logs/${key}`);
  assert.ok(keys.includes('/logs/before'));
  for (const key of keys) {
    const content = (await read({ method: 'GET', target: key })).body.toString();
    assert.match(content, key === '/logs/multi' ? /^part$/ : new RegExp(`^${key} (old|new)$`));
  }
  assert.ok(keys.includes('/logs/multi'));
});

test('belfry backup: a missing content is an error, and leaves no backup', async () => {
  const other = await startTestServer();
  const put = s3Caller(other.endpoint, other.credentials);
  await put({ method: 'PUT', target: '/logs' });
  await put({ method: 'PUT', target: '/logs/k', body: 'lost' });
  await other.stop();
  for (const file of globSync('objects/??/*', { cwd: other.dataFolder })) unlinkSync(join(other.dataFolder, file));
  const target = join(folder, 'incomplete');
  const { status, stderr } = await belfry(['backup', target, '--data', other.dataFolder]);
  assert.equal(status, 1);
  assert.match(stderr, /the content '[0-9a-f]{32}' of an object is not in/);
  assert.equal(existsSync(target), false);
});
