import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { nodeSqlite, type SqliteDriver, type SqliteOpen } from './sqlite-driver.ts';

/** Creates the function that returns paths of new data folders. The folders are deleted after the tests of the file. */
export function dataFolders(): () => string {
  const base = mkdtempSync(join(tmpdir(), 'belfry-sqlite-'));
  after(() => rmSync(base, { recursive: true, force: true }));
  let folders = 0;
  return () => join(base, `data${++folders}`);
}

/**
 * Opens databases with Node's SQLite. Calls `onRun` before each statement that returns no rows, and `onRead` before
 * each statement that returns rows. `onRun` may throw, to simulate an error of the disk.
 */
export function observedSqlite(onRun: (text: string) => void, onRead: (text: string) => void = () => {}): SqliteOpen {
  return (path) => {
    const driver = nodeSqlite(path);
    const prepare: SqliteDriver['prepare'] = (text) => {
      const statement = driver.prepare(text);
      return {
        all(values) {
          onRead(text);
          return statement.all(values);
        },
        get(values) {
          onRead(text);
          return statement.get(values);
        },
        run(values) {
          onRun(text);
          return statement.run(values);
        },
      };
    };
    return path.endsWith('lock.db') ? driver : { ...driver, prepare };
  };
}
