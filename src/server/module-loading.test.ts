import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);

test('prepareLoading: `imports` and `type` in package.json agree with the direct resolution', () => {
  const { imports, type } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as Record<string, unknown>;
  assert.deepEqual([imports, type], [{ '#*': './src/*' }, 'module']);
});

test('prepareLoading: a module has one URL, whether imported by alias, by path, or before the call', () => {
  const program = `
    const before = await import('${new URL('src/core/instant.ts', ROOT).href}');
    const { prepareLoading } = await import('${new URL('src/server/module-loading.ts', ROOT).href}');
    prepareLoading();
    await import('${new URL('src/services/chime-sdk-meetings/operations.ts', ROOT).href}');
    const after = await import('${new URL('src/core/instant.ts', ROOT).href}');
    console.log(before === after, (await import('cborg')).decode !== undefined);
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: fileURLToPath(ROOT),
    encoding: 'utf8',
  });
  assert.equal(stdout.trim(), 'true true', stderr);
});

test('run-core: loading the core loads no WebSocket client of Node', () => {
  const program = `
    await import('${new URL('src/server/core/run-core.ts', ROOT).href}');
    console.log(process.moduleLoadList.some((name) => name.includes('undici')));
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: fileURLToPath(ROOT),
    encoding: 'utf8',
  });
  assert.equal(stdout.trim(), 'false', stderr);
});
