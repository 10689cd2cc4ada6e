/**
 * Groups of unit tests. `npm test` runs the files of a group in one process, which loads the modules that they share once. `npm test FILE`
 * runs a file alone. A file is in a group only if its source shows no use of state that a process has once.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Folders of each group. The file `test/groups/<name>.mjs` runs it. Files of other folders run alone. */
const FOLDERS = {
  policy: ['src/policy'],
  requests: ['src/core', 'src/model', 'src/sigv4', 'src/wire', 'src/access'],
  storage: ['src/store', 'src/tlog', 'src/trail', 'src/cli'],
  server: ['src/server', 'src/realtime', 'src/delivery'],
  chime: ['src/services/chime', 'src/services/chime-kit'],
  sdk: [
    'src/services/chime-sdk-identity',
    'src/services/chime-sdk-media-pipelines',
    'src/services/chime-sdk-meetings',
    'src/services/chime-sdk-messaging',
    'src/services/chime-sdk-voice',
  ],
  services: [
    'src/services/accessanalyzer',
    'src/services/cloudtrail',
    'src/services/cloudwatch',
    'src/services/events',
    'src/services/iam',
    'src/services/kit',
    'src/services/logs',
    'src/services/s3',
  ],
};

/**
 * Source of a test that runs alone: it uses time, threads, other processes, sockets, PostgreSQL, the garbage collector or variables of the
 * process, replaces functions, or has hooks, which would apply to every test of the group.
 */
const ALONE =
  /performance|[mM]emoryUsage|[cC]puUsage|heapUsed|\bgc\b|thread|Worker|process\.(?!getBuiltinModule)|globalThis|\bmock\b|setTimeout|setInterval|setImmediate|timers|until\(|Date\.now|child_process|createServer|[pP]ostgres|^(?:before|beforeEach|afterEach)\(|\.only\(|node:http|fetch\(/m;

/** Returns the test files of a folder, relative to the root of the repository. */
function testFiles(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `${folder}/${file}`)
    .sort();
}

/** Returns the files of a group. */
function filesOf(name) {
  return FOLDERS[name].flatMap(testFiles).filter((file) => !ALONE.test(readFileSync(join(ROOT, file), 'utf8')));
}

/** Registers the tests of a group. */
export async function runGroup(name) {
  for (const file of filesOf(name)) await import(join(ROOT, file));
}

/** Returns the files that `npm test` runs: the files of the groups, and the test files that are in no group. */
export function wholeSuite() {
  const names = Object.keys(FOLDERS);
  const grouped = new Set(names.flatMap(filesOf));
  const alone = ['src', 'test', 'tools'].flatMap(testFiles).filter((file) => !grouped.has(file));
  return [...names.map((name) => `test/groups/${name}.mjs`), ...alone];
}
