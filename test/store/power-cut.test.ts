import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { openSqlite } from '#store/engine/sqlite.ts';
import { until } from '../kit/until.ts';
import { type Aftermath, aftermath, assertUnharmed, startLoad } from './crash.ts';

const IMAGE_BYTES = 512 * 2 ** 20;

/**
 * Script that simulates a power cut when it reads a line: EXT4_IOC_SHUTDOWN with NOLOGFLUSH discards all data that is not durable. Source:
 * Linux, ext4.h.
 */
const CUT = `
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
print('ready', flush=True)
sys.stdin.readline()
fcntl.ioctl(fd, 0x8004587d, struct.pack('I', 2))
`;

import { newFolder } from '../kit/folder.ts';

/** Starts the script. Resolves to the function that cuts the power at once, and resolves after the cut. */
async function powerSwitch(): Promise<() => Promise<void>> {
  const script = spawn('python3', ['-c', CUT, mountPoint], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(script, 'exit');
  await once(script.stdout, 'data');
  return async () => {
    script.stdin.end('\n');
    assert.deepEqual(await ended, [0, null]);
  };
}

const folder = newFolder('power');
const image = join(folder, 'disk.img');
const mountPoint = join(folder, 'disk');
mkdirSync(mountPoint);

function run(program: string, ...args: string[]): { readonly failed: boolean; readonly message: string } {
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { failed: status !== 0, message: error?.message ?? stderr.trim() };
}

/** Mounts the disk. Returns the error message if that fails. */
function mount(): string | undefined {
  const { failed, message } = run('mount', '-o', 'loop', image, mountPoint);
  return failed ? message : undefined;
}

/** Creates an empty disk in a file and mounts it. Returns the reason if this machine does not allow it. */
function makeDisk(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may mount';
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices';
  writeFileSync(image, '');
  truncateSync(image, IMAGE_BYTES);
  const made = run('mkfs.ext4', '-q', '-F', image);
  return made.failed ? made.message : mount();
}

/** Reports whether no loop device uses the image. */
function isDetached(): boolean {
  const { status, stdout } = spawnSync('losetup', ['--associated', image], { encoding: 'utf8' });
  return status === 0 && stdout === '';
}

after(() => run('umount', mountPoint));

/**
 * Runs a load, shuts the file system down and mounts it again. Then compares the store with the changes and records
 * that were acknowledged before the shutdown.
 *
 * Ignores later acknowledgments: while ext4 shuts down, a sync can return success although it has written nothing.
 */
async function cut(acknowledged: string[], round: number, data: string, ...more: string[]): Promise<Aftermath> {
  const cutPower = await powerSwitch();
  const load = startLoad(data, round, ...more);
  await load.atLeast(500 + 300 * round);
  acknowledged.push(...load.acknowledged);
  await cutPower();
  await load.kill();
  const unmounted = run('umount', mountPoint);
  assert.equal(unmounted.failed, false, unmounted.message);
  // Waits until no loop device uses the image. Otherwise, the next mount would return the file system that was shut
  // down.
  await until(isDetached, () => 'a loop device still uses the image');
  assert.equal(mount(), undefined);
  const store = await openSqlite(data);
  const after = await aftermath(store, acknowledged);
  await store.close();
  return after;
}

// Requirement RES-3. Killing a process does not test fsync, because the kernel still writes its page cache to the disk.
// A power cut tests fsync.
const noDisk = makeDisk();
const skip = (t: TestContext): void =>
  t.diagnostic(`NOT RUN, no power was cut: ${noDisk}. On this machine only kill.test.ts tests durability.`);

test('SQLite: after repeated power cuts under load, no acknowledged change or record is lost or incomplete', async (t) => {
  if (noDisk !== undefined) return skip(t);
  const acknowledged: string[] = [];
  for (let round = 0; round < 5; round++) assertUnharmed(await cut(acknowledged, round, join(mountPoint, 'safe')));
  t.diagnostic(`${acknowledged.length} acknowledged, 5 power cuts, none lost, none torn`);
});

// The kernel may write all of its cache just before a cut, for example because another process calls sync. Then that
// cut loses nothing.
test('SQLite: if the store does not wait for the disk, one of ten power cuts loses acknowledged changes', async (t) => {
  if (noDisk !== undefined) return skip(t);
  const lost: number[] = [];
  while (lost.length < 10 && !lost.some((count) => count > 0)) {
    const data = join(mountPoint, `unsafe-${lost.length}`);
    lost.push((await cut([], 0, data, 'unsafe')).lost.length);
  }
  assert.ok(
    lost.some((count) => count > 0),
    `${lost.length} power cuts lost no acknowledged change`,
  );
});
