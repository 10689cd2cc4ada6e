/** Contents of objects: the server's own objects, and the deletion of contents that nothing refers to. */
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { LeaseClock } from '#access/lease-parts.ts';
import type { AccountId } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { putOwnObject } from '#services/s3/own-objects.ts';
import { buckets } from '#services/s3/tables/buckets.ts';
import { objects } from '#services/s3/tables/objects.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { listObjectFiles, openObjectFiles } from '../object-files.ts';
import { putBody } from '../stored-body.ts';
import { deleteGarbage, deleteOrphans, orphansPart } from './contents.ts';

const START = instant(Date.UTC(2030, 0, 1));

async function open() {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-contents-'));
  const store = await openSqlite(':memory:');
  after(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const contents = { ...openObjectFiles(folder), list: (before: number) => listObjectFiles(folder, before), orphanAgeMs: 0 };
  let now = START;
  const clock = { wall: () => now } as LeaseClock;
  await store.transaction((tx) =>
    tx.of(buckets).add({ name: 'logs', accountId: '111122223333' as AccountId, region: 'us-east-1', createdAt: START }),
  );
  return {
    parts: { contents, store, clock },
    /** Writes an object as the server itself does. Returns the ID of its content. */
    async write(text: string, bucket = 'logs') {
      const stored = await putBody(contents, Buffer.from(text));
      const document = { contentType: 'application/json' };
      const result = await store.transaction((tx) => putOwnObject({ tx, now }, { bucket, key: 'k', stored, document }));
      return { id: stored.id, result };
    },
    files: () => globSync('objects/??/*', { cwd: folder }).map((path) => path.slice(-32)),
    wait(milliseconds: number) {
      now = instant(now + milliseconds);
    },
  };
}

test('putOwnObject: the object has the content of putBody, its ETag and its CRC64NVME', async () => {
  const { parts, write } = await open();
  const { id } = await write('hello world');
  const object = await parts.store.transaction((tx) => tx.of(objects).get('logs', 'k'));
  assert.deepEqual(
    [object?.bodyId, object?.size, object?.etag, object?.checksum],
    [id, 11, '5eb63bbbe01eeed093cb22bb8f5acdc3', 'jSnVw/bqjr4='],
  );
  const pieces = await (await parts.contents.read(id, 6, 5)).toArray();
  assert.equal(Buffer.concat(pieces).toString(), 'world');
});

test('putOwnObject: without the bucket, nothing is written', async () => {
  const { parts, write } = await open();
  assert.equal((await write('x', 'no-such-bucket')).result, 'no-bucket');
  assert.equal(await parts.store.transaction((tx) => tx.of(objects).get('no-such-bucket', 'k')), undefined);
});

test('deleteGarbage: a replaced content is deleted after an hour, and the current one stays', async () => {
  const { parts, write, files, wait } = await open();
  const old = await write('old');
  const current = await write('current');
  wait(HOUR_MS - 1);
  await deleteGarbage(parts);
  assert.deepEqual(files().sort(), [old.id, current.id].sort());
  wait(1);
  await deleteGarbage(parts);
  assert.deepEqual(files(), [current.id]);
});

test('deleteOrphans: a content that no row names is deleted, and garbage stays for its hour', async () => {
  const { parts, write, files } = await open();
  const old = await write('old');
  const current = await write('current');
  await putBody(parts.contents, Buffer.from('no row'));
  await deleteOrphans(parts);
  assert.deepEqual(files().sort(), [old.id, current.id].sort());
});

for (const [what, page] of [
  ['uses the store no longer', ['0'.repeat(32)]],
  ['logs no error', []],
] as const) {
  test(`orphansPart: its stop waits for the search, which then ${what}`, async () => {
    const { parts } = await open();
    const listing = Promise.withResolvers<void>();
    const resume = Promise.withResolvers<void>();
    const steps: string[] = [];
    const contents = {
      ...parts.contents,
      async *list() {
        listing.resolve();
        await resume.promise;
        steps.push('listed');
        yield page;
        throw new Error('the folder is gone');
      },
    };
    const store = { ...parts.store, transaction: () => assert.fail('the store is used after the stop') };
    const part = orphansPart({ contents, store, clock: parts.clock, report: (line) => steps.push(line), isOpen: () => true });
    await part.start?.();
    await listing.promise;
    const stopped = Promise.resolve(part.stop?.()).then(() => steps.push('stopped'));
    resume.resolve();
    await stopped;
    assert.deepEqual(steps, ['listed', 'stopped']);
  });
}
