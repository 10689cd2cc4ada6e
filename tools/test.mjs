// `npm test`: runs the checks and all tests with Node 24. With test files or options of Node as arguments, runs the
// tests without the checks.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode24 } from '../bin/find-node24.mjs';
import { wholeSuite } from './test-groups.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = findNode24();
const given = process.argv.slice(2);

// With the compile cache, a test process does not strip the types of sources that an earlier process has loaded. The server uses the same folder.
const env = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'belfry'), ...process.env };

function run(args) {
  const done = spawnSync(node, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

if (given.length === 0) run([join('tools', 'check.ts')]);
const isOfFiles = given.some((each) => !each.startsWith('-'));
run([
  // With this module, a test that misuses a database connection fails, also in a worker thread.
  '--import',
  new URL('../test/store/checked-pool.ts', import.meta.url).href,
  join('tools', 'run-tests.ts'),
  ...given,
  ...(isOfFiles ? [] : wholeSuite()),
]);
