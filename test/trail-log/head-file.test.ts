/** The file `trail-head`: without a witness, a start finds a database that is older than the last signed checkpoint (Decision 0028). */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { newFolder } from '../kit/folder.ts';
import { belfry, type ServerProcess, startServerProcess } from '../kit/process.ts';
import { until } from '../kit/until.ts';

const SETTINGS = { BELFRY_CHECKPOINT_SECONDS: '1' };
const UNKNOWN = /the trail log '\S+' continues at \d+ records without a witness and without the file 'trail-head'\. This start cannot tell/;

/** Data folder between two runs of the server. */
const saved = newFolder('head');
const inFolder = (folder: string) => join(folder, 'trail-head');
const headIn = (folder: string) => (existsSync(inFolder(folder)) ? readFileSync(inFolder(folder), 'utf8') : '{"size":0}');
const notedSize = (folder: string): number => (JSON.parse(headIn(folder)) as { readonly size: number }).size;

/** Runs a server on a copy of the saved folder, stops it and saves its folder. Returns what it wrote. */
async function run(use: (server: ServerProcess) => Promise<void>): Promise<string> {
  const folder = newFolder('head');
  cpSync(saved, folder, { recursive: true });
  const server = await startServerProcess(SETTINGS, folder);
  await use(server);
  assert.equal(await server.stop(), 0);
  rmSync(saved, { recursive: true });
  cpSync(folder, saved, { recursive: true, filter: (path) => basename(path) !== 'control' });
  return server.written();
}

async function createUser({ endpoint, credentials }: ServerProcess, UserName: string): Promise<void> {
  const client = { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
  await new IAMClient(client).send(new CreateUserCommand({ UserName }));
}

/** Creates a user and waits until the noted head has grown. */
async function createNoted(server: ServerProcess, userName: string): Promise<void> {
  const size = () => notedSize(server.dataFolder);
  const before = size();
  await createUser(server, userName);
  await until(
    () => size() > before,
    () => `the noted head has ${size()} leaves, before ${before}`,
  );
}

const isReady = async ({ endpoint }: ServerProcess) => (await fetch(`${endpoint}/_belfry/ready`)).status === 200;

/** Replaces the saved database by its backup. */
function restore(backup: string): void {
  for (const name of ['belfry.db', 'belfry.db-wal', 'belfry.db-shm']) rmSync(join(saved, name), { force: true });
  copyFileSync(join(backup, 'belfry.db'), join(saved, 'belfry.db'));
}

const backup = join(newFolder('head'), 'backup');

test('trail-head: a first start prints nothing about it, notes each signed checkpoint, and a backup does not contain it', async () => {
  const written = await run(async (server) => {
    await createNoted(server, 'ann');
    const made = await belfry(['backup', backup, '--data', server.dataFolder]);
    assert.equal(made.status, 0, made.stderr);
    assert.ok(!readdirSync(backup, { recursive: true }).some((name) => String(name).includes('trail-head')));
    await createNoted(server, 'ben');
  });
  assert.doesNotMatch(written, /trail log/);
});

test('trail-head: a database that continues the noted head starts without a line', async () => {
  const written = await run(async (server) => {
    assert.equal(await isReady(server), true);
    await createNoted(server, 'carl');
  });
  assert.doesNotMatch(written, /trail log/);
});

test('trail-head: a restored backup refuses all requests until the operator names the loss', async () => {
  const noted = headIn(saved);
  restore(backup);
  await run(async (server) => {
    const { dataFolder } = server;
    assert.match(server.written(), new RegExp(`the trail log '\\S+' has \\d+ records, but this server stored ${notedSize(dataFolder)}\\.`));
    assert.equal(await isReady(server), false);
    await assert.rejects(createUser(server, 'dora'), ({ $metadata }) => $metadata.httpStatusCode === 503);
    assert.equal(headIn(dataFolder), noted);
    const named = await belfry(['trail', 'restored', '--reason', 'a disk failed', '--data', dataFolder]);
    assert.equal(named.status, 0, named.stderr);
    await createUser(server, 'dora');
    await until(
      () => headIn(dataFolder).includes('"epoch":2'),
      () => headIn(dataFolder),
    );
  });
  const again = await run(async (server) => assert.equal(await isReady(server), true));
  assert.doesNotMatch(again, /trail log/);
});

for (const [what, change] of [
  ['an absent file', () => rmSync(inFolder(saved))],
  ['a file that is not a head', () => writeFileSync(inFolder(saved), '{"epoch":2}')],
] as const) {
  test(`trail-head: with ${what}, the start prints a line, and the log continues`, async () => {
    change();
    const written = await run(async (server) => {
      assert.equal(await isReady(server), true);
      await createUser(server, what.replaceAll(' ', '-'));
      await until(
        () => headIn(server.dataFolder).includes('"root"'),
        () => headIn(server.dataFolder),
      );
    });
    assert.match(written, UNKNOWN);
  });
}
