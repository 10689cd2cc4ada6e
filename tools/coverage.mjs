// `npm run coverage`: runs the unit tests of src/ with Node 24 and prints the covered lines, branches and functions of
// each file.
// With test files as arguments, runs only these files. Node measures the main thread and worker threads, but not child
// processes.
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode24 } from '../bin/find-node24.mjs';

const named = process.argv.slice(2);
const done = spawnSync(
  findNode24(),
  [
    '--disable-warning=ExperimentalWarning',
    '--test',
    '--test-concurrency=2',
    '--experimental-test-coverage',
    '--test-coverage-include=src/**/*.ts',
    '--test-coverage-exclude=src/**/*.test.ts',
    '--test-coverage-exclude=src/model/generated/**',
    '--test-reporter=./tools/coverage-table.mjs',
    '--test-reporter-destination=stdout',
    ...(named.length > 0 ? named : ['src/**/*.test.ts']),
  ],
  { cwd: dirname(dirname(fileURLToPath(import.meta.url))), stdio: ['ignore', 'inherit', 'inherit'] },
);
process.exit(done.status ?? 1);
