import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { openSqlite } from '#store/engine/sqlite.ts';
import { type Aftermath, aftermath, assertUnharmed, startLoad } from './crash.ts';

const IMAGE_BYTES = 512 * 2 ** 20;

/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: what was not made durable is thrown away. Source: Linux, fs/ext4/ext4.h. */
const CUT = `
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(fd, 0x8004587d, struct.pack('I', 2))
`;

const folder = mkdtempSync(join(tmpdir(), 'belfry-power-'));
const image = join(folder, 'disk.img');
const mountPoint = join(folder, 'disk');
mkdirSync(mountPoint);

function run(program: string, ...args: string[]): { readonly failed: boolean; readonly said: string } {
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { failed: status !== 0, said: error?.message ?? stderr.trim() };
}

/** Mounts the disk; answers why it could not. */
function mount(): string | undefined {
  const { failed, said } = run('mount', '-o', 'loop', image, mountPoint);
  return failed ? said : undefined;
}

/** An empty disk of its own in a file; answers why this machine has none to give. */
function makeDisk(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may mount';
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices';
  writeFileSync(image, '');
  truncateSync(image, IMAGE_BYTES);
  const made = run('mkfs.ext4', '-q', '-F', image);
  return made.failed ? made.said : mount();
}

after(() => {
  run('umount', mountPoint);
  rmSync(folder, { recursive: true, force: true });
});

/** Works under load, cuts the power, starts the machine again and looks. */
async function cut(acknowledged: string[], round: number, data: string, ...more: string[]): Promise<Aftermath> {
  const load = startLoad(data, round, ...more);
  await load.atLeast(500 + 300 * round);
  const shutdown = run('python3', '-c', CUT, mountPoint);
  assert.equal(shutdown.failed, false, shutdown.said);
  await load.kill();
  acknowledged.push(...load.acknowledged);
  const unmounted = run('umount', mountPoint);
  assert.equal(unmounted.failed, false, unmounted.said);
  assert.equal(mount(), undefined);
  const store = await openSqlite(data);
  const after = await aftermath(store, acknowledged);
  await store.close();
  return after;
}

// Requirement RES-3. A kill alone proves nothing about fsync: the page cache outlives the process. Here it does not.
const noDisk = makeDisk();
const told = (t: TestContext): void =>
  t.diagnostic(`NOT RUN, no power was cut: ${noDisk}. Only kill.test.ts speaks for durability on this machine.`);

test('SQLite: a power cut under load, again and again, loses no acknowledged change or record and tears none', async (t) => {
  if (noDisk !== undefined) return told(t);
  const acknowledged: string[] = [];
  for (let round = 0; round < 5; round++) assertUnharmed(await cut(acknowledged, round, join(mountPoint, 'safe')));
  t.diagnostic(`${acknowledged.length} acknowledged, 5 power cuts, none lost, none torn`);
});

test('SQLite: the same power cut takes acknowledged changes from a store that does not wait for the disk', async (t) => {
  if (noDisk !== undefined) return told(t);
  const { lost } = await cut([], 0, join(mountPoint, 'unsafe'), 'unsafe');
  assert.notEqual(lost.length, 0);
});
