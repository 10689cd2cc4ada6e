import pg from 'pg';
import '../kit/loaded.ts';
import { replayBeforeDeletion } from '../kit/replay.ts';
import { poolIsChecked } from './checked-pool.ts';
import { borrowDatabase } from './postgres-host.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

/** A database on the temporary PostgreSQL server of the tests. */
export interface TestPostgres {
  /** URL of an empty database. No other test uses it. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

let own: Promise<PostgresServer> | undefined;
let users = 0;
let databases = 0;

/**
 * Creates an empty database on a temporary PostgreSQL server. All test files of a run share the server. A program that runs without the test
 * runner starts its own, which stops when the last caller closes its database.
 *
 * @throws Error  PostgreSQL is not installed. The message says which package to install
 */
export async function testPostgres(): Promise<TestPostgres> {
  if (process.env['NODE_TEST_CONTEXT'] !== undefined && !poolIsChecked())
    throw new Error("Tests on PostgreSQL check their connections: run them with 'npm test' or 'node tools/test.mjs FILE'.");
  const lent = await borrowDatabase();
  if (lent !== undefined) {
    const close = async (): Promise<void> => {
      await replayBeforeDeletion(lent.url);
      lent.close();
    };
    return { url: lent.url, stop: close };
  }
  users++;
  own ??= startPostgres();
  const server = await own;
  const database = `belfry${++databases}`;
  const client = new pg.Client({ connectionString: server.urlOf('postgres') });
  await client.connect();
  await client.query(`CREATE DATABASE ${database}`);
  await client.end();
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await replayBeforeDeletion(server.urlOf(database));
    if (--users > 0) return;
    own = undefined;
    await server.stop();
  };
  return { url: server.urlOf(database), stop: () => (stopped ??= stop()) };
}
