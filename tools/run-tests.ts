/**
 * Runs test files, three at a time, each in a process of its own. `tools/test.mjs` starts it.
 *
 *     node tools/run-tests.ts [OPTION-OF-NODE …] FILE-OR-PATTERN …
 *
 * The slowest files start first, so that all workers end at about the same time.
 */
import { existsSync, globSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { run } from 'node:test';
import { dot } from 'node:test/reporters';
import { hostPostgres } from '../test/store/postgres-host.ts';
import { summary } from './test-summary.ts';
import { watch } from './test-watch.ts';

/** One more than the cores, because the tests also wait for disks, timers and children. */
const AT_A_TIME = 3;
/** Longest times for one file and without any event, in seconds. `BELFRY_…` names are reserved for settings of the server. */
const FILE_SECONDS = Number(process.env['TEST_FILE_SECONDS'] ?? 1_200);
const SILENCE_SECONDS = 1_500;

/** Files that take longest, the slowest first. `npm test` prints the current list. Other files of `test/` start before those of `src/`. */
const SLOWEST: readonly string[] = [
  'test/hostile/hostile.test.ts',
  'test/recording/recording.test.ts',
  'test/groups/services.mjs',
  'test/groups/server.mjs',
  'test/chime/month.test.ts',
  'test/chime/directory-sync.test.ts',
  'test/hostile/core-steps.test.ts',
  'test/groups/sdk.mjs',
  'test/simulation/mutants.test.ts',
  'test/hostile/arn-variants.test.ts',
  'test/sip/faults.test.ts',
  'test/readme/readme.test.ts',
  'test/simulation/server.test.ts',
  'test/server/analyses.test.ts',
  'test/leases/simulation.test.ts',
  'test/chime/domains.test.ts',
  'test/messaging-sessions/closed.test.ts',
  'test/server/start.test.ts',
  'test/sip/calls.test.ts',
  'test/sip/servers.test.ts',
  'test/voice/sip-decisions.test.ts',
  'test/chime/numbers.test.ts',
  'test/cdk/resources.test.ts',
  'test/voice/boto3.test.ts',
  'test/cli/commands.test.ts',
  'test/server/trail-retention.test.ts',
  'test/server/health.test.ts',
  'test/trail-log/unwitnessed.test.ts',
  'test/server/page-tokens.test.ts',
  'test/sign-in/servers.test.ts',
];

function startOrder(files: Iterable<string>): readonly string[] {
  const rank = (file: string) => {
    const at = SLOWEST.indexOf(file);
    return at >= 0 ? at : SLOWEST.length + (file.startsWith('test/') ? 0 : 1);
  };
  return [...files].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const [execArgv = [], patterns = []] = [true, false].map((isOption) =>
  process.argv.slice(2).filter((each) => each.startsWith('-') === isOption),
);
const files = new Set<string>();
for (const pattern of patterns) {
  const found = globSync(pattern);
  if (found.length === 0) fail(`no test file matches '${pattern}'`);
  for (const file of found) files.add(relative('.', file));
}
const gone = SLOWEST.find((file) => !existsSync(file));
if (gone !== undefined) fail(`SLOWEST in tools/run-tests.ts lists '${gone}', which does not exist`);
const postgres = await hostPostgres();
// The exit handlers delete the files of PostgreSQL. Without these lines, a signal would end the process before they run.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
const events = run({
  files: startOrder(files).map((file) => resolve(file)),
  concurrency: AT_A_TIME,
  execArgv,
});
watch(events, { fileMs: FILE_SECONDS * 1_000, silenceMs: SILENCE_SECONDS * 1_000 });
events.on('test:summary', ({ success }) => {
  if (!success) process.exitCode = 1;
});
events.once('end', () => void postgres.end());
events.compose(dot).pipe(process.stdout);
events.compose(summary).pipe(process.stdout);
