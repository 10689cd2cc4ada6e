import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

test('setup: a linked node_modules is not changed, because npm would empty the linked folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-setup-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const clone = join(folder, 'clone');
  for (const file of ['tools/setup.mjs', 'bin/find-node24.mjs', 'package.json', 'package-lock.json']) {
    mkdirSync(join(clone, file, '..'), { recursive: true });
    copyFileSync(file, join(clone, file));
  }
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  writeFileSync(join(shared, 'package-of-another'), '');
  symlinkSync(shared, join(clone, 'node_modules'));

  // `PATH` is empty, so setup prints another message if it tries to run npm.
  const done = spawnSync(process.execPath, [join(clone, 'tools/setup.mjs')], { encoding: 'utf8', env: { PATH: '' } });
  assert.equal(done.status, 1);
  assert.match(done.stderr, /node_modules is a link to '.*shared'/);
  assert.deepEqual(readdirSync(shared), ['package-of-another']);
});
