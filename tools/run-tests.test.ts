import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'belfry-run-tests-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, source: string): string {
  writeFileSync(join(folder, name), source);
  return join(folder, name);
}
const PASSES = file('passes.test.mjs', "import { test } from 'node:test'; test('one', () => {}); test('two', () => {});");
const FAILS = file('fails.test.mjs', "import { test } from 'node:test'; test('three', () => { throw new Error('wrong result'); });");
// The hook never ends, and neither does the process that the test started.
const HANGS = file(
  'hangs.test.mjs',
  `import { spawn } from 'node:child_process';
   import { after, test } from 'node:test';
   test('four', () => {
     const child = spawn('sleep', ['1000'], { stdio: ['ignore', 'inherit', 'inherit'] });
     after(() => new Promise((resolve) => child.once('exit', resolve)));
   });`,
);
const BROKEN = file('broken.test.mjs', "throw new Error('cannot load');");

// biome-ignore format: a table
const ROWS: readonly (readonly [title: string, args: readonly string[], status: number, printed: RegExp])[] = [
  // title                                     arguments                               status  output
  ['a file whose tests pass',                  [PASSES],                               0,      /\n2 passed, 0 failed\n/],
  ['a file with a test that fails',            [FAILS, PASSES],                        1,      /not ok: three.*wrong result.*\n2 passed, 1 failed\n/s],
  ['a file that cannot be loaded',             [PASSES, BROKEN],                       1,      /broken\.test\.mjs.*\n2 passed, 1 failed\n/s],
  ['a file that does not end',                 [HANGS, PASSES],                        1,      /\n2 passed, 1 failed\n.*hangs\.test\.mjs did not end within 5 s/s],
  ['an option of Node',                        ['--test-name-pattern=two', PASSES],    0,      /\n1 passed, 0 failed\n/],
  ['a name that matches no file',              [join(folder, 'none.test.mjs')],        1,      /no test file matches '.*none\.test\.mjs'/],
];
for (const [title, args, status, printed] of ROWS) {
  test(`npm test: ${title} ends with status ${status}`, () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const done = spawnSync(process.execPath, ['tools/run-tests.ts', ...args], {
      encoding: 'utf8',
      env: { ...env, TEST_FILE_SECONDS: '5' },
    });
    assert.match(done.stdout + done.stderr, printed);
    assert.equal(done.status, status);
  });
}
