import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkpointsOf } from './checkpoints.ts';
import { dataFolders } from './sqlite-fixture.ts';

const freshFolder = dataFolders();

test('checkpoints: if the thread cannot open the file, onFailure is called once, and no transaction waits', async () => {
  let failures = 0;
  const failed = Promise.withResolvers<void>();
  // The folder does not exist, so the thread cannot open the file.
  const checkpoints = checkpointsOf(join(freshFolder(), 'belfry.db'), () => {
    failures += 1;
    failed.resolve();
  });
  for (let i = 0; i < 64; i++) checkpoints.committed();
  await failed.promise;
  for (let i = 0; i < 200; i++) checkpoints.committed();
  assert.equal(checkpoints.pause(), undefined);
  await checkpoints.close();
  assert.equal(failures, 1);
});
