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

/** Where Debian and Ubuntu put the server's programs, one folder a version. */
const VERSIONS = '/usr/lib/postgresql';

/** The user `nobody`, on every Linux. The server refuses to be root. */
const NOBODY = 65_534;

const STARTS_WITHIN_MS = 30_000;

export interface TestPostgres {
  /** Of an empty database that nobody else uses. */
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
 * An empty database on a throw-away PostgreSQL, which all who ask in one process share; it ends with the last of them.
 * Its data folder is temporary, its socket is open to this user alone, and it has no TCP port.
 *
 * @throws Error that says what to install, where there is no PostgreSQL
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
  const asWhom = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (asWhom.uid !== undefined) chownSync(folder, NOBODY, NOBODY);
  await run(join(programs, 'initdb'), ['-D', data, '-U', 'belfry', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'], {
    ...asWhom,
    cwd: folder,
  });
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'unix_socket_permissions=0700'],
    {
      ...asWhom,
      cwd: folder,
      stdio: 'ignore',
    },
  );
  const ended = once(server, 'exit');
  // A test process that ends early must leave no server behind.
  const abandon = (): void => {
    server.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', abandon);
  const urlOf = (database: string): string => `postgres://belfry@${encodeURIComponent(folder)}/${database}`;
  await answering(urlOf('postgres'), server);
  return {
    urlOf,
    async stop() {
      process.off('exit', abandon);
      // At once, without a last checkpoint: nothing of it is needed any more.
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

async function answering(connectionString: string, server: ChildProcess): Promise<void> {
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
