/** A temporary PostgreSQL server of the tests. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);

/** Folder of the PostgreSQL programs on Debian and Ubuntu, with one folder per version. */
const VERSIONS = '/usr/lib/postgresql';

/** ID of the user `nobody` on Linux. PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

/** Two test files at a time share the server. PostgreSQL's default is 100. */
const CONNECTIONS_MAX = 200;

/**
 * File system in memory, and the space that it must have. There, a sync to disk takes no time. With a disk, the tests on PostgreSQL wait for it
 * more than half of their time.
 */
const MEMORY = { folder: '/dev/shm', bytesMin: 4 * 2 ** 30 };

const STARTS_WITHIN_MS = 180_000;

export interface PostgresServer {
  readonly urlOf: (database: string) => string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a server. Its data folder is temporary, only this user can open its socket, and it has no TCP port. With `onDisk`, the data is not in
 * memory.
 *
 * @throws Error  PostgreSQL is not installed. The message says which package to install
 */
export async function startPostgres({ onDisk = false } = {}): Promise<PostgresServer> {
  const programs = programsFolder();
  const folder = mkdtempSync(join(!onDisk && hasMemory() ? MEMORY.folder : tmpdir(), 'belfry-postgres-'));
  const data = join(folder, 'data');
  const runAs = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (runAs.uid !== undefined) chownSync(folder, NOBODY, NOBODY);
  let running: ChildProcess | undefined;
  // Stops the server if the test process exits early.
  const abandon = (): void => {
    running?.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', abandon);
  const files = ['-D', data, '-U', 'belfry', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  const created = run(join(programs, 'initdb'), files, { ...runAs, cwd: folder });
  running = created.child;
  await created;
  const settings = ['listen_addresses=', 'unix_socket_permissions=0700', `max_connections=${CONNECTIONS_MAX}`, 'max_wal_size=256MB'];
  const options = ['-D', data, '-k', folder, ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(join(programs, 'postgres'), options, { ...runAs, cwd: folder, stdio: 'ignore' });
  running = server;
  const ended = once(server, 'exit');
  const urlOf = (database: string): string => `postgres://belfry@${encodeURIComponent(folder)}/${database}`;
  await waitUntilReady(urlOf('postgres'), server);
  return {
    urlOf,
    async stop() {
      process.off('exit', abandon);
      // SIGQUIT stops the server at once, without a last checkpoint, because its data is no longer needed.
      server.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function hasMemory(): boolean {
  if (!existsSync(MEMORY.folder)) return false;
  const { bavail, bsize } = statfsSync(MEMORY.folder);
  return bavail * bsize >= MEMORY.bytesMin;
}

function programsFolder(): string {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  const newest = versions.toSorted((a, b) => Number(b) - Number(a)).find((version) => existsSync(join(VERSIONS, version, 'bin', 'initdb')));
  if (newest === undefined) throw new Error('These tests need PostgreSQL. Install it (Debian: apt-get install postgresql) and try again.');
  return join(VERSIONS, newest, 'bin');
}

async function waitUntilReady(connectionString: string, server: ChildProcess): Promise<void> {
  const latest = Date.now() + STARTS_WITHIN_MS;
  for (;;) {
    const client = new pg.Client({ connectionString });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (server.exitCode !== null || Date.now() > latest) throw new Error('PostgreSQL did not start.', { cause: error });
      await delay(20);
    }
  }
}
