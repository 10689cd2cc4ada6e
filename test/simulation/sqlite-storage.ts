/** Embedded SQLite engine on files in memory. Syncs are late or fail, and a power failure discards unsynced writes. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openServers } from '#store/engine/open-servers.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { nodeSqlite, type SqliteDriver } from '#store/engine/sqlite-driver.ts';
import type { SqlValue } from '#store/sql.ts';
import { MEMORY_FOLDER } from './database.ts';
import { NO_FAULTS } from './database-backends.ts';
import { openSession } from './database-session.ts';
import type { Storage } from './storage.ts';
import type { World } from './world.ts';

/**
 * Creates a data folder with a database. `template` is a database file that `copyTo` wrote. By default, the database is
 * empty.
 */
export function sqliteStorage(world: World, template?: string): Storage {
  const folder = mkdtempSync(join(MEMORY_FOLDER, 'belfry-simulation-'));
  const path = join(folder, 'belfry.db');
  const log = `${path}-wal`;
  if (template !== undefined) copyFileSync(template, path);
  const drivers = new Set<SqliteDriver>();
  let rates = NO_FAULTS;
  /** Contents of the files when the latest completed sync began. A power failure restores them. */
  let durable = { ...readFiles(), begun: 0 };
  let syncs = 0;

  function readFiles() {
    const read = (name: string): Buffer | undefined => {
      try {
        return readFileSync(name);
      } catch {
        return undefined;
      }
    };
    return { database: read(path), log: read(log) };
  }

  function closeAll(): void {
    for (const driver of drivers) driver.close();
    drivers.clear();
  }

  return {
    engine: 'sqlite',
    setFaults: (next) => void (rates = next),
    async open(process, { fatal }) {
      process.onKill(closeAll);
      const store = await openSqlite(folder, {
        fatal,
        open(name) {
          const driver = nodeSqlite(name);
          drivers.add(driver);
          return { ...driver, close: () => void (drivers.delete(driver) && driver.close()) };
        },
        syncLog(done) {
          const files = { ...readFiles(), begun: ++syncs };
          const fails = world.random.chance(rates.lost);
          world.after(
            world.random.chance(0.3) ? world.random.between(10, 150) : world.random.between(0.1, 2),
            () => {
              if (!fails && files.begun > durable.begun) durable = files;
              done(fails ? new Error('EIO: i/o error, fdatasync') : null);
            },
            process,
          );
        },
      });
      return { store, registry: await openServers(`file:${folder}`, store) };
    },
    rows<Row>(text: string, values: readonly SqlValue[] = []): Row[] {
      const reader = openSession(path);
      try {
        return (reader.execute({ text, values: values as SqlValue[] }) as { readonly rows: unknown[] }).rows as Row[];
      } finally {
        reader.close();
      }
    },
    copyTo: (target) => copyFileSync(path, target),
    cutPower() {
      rmSync(`${path}-shm`, { force: true });
      for (const [name, content] of [
        [path, durable.database],
        [log, durable.log],
      ] as const) {
        if (content === undefined) rmSync(name, { force: true });
        else writeFileSync(name, content);
      }
    },
    close() {
      closeAll();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
