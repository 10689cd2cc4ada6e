// `npm test`: runs the checks and all tests with Node 24. With test files or options of Node as arguments, runs without the checks.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode24 } from '../bin/find-node24.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = findNode24();
// Node reads options only before the files.
const [options, named] = [true, false].map((isOption) => process.argv.slice(2).filter((each) => each.startsWith('-') === isOption));

function run(args) {
  const done = spawnSync(node, ['--disable-warning=ExperimentalWarning', ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

if (named.length === 0 && options.length === 0) run([join('tools', 'check.ts')]);
const patterns = named.length > 0 ? named : ['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts'];
run([
  // This module fails a test that misuses a database connection, also in a worker thread.
  '--import',
  new URL('../test/store/checked-pool.ts', import.meta.url).href,
  '--test',
  '--test-concurrency=2',
  '--test-timeout=600000',
  '--test-reporter=dot',
  '--test-reporter-destination=stdout',
  '--test-reporter=./tools/test-summary.mjs',
  '--test-reporter-destination=stdout',
  ...options,
  ...patterns,
]);
