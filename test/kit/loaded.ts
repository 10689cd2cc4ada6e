/**
 * Delays the tests of a file until its module is loaded. Modules of the test kit that add hooks to a file import this one.
 *
 * A file may start a server at its top level after it has registered some tests. Node 24 runs the `after` hooks of the file as soon as the
 * tests so far have ended, even if the module is still loading. On a busy machine, a hook then stopped a server or a database that later
 * tests use. Recorded: Node 24.21, 2026-12-01, a file with `after`, a test, an awaited second, and another test.
 */
import { before } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

const [, main = ''] = process.argv;
if (isMainThread && (process.env['NODE_TEST_CONTEXT'] !== undefined || main.endsWith('.test.ts'))) {
  before(async () => {
    // Resolves when the module is loaded. It is not loaded a second time.
    await import(pathToFileURL(main).href);
  });
}
