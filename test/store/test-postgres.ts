import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { poolIsChecked } from './checked-pool.ts';

const run = promisify(execFile);

/** Folder of the PostgreSQL programs on Debian and Ubuntu, with one folder per version. */
const VERSIONS = '/usr/lib/postgresql';

/** ID of the user `nobody` on Linux. PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

const STARTS_WITHIN_MS = 30_000;

/** A database on the temporary PostgreSQL server of the tests. */
export interface TestPostgres {
  /** URL of an empty database. No other test uses it. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

interface Server {
  readonly urlOf: (database: string) => string;
  readonly stop: () => Promise<void>;
}

let shared: Promise<Server> | undefined;
let users = 0;
let databases = 0;

/**
 * Creates an empty database on a temporary PostgreSQL server. All callers in one process share the server, which stops when the last caller
 * closes its database. The data folder is temporary, only this user can open the socket, and the server has no TCP port.
 *
 * @throws Error  PostgreSQL is not installed. The message says which package to install
 */
export async function testPostgres(): Promise<TestPostgres> {
  if (process.env['NODE_TEST_CONTEXT'] !== undefined && !poolIsChecked())
    throw new Error("Tests on PostgreSQL check their connections: run them with 'npm test' or 'node tools/test.mjs FILE'.");
  users++;
  shared ??= startServer();
  const server = await shared;
  const database = `belfry${++databases}`;
  const client = new pg.Client({ connectionString: server.urlOf('postgres') });
  await client.connect();
  await client.query(`CREATE DATABASE ${database}`);
  await client.end();
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    if (--users > 0) return;
    shared = undefined;
    await server.stop();
  };
  return { url: server.urlOf(database), stop: () => (stopped ??= stop()) };
}

async function startServer(): Promise<Server> {
  const programs = programsFolder();
  const folder = mkdtempSync(join(tmpdir(), 'belfry-postgres-'));
  const data = join(folder, 'data');
  const runAs = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (runAs.uid !== undefined) chownSync(folder, NOBODY, NOBODY);
  await run(join(programs, 'initdb'), ['-D', data, '-U', 'belfry', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'], {
    ...runAs,
    cwd: folder,
  });
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'unix_socket_permissions=0700'],
    {
      ...runAs,
      cwd: folder,
      stdio: 'ignore',
    },
  );
  const ended = once(server, 'exit');
  // Stops the server if the test process exits early.
  const abandon = (): void => {
    server.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', abandon);
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
