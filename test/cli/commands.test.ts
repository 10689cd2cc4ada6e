/** The command line as an operator uses it: help, misuse, and the commands that need no server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import { VERSION } from '#server/version.ts';
import { newFolder } from '../kit/folder.ts';
import { BELFRY, belfry, startAndStop } from '../kit/process.ts';
import { until } from '../kit/until.ts';

const COMMANDS = [
  'account',
  'aws-data-path',
  'backup',
  'bucket',
  'chime',
  'compliance',
  'endpoint',
  'explain',
  'numbers',
  'operator-key',
  'policy',
  'server',
  'sip',
  'start',
  'trail',
  'witness',
];

for (const flag of ['--version', '-v', 'version']) {
  test(`belfry ${flag}: prints the version`, async () => {
    assert.deepEqual(await belfry([flag]), { status: 0, stdout: `${VERSION}\n`, stderr: '' });
  });
}

for (const args of [['--help'], ['-h'], ['help'], []]) {
  test(`belfry ${args.join(' ') || 'without arguments'}: prints all commands`, async () => {
    const { status, stdout, stderr } = await belfry(args);
    assert.deepEqual([status, stderr], [0, '']);
    for (const command of [...COMMANDS, 'policy test|validate|diff', 'version']) assert.ok(stdout.includes(`belfry ${command}`), command);
  });
}

for (const command of COMMANDS) {
  for (const args of [
    [command, '--help'],
    [command, '-h'],
    ['help', command],
  ]) {
    test(`belfry ${args.join(' ')}: prints the description of the command`, async () => {
      const { status, stdout, stderr } = await belfry(args);
      assert.deepEqual([status, stderr], [0, '']);
      assert.ok(stdout.includes(command === 'start' ? '--data' : `belfry ${command}`), stdout);
    });
  }
}

test('belfry policy diff --help: a subcommand prints the description of its command', async () => {
  const { status, stdout } = await belfry(['policy', 'diff', '--help']);
  assert.equal(status, 0);
  for (const subcommand of ['policy test', 'policy validate', 'policy diff']) assert.ok(stdout.includes(`belfry ${subcommand}`));
});

test('belfry chime --help: lists each operation that this server adds', async () => {
  const { stdout } = await belfry(['chime', '--help']);
  const own = Object.values(loadModel('chime').operations).filter((operation) => operation.own === true);
  const names = own.map(({ http }) => http.uri.slice(http.uri.lastIndexOf('/') + 1));
  assert.ok(names.length > 0);
  assert.deepEqual(
    names.filter((name) => !stdout.includes(`\n  ${name}\n`)),
    [],
  );
});

// biome-ignore format: a table
const MISUSES: readonly [args: string, problem: string][] = [
  ['policies',                                    "belfry: unknown command 'policies'"],
  ['help policies',                               "belfry: unknown command 'policies'"],
  ['account',                                     'belfry account: missing command (commands: list, create, restore-administrator, make-standalone)'],
  ['account remove',                              "belfry account: unknown command 'remove' (commands: list, create, restore-administrator, make-standalone)"],
  ['numbers import',                              'belfry numbers: the argument must be FILE'],
  ['numbers remove',                              'belfry numbers: missing NUMBER: a phone number such as +12065550100'],
  ['account create',                              'belfry account: missing --name: a name of 1 to 50 characters'],
  ['account create --name',                       'belfry account: --name requires a value: a name of 1 to 50 characters'],
  ['account create --nmae x',                     "belfry account: unknown flag '--nmae' (flags: --name, --profile, --data)"],
  ['account create --name x y',                   "belfry account: unexpected argument 'y' (flags: --name, --profile, --data)"],
  ['account create --name x --profile a/b',       "belfry account: --profile is 'a/b'; it must be 1 to 64 letters, digits, '_', '.' and '-'"],
  ['account restore-administrator',               'belfry account: missing --account-id: the ID of an account'],
  ['account make-standalone',                     'belfry account: missing --account-id: the ID of an account'],
  ['account list --name x',                       "belfry account: unknown flag '--name' (flags: --data)"],
  ['operator-key',                                'belfry operator-key: missing command (commands: rotate, forget-old)'],
  ['operator-key rotate --forget',                "belfry operator-key: unknown flag '--forget' (flags: --forget-old, --data)"],
  ['operator-key rotate --forget-old=1',          'belfry operator-key: --forget-old does not take a value'],
  ['operator-key forget-old --forget-old',        "belfry operator-key: unknown flag '--forget-old' (flags: --data)"],
  ['server',                                      'belfry server: missing command (commands: list, remove)'],
  ['server remove',                               "belfry server: missing --id: the ID of a server, from 'belfry server list'"],
  ['trail',                                       'belfry trail: missing command (commands: unproven, retention, set-retention, target, verify-files, check-proof, serve-tiles, status, prove, verify, restored)'],
  ['trail unproven --max-items 0',                "belfry trail: --max-items is '0'; it must be a number from 1 to 9999999"],
  ['trail unproven --max 3',                      "belfry trail: unknown flag '--max' (flags: --max-items, --data)"],
  ['backup',                                      'belfry backup: missing folder: TARGET'],
  ['backup a b',                                  "belfry backup: unexpected argument 'b'; the only folder is TARGET"],
  ['backup a --to b',                             "belfry backup: unknown flag '--to' (flags: --data, --database)"],
  ['policy',                                      'belfry policy: missing command (commands: replay, suggest, test, validate, diff)'],
  ['policy suggest',                              'belfry policy: missing --principal: '],
  ['policy suggest --principal arn:aws:sts::111122223333:assumed-role/a/b', "belfry policy: --principal is 'arn:aws:sts::111122223333:assumed-role/a/b'; it must be the ARN of a user or role. For a session, name its role: arn:aws:iam::"],
  ['policy replay --days x',                      "belfry policy: --days is 'x'; it must be a number of days from 1 to 99999"],
  ['policy test',                                 'belfry policy: missing file: FILE …'],
  ['policy test --verbose x',                     "belfry policy: unknown flag '--verbose' (flags: none)"],
  ['policy validate',                             'belfry policy: missing file: FILE …'],
  ['policy validate --type user x',               "belfry policy: --type is 'user'; it must be one of identity, boundary, session, service-control, resource, trust"],
  ['policy diff a',                               'belfry policy: missing files: OLD and NEW'],
  ['policy diff a b c',                           "belfry policy: unexpected argument 'c'; the files are OLD and NEW"],
  ['compliance',                                  'belfry compliance: missing command (commands: check, report)'],
  ['compliance report',                           'belfry compliance: missing --out: a new folder'],
  ['compliance report --out x --account 1',       'belfry compliance: --account must be the ID of an account'],
  ['compliance report --out x --days x',          "belfry compliance: --days is 'x'; it must be a number of days from 1 to 99999"],
  ['compliance report --out x --days 0',          "belfry compliance: --days is '0'; it must be a number of days from 1 to 99999"],
  ['compliance report --out x --witness y',       "belfry compliance: --witness is 'y'; it must be VKEY@URL"],
  ['bucket remove-policy',                        'belfry bucket: specify one bucket: BUCKET'],
  ['trail serve-tiles --listen 7420',             "belfry trail: --listen is '7420'; it must be HOST:PORT"],
  ['witness',                                     'belfry witness: missing command (commands: start, add-log, list-logs, vkey)'],
  ['witness start --name a+b',                    "belfry witness: --name is 'a+b'; it must be a name without spaces and '+'"],
  ['witness start --listen 7419',                 "belfry witness: --listen is '7419'; it must be HOST:PORT"],
  ['witness add-log --vkey a+b',                  "belfry witness: --vkey: a vkey has three parts, which are separated by '+'"],
  ['trail check-proof x',                         'belfry trail: missing --key: the public key (vkey) of the log'],
  ['trail check-proof x --key y',                 "belfry trail: --key is 'y': a vkey has three parts"],
  ['trail verify --accept-restore x',             "belfry trail: --accept-restore is 'x'; it must be the number of an epoch"],
  ['unknown',                                     "belfry: unknown command 'unknown' (commands: start, account, "],
  ['start --htpp 127.0.0.1:0',                    "belfry: unknown flag '--htpp' (flags: --data, --http, "],
  ['start --http',                                'belfry: --http requires a value: HOST:PORT or off'],
  ['start 8080',                                  "belfry: unexpected argument '8080' (flags: --data, --http, "],
];
for (const [args, problem] of MISUSES) {
  test(`belfry ${args}: names the problem first, and exits with 2`, async () => {
    const { status, stdout, stderr } = await belfry(args.split(' '));
    assert.deepEqual([status, stdout], [2, '']);
    assert.ok(stderr.startsWith(problem), stderr);
    assert.ok(stderr.trimEnd().split('\n').length <= 2, stderr);
    if (!args.startsWith('start')) assert.match(stderr, /'belfry .*--help' describes the commands?$/m);
  });
}

test('belfry backup: only the owner can read the copy', async () => {
  const [data, target] = [newFolder('cli'), join(newFolder('cli'), 'monday')];
  await startAndStop(['--data', data, '--http', '127.0.0.1:0', '--https', 'off']);
  const { status, stderr } = await belfry(['backup', target, '--data', data]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(readdirSync(target), ['belfry.db']);
  assert.deepEqual(
    [target, join(target, 'belfry.db')].map((path) => statSync(path).mode & 0o777),
    [0o700, 0o600],
  );
  const again = await belfry(['backup', target, '--data', data]);
  assert.deepEqual([again.status, again.stderr], [1, `belfry backup: '${target}' already exists; specify a new folder\n`]);
});

test('belfry backup: a database in another folder is copied', async () => {
  const [data, database, target] = [newFolder('cli'), newFolder('cli'), join(newFolder('cli'), 'monday')];
  chmodSync(database, 0o700);
  await startAndStop(['--data', data, '--database', `file:${database}`, '--http', '127.0.0.1:0', '--https', 'off']);
  assert.equal((await belfry(['backup', target], { BELFRY_DATA: data, BELFRY_DATABASE: `file:${database}` })).status, 0);
  assert.deepEqual(readdirSync(target), ['belfry.db']);
});

test('belfry backup: for PostgreSQL, the command prints a pg_dump command without the password', async () => {
  const { status, stderr } = await belfry(['backup', "it's"], { BELFRY_DATABASE: 'postgres://ada:secret@127.0.0.1/belfry' });
  assert.equal(status, 1);
  assert.equal(
    stderr,
    `belfry backup: the database is PostgreSQL; run: (umask 077; pg_dump --format=custom --file='it'\\''s.dump' "$BELFRY_DATABASE")\n`,
  );
  const folder = newFolder('cli');
  const unset = await belfry(['backup', 'x', '--data', folder]);
  assert.equal(unset.status, 1);
  assert.match(
    unset.stderr,
    /^belfry backup: there is no SQLite database in '[^']*'; set its folder with --data. If .* PostgreSQL, run: \(umask 077; pg_dump /,
  );
});

test('belfry trail verify: a damaged database is one line with its file and what to do', async () => {
  const folder = newFolder('cli');
  for (const content of ['x'.repeat(8_192), `SQLite format 3\0${'x'.repeat(8_192)}`]) {
    writeFileSync(join(folder, 'belfry.db'), content);
    const { status, stderr } = await belfry(['trail', 'verify', '--data', folder]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^belfry trail: the database '.*belfry\.db' is damaged \(.+\); restore it from a backup, see "The data folder" in docs\/guide\.md\n$/,
    );
  }
});

// biome-ignore format: a table
const READING: readonly (readonly [command: string, args: readonly string[]])[] = [
  ['trail',      ['trail', 'verify']],
  ['trail',      ['trail', 'status']],
  ['trail',      ['trail', 'prove', 'an-event']],
  ['policy',     ['policy', 'replay']],
  ['policy',     ['policy', 'suggest', '--principal', 'arn:aws:iam::111122223333:user/ada']],
  ['compliance', ['compliance', 'report', '--out', join(newFolder('cli'), 'report')]],
];

for (const [command, args] of READING) {
  test(`belfry ${args.slice(0, 2).join(' ')}: an error of the disk is one line with the file and what to do`, async () => {
    const folder = newFolder('cli');
    // Each read of this file fails with EIO, as on a disk with a defect.
    symlinkSync('/proc/self/mem', join(folder, 'belfry.db'));
    const { status, stderr } = await belfry([...args, '--data', folder]);
    assert.equal(status, 1, stderr);
    const line = `^belfry ${command}: the database '.*belfry\\.db' cannot be read \\(disk I/O error\\); check the disk and the log of the kernel, or restore it `;
    assert.match(stderr, new RegExp(`${line}from a backup, see "The data folder" in docs/guide\\.md\n$`));
  });
}

/** Starts `belfry …` with a pipe as standard output that nothing reads. */
function withoutReader(args: readonly string[]) {
  const child = spawn(process.execPath, [BELFRY, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, closed, stderr: () => stderr };
}

test('belfry --help | head -1: a command ends without a message if its reader closes the pipe', async () => {
  const { closed, stderr } = withoutReader(['--help']);
  assert.deepEqual([await closed, stderr()], [141, '']);
});

test('belfry start | head -1: the server runs on if its reader closes the pipe', async () => {
  const data = newFolder('unread');
  const args = ['start', '--data', data, '--http', '127.0.0.1:0', '--https', 'off', '--metrics', 'off'];
  const { child, closed, stderr } = withoutReader(args);
  try {
    await until(
      async () => (await belfry(['server', 'list', '--data', data])).status === 0,
      () => 'the server does not run',
    );
  } finally {
    child.kill('SIGTERM');
  }
  assert.deepEqual([await closed, stderr()], [0, '']);
});
