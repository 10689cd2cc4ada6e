/**
 * Lends databases on one temporary PostgreSQL server to all test files of a run, so that a file does not start a server of its own.
 * `tools/run-tests.ts` is the host. The server starts when the first test asks for a database.
 */
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

/** Environment variable with the path of the host's socket. The server rejects unknown variables that start with `BELFRY_`. */
const SOCKET = 'POSTGRES_OF_TESTS';

/** A database that the host deletes when the borrower closes it, or when the borrower's process ends. */
export interface LentDatabase {
  readonly url: string;
  close(): void;
}

/** Listens for test files until `end`, which requires that they have ended. Sets the environment variable by which processes that start later find the host. */
export async function hostPostgres(): Promise<{ end(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-postgres-host-'));
  chmodSync(folder, 0o700);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  let started: Promise<PostgresServer> | undefined;
  let databases = 0;
  const lent = new Set<Promise<void>>();
  const lend = async (socket: Socket) => {
    socket.on('error', () => {});
    const closed = once(socket, 'close');
    try {
      started ??= startPostgres();
      const postgres = await started;
      const name = `belfry${++databases}`;
      await administer(postgres, `CREATE DATABASE ${name}`);
      // The borrower reads until this end of the stream. Its own end of the stream returns the database.
      socket.end(postgres.urlOf(name));
      socket.resume();
      await closed;
      await administer(postgres, `DROP DATABASE ${name} WITH (FORCE)`);
    } catch (error) {
      console.error('PostgreSQL of the tests:', error);
      socket.destroy();
    }
  };
  const host = createServer({ allowHalfOpen: true }, (socket) => {
    const lending = lend(socket);
    lent.add(lending);
    void lending.finally(() => lent.delete(lending));
  });
  process.env[SOCKET] = join(folder, 'socket');
  host.listen(process.env[SOCKET]);
  await once(host, 'listening');
  host.unref();
  return {
    async end() {
      host.close();
      await Promise.all(lent);
      await (await started)?.stop();
    },
  };
}

/** Borrows an empty database from the host. Returns `undefined` if this process runs without a host. */
export async function borrowDatabase(): Promise<LentDatabase | undefined> {
  const path = process.env[SOCKET];
  if (path === undefined) return undefined;
  const socket = connect({ path, allowHalfOpen: true });
  const url = await text(socket);
  if (url === '') throw new Error('PostgreSQL did not start. The output of the test runner has the reason.');
  return { url, close: () => void socket.end() };
}

async function administer(postgres: PostgresServer, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.urlOf('postgres') });
  await client.connect();
  await client.query(statement);
  await client.end();
}
