import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { newFolder } from '../kit/folder.ts';
import { type Keys, profileKeys } from '../kit/keys.ts';
import { setLeaseLength } from '../kit/lease-length.ts';
import { replayedAtEnd } from '../kit/replay.ts';
import { CHECKED, VIOLATION } from '../store/checked-pool.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { type DatabaseProxy, databaseProxy } from './proxy.ts';

/** Server processes on one PostgreSQL database. Each process connects to the database through its own proxy. */
export interface Cluster {
  readonly members: readonly Member[];
  readonly credentials: Keys;
  readonly accountId: string;
  /** Executes one statement on the database, without a server. */
  query(text: string): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** One server process of a cluster. */
export interface Member {
  readonly proxy: DatabaseProxy;
  readonly dataFolder: string;
  /** Returns the endpoint of the running process. Each start has another endpoint. */
  endpoint(): string;
  running(): boolean;
  /** Returns everything that the member's processes wrote to standard output and standard error. */
  written(): string;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** Kills the process with SIGKILL. Resolves when it has exited. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const MUTANT = fileURLToPath(new URL('./mutant.ts', import.meta.url));

/** Starts a cluster on a new database. `mutant` is the name of a fault (see `mutants.ts`) to build into the servers' lease protocol. */
export async function startCluster(of: {
  readonly servers: number;
  readonly leaseMilliseconds: number;
  readonly mutant?: string;
}): Promise<Cluster> {
  const database = await testPostgres();
  const folder = newFolder('leases');
  await setLeaseLength(database.url, of.leaseMilliseconds);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const members: Member[] = [];
  try {
    for (let i = 0; i < of.servers; i++) {
      const dataFolder = join(folder, `server${i}`);
      mkdirSync(dataFolder, { mode: 0o700 });
      // Servers on one database share the operator key.
      if (i > 0) copyFileSync(join(folder, 'server0', 'operator.key'), join(dataFolder, 'operator.key'));
      const member = newMember(await databaseProxy(database.url), dataFolder, database.url, of.mutant);
      members.push(member);
      await member.start();
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const { rows } = await client.query("SELECT account_id FROM identity_document WHERE kind = 'account'");

  async function stop(): Promise<void> {
    for (const member of members) {
      if (member.running()) await member.kill();
      await member.proxy.close();
    }
    await client.end();
    await database.stop();
    for (const member of members) if (member.written().includes(VIOLATION)) throw new Error(member.written());
  }
  return {
    members,
    accountId: rows[0]?.account_id,
    credentials: profileKeys(join(folder, 'server0')),
    query: async (text) => (await client.query(text)).rows,
    stop,
  };
}

function newMember(proxy: DatabaseProxy, dataFolder: string, database: string, mutant: string | undefined): Member {
  let child: ChildProcess | undefined;
  let endpoint = '';
  let text = '';
  let gone: Promise<void> = Promise.resolve();
  return {
    proxy,
    dataFolder,
    endpoint: () => endpoint,
    running: () => child !== undefined,
    written: () => text,
    signal: (name) => void child?.kill(name),
    async kill() {
      child?.kill('SIGKILL');
      await gone;
    },
    async start() {
      const own = Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !name.startsWith('BELFRY_') && name !== 'NODE_TEST_CONTEXT'),
      );
      const faulty = mutant === undefined ? [] : ['--import', MUTANT];
      const args = ['--data', dataFolder, '--http', '127.0.0.1:0', '--https', 'off', '--database', proxy.url];
      const started = spawn(process.execPath, [...CHECKED, ...faulty, MAIN, 'start', ...args], {
        env: { ...own, BELFRY_METRICS: 'off', ...(mutant === undefined ? {} : { LEASE_MUTANT: mutant }) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = started;
      const ended = replayedAtEnd(database);
      gone = new Promise((resolve) =>
        started.once('exit', () => {
          if (child === started) child = undefined;
          ended();
          resolve();
        }),
      );
      let startText = '';
      endpoint = await new Promise<string>((resolve, reject) => {
        for (const stream of [started.stdout, started.stderr]) {
          stream.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
            startText += chunk;
            const found = /listening on (http:\S+)/.exec(startText);
            if (found) resolve(found[1] as string);
          });
        }
        started.once('exit', () => reject(new Error(`belfry start exited: ${startText}`)));
      });
    },
  };
}
