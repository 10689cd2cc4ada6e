/**
 * A simulated PostgreSQL and its connection pools. The seed determines latency, lost connections, late statements and conflicts.
 *
 * A pool reports a violation if a caller releases a connection twice or inside a transaction, or uses the connection after the release.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresPool, PostgresRows } from '#store/engine/postgres-pool.ts';
import type { SqlValue } from '#store/sql.ts';
import { type FaultRates, NO_FAULTS, newBackends } from './database-backends.ts';
import { openPool, type PoolOptions, type PoolsOf } from './database-pool.ts';
import { openSession } from './database-session.ts';
import type { Process, World } from './world.ts';

/** A database of simulated servers. */
export interface SimulatedDatabase {
  openPool(process: Process, options: PoolOptions): PostgresPool;
  setFaults(rates: FaultRates): void;
  /** Reads committed rows at once, without simulated latency or faults. */
  rows<Row>(text: string, values?: readonly SqlValue[]): Row[];
  /** Reports a violation if a caller has not released a connection. Call this function after all work has ended. */
  checkReturned(): void;
  /** Copies the database for `newDatabase`. No transaction may be open. */
  copyTo(path: string): void;
  close(): void;
}

/** Folder for temporary files: in memory if the system has `/dev/shm`. */
export const MEMORY_FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Creates a database. `template` is a database file that `copyTo` wrote. By default, the database is empty. */
export function newDatabase(world: World, template?: string): SimulatedDatabase {
  const folder = mkdtempSync(join(MEMORY_FOLDER, 'belfry-simulation-'));
  const path = join(folder, 'database');
  if (template !== undefined) copyFileSync(template, path);
  let rates = NO_FAULTS;
  const backends = newBackends(world, path);
  const pools: PoolsOf = { world, backends, rates: () => rates, lent: new Set() };
  return {
    openPool: (process, options) => openPool(pools, process, options),
    setFaults: (next) => void (rates = next),
    rows<Row>(text: string, values: readonly SqlValue[] = []): Row[] {
      const reader = openSession(path);
      try {
        return (reader.execute({ text, values: values as SqlValue[] }) as PostgresRows).rows as Row[];
      } finally {
        reader.close();
      }
    },
    checkReturned() {
      if (pools.lent.size > 0) world.violate(`${pools.lent.size} connections were not released`);
    },
    copyTo(target) {
      const session = openSession(path);
      session.execute({ text: 'PRAGMA wal_checkpoint(TRUNCATE)' });
      session.close();
      copyFileSync(path, target);
    },
    close() {
      backends.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
