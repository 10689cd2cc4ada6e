/** Servers whose data folder is on a small file system of their own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, copyFileSync, openSync, readdirSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { databaseFile } from '#store/engine/database-folder.ts';
import { newFolder } from './folder.ts';
import { profileKeys } from './keys.ts';
import { type ServerProcess, startServerProcess } from './process.ts';
import type { ClientSettings } from './server.ts';

/** A server whose trail a test can break. */
export interface Breakable {
  readonly settings: ClientSettings;
  /** Makes the trail unwritable. */
  readonly fail: () => Promise<void> | void;
  readonly repair: () => Promise<void> | void;
}

/** Size of the file system. */
export const DISK_KIBIBYTES = 12_288;
const OTHER_USER = 1_000;

/** Returns the command that runs a server with an empty file system of its own at `folder`. */
const onSmallDisk = (folder: string, asUser: readonly string[]): readonly [string, ...string[]] => {
  const mount = `mount -t tmpfs -o size=${DISK_KIBIBYTES}k,mode=700 none '${folder}' && touch '${folder}/filler' && exec "$@"`;
  const [first = 'unshare', ...rest] = [...asUser, 'unshare', '-rm', 'sh', '-c', mount, 'sh'];
  return [first, ...rest];
};

/** Runs a command as another user without privileges. */
export const AS_OTHER = ['setpriv', '--reuid', `${OTHER_USER}`, '--regid', `${OTHER_USER}`, '--clear-groups'];

/** Creates a folder on which the user can mount. */
function folderOf(asUser: readonly string[]): string {
  const folder = newFolder('disk');
  if (asUser.length > 0) {
    chmodSync(folder, 0o755);
    chownSync(folder, OTHER_USER, OTHER_USER);
  }
  return folder;
}

/** Returns the reason why the tests cannot give the user a small disk, or false. */
export function noSmallDisks(asUser: readonly string[]): string | false {
  if (asUser.length > 0 && process.getuid?.() !== 0) return 'needs root';
  const folder = folderOf(asUser);
  const [program, ...args] = onSmallDisk(folder, asUser);
  const { status } = spawnSync(program, [...args, 'true']);
  rmSync(folder, { recursive: true, force: true });
  return status === 0 ? false : `needs unshare -rm and ${asUser[0] ?? 'mount'}`;
}

/**
 * Starts a server on a small disk, which the test can fill. The disk ends with the process, so `stop` then copies the database to the folder
 * that the disk covered, where the replay of its decisions reads it (`replay.ts`).
 */
export async function startOnSmallDisk(
  asUser: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly server: Pick<ServerProcess, 'written' | 'stop'>; readonly disk: string; readonly breakable: Breakable }> {
  const folder = folderOf(asUser);
  const server = await startServerProcess(environment, folder, onSmallDisk(folder, asUser));
  // The file system is visible only in the mount namespace of the server.
  const disk = join('/proc', String(server.pid), 'root', folder);
  const filler = join(disk, 'filler');
  const settings = { endpoint: server.endpoint, region: 'us-east-1', credentials: profileKeys(disk), maxAttempts: 1 };
  const breakable: Breakable = {
    settings,
    fail() {
      const file = openSync(filler, 'r+');
      try {
        for (;;) writeSync(file, new Uint8Array(4_096));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      } finally {
        closeSync(file);
      }
    },
    repair: () => truncateSync(filler),
  };
  // An open directory keeps the file system after the process.
  const held = openSync(disk, 'r');
  const stop = async () => {
    const status = await server.stop();
    const database = basename(databaseFile(`file:${folder}`) ?? '');
    const left = join('/proc/self/fd', String(held));
    for (const file of readdirSync(left)) if (file.startsWith(database)) copyFileSync(join(left, file), join(folder, file));
    closeSync(held);
    return status;
  };
  return { server: { written: server.written, stop }, disk, breakable };
}
