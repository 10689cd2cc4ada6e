import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeDurably } from './durable-file.ts';

const parent = mkdtempSync(join(tmpdir(), 'belfry-durable-'));
after(() => rmSync(parent, { recursive: true, force: true }));
const folder = join(parent, 'aws');
mkdirSync(folder);
const path = join(folder, 'credentials');

test('writeDurably: a file is replaced, is accessible only by its owner, and links are not followed', () => {
  const other = join(parent, 'other');
  writeFileSync(other, 'kept');
  symlinkSync(other, `${path}.new`);
  writeDurably(path, 'secret');
  assert.equal(readFileSync(path, 'utf8'), 'secret');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(other, 'utf8'), 'kept');
  assert.deepEqual(readdirSync(folder), ['credentials']);
});

const hasStrace = spawnSync('strace', ['-V']).status === 0;
test('writeDurably: the file is synced and renamed, and then the folder is synced', { skip: hasStrace ? false : 'needs strace' }, () => {
  const script = `import { writeDurably } from ${JSON.stringify(import.meta.resolve('./durable-file.ts'))}; writeDurably(${JSON.stringify(path)}, 'x');`;
  const { stderr } = spawnSync(
    'strace',
    ['-f', '-qq', '-y', '-e', 'trace=fsync,rename,renameat,renameat2', process.execPath, '--input-type=module', '-e', script],
    // The cache of compiled code renames files too.
    { encoding: 'utf8', env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' } },
  );
  const steps = stderr.split('\n').flatMap((line) => {
    const found = /(fsync)\(\d+<([^>]*)>\)|(rename)\w*\(/.exec(line);
    return found === null ? [] : [found[1] === undefined ? 'rename' : `fsync ${found[2]}`];
  });
  assert.deepEqual(steps, [`fsync ${path}.new`, 'rename', `fsync ${folder}`, `fsync ${parent}`]);
});
