import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';
import { completeFolder, DAMAGES, refuseDamaged } from '../hostile/damaged-folders.ts';
import { newFolder } from '../kit/folder.ts';
import { startAndStop } from '../kit/process.ts';
import { startTestServer } from '../kit/server.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = [await testPostgres(), await testPostgres()] as const;
after(async () => {
  for (const { stop } of postgres) await stop();
});

const start = (folder: string, more: Readonly<Record<string, string>> = {}) =>
  startServer(readSettings([], { BELFRY_DATA: folder, BELFRY_HTTP: '127.0.0.1:0', BELFRY_HTTPS: '127.0.0.1:0', ...more }), (why) => {
    throw new Error(`the server died: ${why}`);
  });

const complete = join(newFolder('folder'), 'data');
await completeFolder(complete);

for (const damage of DAMAGES) {
  test(`Data folder: with ${damage.title}, the start fails with one line and changes no file`, () => refuseDamaged(complete, [damage]));
}

test('Data folder: an empty database with an old operator key is rejected, and the profile remains', async () => {
  const before = readFileSync(join(complete, 'aws', 'credentials'), 'utf8');
  await assert.rejects(start(complete, { BELFRY_DATABASE: postgres[0].url }), /^Error: the database is missing or empty[^\n]*$/);
  assert.equal(readFileSync(join(complete, 'aws', 'credentials'), 'utf8'), before);
});

test('Data folder: with a used PostgreSQL database but no operator key, the start fails and writes no key', async () => {
  const folder = newFolder('folder');
  const { stop } = await start(folder, { BELFRY_DATABASE: postgres[1].url });
  await stop();
  const other = newFolder('folder');
  await assert.rejects(start(other, { BELFRY_DATABASE: postgres[1].url }), /^Error: '[^\n]*' has no operator\.key[^\n]*$/);
  assert.deepEqual(readdirSync(other), []);
  copyFileSync(join(folder, 'operator.key'), join(other, 'operator.key'));
  await (await start(other, { BELFRY_DATABASE: postgres[1].url })).stop();
});

test('Data folder: after a restore of only the database and the operator key, the server starts', async () => {
  const folder = newFolder('folder');
  for (const name of ['belfry.db', 'operator.key']) copyFileSync(join(complete, name), join(folder, name));
  const { ready, stop } = await start(folder);
  assert.equal(ready.core.firstStart, undefined);
  await stop();
});

test('Data folder: the next start completes an interrupted first start', async () => {
  const folder = newFolder('folder');
  copyFileSync(join(complete, 'operator.key'), join(folder, 'operator.key'));
  mkdirSync(join(folder, 'aws'));
  writeFileSync(join(folder, 'aws', 'credentials'), '', { mode: 0o600 });
  await assert.rejects(start(folder), /missing or empty/);
  writeFileSync(join(folder, 'first-start'), '');
  const { ready, stop } = await start(folder);
  assert.ok(ready.core.firstStart !== undefined);
  assert.ok(!existsSync(join(folder, 'first-start')));
  await stop();
});

test('Data folder: a TLS key that all users can read is rejected, and a group-readable key is accepted', async () => {
  const server = await startTestServer();
  const key = join(newFolder('folder'), 'server.key');
  copyFileSync(join(server.dataFolder, 'tls', 'server.key'), key);
  const settings = { BELFRY_TLS_KEY: key, BELFRY_TLS_CERTIFICATE: join(server.dataFolder, 'tls', 'server.pem') };
  chmodSync(key, 0o644);
  await assert.rejects(start(newFolder('folder'), settings), /server\.key' is accessible by other users; run chmod 640/);
  chmodSync(key, 0o640);
  await (await start(newFolder('folder'), settings)).stop();
});

/** Supplementary group of the server, as Kubernetes sets it with `fsGroup`. */
const FS_GROUP = 2_000;
/** Command that runs the server as another user. */
const AS_USER = ['setpriv', '--reuid', '1000', '--regid', '1000', '--groups', String(FS_GROUP)];
const noUsers =
  process.getuid?.() === 0 && spawnSync(AS_USER[0] as string, [...AS_USER.slice(1), process.execPath, '--version']).status === 0
    ? false
    : 'needs root and setpriv';

test('Data folder: the server starts with a Kubernetes volume with fsGroup and a mounted key', { skip: noUsers }, async () => {
  const parent = newFolder('folder');
  chmodSync(parent, 0o755);
  const volume = join(parent, 'volume');
  mkdirSync(volume);
  chownSync(volume, 0, FS_GROUP);
  chmodSync(volume, 0o2770);
  const data = join(volume, 'belfry');
  const started = (folder: string) => startAndStop(['--data', folder, '--http', '127.0.0.1:0', '--https', 'off'], AS_USER);

  assert.match(
    (await started(volume)).written,
    /'[^']*volume' is writable by other users; use a new folder in it, such as '[^']*belfry'\n$/,
  );
  assert.deepEqual(readdirSync(volume), []);
  assert.equal((await started(data)).status, 0);
  assert.equal(statSync(data).mode & 0o777, 0o700);

  // Uses the key of the first start as a Kubernetes secret, mounted at every later start.
  const secret = join(parent, 'secret.key');
  copyFileSync(join(data, 'operator.key'), secret);
  chownSync(secret, 0, FS_GROUP);
  rmSync(join(data, 'operator.key'));
  symlinkSync(secret, join(data, 'operator.key'));
  for (const [mode, status] of [
    [0o444, 2],
    [0o440, 0],
  ] as const) {
    chmodSync(secret, mode);
    const { written, status: ended } = await started(data);
    assert.equal(ended, status, written);
  }
});

/** Returns the command that runs a shell script with an empty file system of this size at /mnt, as the current user. */
const onSmallDisk = (kibibytes: number, script: string): readonly [string, ...string[]] => [
  'unshare',
  '-rm',
  'sh',
  '-c',
  `mount -t tmpfs -o size=${kibibytes}k none /mnt && ${script}`,
];
const [program, ...probe] = onSmallDisk(4, 'true');
const noSmallDisks = spawnSync(program, probe).status === 0 ? false : 'this machine gives no user a file system of its own (unshare -rm)';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
for (const kibibytes of [4, 20, 48, 100, 160]) {
  test(`Data folder: a start on a disk of ${kibibytes} KiB prints one line about the full disk`, { skip: noSmallDisks }, () => {
    const script = `mkdir -m 700 /mnt/data && ${process.execPath} --disable-warning=ExperimentalWarning ${MAIN} start --data /mnt/data --http 127.0.0.1:0 --https 127.0.0.1:0 2>&1; echo status $?; find /mnt/data -name '*.new' -o -name 'operator.key.*'`;
    const [shell, ...args] = onSmallDisk(kibibytes, script);
    const written = execFileSync(shell, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    assert.match(written, /^belfry: could not start: the disk of .\/mnt\/data. is full; free some space [^\n]*\nstatus 2\n$/);
  });
}
